"""Structured logs: one JSON line an event, with the request and tenant it belongs to, and no secrets."""

import logging
import re
import sys
import time
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from flask import Flask, Response, g, request
from structlog.typing import EventDict, Processor, WrappedLogger

from app.core.gathering import Gathered

#: A process that is killed takes the access lines of so long with it, and no others.
ACCESS_LINE_SECONDS = 0.1

SECRET_NAME = re.compile(r"pass|secret|token|authorization|appkey|app_key", re.IGNORECASE)
SECRET_IN_URL = re.compile(
    r"((?:secret|token|key|password)=)[^&\s]+|(://[^:/\s]+:)[^@\s]+(?=@)", re.IGNORECASE
)


def configure_logs(level: str) -> None:
    """Write JSON lines to standard error from this process's loggers, ours and the libraries'."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        hide_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=_dump)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s"
    )


def hide_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blank whatever is called like a secret, and credentials inside URLs."""
    for key, value in event.items():
        if SECRET_NAME.search(key):
            event[key] = "***"
        elif isinstance(value, str):
            event[key] = scrub(value)
    return event


def scrub(text: str) -> str:
    """Blank credentials inside URLs."""
    return SECRET_IN_URL.sub(lambda found: (found[1] or found[2]) + "***", text)


def register_access_log(app: Flask, level: str) -> None:
    """Log one line a request: method, route, status, milliseconds. Lines come a moment late and many at a time."""
    if logging.getLevelName(level) > logging.INFO:
        return

    def start() -> None:
        g.started = time.perf_counter()

    def finish(response: Response) -> Response:
        _access_lines.put(_access_line(response))
        return response

    app.before_request(start)
    app.after_request(finish)


def _access_line(response: Response) -> dict[str, Any]:
    ended, claims = time.perf_counter(), g.get("claims")
    line = {
        "request_id": scrub(g.get("request_id", "")),
        "method": scrub(request.method),
        "route": request.url_rule.rule if request.url_rule else "-",
        "status": response.status_code,
        "ms": round((ended - g.get("started", ended)) * 1000, 1),
        "event": "request",
        "level": "info",
        "timestamp": datetime.now(UTC),
    }
    return line | {"tenant_id": claims.tenant_id} if claims else line


def _write_lines(lines: list[dict[str, Any]]) -> None:
    options = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
    sys.stderr.write(b"".join(orjson.dumps(line, option=options) for line in lines).decode())
    sys.stderr.flush()


_access_lines = Gathered("access-log", _write_lines, seconds=ACCESS_LINE_SECONDS)


def _dump(event: object, **options: object) -> str:
    return orjson.dumps(event, default=str).decode()
