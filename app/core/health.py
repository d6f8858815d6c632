"""Health: alive, ready (each dependency and its state), and figures for Prometheus."""

from collections.abc import Callable

import redis
from flask import Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.core.composition import Workspace, workspace
from app.core.http import Routes, public, raw_answer
from app.core.limits import limiter

routes = Routes("health", __name__, prefix="/")


@routes.get("/healthz")
@limiter.exempt
@public
@routes.gives(200)
def healthz() -> Response:
    """Say that the process is alive."""
    return raw_answer({"status": "alive"})


@routes.get("/readyz")
@limiter.exempt
@public
@routes.gives(200)
def readyz() -> Response:
    """Say whether each dependency answers; Redis away is degraded, PostgreSQL away is not ready."""
    space = workspace()
    state = {
        "postgresql": _state(_check_postgresql, space),
        "redis": _state(_check_redis, space),
    }
    ready = state["postgresql"] == "up"
    status = "ready" if all(s == "up" for s in state.values()) else "degraded" if ready else "away"
    return raw_answer({"status": status, "dependencies": state}, 200 if ready else 503)


@routes.get("/metrics")
@limiter.exempt
@public
@routes.gives(200)
def metrics() -> Response:
    """Give the process's figures in Prometheus' text form."""
    return Response(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def _state(check: Callable[[Workspace], None], space: Workspace) -> str:
    try:
        check(space)
    except (SQLAlchemyError, redis.RedisError):
        return "down"
    return "up"


def _check_postgresql(space: Workspace) -> None:
    with space.database.engine.connect() as connection:
        connection.execute(text("SELECT 1 FROM alembic_version"))


def _check_redis(space: Workspace) -> None:
    space.redis.ping()
