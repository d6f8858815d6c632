"""The one public port: hands each connection to the gateway (sockets) or to the api (the rest).

It reads the head of a connection's first request, chooses by its path, and from then on only
carries bytes both ways. It stands in for the proxy that every production installation has (nginx,
HAProxy, a cloud's load balancer); that proxy also ends TLS, which this does not, and routes every
request by itself, where this routes once for each connection, as browsers and phones open a
connection of its own for a websocket.
"""

import argparse
import asyncio
import json
import resource
import signal
import socket
from dataclasses import dataclass

HEAD_SECONDS_MAX = 10.0
HEAD_BYTES_MAX = 64 * 1024
CONNECTIONS_MAX = 8192
BACKLOG = 1024
SPARE_FILES = 64
FLUSH_SECONDS_MAX = 0.5
LINGER_SECONDS_MAX = 2.0
RETRY_AFTER_SECONDS = 2
SOCKET_PATHS = (b"/socket.io/", b"/socket.io?")


@dataclass(frozen=True)
class Refusal:
    """Why a connection is not carried on, in both languages."""

    status: int
    reason: str
    code: str
    zh: str
    en: str


STARTING = Refusal(
    503,
    "Service Unavailable",
    "unavailable",
    "服务正在启动，请稍候。",
    "The service is starting.",
)
FULL = Refusal(
    503, "Service Unavailable", "overloaded", "连接过多，请稍候。", "Too many connections."
)
TOO_SLOW = Refusal(
    408, "Request Timeout", "too_slow", "请求发送过慢。", "The request came too slowly."
)


def answer(refusal: Refusal, head: bytes) -> bytes:
    """A whole HTTP answer, as a problem document, in the language the head asks for."""
    english = b"accept-language: en" in head.lower()
    problem = {
        "type": "about:blank",
        "title": refusal.en if english else refusal.zh,
        "status": refusal.status,
        "code": refusal.code,
    }
    body = json.dumps(problem, ensure_ascii=False).encode()
    lines = (
        f"HTTP/1.1 {refusal.status} {refusal.reason}",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(body)}",
        f"Retry-After: {RETRY_AFTER_SECONDS}",
        "Connection: close",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Front:
    """Where connections go, and how many there are."""

    def __init__(
        self,
        api: int,
        gateway: int,
        *,
        head_seconds_max: float = HEAD_SECONDS_MAX,
        connections_max: int = CONNECTIONS_MAX,
    ) -> None:
        self.head_seconds_max = head_seconds_max
        self.clients: set[ClientSide] = set()
        self._api, self._gateway = api, gateway
        self._connections_max = connections_max

    @property
    def is_full(self) -> bool:
        return len(self.clients) >= self._connections_max

    def port_for(self, head: bytes) -> int:
        """The backend for the request that ``head`` begins with."""
        words = head.split(b" ", 2)
        wants_socket = len(words) > 1 and words[1].startswith(SOCKET_PATHS)
        return self._gateway if wants_socket else self._api


class Side(asyncio.Protocol):
    """One end of a carried connection; what it hears, it gives to its peer."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.peer: Side | None = None
        self._has_ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.peer is not None:
            self.peer.send(data)

    def send(self, data: bytes) -> None:
        if self.transport is not None:
            self.transport.write(data)

    def eof_received(self) -> bool:
        """The other end has said all it will say, but may still listen."""
        self._has_ended = True
        if self.peer is None or self.peer.transport is None:
            return False
        if self.peer.transport.can_write_eof():
            self.peer.transport.write_eof()
        # Closed by us only when both ends have said all.
        return not self.peer.has_ended

    @property
    def has_ended(self) -> bool:
        return self._has_ended

    def pause_writing(self) -> None:
        """No more fits down this way for now, so the peer must not be heard."""
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        peer, self.peer, self.transport = self.peer, None, None
        if peer is None or peer.transport is None:
            return
        if exc is not None:
            peer.transport.abort()
        else:
            peer.transport.close()


class BackendSide(Side):
    """The api or the gateway, for one connection."""

    def __init__(self, client: "ClientSide") -> None:
        super().__init__()
        self._client = client
        self._has_spoken = False

    def data_received(self, data: bytes) -> None:
        self._has_spoken = True
        super().data_received(data)

    def eof_received(self) -> bool:
        # Without a word it is no answer; ``connection_lost`` finds one.
        return self._has_spoken and super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._has_spoken:
            super().connection_lost(exc)
        else:
            self._client.apologise()


class ClientSide(Side):
    """A phone or browser, until its first request shows where to."""

    def __init__(self, front: Front) -> None:
        super().__init__()
        self._front = front
        self._head = b""
        self._patience: asyncio.TimerHandle | None = None
        self._opening: asyncio.Task[None] | None = None
        self._is_refused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._front.is_full:
            self._refuse(FULL, linger_seconds=0)
            return
        self._front.clients.add(self)
        loop = asyncio.get_running_loop()
        self._patience = loop.call_later(self._front.head_seconds_max, self._lose_patience)

    def data_received(self, data: bytes) -> None:
        if self.peer is not None:
            self.peer.send(data)
            return
        if self._is_refused:
            return
        self._head += data
        if self._opening is None and _is_whole(self._head):
            self._open()

    def eof_received(self) -> bool:
        if self._opening is not None and self.peer is None and not self._is_refused:
            # Told to the backend once it is there.
            self._has_ended = True
            return True
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._front.clients.discard(self)
        if self._patience is not None:
            self._patience.cancel()
        super().connection_lost(exc)

    def hang_up(self) -> None:
        """End it here and now, both sides of it."""
        for side in (self, self.peer):
            if side is not None and side.transport is not None:
                side.transport.abort()

    def apologise(self) -> None:
        """The backend has gone without a word, as one does that is killed."""
        self.peer = None
        self._refuse(STARTING)

    def _open(self) -> None:
        assert self.transport is not None
        if self._patience is not None:
            self._patience.cancel()
        self.transport.pause_reading()
        self._opening = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        port = self._front.port_for(self._head)
        try:
            connecting = loop.create_connection(lambda: BackendSide(self), "127.0.0.1", port)
            _, backend = await connecting
        except OSError:
            self._refuse(STARTING)
            return
        self._join(backend)

    def _join(self, backend: Side) -> None:
        assert backend.transport is not None
        if self.transport is None or self.transport.is_closing():
            backend.transport.abort()
            return
        self.peer, backend.peer = backend, self
        head, self._head = self._head, b""
        backend.send(head)
        if self._has_ended:
            backend.transport.write_eof()
        else:
            self.transport.resume_reading()

    def _lose_patience(self) -> None:
        if self._head:
            self._refuse(TOO_SLOW)
        elif self.transport is not None:
            self.transport.close()

    def _refuse(self, refusal: Refusal, linger_seconds: float = LINGER_SECONDS_MAX) -> None:
        """Answer, then hear out what is still being sent, or the answer would be lost in a reset."""
        if self.transport is None or self.transport.is_closing():
            return
        self._is_refused = True
        self.transport.write(answer(refusal, self._head))
        if self._has_ended or not linger_seconds:
            self.transport.close()
            return
        self.transport.write_eof()
        self.transport.resume_reading()
        asyncio.get_running_loop().call_later(linger_seconds, self.transport.close)


def _is_whole(head: bytes) -> bool:
    return b"\r\n\r\n" in head or b"\n\n" in head or len(head) > HEAD_BYTES_MAX


def listening_socket(host: str, port: int) -> socket.socket:
    """The public port, taken; raises OSError where somebody else has it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


async def serve(front: Front, listener: socket.socket, stop: asyncio.Event) -> None:
    """Carry connections until ``stop``; by then the backends have finished theirs."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: ClientSide(front), sock=listener, backlog=BACKLOG)
    await stop.wait()
    server.close()
    deadline = loop.time() + FLUSH_SECONDS_MAX
    while front.clients and loop.time() < deadline:
        await asyncio.sleep(0.05)
    for client in list(front.clients):
        client.hang_up()
    await asyncio.sleep(0.01)


async def _main(front: Front, listener: socket.socket) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(front, listener, stop)


def main() -> None:
    """Serve the listening socket that was handed down by number."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listener", type=int, required=True, help="file descriptor")
    parser.add_argument("--api", type=int, required=True, help="port")
    parser.add_argument("--gateway", type=int, required=True, help="port")
    options = parser.parse_args()
    front = Front(options.api, options.gateway, connections_max=_connections_max())
    asyncio.run(_main(front, socket.socket(fileno=options.listener)))


def _connections_max() -> int:
    """As many as open files allow: two for each connection."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS_MAX * 2 + SPARE_FILES
    files = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return (files - SPARE_FILES) // 2


if __name__ == "__main__":
    main()
