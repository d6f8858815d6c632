"""Rate limits: per person, and per account at sign-in; counted in Redis, and in the process while Redis is away.

Everybody's limit is counted in the process and added up with the others' a few times a second (``counting.py``).
Flask-Limiter, which asks Redis each time, serves the routes that ask for a limit of their own.
"""

from math import ceil
from time import time
from typing import Any

from flask import Flask, Response, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_qualified_name
from limits import parse

from app.core.composition import workspace
from app.core.counting import SharedCounts
from app.core.errors import TooManyRequests
from app.core.settings import Settings

_ANONYMOUS_LIMIT = "120 per minute"


def caller_key() -> str:
    """Count by signed-in person; strangers by address."""
    claims = g.get("claims")
    return f"{claims.tenant_id}:{claims.person_id}" if claims else f"address:{request.remote_addr}"


#: For routes that ask for a limit of their own, or for none.
limiter = Limiter(
    key_func=caller_key,
    application_limits=[],
    default_limits=[],
    strategy="fixed-window",
    headers_enabled=True,
    in_memory_fallback_enabled=True,
    key_prefix="workspace",
)


class CallerLimit:
    """Everybody's limit: so many requests of one caller in a window that begins with the first of them."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._app = app
        self._counts = SharedCounts(workspace(app).redis)
        self._signed_in, self._anonymous = parse(settings.person_limit), parse(_ANONYMOUS_LIMIT)
        self._applies: dict[str, bool] = {}

    def check(self) -> None:
        """Count this request; refuse it when it is one too many."""
        if not self._applies_to(request.endpoint):
            return
        limit = self._signed_in if g.get("claims") else self._anonymous
        count, seconds = self._counts.add(f"workspace:{caller_key()}", limit.get_expiry())
        g.caller_limit = (limit.amount, max(0, limit.amount - count), int(time() + seconds))
        if count > limit.amount:
            raise TooManyRequests(retry_after=max(1, ceil(seconds)))

    def tell(self, response: Response) -> Response:
        """Say in the answer's headers what is left."""
        if (said := g.get("caller_limit")) is not None:
            for name, value in zip(("Limit", "Remaining", "Reset"), said, strict=True):
                response.headers[f"X-RateLimit-{name}"] = str(value)
        return response

    def _applies_to(self, endpoint: str | None) -> bool:
        if endpoint is None:
            return False
        if endpoint not in self._applies:
            name = get_qualified_name(self._app.view_functions[endpoint])
            is_own = bool(limiter.limit_manager.decorated_limits(name))
            is_exempt = bool(limiter.limit_manager.exemption_scope(self._app, endpoint, None))
            self._applies[endpoint] = not (is_own or is_exempt)
        return self._applies[endpoint]


def register_limits(app: Flask, settings: Settings) -> None:
    """Attach the limits to the application; what they count may be lost."""
    app.config["RATELIMIT_STORAGE_URI"] = settings.redis_url
    app.config["RATELIMIT_STORAGE_OPTIONS"] = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
    limiter.init_app(app)
    # It looks at every request for default limits, of which there are none.
    before: list[Any] = app.before_request_funcs[None]
    before.remove(limiter._check_request_limit)  # noqa: SLF001 - it offers no other way
    callers = CallerLimit(app, settings)
    app.before_request(callers.check)
    app.after_request(callers.tell)
