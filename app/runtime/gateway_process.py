"""One gateway process: the sockets' server, its boot checks, and its leaving."""

import os
import signal
import sys

import gevent
import structlog
from flask import Flask
from gevent import pywsgi
from gevent.event import Event
from sqlalchemy import text

from app.core.composition import Workspace, workspace
from app.delivery.gateway import Gateway
from app.delivery.sockets import Sockets
from app.delivery.websocket import BoundedHandler
from app.factory import connect_redis, create_app

DEFAULT_PORT = 8001
BACKLOG = 1_024
STOP_SECONDS = 2
LOOK_SECONDS = 0.5
CHECK_SECONDS = 0.3
CHECKS_MAX = 5

log = structlog.get_logger()


def serve() -> None:
    """Serve sockets until asked to stop; exits with 1 when a part has failed for good."""
    web = create_app()
    space = workspace(web)
    check_database_cooperates(space)
    gateway = Gateway(space, connect_redis(space.settings))
    server = _server(web, gateway)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, stop.set)
    gateway.start()
    server.start()
    log.info("gateway_ready", port=server.server_port)
    while not stop.wait(LOOK_SECONDS) and not gateway.is_broken.is_set():
        pass
    _leave(server, gateway)
    sys.exit(1 if gateway.is_broken.is_set() else 0)


def check_database_cooperates(space: Workspace) -> None:
    """Refuse to serve with a driver that stops every socket while it waits for one query."""
    # A machine too busy to run this process for a moment looks the same, but not time after time.
    if not any(_others_run_during_a_query(space) for _ in range(CHECKS_MAX)):
        raise SystemExit("The database driver does not cooperate with gevent.")


def _others_run_during_a_query(space: Workspace) -> bool:
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        while True:
            gevent.sleep(CHECK_SECONDS / 30)
            ticks += 1

    ticking = gevent.spawn(tick)
    with space.database.relay() as session:
        session.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": CHECK_SECONDS})
    ticking.kill()
    return ticks >= 3


def _server(web: Flask, gateway: Gateway) -> pywsgi.WSGIServer:
    Sockets(web, gateway)
    address = (
        os.environ.get("WORKSPACE_GATEWAY_HOST", "127.0.0.1"),
        int(os.environ.get("WORKSPACE_GATEWAY_PORT", DEFAULT_PORT)),
    )
    return pywsgi.WSGIServer(address, web, handler_class=BoundedHandler, log=None, backlog=BACKLOG)


def _leave(server: pywsgi.WSGIServer, gateway: Gateway) -> None:
    log.info("gateway_leaving")
    server.stop_accepting()
    gateway.leave()
    server.stop(timeout=STOP_SECONDS)
