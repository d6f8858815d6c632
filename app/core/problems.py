"""Problems: every refusal and every fault as ``application/problem+json`` (RFC 9457) in the reader's language."""

from typing import Any

import orjson
import structlog
from flask import Flask, Response, g, request
from psycopg import errors as pg
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from app.core import errors
from app.core.errors import InvalidFields, Refusal
from app.core.texts import FIELD_TEXTS, field_text

RETRY_AFTER_SECONDS = 1
log = structlog.get_logger()

_BY_STATUS: dict[int, type[Refusal]] = {
    400: errors.BadRequest,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    413: errors.BodyTooLarge,
    415: errors.UnsupportedMediaType,
    429: errors.TooManyRequests,
}


def language() -> str:
    """Pick the language of the answer: Chinese unless the reader prefers English."""
    return request.accept_languages.best_match(["zh", "en"], "zh") if _says_language() else "zh"


def problem(refusal: Refusal) -> Response:
    """Write a refusal as a problem document."""
    reader = language()
    title = refusal.texts.in_language(reader)
    body: dict[str, Any] = {
        "type": f"/api/docs#{refusal.code}",
        "title": title,
        "status": refusal.status,
        "detail": title,
        "code": refusal.code,
        "request_id": g.get("request_id", ""),
    } | refusal.details
    if isinstance(refusal, InvalidFields):
        body["errors"] = {
            path: {
                "code": code,
                "text": field_text(code if code in FIELD_TEXTS else "invalid", reader),
            }
            for path, code in refusal.errors.items()
        }
    response = Response(
        orjson.dumps(body, default=str), refusal.status, mimetype="application/problem+json"
    )
    _add_headers(response, refusal)
    return response


def register_problem_handlers(app: Flask) -> None:
    """Let every way to fail end in a problem document."""
    app.register_error_handler(Refusal, problem)
    app.register_error_handler(HTTPException, _http_problem)
    app.register_error_handler(PoolTimeout, _busy)
    app.register_error_handler(DBAPIError, _database_problem)
    app.register_error_handler(Exception, _fault)


def _http_problem(error: HTTPException) -> Response:
    kind = _BY_STATUS.get(error.code or 500, errors.ServerError)
    response = problem(kind())
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


def _busy(error: PoolTimeout) -> Response:
    log.warning("database_pool_exhausted")
    return problem(errors.Unavailable(retry_after=RETRY_AFTER_SECONDS))


def _database_problem(error: DBAPIError) -> Response:
    """A database that is away, restarting, full or too slow is 503; anything else is our fault."""
    original = error.orig
    away = isinstance(error, OperationalError) or isinstance(
        original, pg.OperationalError | pg.QueryCanceled | pg.LockNotAvailable | pg.DiskFull
    )
    if not away:
        return _fault(error)
    log.warning("database_unavailable", kind=type(original).__name__)
    return problem(errors.Unavailable(retry_after=RETRY_AFTER_SECONDS))


def _fault(error: Exception) -> Response:
    log.error("request_failed", exc_info=error)
    return problem(errors.ServerError())


def _add_headers(response: Response, refusal: Refusal) -> None:
    if refusal.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if refusal.retry_after is not None:
        response.headers["Retry-After"] = str(refusal.retry_after)
        g.retry_after = refusal.retry_after
    response.headers["Cache-Control"] = "no-store"


def _says_language() -> bool:
    return bool(request.accept_languages)
