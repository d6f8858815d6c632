"""Servers under measurement: the api as ``bin/run`` serves it, and the bare peer under the very same server."""

import dataclasses
import http.client
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.core.places import PLACES
from app.runtime.child import Child, Program
from bench.generator import Generator
from bench.ground import Ground, cpu_seconds
from bench.rounds import Sample

READY_SECONDS_MAX = 90


@dataclass(frozen=True)
class Server:
    """A program that listens on a port of this machine."""

    ground: Ground
    child: Child
    port: int

    def cpu_seconds(self) -> tuple[float, float]:
        """CPU time used so far: by the server, and by the stores behind it."""
        return cpu_seconds(self.child), self.ground.stores_cpu_seconds()

    def until_answers(self, path: str) -> "Server":
        """Wait until it answers 200."""
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not self._answers(path):
            if time.monotonic() > deadline or not self.child.is_running():
                raise SystemExit("\n".join([f"{self.child.name}:", *self.child.last_words()]))
            time.sleep(0.05)
        return self

    def _answers(self, path: str) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def serve_api(ground: Ground) -> Server:
    """Serve the product's api."""
    return _serve(ground, ground.programs()["api"], "/readyz")


def serve_bare(ground: Ground) -> Server:
    """Serve the bare peer: the api's own command line with another application at its end.

    It has a thread for each of the api's places: more, with nothing to wait for, only made it slower.
    """
    api = ground.programs()["api"]
    argv = [*api.argv[:-1], "bench.bare:app"]
    argv[argv.index("--blocking-threads") + 1] = str(PLACES)
    bare = dataclasses.replace(api, name="bare", argv=argv)
    return _serve(ground, bare, "/rows/1")


def _serve(ground: Ground, program: Program, ready: str) -> Server:
    child = ground.start(program)
    port = int(child.program.argv[child.program.argv.index("--port") + 1])
    return Server(ground, child, port).until_answers(ready)


def measured(
    server: Server,
    load: Generator,
    requests: Sequence[str],
    seconds: float,
    *,
    status: int = 200,
) -> Callable[[], Sample]:
    """Make a contender: each call plays the requests for these seconds."""
    load.play(server.port, requests, seconds=min(1.0, seconds)).require(status)

    def measure() -> Sample:
        before = server.cpu_seconds()
        outcome = load.play(server.port, requests, seconds=seconds).require(status)
        own, stores = (b - a for a, b in zip(before, server.cpu_seconds(), strict=True))
        return Sample(
            {
                "per second": outcome.requests / outcome.seconds,
                "p50 ms": outcome.p50_ms,
                "p99 ms": outcome.p99_ms,
                "server CPU µs": own / outcome.requests * 1e6,
                "stores CPU µs": stores / outcome.requests * 1e6,
                "CPU µs": (own + stores) / outcome.requests * 1e6,
            }
        )

    return measure
