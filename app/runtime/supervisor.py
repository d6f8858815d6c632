"""Brings the whole product up on this machine, keeps it up, and takes it down cleanly.

``python -m app.runtime.supervisor --help`` lists the options; ``bin/run`` is its usual door.
"""

import argparse
import http.client
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from app.runtime import programs
from app.runtime.addresses import free_port
from app.runtime.child import Child, Program
from app.runtime.datadir import DataDir
from app.runtime.errors import StartRefusedError
from app.runtime.front import listening_socket
from app.runtime.keeper import Keeper, StoppedError, adopt_orphans
from app.runtime.leftovers import end_orphans
from app.runtime.programs import Options, Site
from app.runtime.stores import open_stores

READY_SECONDS_MAX = 120
#: How long the phone app's build may put off the word "ready".
APP_SECONDS_MAX = 180
STOP_SECONDS = 5.0
FRONT_STOP_SECONDS = 1.0
STORES_STOP_SECONDS = 3.0
STORES = ("valkey", "postgres")
ACCOUNTS_SHOWN_MAX = 12


def say(text: str) -> None:
    print(text, flush=True)


class Supervisor:
    """One run of the product, from the locked data folder to the last child's end."""

    def __init__(
        self,
        options: Options,
        *,
        stop: threading.Event,
        preparations: Callable[[Site], list[Program]] = programs.preparations,
        kept: Callable[[Site], list[Program]] = programs.programs,
        beside: Callable[[Site], list[Program]] = programs.beside,
        free_bytes: Callable[[Path], int] | None = None,
    ) -> None:
        self._options = options
        self._data = DataDir(options.data)
        self._stop = stop
        self._preparations = preparations
        self._kept = kept
        self._beside = beside
        self._free_bytes = free_bytes
        self._keeper = Keeper(say, stop=stop, owns_process=True)

    def run(self) -> None:
        """Serve until asked to stop."""
        began = time.monotonic()
        adopt_orphans()
        self._data.open(free_bytes=self._free_bytes)
        with self._data.hold("run"), _public_port(self._options) as listener:
            try:
                self._bring_up(listener)
                self._announce(time.monotonic() - began)
                self._keeper.wait_until(lambda: False)
            except StoppedError:
                say("stopping")
            finally:
                self._take_down()

    def _bring_up(self, listener: socket.socket) -> None:
        site = self._site(listener)
        self._keeper.start(self._child(programs.front(site)))
        for program in self._beside(site):
            say(f"{program.name} …")
            self._keeper.run_beside(Child(program, None))
        for program in self._preparations(site):
            say(f"{program.name} …")
            self._keeper.run_once(Child(program, None))
        for program in self._kept(site):
            self._keeper.start(self._child(program))
        self._wait_until_ready()
        self._wait_for_the_app()

    def _site(self, listener: socket.socket) -> Site:
        stores = open_stores(self._data)
        for child in stores.children:
            self._keeper.adopt(child)
        return Site(
            options=self._options,
            ports=self._ports(),
            listener=listener.fileno(),
            database_url=stores.database_url,
            redis_url=stores.redis_url,
            secret_key=os.environ.get("WORKSPACE_SECRET_KEY") or self._data.secret("secret.key"),
        )

    def _ports(self) -> dict[str, int]:
        remembered = self._data.remembered()
        ports: dict[str, int] = {}
        for name in programs.LOOPBACK_PORTS:
            taken = frozenset(ports.values()) | {remembered.get("postgres", 0)}
            ports[name] = free_port(remembered.get(name), taken=taken)
        self._data.remember(ports)
        return ports

    def _child(self, program: Program) -> Child:
        return Child(program, self._data.log(program.name))

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS_MAX
        address = urlsplit(self._options.url)

        def is_ready() -> bool:
            self._keeper.refuse_the_restless()
            if time.monotonic() > deadline:
                raise StartRefusedError(f"Not ready after {READY_SECONDS_MAX} s; see the logs.")
            return _answers(address.hostname or "", address.port or 80)

        self._keeper.wait_until(is_ready)

    def _wait_for_the_app(self) -> None:
        """Whoever opens the page at the word "ready" shall find it; but not for ever."""
        deadline = time.monotonic() + APP_SECONDS_MAX
        self._keeper.wait_until(lambda: self._keeper.is_alone or time.monotonic() > deadline)
        if not self._keeper.is_alone:
            say("the phone app is still being built; the page appears when it is done")

    def _announce(self, seconds: float) -> None:
        for line in _account_lines(self._data.path / "demo.json"):
            say(line)
        say(f"{self._options.url}  (after {seconds:.1f} s; logs in {self._data.path / 'logs'})")
        say("ready")

    def _take_down(self) -> None:
        """The programs together, then the door, then the stores they needed to finish."""
        rest = {"front", *STORES}
        self._keeper.end_beside()
        self._keeper.stop([name for name in self._keeper.names if name not in rest], STOP_SECONDS)
        self._keeper.stop(["front"], FRONT_STOP_SECONDS)
        self._keeper.stop(STORES, STORES_STOP_SECONDS)
        end_orphans(set())


def _public_port(options: Options) -> socket.socket:
    try:
        return listening_socket(options.host, options.port)
    except OSError as refusal:
        raise StartRefusedError(
            f"Port {options.port} on {options.host} cannot be used ({os.strerror(refusal.errno or 0)}); "
            "choose another with --port."
        ) from refusal


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _account_lines(file: Path) -> list[str]:
    """One account for each role and company, and how many more there are."""
    try:
        accounts = json.loads(file.read_text())
    except FileNotFoundError:
        return []
    first = {(a["tenant"], a["role"]): a for a in reversed(accounts)}
    shown = sorted(first.values(), key=accounts.index)[:ACCOUNTS_SHOWN_MAX]
    lines = [
        f"  {a['tenant']:<12} {a['login']:<20} {a['password']:<16} {a['role']:<16} {a['name']}"
        for a in shown
    ]
    return ["accounts (company, login, password, role, name):", *lines, f"all of them: {file}"]


def options_from(arguments: list[str]) -> Options:
    """The command line, checked as a whole."""
    parser = argparse.ArgumentParser(prog="bin/run", description="Serve the workspace.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8000, help="the one public port")
    parser.add_argument("--data", type=Path, default=programs.ROOT / "var", help="data folder")
    parser.add_argument("--workers", type=int, default=1, help="api processes")
    parser.add_argument("--empty", action="store_true", help="no demo company")
    parser.add_argument("--source", type=Path, help="drop folder of a company to load instead")
    parser.add_argument("--mapping", help="mapping of that drop folder, such as adventureworks")
    parser.add_argument(
        "--no-build", action="store_true", help="serve the phone app as it is built"
    )
    given = parser.parse_args(arguments)
    if (given.source is None) != (given.mapping is None):
        parser.error("--source and --mapping go together")
    if given.source is not None and not given.source.is_dir():
        parser.error(f"--source {given.source} is not a folder")
    return Options(
        host=given.host,
        port=given.port,
        data=given.data.absolute(),
        workers=max(1, given.workers),
        is_empty=given.empty,
        source=given.source and given.source.absolute(),
        mapping=given.mapping,
        builds_app=not given.no_build,
    )


def run_until_signalled(supervisor: Callable[[threading.Event], Supervisor]) -> None:
    """Run until SIGINT, SIGTERM or a lost terminal; a refusal is one line and exit code 1."""
    stop = threading.Event()

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ask_to_stop)
    try:
        supervisor(stop).run()
    except StartRefusedError as refusal:
        sys.stderr.write(f"workspace: {refusal}\n")
        sys.exit(1)


def main() -> None:
    """Serve the product with the options of the command line."""
    options = options_from(sys.argv[1:])
    run_until_signalled(lambda stop: Supervisor(options, stop=stop))


if __name__ == "__main__":
    main()
