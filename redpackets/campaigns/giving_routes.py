"""Routes of rains and grants: many packets by one decision."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.composition import workspace
from app.core.http import (
    PageQuery,
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
from app.core.paging import slice_page
from app.people.audiences import AudienceScope
from redpackets.campaigns import giving, giving_queries, services
from redpackets.campaigns.giving_schemas import CampaignLineOut, CampaignOut, GrantIn, RainIn
from redpackets.campaigns.models import Campaign
from redpackets.sending import SEND

SEED_BYTES = 32

routes = Routes("redpackets_giving", __name__)


@routes.post("/rains")
@needs(SEND)
@routes.takes(RainIn)
@routes.gives(201, CampaignOut)
def make_rain(body: dict[str, Any]) -> Response:
    """Schedule a rain of packets; the money of all waves is held from now on. Needs an Idempotency-Key."""

    def make(session: Session, me: Caller, seed: bytes, now: datetime) -> Campaign:
        return services.make_rain(session, caller=me, new=_rain(body), seed=seed, now=now)

    return _make_once(body, make)


@routes.get("/rains")
@signed_in
@routes.takes_query(PageQuery)
@routes.gives(200, page_schema(CampaignLineOut))
def list_rains(query: dict[str, Any]) -> Response:
    """List the rains that I made or oversee, newest first."""
    page = page_of(query)
    before = page.after(UUID)
    with unit_of_work() as session:
        me = caller(session)
        found = giving_queries.campaigns_visible(
            giving.RAIN,
            me.person_id,
            me.units_with(giving.OVERSEES),
            before=before[0] if before else None,
            limit=page.limit + 1,
        )
        rows, next_cursor = slice_page(session.scalars(found).all(), page, lambda row: (row.id,))
        return answer_page(CampaignLineOut, [_line(row) for row in rows], next_cursor)


@routes.get("/rains/<uuid:rain_id>")
@signed_in
@routes.gives(200, CampaignOut)
def read_rain(rain_id: UUID) -> Response:
    """Say how a rain stands, wave by wave."""
    return _read(giving.RAIN, rain_id)


@routes.post("/rains/<uuid:rain_id>/cancellation")
@signed_in
@routes.gives(200, CampaignOut)
def cancel_rain(rain_id: UUID) -> Response:
    """Withdraw the waves that have not opened yet; their money goes back to the budget."""
    now = workspace().now()
    with unit_of_work() as session:
        rain = services.cancel_rain(session, caller=caller(session), rain_id=rain_id, now=now)
        return answer(CampaignOut, giving.describe_campaign(session, rain, now))


@routes.post("/grants")
@needs(SEND)
@routes.takes(GrantIn)
@routes.gives(201, CampaignOut)
def make_grant(body: dict[str, Any]) -> Response:
    """Give named people points or benefits; they are credited at once. Needs an Idempotency-Key."""

    def make(session: Session, me: Caller, seed: bytes, now: datetime) -> Campaign:
        receivers = [(r["person_id"], r["amount_minor"]) for r in body["receivers"]]
        new = services.NewGrant(gift=_gift(body), receivers=receivers)
        return services.make_grant(session, caller=me, new=new, seed=seed, now=now)

    return _make_once(body, make)


@routes.get("/grants/<uuid:grant_id>")
@signed_in
@routes.gives(200, CampaignOut)
def read_grant(grant_id: UUID) -> Response:
    """Say how a grant stands."""
    return _read(giving.GRANT, grant_id)


def _make_once(
    body: dict[str, Any], make: Callable[[Session, Caller, bytes, datetime], Campaign]
) -> Response:
    now = workspace().now()
    with unit_of_work() as session:
        me = caller(session)

        def answered() -> Response:
            made = make(session, me, secrets.token_bytes(SEED_BYTES), now)
            return answer(CampaignOut, giving.describe_campaign(session, made, now), 201)

        return answer_once(session, caller=me, body=body, now=now, make=answered)


def _read(kind: str, campaign_id: UUID) -> Response:
    with unit_of_work() as session:
        found = giving.campaign_seen(session, caller(session), kind, campaign_id)
        return answer(CampaignOut, giving.describe_campaign(session, found, workspace().now()))


def _gift(body: dict[str, Any]) -> services.Gift:
    purpose = body["purpose"]
    return services.Gift(
        budget_id=body["budget_id"],
        on_behalf_of_id=body["on_behalf_of"],
        unit=body["unit"],
        purpose_category=purpose["category"],
        purpose_text=purpose["text"],
        purpose_evidence=purpose["evidence"],
        tax_class=body["tax_class"],
        greeting=body["greeting"],
    )


def _rain(body: dict[str, Any]) -> services.NewRain:
    return services.NewRain(
        gift=_gift(body),
        waves=[services.Wave(**wave) for wave in body["waves"]],
        audience=[AudienceScope(**scope) for scope in body["audience"]["scopes"]],
        cap_count=body["cap_count"],
        kept_open=timedelta(minutes=body["kept_open_minutes"]),
        cover=body["cover"],
    )


def _line(campaign: Campaign) -> dict[str, Any]:
    return vars(campaign) | {
        "purpose": {"category": campaign.purpose_category, "text": campaign.purpose_text}
    }
