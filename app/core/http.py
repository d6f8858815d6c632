"""The HTTP edge: routes that say who may call, one unit of work a request, answers by schema.

A route without an access rule does not boot. Inputs are marshmallow schemas that build plain dicts;
answers go through a schema, or straight from rows to JSON where a read is hot.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, ParamSpec, TypeVar

import orjson
import structlog
from flask import Flask, Request, Response, current_app, g, request
from flask_smorest import Blueprint
from marshmallow import Schema, ValidationError, fields
from sqlalchemy.orm import Session
from webargs.flaskparser import FlaskParser

from app.core.callers import Caller
from app.core.composition import Claims, workspace
from app.core.errors import InvalidFields, NotAllowed, NotSignedIn
from app.core.fields import Line, QueryWhole, WireSchema
from app.core.ids import new_id
from app.core.json_input import read_object
from app.core.paging import CURSOR_LENGTH_MAX, LIMIT_DEFAULT, LIMIT_MAX, Page

API_PREFIX = "/api/v1"
PUBLIC = "public"
SIGNED_IN = "signed_in"
ACCESS = "workspace_access"
TOKEN_LENGTH_MAX = 4_096
REQUEST_ID_LENGTH_MAX = 64

P = ParamSpec("P")
R = TypeVar("R")
View = Callable[P, R]


class StrictParser(FlaskParser):
    """webargs with our JSON rules and our refusals."""

    def load_json(self, req: Request, schema: Schema) -> Any:
        """Read the body as one strict JSON object."""
        return read_object(req)

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        """Read the query; a parameter given twice is refused rather than half read."""
        repeated = {key: "repeated" for key, values in req.args.lists() if len(values) > 1}
        if repeated:
            raise InvalidFields(repeated)
        return req.args.to_dict()

    def handle_error(self, error: ValidationError, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse with the path and code of every field that does not fit."""
        by_location = error.messages
        messages = (
            next(iter(by_location.values())) if isinstance(by_location, dict) else by_location
        )
        raise InvalidFields(flatten_errors(messages)) from error


class Routes(Blueprint):  # type: ignore[misc]  # flask-smorest brings no types
    """A package's routes, documented by their schemas, each with its access rule."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, import_name: str, *, prefix: str = API_PREFIX) -> None:
        super().__init__(name, import_name, url_prefix=prefix, description=name)

    def get(self, rule: str, **options: Any) -> Callable[[View[P, R]], View[P, R]]:
        """Route a GET."""
        return self._on("GET", rule, options)

    def post(self, rule: str, **options: Any) -> Callable[[View[P, R]], View[P, R]]:
        """Route a POST."""
        return self._on("POST", rule, options)

    def put(self, rule: str, **options: Any) -> Callable[[View[P, R]], View[P, R]]:
        """Route a PUT."""
        return self._on("PUT", rule, options)

    def patch(self, rule: str, **options: Any) -> Callable[[View[P, R]], View[P, R]]:
        """Route a PATCH."""
        return self._on("PATCH", rule, options)

    def delete(self, rule: str, **options: Any) -> Callable[[View[P, R]], View[P, R]]:
        """Route a DELETE."""
        return self._on("DELETE", rule, options)

    def takes_form(self, fields: dict[str, Any]) -> Callable[[View[P, R]], View[P, R]]:
        """Document a multipart body, by the JSON schema of each of its fields; the route reads it itself."""
        form = {"schema": {"type": "object", "required": list(fields), "properties": fields}}
        body = {"required": True, "content": {"multipart/form-data": form}}
        decorator: Callable[[View[P, R]], View[P, R]] = self.doc(requestBody=body)
        return decorator

    def takes(self, schema: type[Schema]) -> Callable[[View[P, R]], View[P, R]]:
        """Read the body by ``schema``; the route gets it as a dict."""
        decorator: Callable[[View[P, R]], View[P, R]] = self.arguments(schema, location="json")
        return decorator

    def takes_query(self, schema: type[Schema]) -> Callable[[View[P, R]], View[P, R]]:
        """Read the query string by ``schema``; the route gets it as a dict."""
        decorator: Callable[[View[P, R]], View[P, R]] = self.arguments(schema, location="query")
        return decorator

    def gives(
        self, status: int, schema: type[Schema] | None = None
    ) -> Callable[[View[P, R]], View[P, R]]:
        """Document the answer; the route itself writes it with ``answer`` or as raw JSON."""
        decorator: Callable[[View[P, R]], View[P, R]] = self.response(status, schema)
        return decorator

    def may_give(
        self, status: int, schema: type[Schema], said: str
    ) -> Callable[[View[P, R]], View[P, R]]:
        """Document another answer than the usual one."""
        decorator: Callable[[View[P, R]], View[P, R]] = self.alt_response(
            status, schema=schema, description=said
        )
        return decorator

    def _on(
        self, method: str, rule: str, options: dict[str, Any]
    ) -> Callable[[View[P, R]], View[P, R]]:
        decorator: Callable[[View[P, R]], View[P, R]] = self.route(
            rule, methods=[method], **options
        )
        return decorator


def public(view: View[P, R]) -> View[P, R]:
    """Anybody may call, signed in or not."""
    return _with_access(view, PUBLIC)


def signed_in(view: View[P, R]) -> View[P, R]:
    """Any signed-in person may call; the service decides about the thing itself."""
    return _with_access(view, SIGNED_IN)


def needs(permission: str) -> Callable[[View[P, R]], View[P, R]]:
    """Only who holds the permission somewhere may call; the service asks for the unit itself."""

    def decorate(view: View[P, R]) -> View[P, R]:
        return _with_access(view, permission)

    return decorate


class PageQuery(WireSchema):
    """``limit`` and ``cursor`` of every list."""

    limit = QueryWhole(1, LIMIT_MAX, load_default=LIMIT_DEFAULT)
    cursor = Line(CURSOR_LENGTH_MAX, load_default=None)


def page_of(query: dict[str, Any]) -> Page:
    """Take the page that the query asks for."""
    return Page(limit=query["limit"], cursor=query["cursor"])


@contextmanager
def unit_of_work() -> Iterator[Session]:
    """Open the request's one transaction, as the caller's tenant, with the caller checked inside it."""
    space = workspace()
    claims = g.get("claims")
    if claims is None:
        raise NotSignedIn
    with space.database.transaction(claims.tenant_id) as session:
        found = space.load_caller(session, claims, space.now())
        _check_access(found)
        session.info["caller"] = g.caller = found
        yield session


def token_claims() -> Claims:
    """Say what the caller's token says; whether the sign-in still stands is for a unit of work to check."""
    found: Claims = g.claims
    return found


def caller(session: Session) -> Caller:
    """Say who is calling, as checked when the unit of work was opened."""
    found: Caller = session.info["caller"]
    return found


def answer(schema: type[Schema], value: Any, status: int = 200) -> Response:
    """Write a value by its schema."""
    return raw_answer(schema().dump(value), status)


def answer_page(schema: type[Schema], rows: Any, next_cursor: str | None) -> Response:
    """Write a page of a list by its item's schema."""
    return raw_answer({"items": schema(many=True).dump(rows), "next_cursor": next_cursor})


def raw_answer(value: Any, status: int = 200) -> Response:
    """Write plain values as JSON; whole numbers, texts, times, UUIDs."""
    return Response(orjson.dumps(value), status, mimetype="application/json")


def nothing() -> Response:
    """Answer that it is done and there is nothing to say."""
    return Response(status=204)


def answer_if_changed(body: bytes, tag: str | None = None) -> Response:
    """Answer with an ETag, or 304 when the phone already holds this."""
    tag = tag or hashlib.blake2b(body, digest_size=12).hexdigest()
    response = _tagged(Response(body, mimetype="application/json"), tag)
    response.make_conditional(request)
    return response


def answer_if_held(tag: str) -> Response | None:
    """Answer 304 before any body is made, when the phone already holds what has this tag."""
    is_held = request.if_none_match.contains_weak(tag)
    return _tagged(Response(status=304), tag) if is_held else None


def _tagged(response: Response, tag: str) -> Response:
    response.set_etag(tag, weak=True)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def page_schema(item: type[Schema]) -> type[Schema]:
    """Make the shape of a list of ``item``, for the document."""
    from_fields = {
        "items": fields.List(fields.Nested(item)),
        "next_cursor": Line(CURSOR_LENGTH_MAX, allow_none=True),
    }
    return type(item.__name__.removesuffix("Out") + "Page", (WireSchema,), from_fields)


def flatten_errors(messages: Any, path: str = "") -> dict[str, str]:
    """Flatten marshmallow's nested messages to ``path → code``."""
    if isinstance(messages, dict):
        flat: dict[str, str] = {}
        for key, value in messages.items():
            inner = path if key == "_schema" else f"{path}.{key}" if path else str(key)
            flat |= flatten_errors(value, inner)
        return flat
    first = messages[0] if isinstance(messages, list) else messages
    return flatten_errors(first, path) if isinstance(first, dict) else {path: str(first)}


def register_edge(app: Flask) -> None:
    """Give every request an id, read its token, and check that every route says who may call."""
    app.before_request(_begin)
    app.after_request(_finish)


def check_every_route_has_access(app: Flask) -> None:
    """Refuse to boot with a route that does not say who may call it."""
    open_routes = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if not hasattr(app.view_functions[rule.endpoint], ACCESS)
    ]
    if open_routes:
        raise RuntimeError(f"routes without an access rule: {', '.join(sorted(open_routes))}")


def _with_access(view: View[P, R], rule: str) -> View[P, R]:
    setattr(view, ACCESS, rule)
    return view


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    usable = given.isascii() and given.isprintable() and 0 < len(given) <= REQUEST_ID_LENGTH_MAX
    g.request_id = given if usable else str(new_id())
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    g.access = getattr(_view(), ACCESS, PUBLIC)
    if g.access == PUBLIC:
        return
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not 0 < len(token) <= TOKEN_LENGTH_MAX:
        raise NotSignedIn
    g.claims = workspace().read_token(token)
    structlog.contextvars.bind_contextvars(tenant_id=str(g.claims.tenant_id))


def _finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "")
    response.headers["X-Content-Type-Options"] = "nosniff"
    _keep_our_retry_after(response)
    structlog.contextvars.clear_contextvars()
    return response


def _keep_our_retry_after(response: Response) -> None:
    """The limiter writes the header on every answer; it belongs on refusals only, with the refusal's own time."""
    if (own := g.get("retry_after")) is not None:
        response.headers["Retry-After"] = str(own)
    elif response.status_code != 429:
        response.headers.pop("Retry-After", None)


def _view() -> Any:
    return current_app.view_functions.get(request.endpoint) if request.endpoint else None


def _check_access(found: Caller) -> None:
    if g.access not in {PUBLIC, SIGNED_IN} and not found.may(g.access):
        raise NotAllowed
