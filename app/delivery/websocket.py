"""The websocket beneath the gateway: gevent-websocket's, with limits on what a client may send.

What is too large is refused by its declared length, before it is read; who sends too often is closed. A frame for a
client that keeps up is written at once, without another greenlet.
"""

import contextlib
import socket
import time
from typing import Any

import gevent
from gevent.lock import BoundedSemaphore
from geventwebsocket.exceptions import ProtocolError, WebSocketError
from geventwebsocket.handler import WebSocketHandler
from geventwebsocket.websocket import Header, Stream, WebSocket

MESSAGE_BYTES_MAX = 64 * 1024
MESSAGES_PER_SECOND_MAX = 20
TOO_OFTEN = 1008
TOO_LARGE = 1009
#: The first byte of a text frame that is a message of its own; lengths from here on have bytes of their own.
WHOLE_TEXT = 0x81
SHORT = 126


class _TooLarge(Exception):  # noqa: N818 - the client's doing, answered with a close code
    """A message declares more bytes than we read."""


class BoundedWebSocket(WebSocket):  # type: ignore[misc]  # the library brings no types
    """One client's websocket."""

    def __init__(self, environ: Any, stream: Any, handler: Any) -> None:
        super().__init__(environ, stream, handler)
        self._connection = handler.socket
        self._message_bytes = 0
        self._window = 0
        self._messages = 0
        self._turn = BoundedSemaphore()
        #: How many have the turn to write or wait for it; who waits comes before what is written at once.
        self._writers = 0
        self._write_whole = stream.write
        self.raw_write = self._write_in_turn

    def write_at_once(self, payload: bytes) -> bool:
        """Write a text frame, unless it would have to wait; false leaves it to the caller.

        A connection found broken is ended, and what was for it is taken: the client resumes from the log.
        """
        if self.closed or self._writers:
            return False
        frame = _text_header(len(payload)) + payload
        try:
            sent = self._connection.send(frame, 0, 0.0)
        except BlockingIOError:
            return False
        except OSError:
            self.abort()
            return True
        if sent < len(frame):
            # Nobody writes, so the turn is free; the frame's rest has it before anybody else can ask.
            self._writers += 1
            self._turn.acquire()
            gevent.spawn(self._write_rest, frame[sent:])
        return True

    def receive(self) -> Any:
        """Read the next message; None when the connection is over, or shall be."""
        try:
            message = super().receive()
        except _TooLarge:
            self.close(TOO_LARGE)
            return None
        except WebSocketError:
            return None
        self._message_bytes = 0
        if message is not None and self._comes_too_often():
            self.close(TOO_OFTEN)
            return None
        return message

    def read_frame(self) -> Any:
        """Read one frame of a message, within the limit for the whole message."""
        header = Header.decode_header(self.stream)
        if header.flags:
            raise ProtocolError
        self._message_bytes += header.length
        if self._message_bytes > MESSAGE_BYTES_MAX:
            raise _TooLarge
        payload = self.raw_read(header.length) if header.length else b""
        if len(payload) != header.length:
            raise WebSocketError("the connection ended inside a frame")
        return header, _unmask(payload, header.mask) if header.mask else payload

    def validate_utf8(self, payload: bytes) -> None:
        """Leave it to the decoding of the whole message, which is a hundred times faster."""

    def abort(self) -> None:
        """End the connection at once, whoever is still reading or writing."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def _write_in_turn(self, frame: bytes) -> None:
        self._writers += 1
        try:
            with self._turn:
                self._write_whole(frame)
        finally:
            self._writers -= 1

    def _write_rest(self, rest: bytes) -> None:
        try:
            self._write_whole(rest)
        except OSError:
            self.abort()
        finally:
            self._turn.release()
            self._writers -= 1

    def _comes_too_often(self) -> bool:
        window = int(time.monotonic())
        if window != self._window:
            self._window, self._messages = window, 0
        self._messages += 1
        return self._messages > MESSAGES_PER_SECOND_MAX


class BoundedHandler(WebSocketHandler):  # type: ignore[misc]  # the library brings no types
    """Upgrades requests to bounded websockets."""

    websocket: Any

    def upgrade_connection(self) -> Any:
        """Upgrade, and put our websocket in the place of the library's."""
        refused = super().upgrade_connection()
        if refused is None:
            # Never used: its end must not write a closing frame into our connection.
            self.websocket.closed = True
            self.websocket = BoundedWebSocket(self.environ, Stream(self), self)
            self.environ["wsgi.websocket"] = self.websocket
        return refused


def _unmask(payload: bytes, mask: bytes) -> bytes:
    """Undo the client's mask in one operation on whole numbers."""
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")


def _text_header(length: int) -> bytes:
    """Write the header of a whole text frame."""
    if length < SHORT:
        return bytes((WHOLE_TEXT, length))
    if length < 1 << 16:
        return bytes((WHOLE_TEXT, SHORT)) + length.to_bytes(2)
    return bytes((WHOLE_TEXT, SHORT + 1)) + length.to_bytes(8)
