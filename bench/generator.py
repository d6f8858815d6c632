"""Driving the load generator from a benchmark: orders in, outcomes out."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench.conversation import Conversation, conversation

CONNECTIONS = 16
LANGUAGE = "en"


@dataclass(frozen=True)
class Outcome:
    """What an order came to."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    statuses: dict[str, int]
    sample: str
    each_ms: list[float]
    bodies: list[str]

    def require(self, *statuses: int) -> "Outcome":
        """Stop the benchmark when other answers came than it means to measure."""
        if strange := {s: n for s, n in self.statuses.items() if int(s) not in statuses}:
            raise SystemExit(f"unexpected answers {strange}, such as {self.sample[:500]}")
        return self


class Generator:
    """A running load generator."""

    def __init__(self, process: Conversation) -> None:
        self._process = process

    def play(
        self,
        port: int,
        requests: Sequence[str],
        *,
        seconds: float,
        connections: int = CONNECTIONS,
        once: bool = False,
        keep: bool = False,
    ) -> Outcome:
        """Play the requests against a port of this machine and wait for the end."""
        order: dict[str, Any] = {"port": port, "requests": list(requests), "seconds": seconds}
        order |= {"connections": connections, "once": once, "keep": keep}
        return Outcome(**self._process.ask(order))


@contextmanager
def generator() -> Iterator[Generator]:
    """Start a load generator; it ends with the block."""
    with conversation("bench.load") as process:
        yield Generator(process)


def get(path: str, token: str | None = None, tag: str | None = None) -> str:
    """Write a GET as it goes over the wire, for a phone that may hold the answer of this tag."""
    return _request(
        "GET", path, {"Authorization": token and f"Bearer {token}", "If-None-Match": tag}
    )


def post(path: str, token: str, body: str = "") -> str:
    """Write a POST of a JSON body as it goes over the wire."""
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Content-Length": str(len(body.encode())),
    }
    return _request("POST", path, headers) + body


def _request(method: str, path: str, headers: Mapping[str, str | None]) -> str:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Accept-Language: {LANGUAGE}"]
    lines += [f"{name}: {value}" for name, value in headers.items() if value]
    return "\r\n".join([*lines, "", ""])
