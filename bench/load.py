"""The load generator: a process of its own that plays orders over keep-alive connections to this machine.

Reads one JSON order a line from standard input and answers each with one JSON line:

- ``port``, ``requests`` (whole HTTP/1.1 requests as text), ``connections``, ``seconds``;
- ``once``: play each request once and stop, instead of going round until the seconds are over;
- ``keep``: send the answers' bodies and latencies back, in the order of the requests.

One request at a time on each connection (a closed loop). Connections, seconds and bodies are bounded.
"""

import itertools
import json
import selectors
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

HOST = "127.0.0.1"
CONNECTIONS_MAX = 256
SECONDS_MAX = 600
SILENCE_SECONDS_MAX = 30
RECEIVE_BYTES = 65_536
BODILESS = (204, 304)


@dataclass
class Tally:
    """What came back so far."""

    #: By the number of the request, the latest where it was played again.
    latencies_by_number: dict[int, float] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    #: By the number of the request.
    bodies: dict[int, bytes] = field(default_factory=dict)


class Connection:
    """One keep-alive connection with at most one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.number = 0
        self._received = b""
        self._sent_at = 0.0

    def send(self, number: int, request: bytes) -> None:
        self.number, self._received = number, b""
        self._sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> tuple[float, int, bytes] | None:
        """Read on; the latency, status and body once the answer is whole."""
        piece = self.socket.recv(RECEIVE_BYTES)
        if not piece:
            raise ConnectionError("the server hung up")
        self._received += piece
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return None
        status = int(head[9:12])
        if len(body) < _content_length(head, status):
            return None
        return time.perf_counter() - self._sent_at, status, body


def _content_length(head: bytes, status: int) -> int:
    if status in BODILESS:
        return 0
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    if not found:
        raise ConnectionError(f"an answer without a length: {head[:200]!r}")
    return int(rest.partition(b"\r\n")[0])


def play(order: dict[str, Any]) -> dict[str, Any]:
    """Play one order to its end."""
    requests = [text.encode() for text in order["requests"]]
    numbered = list(enumerate(requests))
    supply = iter(numbered) if order["once"] else itertools.cycle(numbered)
    count = min(order["connections"], CONNECTIONS_MAX, len(requests))
    tally = Tally()
    connections = [Connection(order["port"]) for _ in range(count)]
    began = time.perf_counter()
    try:
        _drive(connections, supply, began + min(order["seconds"], SECONDS_MAX), tally)
    finally:
        for connection in connections:
            connection.socket.close()
    return _summary(tally, time.perf_counter() - began, keep=order["keep"])


def _drive(
    connections: list[Connection],
    supply: Iterator[tuple[int, bytes]],
    deadline: float,
    tally: Tally,
) -> None:
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        waiting = sum(_send_next(connection, supply) for connection in connections)
        while waiting:
            for key, _ in selector.select(timeout=SILENCE_SECONDS_MAX) or _refuse_silence():
                answer = key.data.receive()
                if answer is None:
                    continue
                _count(tally, key.data.number, *answer)
                timely = time.perf_counter() < deadline
                if not (timely and _send_next(key.data, supply)):
                    waiting -= 1


def _refuse_silence() -> list[Any]:
    raise TimeoutError(f"no answer for {SILENCE_SECONDS_MAX} s")


def _send_next(connection: Connection, supply: Iterator[tuple[int, bytes]]) -> bool:
    numbered = next(supply, None)
    if numbered is None:
        return False
    connection.send(*numbered)
    return True


def _count(tally: Tally, number: int, latency: float, status: int, body: bytes) -> None:
    tally.latencies.append(latency)
    tally.latencies_by_number[number] = latency
    tally.statuses[status] += 1
    tally.bodies[number] = body


def _summary(tally: Tally, seconds: float, *, keep: bool) -> dict[str, Any]:
    ordered = sorted(tally.latencies)
    return {
        "requests": len(ordered),
        "seconds": seconds,
        "p50_ms": ordered[len(ordered) // 2] * 1000,
        "p99_ms": ordered[len(ordered) * 99 // 100] * 1000,
        "statuses": tally.statuses,
        "sample": next(iter(tally.bodies.values())).decode(),
        "each_ms": [s * 1000 for _, s in sorted(tally.latencies_by_number.items())] if keep else [],
        "bodies": [body.decode() for _, body in sorted(tally.bodies.items())] if keep else [],
    }


def main() -> None:
    """Play orders until standard input ends."""
    for line in sys.stdin:
        print(json.dumps(play(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
