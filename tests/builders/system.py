"""The whole product running: every process as ``bin/run`` starts it, to be killed and watched."""

import http.client
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import psutil
from flask import Flask

from app.core.composition import workspace
from app.factory import create_app
from app.runtime.addresses import free_port
from app.runtime.installation import installation_settings
from tests.builders.clock import MovableClock
from tests.builders.company import API, Company, Phone, found_company
from tests.builders.stream import wait_until

ROOT = Path(__file__).parents[2]
START_SECONDS_MAX = 180
STOP_SECONDS_MAX = 60
#: How a program is known among the children: a part of its command line.
PROGRAMS = {
    "api": r"granian",
    "gateway": r"app\.runtime\.gateway",
    "worker": r"app\.runtime\.worker",
    "push": r"app\.runtime\.push_inbox",
    "front": r"app\.runtime\.front",
    "postgres": r"bin/postgres",
    "valkey": r"valkey-server",
}


class System:
    """One running installation in a folder of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.port = free_port(None, taken=frozenset())
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._opened = ExitStack()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @cached_property
    def _app(self) -> Flask:
        """Compose the application over the installation's servers, for what tests do behind its back."""
        return create_app(
            installation_settings(self.folder, environment="test", log_level="CRITICAL")
        )

    def start(self) -> None:
        """Start everything and wait until it says that it is ready."""
        arguments = ["--port", str(self.port), "--data", str(self.folder), "--no-build"]
        arguments += self._options
        environment = {
            k: v for k, v in os.environ.items() if not k.endswith(("DATABASE_URL", "REDIS_URL"))
        }
        # ERPs of tests are doubles on this machine.
        environment["WORKSPACE_ERP_HOSTS"] = "127.0.0.1"
        # There is a rail to be named; nobody listens there, and nobody is paid over it.
        if "--empty" in self._options:
            environment["WORKSPACE_RAIL_ENDPOINT"] = "http://127.0.0.1:9"
        with (self.folder.parent / f"{self.folder.name}.out").open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app.runtime.supervisor", *arguments],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=output,
            )
        wait_until(self.is_ready, "the system is ready", START_SECONDS_MAX)

    def stop(self) -> int:
        """Ask it to stop, as Ctrl-C does, and return its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(STOP_SECONDS_MAX)

    def is_ready(self) -> bool:
        """Whether the api says so, and the gateway takes sockets: each is started anew by itself."""
        assert self._process is not None
        assert self._process.poll() is None, self.output()
        status, said = self._ask("/readyz")
        return status == 200 and b'"ready"' in said and self._ask("/socket.io/?EIO=4")[0] < 500

    def _ask(self, path: str) -> tuple[int, bytes]:
        """What the public port answers, 599 where nobody does."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            reply = connection.getresponse()
            return reply.status, reply.read()
        except (OSError, http.client.HTTPException):
            return 599, b""
        finally:
            connection.close()

    def output(self) -> str:
        return (self.folder.parent / f"{self.folder.name}.out").read_text()[-4_000:]

    def kill(self, name: str) -> None:
        """Kill a program and all it started, without a word (``kill -9``)."""
        victims = self._processes(name)
        assert victims, f"no {name} is running"
        for victim in victims:
            with suppress(psutil.NoSuchProcess):
                for doomed in [*victim.children(recursive=True), victim]:
                    doomed.kill()

    def freeze(self, name: str) -> None:
        for victim in self._processes(name):
            victim.suspend()

    def thaw(self, name: str) -> None:
        for victim in self._processes(name):
            victim.resume()

    def _processes(self, name: str) -> list[psutil.Process]:
        assert self._process is not None
        children = psutil.Process(self._process.pid).children()
        return [child for child in children if re.search(PROGRAMS[name], _command_of(child))]

    def company(self) -> Company:
        """Found a company in the running installation."""
        space = workspace(self._app)
        # Both connect anew when they are used again.
        self._opened.callback(space.database.close)
        self._opened.callback(space.redis.close)
        return found_company(self._app, space, MovableClock())

    def phone(self, phone: Phone) -> "RemotePhone":
        """Let a person's phone talk to the running installation."""
        made = RemotePhone(self, phone)
        self._opened.callback(made.close)
        return made

    def hang_up(self) -> None:
        """Close what tests have opened to the installation."""
        self._opened.close()


class RemotePhone:
    """A phone on the network: what it sends goes through the public port."""

    def __init__(self, system: System, phone: Phone) -> None:
        self.system = system
        self.token = phone.token
        self.person = phone.person
        self.device_id = phone.device_id
        self._http = httpx.Client(
            base_url=system.url + API,
            headers={"Authorization": f"Bearer {phone.token}", "Accept-Language": "en"},
            timeout=60,
        )

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self._http.get(path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        return self._http.post(path, json={} if json is None else json, **options)

    def put(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        return self._http.put(path, json={} if json is None else json, **options)

    def pay(self, path: str, json: Any, key: str) -> httpx.Response:
        return self.post(path, json, headers={"Idempotency-Key": key})

    def until_answered(
        self, call: Callable[[], httpx.Response], seconds: float = 120
    ) -> httpx.Response:
        """Repeat a call, as phones do, until the server has an answer to it (not 5xx, not a cut line)."""
        found: list[httpx.Response] = []

        def answered() -> bool:
            try:
                reply = call()
            except httpx.TransportError:
                return False
            if reply.status_code >= 500 or reply.status_code == 202:
                return False
            found.append(reply)
            return True

        wait_until(answered, "the server has an answer", seconds)
        return found[0]


def _command_of(process: psutil.Process) -> str:
    """Say what a process runs; nothing, when it has just ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""
