"""Many phones on websockets: a process of its own that connects them and notes when each hears what.

Reads JSON lines and answers each with one:

- ``{"connect": [auth …], "port": P, "ready": TEXT}``: a socket for each auth; answers once every one of them has
  received a packet that has TEXT in it;
- ``{"collect": N, "seconds": S}``: answers once every socket has heard N marked messages, with the times of receipt
  by mark (on the clock that all processes of a machine share);
- ``{"await": TEXT, "seconds": S}``: answers once a packet with TEXT in it has come, with the time, or null;
- ``{"quiet": S, "about": TEXT}``: answers once no such packet has come for S seconds.

Speaks Socket.IO over websocket frames itself, as a client library would cost more than the server under measurement.
"""

import base64
import json
import os
import re
import selectors
import socket
import sys
import time
from collections import defaultdict
from typing import Any

HOST = "127.0.0.1"
SOCKETS_MAX = 1_000
SECONDS_MAX = 120.0
RECEIVE_BYTES = 65_536
MARK = re.compile(rb'"mark": ?(\d+)')
TEXT_FRAME = 0x81


class Listener:
    """One phone's socket."""

    def __init__(self, port: int, auth: Any) -> None:
        self.socket = socket.create_connection((HOST, port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.is_ready = False
        self._auth = auth
        self._received = self._upgrade()

    def receive(self) -> list[bytes]:
        """Read what has come: the packets of it that are whole."""
        piece = self.socket.recv(RECEIVE_BYTES)
        if not piece:
            raise ConnectionError("the server hung up")
        self._received += piece
        return self.packets()

    def packets(self) -> list[bytes]:
        """Take the whole packets out of what was received."""
        whole: list[bytes] = []
        while (end := _frame_end(self._received)) is not None:
            start, stop = end
            whole.append(self._received[start:stop])
            self._received = self._received[stop:]
        return whole

    def obey(self, packet: bytes) -> None:
        """Answer what the protocol wants answered."""
        if packet[:1] == b"0":
            self._send(b"40" + json.dumps(self._auth).encode())
        elif packet[:1] == b"2":
            self._send(b"3")

    def _upgrade(self) -> bytes:
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {HOST}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.socket.recv(RECEIVE_BYTES) or b"\r\n\r\n"
        head, _, rest = answer.partition(b"\r\n\r\n")
        if b" 101 " not in head[:20]:
            raise ConnectionError(f"no websocket: {head[:200]!r}")
        return rest

    def _send(self, text: bytes) -> None:
        # A mask of zeros is a mask; what we send is shorter than 64 KB.
        length = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2)
        self.socket.sendall(bytes([TEXT_FRAME]) + length + bytes(4) + text)


def _frame_end(received: bytes) -> tuple[int, int] | None:
    """Where the payload of the first frame starts and stops, if it is all there."""
    if len(received) < 2:
        return None
    length, start = received[1], 2
    if length == 126:
        length, start = int.from_bytes(received[2:4]), 4
    elif length == 127:
        length, start = int.from_bytes(received[2:10]), 10
    return (start, start + length) if len(received) >= start + length else None


class Room:
    """All listeners together."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._listeners: list[Listener] = []
        self._ready = b""
        self._heard: dict[int, list[float]] = defaultdict(list)
        self._heard_count = 0
        self._awaited = b""
        self._came_at: float | None = None

    def connect(self, port: int, auths: list[Any], ready: str) -> dict[str, Any]:
        """Connect a listener for each auth and wait until all are ready."""
        self._ready = ready.encode()
        for auth in auths[:SOCKETS_MAX]:
            listener = Listener(port, auth)
            self._listeners.append(listener)
            self._selector.register(listener.socket, selectors.EVENT_READ, listener)
            for packet in listener.packets():
                self._take(listener, packet)
            self._listen(0)
        deadline = time.monotonic() + SECONDS_MAX
        while not all(listener.is_ready for listener in self._listeners):
            self._listen(1.0)
            if time.monotonic() > deadline:
                raise TimeoutError("not every socket got ready")
        return {"connected": len(self._listeners)}

    def collect(self, count: int, seconds: float) -> dict[str, Any]:
        """Wait until everybody has heard so many messages, or the time is over."""
        deadline = time.monotonic() + min(seconds, SECONDS_MAX)
        wanted = count * len(self._listeners)
        while self._heard_count < wanted and time.monotonic() < deadline:
            self._listen(0.2)
        heard, self._heard, self._heard_count = self._heard, defaultdict(list), 0
        return {"heard": heard}

    def await_text(self, text: str, seconds: float) -> dict[str, Any]:
        """Wait until somebody has received a packet with this in it, or the time is over."""
        self._awaited, self._came_at = text.encode(), None
        deadline = time.monotonic() + min(seconds, SECONDS_MAX)
        while self._came_at is None and time.monotonic() < deadline:
            self._listen(max(0.0, min(0.2, deadline - time.monotonic())))
        return {"at": self._came_at}

    def wait_for_quiet(self, text: str, seconds: float) -> dict[str, Any]:
        """Wait until nobody has received such a packet for so long."""
        while self.await_text(text, seconds)["at"] is not None:
            continue
        return {"quiet": True}

    def _listen(self, timeout: float) -> None:
        for key, _ in self._selector.select(timeout):
            listener: Listener = key.data
            for packet in listener.receive():
                self._take(listener, packet)

    def _take(self, listener: Listener, packet: bytes) -> None:
        mark = MARK.search(packet)
        if mark:
            self._heard[int(mark[1])].append(time.monotonic())
            self._heard_count += 1
            return
        if self._awaited and self._awaited in packet:
            self._came_at = time.monotonic()
        if self._ready in packet:
            listener.is_ready = True
        listener.obey(packet)


def main() -> None:
    """Obey orders until standard input ends."""
    room = Room()
    for line in sys.stdin:
        order = json.loads(line)
        if "connect" in order:
            answer = room.connect(order["port"], order["connect"], order["ready"])
        elif "await" in order:
            answer = room.await_text(order["await"], order["seconds"])
        elif "quiet" in order:
            answer = room.wait_for_quiet(order["about"], order["quiet"])
        else:
            answer = room.collect(order["collect"], order["seconds"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
