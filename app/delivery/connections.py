"""One phone's open socket: whose it is, how far it has heard, and the way to write to it."""

import contextlib
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from engineio.exceptions import EngineIOError
from engineio.packet import MESSAGE, Packet
from prometheus_client import Counter
from sqlalchemy import Row

from app.core.composition import Claims

#: Frames that may wait for a slow phone; beyond, it is cut off and resumes from the log.
QUEUE_MAX = 1_000
FRAMES = Counter("workspace_gateway_frames", "Event frames written to sockets.")
CUT = Counter("workspace_gateway_cut", "Sockets cut because they did not keep up.")


class Asked(NamedTuple):
    """Where a phone asks to be continued from; nothing: from now on."""

    after: int | None
    epoch: UUID | None


@dataclass(eq=False)
class Connection:
    """An admitted socket. While it is not live it is being caught up, and the live feed passes it by."""

    claims: Claims
    device_id: UUID | None
    scope_ids: frozenset[UUID]
    #: engine.io's socket and the websocket beneath it.
    socket: Any
    websocket: Any
    asked: Asked | None
    #: Everything up to here was written, or is not for this phone.
    through: int = 0
    #: The version of the company's structure that ``scope_ids`` were computed by.
    structure: int = 0
    is_live: bool = False
    is_catching_up: bool = False
    is_closed: bool = False
    role_keys: frozenset[str] = frozenset()
    _count: int = field(default=0)

    @property
    def waiting(self) -> int:
        """How many frames wait to be written."""
        size: int = self.socket.queue.qsize()
        return size

    def hear(self, seq: int, frame: bytes) -> None:
        """Write an event, numbered for this connection; at once where nothing waits before it."""
        self._count += 1
        self.through = seq
        packet = b'2["event",{"n":%d,' % self._count + frame
        comes_next = not self.is_closed and self.waiting == 0
        if not (comes_next and self.websocket.write_at_once(b"4" + packet)):
            self._write(packet.decode())

    def tell(self, name: str, body: dict[str, Any]) -> None:
        """Write anything but an event."""
        self._write("2" + orjson.dumps([name, body]).decode())

    def dismiss(self) -> None:
        """End the connection for good: the client is told not to come back by itself."""
        self._write("1")
        self.close()

    def close(self) -> None:
        """End the connection once what waits is written; the client comes back by itself."""
        self.is_closed = True
        with contextlib.suppress(EngineIOError):
            self.socket.close(wait=False)

    def _write(self, packet: str) -> None:
        if self.is_closed:
            return
        if self.waiting >= QUEUE_MAX:
            CUT.inc()
            self.is_closed = True
            self.websocket.abort()
            return
        with contextlib.suppress(EngineIOError):
            self.socket.send(Packet(MESSAGE, packet))


def frame_of(row: Row[Any]) -> bytes:
    """Encode an event once for all who hear it: everything after the connection's own counter."""
    body = {
        "seq": row.seq,
        "kind": row.kind,
        "ref": row.ref,
        "version": row.version,
        "data": orjson.Fragment(row.payload),
    }
    return orjson.dumps(body)[1:] + b"]"
