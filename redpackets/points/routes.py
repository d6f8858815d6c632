"""Routes of points: what I have, how long they live, the catalogue, redemptions."""

from typing import Any
from uuid import UUID

from flask import Response, request
from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.core.composition import workspace
from app.core.errors import NotAllowed
from app.core.http import (
    Routes,
    answer,
    answer_page,
    caller,
    needs,
    page_of,
    page_schema,
    signed_in,
    unit_of_work,
)
from app.core.idempotency import answer_once
from app.core.paging import Page, slice_page
from redpackets.points import catalogue, expiring, queries, redeeming
from redpackets.points.models import Redemption
from redpackets.points.rules import ExpiryRule
from redpackets.points.schemas import (
    KEPT,
    TO_HANDLE,
    CatalogueItemChangeIn,
    CatalogueItemIn,
    CatalogueItemOut,
    CatalogueQuery,
    PointsOut,
    PointsPolicyIn,
    PointsPolicyOut,
    RedeemIn,
    RedemptionDecisionIn,
    RedemptionOut,
    RedemptionQuery,
)

routes = Routes("points", __name__)


@routes.get("/points")
@signed_in
@routes.gives(200, PointsOut)
def read_points() -> Response:
    """Say how many points I have, and which expire next."""
    with unit_of_work() as session:
        seen = expiring.read_points(session, caller=caller(session), now=workspace().now())
    return answer(PointsOut, seen)


@routes.get("/points/policy")
@signed_in
@routes.gives(200, PointsPolicyOut)
def read_policy() -> Response:
    """Say how long points live."""
    with unit_of_work() as session:
        seen = expiring.read_policy(session, now=workspace().now())
        return answer(PointsPolicyOut, seen)


@routes.put("/points/policy")
@needs(catalogue.CATALOGUE)
@routes.takes(PointsPolicyIn)
@routes.gives(200, PointsPolicyOut)
def change_policy(body: dict[str, Any]) -> Response:
    """Let points live by another rule; one that takes points away sooner begins a month later."""
    now = workspace().now()
    with unit_of_work() as session:
        expiring.change_policy(
            session,
            caller=caller(session),
            version=body["version"],
            rule=ExpiryRule(body["rule"], body["count"]),
            now=now,
        )
        return answer(PointsPolicyOut, expiring.read_policy(session, now=now))


@routes.get("/catalogue")
@signed_in
@routes.takes_query(CatalogueQuery)
@routes.gives(200, page_schema(CatalogueItemOut))
def list_catalogue(query: dict[str, Any]) -> Response:
    """List what I can redeem points for; with ``view=kept`` all that I keep, on offer or not."""
    page, place = _place_of(query)
    with unit_of_work() as session:
        me = caller(session)
        found = queries.items_offered(me.unit_ids, **place)
        if query["view"] == KEPT:
            found = queries.items_kept(_kept_by(session), **place)
        rows, next_cursor = slice_page(session.scalars(found).all(), page, lambda item: (item.id,))
    return answer_page(CatalogueItemOut, rows, next_cursor)


@routes.post("/catalogue")
@needs(catalogue.CATALOGUE)
@routes.takes(CatalogueItemIn)
@routes.gives(201, CatalogueItemOut)
def add_item(body: dict[str, Any]) -> Response:
    """Put an item into the catalogue. Takes an Idempotency-Key."""
    now = workspace().now()
    with unit_of_work() as session:
        me = caller(session)

        def make() -> Response:
            new = catalogue.NewItem(**body)
            item = catalogue.add_item(session, caller=me, new=new, now=now)
            return answer(CatalogueItemOut, item, 201)

        if "Idempotency-Key" in request.headers:
            return answer_once(session, caller=me, body=body, now=now, make=make)
        return make()


@routes.patch("/catalogue/<uuid:item_id>")
@needs(catalogue.CATALOGUE)
@routes.takes(CatalogueItemChangeIn)
@routes.gives(200, CatalogueItemOut)
def change_item(body: dict[str, Any], item_id: UUID) -> Response:
    """Change an item, knowing its version."""
    with unit_of_work() as session:
        item = catalogue.change_item(
            session,
            caller=caller(session),
            item_id=item_id,
            version=body["version"],
            changes={name: value for name, value in body.items() if name != "version"},
            now=workspace().now(),
        )
        return answer(CatalogueItemOut, item)


@routes.get("/redemptions")
@signed_in
@routes.takes_query(RedemptionQuery)
@routes.gives(200, page_schema(RedemptionOut))
def list_redemptions(query: dict[str, Any]) -> Response:
    """List my redemptions, or with ``view=to_handle`` those of the items that I keep, newest first."""
    page, place = _place_of(query)
    with unit_of_work() as session:
        found = queries.redemptions_of(caller(session).person_id, state=query["state"], **place)
        if query["view"] == TO_HANDLE:
            found = queries.redemptions_handled(_kept_by(session), state=query["state"], **place)
        rows, next_cursor = slice_page(
            session.execute(found).all(), page, lambda row: (row.Redemption.id,)
        )
        described = [_described(row) for row in rows]
    return answer_page(RedemptionOut, described, next_cursor)


@routes.post("/redemptions")
@signed_in
@routes.takes(RedeemIn)
@routes.gives(201, RedemptionOut)
def redeem(body: dict[str, Any]) -> Response:
    """Redeem points for an item; they are reserved at once. Needs an Idempotency-Key."""
    now = workspace().now()
    with unit_of_work() as session:
        me = caller(session)

        def make() -> Response:
            made = redeeming.redeem(session, caller=me, **body, now=now)
            return _answer(session, made.id, 201)

        return answer_once(session, caller=me, body=body, now=now, make=make)


@routes.get("/redemptions/<uuid:redemption_id>")
@signed_in
@routes.gives(200, RedemptionOut)
def read_redemption(redemption_id: UUID) -> Response:
    """Read a redemption of mine, or of an item that I keep."""
    with unit_of_work() as session:
        row = redeeming.read_redemption(
            session, caller=caller(session), redemption_id=redemption_id
        )
        return answer(RedemptionOut, _described(row))


@routes.post("/redemptions/<uuid:redemption_id>/decision")
@needs(catalogue.CATALOGUE)
@routes.takes(RedemptionDecisionIn)
@routes.gives(200, RedemptionOut)
def decide(body: dict[str, Any], redemption_id: UUID) -> Response:
    """Approve, decline or fulfil somebody else's redemption; a repeat changes nothing."""
    with unit_of_work() as session:
        redeeming.decide(
            session,
            caller=caller(session),
            redemption_id=redemption_id,
            decision=body["decision"],
            reason=body["reason"],
            now=workspace().now(),
        )
        return _answer(session, redemption_id)


@routes.post("/redemptions/<uuid:redemption_id>/withdrawal")
@signed_in
@routes.gives(200, RedemptionOut)
def withdraw(redemption_id: UUID) -> Response:
    """Take my redemption back before it is fulfilled; a repeat changes nothing."""
    with unit_of_work() as session:
        redeeming.withdraw(
            session,
            caller=caller(session),
            redemption_id=redemption_id,
            now=workspace().now(),
        )
        return _answer(session, redemption_id)


def _place_of(query: dict[str, Any]) -> tuple[Page, dict[str, Any]]:
    """Say the page that is asked for, and where its rows are found."""
    page = page_of(query)
    before = page.after(UUID)
    return page, {"before": before[0] if before else None, "limit": page.limit + 1}


def _kept_by(session: Session) -> frozenset[UUID]:
    held_at = caller(session).units_with(catalogue.CATALOGUE)
    if not held_at:
        raise NotAllowed
    return held_at


def _answer(session: Session, redemption_id: UUID, status: int = 200) -> Response:
    row = session.execute(queries.redemption_shown(redemption_id)).one()
    return answer(RedemptionOut, _described(row), status)


def _described(row: Row[Any]) -> dict[str, Any]:
    redemption: Redemption = row.Redemption
    plain: dict[str, Any] = vars(redemption)
    return plain | {
        "item": row.CatalogueItem,
        "person": {"id": redemption.person_id, "name": row.person_name},
        "decided_by": _party(redemption.decided_by_id, row.decider_name),
        "fulfilled_by": _party(redemption.fulfilled_by_id, row.giver_name),
    }


def _party(person_id: UUID | None, name: str | None) -> dict[str, Any] | None:
    return {"id": person_id, "name": name} if person_id else None
