"""Routes of kudos: what I may give, giving it, and the programmes behind it."""

import secrets
from typing import Any
from uuid import UUID

from flask import Response, request

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
from redpackets import reading
from redpackets.campaigns import giving_queries, services
from redpackets.campaigns.giving_schemas import (
    KudosAllowancesOut,
    KudosIn,
    KudosNewProgrammeIn,
    KudosProgrammeChangeIn,
    KudosProgrammeOut,
)
from redpackets.campaigns.triggers import CAMPAIGNS
from redpackets.schemas import PacketOut

SEED_BYTES = 32

routes = Routes("redpackets_kudos", __name__)


@routes.get("/kudos/allowance")
@signed_in
@routes.gives(200, KudosAllowancesOut)
def read_allowance() -> Response:
    """Say what I may still give to others this month."""
    with unit_of_work() as session:
        items = services.read_allowances(session, caller=caller(session), now=workspace().now())
    return answer(KudosAllowancesOut, {"items": items})


@routes.post("/kudos")
@signed_in
@routes.takes(KudosIn)
@routes.gives(201, PacketOut)
def give_kudos(body: dict[str, Any]) -> Response:
    """Thank colleagues out of my allowance; they are credited at once. Needs an Idempotency-Key."""
    now = workspace().now()
    with unit_of_work() as session:
        me = caller(session)

        def make() -> Response:
            given = dict(body)
            thanks = services.Thanks(receiver_ids=given.pop("receivers"), **given)
            seed = secrets.token_bytes(SEED_BYTES)
            packet = services.give_kudos(session, caller=me, thanks=thanks, seed=seed, now=now)
            seen = reading.read_packet(session, caller=me, packet_id=packet.id, now=now)
            return answer(PacketOut, seen, 201)

        return answer_once(session, caller=me, body=body, now=now, make=make)


@routes.get("/kudos/programmes")
@needs(CAMPAIGNS)
@routes.takes_query(PageQuery)
@routes.gives(200, page_schema(KudosProgrammeOut))
def list_programmes(query: dict[str, Any]) -> Response:
    """List the programmes that I may keep, newest first."""
    page = page_of(query)
    before = page.after(UUID)
    with unit_of_work() as session:
        found = giving_queries.programmes_visible(
            caller(session).units_with(CAMPAIGNS),
            before=before[0] if before else None,
            limit=page.limit + 1,
        )
        rows, next_cursor = slice_page(session.scalars(found).all(), page, lambda row: (row.id,))
        return answer_page(KudosProgrammeOut, rows, next_cursor)


@routes.post("/kudos/programmes")
@needs(CAMPAIGNS)
@routes.takes(KudosNewProgrammeIn)
@routes.gives(201, KudosProgrammeOut)
def add_programme(body: dict[str, Any]) -> Response:
    """Give everybody of a unit something to give each month. Takes an Idempotency-Key."""
    now = workspace().now()
    with unit_of_work() as session:
        me = caller(session)

        def make() -> Response:
            new = services.NewProgramme(**body)
            programme = services.add_programme(session, caller=me, new=new, now=now)
            return answer(KudosProgrammeOut, programme, 201)

        if "Idempotency-Key" in request.headers:
            return answer_once(session, caller=me, body=body, now=now, make=make)
        return make()


@routes.patch("/kudos/programmes/<uuid:programme_id>")
@needs(CAMPAIGNS)
@routes.takes(KudosProgrammeChangeIn)
@routes.gives(200, KudosProgrammeOut)
def change_programme(body: dict[str, Any], programme_id: UUID) -> Response:
    """Change a programme, or end it, knowing its version."""
    version = body.pop("version")
    with unit_of_work() as session:
        programme = services.change_programme(
            session,
            caller=caller(session),
            programme_id=programme_id,
            version=version,
            changes=body,
            now=workspace().now(),
        )
        return answer(KudosProgrammeOut, programme)
