"""Routes of role data: the home, cards and what is behind them, shared figures, watches."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import orjson
from flask import Response, request
from sqlalchemy.orm import Session

from app.core.composition import workspace
from app.core.http import (
    Routes,
    answer,
    answer_if_changed,
    answer_if_held,
    answer_page,
    caller,
    nothing,
    page_of,
    page_schema,
    raw_answer,
    signed_in,
    unit_of_work,
)
from app.core.idempotency import answer_once
from app.core.paging import slice_page
from app.core.problems import language
from app.people.audiences import AudienceScope
from roledata import breakdown, documents, queries, services, watches
from roledata.cache import FigureCache
from roledata.grammar import catalogue
from roledata.looking import Looking
from roledata.ports import ATTENTION, WAITING_APPROVALS, Attention, WaitingApprovals
from roledata.schemas import (
    BreakdownOut,
    BreakdownQuery,
    CardOut,
    CardQuery,
    DocumentPageOut,
    DocumentsQuery,
    FigureOut,
    HomeOut,
    SharedFigureOut,
    ShareFigureIn,
    WatchChangeIn,
    WatchIn,
    WatchOut,
    WatchPageQuery,
)
from roledata.services import Asked, Reader

routes = Routes("roledata", __name__)

CACHE_TOOL = "figure_cache"


@routes.get("/home")
@signed_in
@routes.gives(200, HomeOut)
def read_home() -> Response:
    """Open my home: the cards of my most senior role, in one answer; 304 when nothing changed."""
    with unit_of_work() as session:
        reader = _reader(session)
        waiting: WaitingApprovals = workspace().ports[WAITING_APPROVALS]
        desk = services.open_desk(session, reader, approvals=waiting(reader.caller.person_id))
        tag = services.tag_of_home(desk, reader=reader)
        response = answer_if_held(tag) or answer_if_changed(
            orjson.dumps(services.read_home(desk, reader=reader)), tag
        )
    _note_attention(reader, reader.catalogue.home_of(reader.caller.role_keys).cards)
    return response


@routes.get("/cards")
@signed_in
@routes.gives(200, page_schema(CardOut))
def list_cards() -> Response:
    """List the cards I have."""
    with unit_of_work() as session:
        items = services.list_cards(session, reader=_reader(session))
        return raw_answer({"items": items, "next_cursor": None})


@routes.get("/cards/<key>")
@signed_in
@routes.takes_query(CardQuery)
@routes.gives(200, FigureOut)
def read_card(query: dict[str, Any], key: str) -> Response:
    """Read a card for a period and a scope of mine, against target and another time, as known now or then."""
    with unit_of_work() as session:
        reader = _reader(session).at(query["as_known_at"])
        response = _if_changed(
            services.read_card(session, reader=reader, key=key, asked=_asked(query))
        )
    _note_attention(reader, [key])
    return response


@routes.get("/cards/<key>/breakdown")
@signed_in
@routes.takes_query(BreakdownQuery)
@routes.gives(200, BreakdownOut)
def break_down(query: dict[str, Any], key: str) -> Response:
    """Cut a figure by the units below or by people; the parts add up to it."""
    with unit_of_work() as session:
        reader = _reader(session).at(query["as_known_at"])
        return raw_answer(
            breakdown.break_down(
                session, reader=reader, key=key, asked=_asked(query), by=query["by"]
            )
        )


@routes.get("/cards/<key>/documents")
@signed_in
@routes.takes_query(DocumentsQuery)
@routes.gives(200, DocumentPageOut)
def list_documents(query: dict[str, Any], key: str) -> Response:
    """List the ERP documents that add up to a figure, newest first."""
    asked, known_at = Asked(period=query["period"], scope_id=query["scope"]), query["as_known_at"]
    with unit_of_work() as session:
        rows, next_cursor = documents.list_documents(
            session,
            reader=_reader(session).at(known_at),
            key=key,
            asked=asked,
            page=page_of(query),
        )
        told = {"as_known_at": known_at} if known_at else {}
        return raw_answer({"items": rows, "next_cursor": next_cursor} | told)


@routes.post("/cards/<key>/shares")
@signed_in
@routes.takes(ShareFigureIn)
@routes.gives(201, SharedFigureOut)
def share_figure(body: dict[str, Any], key: str) -> Response:
    """Put a figure, frozen as it is now, up for talk before an audience I may address. Takes an Idempotency-Key."""
    with unit_of_work() as session:
        reader = _reader(session)

        def make() -> Response:
            share = services.share_figure(
                session,
                reader=reader,
                key=key,
                asked=_asked(body),
                text=body["text"],
                audience=[AudienceScope(**scope) for scope in body["audience"]["scopes"]],
            )
            told = ("id", "card", "text", "figure", "created_at")
            return raw_answer({name: getattr(share, name) for name in told}, 201)

        if "Idempotency-Key" in request.headers:
            return answer_once(session, caller=reader.caller, body=body, now=reader.now, make=make)
        return make()


@routes.get("/watches")
@signed_in
@routes.takes_query(WatchPageQuery)
@routes.gives(200, page_schema(WatchOut))
def list_watches(query: dict[str, Any]) -> Response:
    """List my watches and how they stand."""
    page = page_of(query)
    after = page.after(UUID)
    with unit_of_work() as session:
        statement = queries.watches_of(
            caller(session).person_id, after=after[0] if after else None, limit=page.limit + 1
        )
        rows, next_cursor = slice_page(session.scalars(statement).all(), page, lambda w: (w.id,))
        return answer_page(WatchOut, rows, next_cursor)


@routes.post("/watches")
@signed_in
@routes.takes(WatchIn)
@routes.gives(201, WatchOut)
def add_watch(body: dict[str, Any]) -> Response:
    """Have me told when a figure of mine passes a threshold."""
    with unit_of_work() as session:
        watch = watches.add_watch(session, reader=_reader(session), new=watches.NewWatch(**body))
        return answer(WatchOut, watch, 201)


@routes.patch("/watches/<uuid:watch_id>")
@signed_in
@routes.takes(WatchChangeIn)
@routes.gives(200, WatchOut)
def change_watch(body: dict[str, Any], watch_id: UUID) -> Response:
    """Change a watch of mine; it begins again from ok."""
    with unit_of_work() as session:
        watch = watches.change_watch(
            session, reader=_reader(session), watch_id=watch_id, changes=body
        )
        return answer(WatchOut, watch)


@routes.delete("/watches/<uuid:watch_id>")
@signed_in
@routes.gives(204)
def remove_watch(watch_id: UUID) -> Response:
    """Remove a watch of mine."""
    with unit_of_work() as session:
        watches.remove_watch(session, reader=_reader(session), watch_id=watch_id)
    return nothing()


def _reader(session: Session) -> Reader:
    space = workspace()
    cache: FigureCache = space.tools[CACHE_TOOL]
    return Reader(
        caller=caller(session),
        catalogue=catalogue(),
        cache=cache,
        language=language(),
        now=space.now(),
    )


def _note_attention(reader: Reader, keys: Iterable[str]) -> None:
    """Tell whoever brings the facts which of them are being looked at; after the answer is made."""
    attention: Attention | None = workspace().ports.get(ATTENTION)
    if attention is not None:
        Looking(attention).at_cards(reader.caller.tenant_id, keys, now=reader.now)


def _asked(query: dict[str, Any]) -> Asked:
    return Asked(period=query["period"], scope_id=query["scope"], compare=query["compare"])


def _if_changed(value: dict[str, Any]) -> Response:
    return answer_if_changed(orjson.dumps(value))
