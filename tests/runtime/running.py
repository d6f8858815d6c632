"""A supervisor that runs, as its user sees it."""

import http.client
import json
import subprocess
from pathlib import Path
from typing import Any

from tests.runtime.processes import eventually


class Running:
    """The process, its public port and its data folder."""

    def __init__(self, process: subprocess.Popen[str], port: int, data: Path) -> None:
        self.process = process
        self.port = port
        self.data = data
        self.said: list[str] = []

    def until_ready(self) -> "Running":
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip("\n"))
            if line == "ready\n":
                return self
        raise AssertionError("\n".join(self.said))

    def words_at_end(self) -> str:
        """Everything said until the end, which comes by itself."""
        words, _ = self.process.communicate(timeout=60)
        return words

    def get(self, path: str) -> dict[str, Any]:
        """The answer's JSON and its status."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return {"status": answer.status, **json.loads(answer.read())}
        finally:
            connection.close()

    def pid_of(self, name: str) -> int:
        return int(self.get(f"/{name}" if name != "gateway" else "/socket.io/")["pid"])

    def comes_back(self, name: str, *, after: int) -> bool:
        """Whether ``name`` answers again, as another process than ``after``."""

        def is_back() -> bool:
            answer = self.get("/socket.io/" if name == "gateway" else "/")
            return answer["status"] == 200 and answer["pid"] != after

        return eventually(is_back)

    @staticmethod
    def remembered_port(data: Path, name: str) -> int:
        return int(json.loads((data / "runtime.json").read_text())[name])
