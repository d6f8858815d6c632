"""What the bare gateway runs once the standard library is cooperative."""

from flask import Flask, request
from flask_socketio import SocketIO, join_room
from gevent import pywsgi
from geventwebsocket.handler import WebSocketHandler

ROOM = "everybody"
BACKLOG = 1_024

app = Flask("bare_sockets", static_folder=None)
sockets = SocketIO(
    app,
    async_mode="gevent",
    transports=["websocket"],
    cors_allowed_origins="*",
    allow_upgrades=False,
)


def connect() -> None:
    """Join the room."""
    join_room(ROOM)


sockets.on_event("connect", connect)


@app.post("/emit")
def emit() -> dict[str, bool]:
    """Tell everybody."""
    sockets.emit("event", request.get_json(), to=ROOM)
    return {"emitted": True}


@app.get("/healthz")
def healthz() -> dict[str, str]:
    """Say that we are there."""
    return {"status": "alive"}


def serve(port: int) -> None:
    """Serve until ended."""
    address = ("127.0.0.1", port)
    pywsgi.WSGIServer(
        address, app, handler_class=WebSocketHandler, log=None, backlog=BACKLOG
    ).serve_forever()
