"""A phone's stream: a real gateway process, and clients that collect what they hear."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import engineio
import socketio
from socketio.exceptions import ConnectionError as RefusedError

from app.core.composition import Workspace
from app.core.settings import Settings
from app.delivery.hints import HintPublisher
from app.delivery.sequencer import Sequencer
from tests.builders.company import Phone

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60.0
#: Looking costs the time that what is waited for may need: so rarer and rarer.
LOOK_SECONDS = 0.02
LOOK_SECONDS_MAX = 0.2


def wait_until(is_so: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait, with patience and an end to it."""
    deadline, pause = time.monotonic() + seconds, LOOK_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(pause)
        pause = min(pause * 1.2, LOOK_SECONDS_MAX)


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment_of(settings: Settings, **more: str) -> dict[str, str]:
    """Say these settings to a process of its own."""
    return {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "WORKSPACE_ENV": settings.environment,
        "WORKSPACE_DATA_DIR": str(settings.data_dir),
        "WORKSPACE_DATABASE_ROLE_PREFIX": settings.database_role_prefix,
        "WORKSPACE_SECRET_KEY": settings.secret_key,
        "WORKSPACE_LOG_LEVEL": "WARNING",
        **more,
    }


class Process:
    """A program of the product under test, with its output kept for the reader of a failure."""

    def __init__(self, module: str, environment: dict[str, str]) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", module], cwd=ROOT, env=environment, stderr=subprocess.PIPE
        )
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def is_running(self) -> bool:
        return self._child.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._child.send_signal(number)

    def wait(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Wait for the end; returns the exit code."""
        code = self._child.wait(seconds)
        self._reader.join(seconds)
        return code

    def stop(self) -> int:
        """End it gently."""
        if self.is_running:
            self.send(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """End it as a crash would."""
        self._child.kill()
        self.wait()

    def _read(self) -> None:
        assert self._child.stderr is not None
        with self._child.stderr as lines:
            self.said += [line.decode(errors="replace") for line in lines]


class GatewayProcess(Process):
    """A gateway on a port of its own."""

    def __init__(self, settings: Settings, *, port: int | None = None, **more: str) -> None:
        self.port = port or free_port()
        more = {"WORKSPACE_GATEWAY_PORT": str(self.port)} | more
        super().__init__("app.runtime.gateway", environment_of(settings, **more))
        wait_until(lambda: self._answers() or not self.is_running, "the gateway answers")
        assert self.is_running, "".join(self.said)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            return False


@contextmanager
def sequencing(space: Workspace) -> Iterator[None]:
    """Number facts in the background, as the worker does, and give hints."""
    stopped = threading.Event()
    hints = HintPublisher(space.redis)
    sequencer = Sequencer(space.database, space.subscriptions, space.jobs, hints.publish)
    thread = threading.Thread(target=sequencer.run, args=(stopped,))
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


class _OrderedEngine(engineio.Client):
    """Hands messages on in the order they come, where the library starts a thread for each."""

    def _trigger_event(self, event: str, *args: Any, **options: Any) -> Any:
        return super()._trigger_event(event, *args, **(options | {"run_async": False}))


class _OrderedClient(socketio.Client):
    def _engineio_client_class(self) -> type[engineio.Client]:
        return _OrderedEngine


def refusal_of(url: str, auth: Any) -> Any:
    """Connect where one is not wanted, and give the problem one is refused with."""
    client = socketio.Client(reconnection=False)
    said: list[Any] = []
    client.on("connect_error", said.append)
    try:
        client.connect(url, auth=auth, transports=["websocket"], wait_timeout=60)
    except RefusedError:
        wait_until(lambda: said, "the refusal is heard")
        return said[0]["data"]
    finally:
        client.shutdown()
    raise AssertionError("the connection was accepted")


def stream_of(url: str, phone: Phone) -> "StreamClient":
    """Connect as phones do: while the gateway finds its own servers again, it says to come back in a moment."""
    admitted: list[StreamClient] = []

    def is_admitted() -> bool:
        with suppress(RefusedError):
            admitted.append(StreamClient(url, phone))
        return bool(admitted)

    wait_until(is_admitted, "the gateway takes the phone in")
    return admitted[0]


class StreamClient:
    """A phone listening: collects every frame, in the order it comes."""

    def __init__(
        self,
        url: str,
        phone: Phone,
        *,
        after: int | None = 0,
        epoch: str | None = None,
    ) -> None:
        self.frames: list[dict[str, Any]] = []
        self.caught_up: list[dict[str, Any]] = []
        self.resyncs: list[dict[str, Any]] = []
        self.moving: list[dict[str, Any]] = []
        self.problems: list[dict[str, Any]] = []
        self.auth = {"token": phone.token, "after": after, "epoch": epoch}
        self._client = _OrderedClient(reconnection=False)
        for name, kept in (
            ("event", self.frames),
            ("caught_up", self.caught_up),
            ("resync", self.resyncs),
            ("server_moving", self.moving),
            ("problem", self.problems),
        ):
            self._client.on(name, kept.append)
        self._client.connect(url, auth=self.auth, transports=["websocket"], wait_timeout=60)

    @property
    def is_connected(self) -> bool:
        """Whether the socket still stands."""
        return bool(self._client.connected)

    @property
    def seqs(self) -> list[int]:
        """The numbers heard, in order."""
        return [frame["seq"] for frame in self.frames]

    @property
    def last(self) -> int:
        """The highest number this phone holds."""
        heard = [frame["seq"] for frame in self.frames[-1:]]
        return max(heard + [said["seq"] for said in self.caught_up[-1:]], default=0)

    def wait_caught_up(self, times: int = 1) -> "StreamClient":
        """Wait until everything missed has come."""
        wait_until(lambda: len(self.caught_up) >= times, "the phone is caught up")
        return self

    def wait_for(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait for so many events of a kind, and give them."""
        wait_until(lambda: len(self.of(kind)) >= count, f"{count} × {kind}")
        return self.of(kind)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The events of a kind heard so far."""
        return [frame for frame in self.frames if frame["kind"] == kind]

    def send(self, name: str, body: Any) -> None:
        """Say something to the gateway."""
        self._client.emit(name, body)

    def wait_closed(self) -> None:
        """Wait until the gateway has ended the connection."""
        wait_until(lambda: not self.is_connected, "the socket is closed")

    def close(self) -> None:
        """Hang up."""
        self._client.disconnect()
        self._client.shutdown()
