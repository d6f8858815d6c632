"""The socket edge: Socket.IO over websockets only, with admission before anything else.

Redis carries no rooms here, only hints (``hints.py``), so the server keeps its clients to itself; frames are
written to the sockets by the hub.
"""

from typing import Any

import gevent
import socketio
import structlog
from engineio.exceptions import EngineIOError
from flask import Flask, request
from flask_socketio import SocketIO
from prometheus_client import Counter
from socketio.packet import CONNECT_ERROR

from app.core.errors import Refusal
from app.delivery.connections import Connection
from app.delivery.gateway import Gateway
from app.delivery.websocket import MESSAGE_BYTES_MAX

PATH = "socket.io"
RESERVED = frozenset({"connect", "disconnect", "connect_error"})
#: Connect, disconnect, event, ack; nobody sends us anything binary.
PACKETS = frozenset("0123")
#: How long an engine connection may stand without being admitted, and how long a closing one may linger.
ADMISSION_SECONDS = 10
LINGER_SECONDS = 2
SEQ_MAX = 2**63 - 1

FORGED = Counter("workspace_gateway_forged_events", "Reserved event names sent by clients.")
REFUSED = Counter("workspace_gateway_refused", "Connections refused, by code.", ["code"])
log = structlog.get_logger()


class GuardedServer(socketio.Server):  # type: ignore[misc]  # the library brings no types
    """python-socketio's server, which admits before it accepts and lets no client forge its lifecycle events."""

    def __init__(self, *, gateway: Gateway, **options: Any) -> None:
        super().__init__(**options)
        self._gateway = gateway
        self._admitted: dict[str, Connection] = {}

    def connection_of(self, sid: str) -> Connection | None:
        """Find the connection behind a Socket.IO session."""
        return self._admitted.get(self.manager.eio_sid_from_sid(sid, "/"))

    def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> Any:
        gevent.spawn_later(ADMISSION_SECONDS, self._close_unless_admitted, eio_sid)
        return super()._handle_eio_connect(eio_sid, environ)

    def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        websocket = self.environ.get(eio_sid, {}).get("wsgi.websocket")
        super()._handle_eio_disconnect(eio_sid, reason)
        connection = self._admitted.pop(eio_sid, None)
        if connection is not None:
            self._gateway.end(connection)
        if websocket is not None:
            # Whoever does not answer our closing frame would hold a socket and a greenlet for ever.
            gevent.spawn_later(LINGER_SECONDS, websocket.abort)

    def _handle_eio_message(self, eio_sid: str, data: Any) -> None:
        if not isinstance(data, str) or data[:1] not in PACKETS:
            self._close(eio_sid)
            return
        try:
            super()._handle_eio_message(eio_sid, data)
        except (ValueError, RecursionError):
            self._close(eio_sid)

    def _handle_connect(self, eio_sid: str, namespace: str | None, data: Any) -> None:
        if (namespace or "/") != "/" or eio_sid in self._admitted:
            self._close(eio_sid)
            return
        environ = self.environ[eio_sid]
        socket = self.eio.sockets[eio_sid]
        try:
            connection = self._gateway.admit(data, socket, environ["wsgi.websocket"])
        except Refusal as refusal:
            self._refuse(eio_sid, refusal, environ.get("HTTP_ACCEPT_LANGUAGE", ""))
            return
        self._admitted[eio_sid] = connection
        super()._handle_connect(eio_sid, namespace, data)
        self._gateway.begin(connection)

    def _handle_disconnect(self, eio_sid: str, namespace: str | None, reason: Any = None) -> None:
        super()._handle_disconnect(eio_sid, namespace, reason)
        connection = self._admitted.pop(eio_sid, None)
        if connection is not None:
            self._gateway.end(connection)
            gevent.spawn_later(LINGER_SECONDS, self._close, eio_sid)

    def _handle_event(self, eio_sid: str, namespace: str | None, id: Any, data: Any) -> None:  # noqa: A002 - the library's name
        is_event = isinstance(data, list) and len(data) > 0 and isinstance(data[0], str)
        if not is_event or data[0] in RESERVED:
            FORGED.inc()
            return
        super()._handle_event(eio_sid, namespace, id, data)

    def _refuse(self, eio_sid: str, refusal: Refusal, languages: str) -> None:
        REFUSED.labels(refusal.code).inc()
        body = problem_of(refusal, "en" if languages.lower().startswith("en") else "zh")
        packet = self.packet_class(CONNECT_ERROR, data={"message": body["title"], "data": body})
        self._send_packet(eio_sid, packet)
        gevent.spawn_later(LINGER_SECONDS, self._close, eio_sid)

    def _close_unless_admitted(self, eio_sid: str) -> None:
        if eio_sid not in self._admitted:
            self._close(eio_sid)

    def _close(self, eio_sid: str) -> None:
        socket = self.eio.sockets.get(eio_sid)
        if socket is not None:
            try:
                socket.close(wait=False)
            except EngineIOError:
                log.debug("socket_closed_already")


class Sockets(SocketIO):  # type: ignore[misc]  # the library brings no types
    """Flask-SocketIO over our own server, where the extension would make a plain one."""

    def __init__(self, app: Flask, gateway: Gateway) -> None:
        self._gateway = gateway
        self._server: GuardedServer | None = None
        super().__init__(
            app,
            path=PATH,
            async_mode="gevent",
            transports=["websocket"],
            allow_upgrades=False,
            always_connect=True,
            # Handlers do not wait, so they run in order, in the reader of their own socket.
            async_handlers=False,
            manage_session=False,
            max_http_buffer_size=MESSAGE_BYTES_MAX,
            # Nothing here trusts a cookie: the token in the connect packet decides.
            cors_allowed_origins="*",
            client_manager=socketio.Manager(),
        )
        self.on_event("ack", self._on_ack)
        self.on_event("replay", self._on_replay)
        self.on_error_default(self._on_error)

    @property
    def server(self) -> Any:
        """Give our server."""
        return self._server

    @server.setter
    def server(self, made: Any) -> None:
        """Make ours where the extension sets its own."""
        if made is not None:
            self._server = GuardedServer(gateway=self._gateway, **self.server_options)

    def _on_ack(self, body: Any = None, *_: Any) -> None:
        """A device says how far it is: ``{seq}``."""
        connection, seq = self._connection(), _whole(body, "seq")
        if connection is not None and seq is not None:
            self._gateway.acknowledge(connection, seq)

    def _on_replay(self, body: Any = None, *_: Any) -> None:
        """A client saw a gap and asks to be continued from what it has: ``{after}``."""
        connection, after = self._connection(), _whole(body, "after")
        if connection is not None and after is not None:
            self._gateway.ask_replay(connection, after)

    def _connection(self) -> Connection | None:
        return self.server.connection_of(request.sid)  # type: ignore[attr-defined, no-any-return]

    def _on_error(self, error: Exception) -> None:
        log.error("socket_event_failed", exc_info=error)


def problem_of(refusal: Refusal, language: str) -> dict[str, Any]:
    """Write a refusal as the API would."""
    title = refusal.texts.in_language(language)
    return {
        "type": f"/api/docs#{refusal.code}",
        "title": title,
        "status": refusal.status,
        "detail": title,
        "code": refusal.code,
        **({"retry_after": refusal.retry_after} if refusal.retry_after else {}),
    } | refusal.details


def _whole(body: Any, name: str) -> int | None:
    value = body.get(name) if isinstance(body, dict) else None
    is_whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= SEQ_MAX
    return value if is_whole else None
