"""Routes of the proof: whether the ledger holds, the heads of its chain, how a packet was cut."""

from datetime import date
from typing import Any
from uuid import UUID

from flask import Response

from app.core.composition import workspace
from app.core.errors import BadCursor
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
from app.core.paging import slice_page
from app.people.services import require_company
from redpackets import chain
from redpackets.fairness import read_fairness
from redpackets.ledger_schemas import LedgerHeadOut, LedgerVerificationOut, PacketProofOut
from redpackets.verification import read_proof

AUDIT = "redpackets.audit"

routes = Routes("ledger", __name__)


@routes.get("/ledger/verification")
@needs(AUDIT)
@routes.gives(200, LedgerVerificationOut)
def read_verification() -> Response:
    """Prove the ledger: balances are folds of the journal, the chain is unbroken, shares add up, limits hold."""
    with unit_of_work() as session:
        require_company(session, caller(session), AUDIT)
        return answer(LedgerVerificationOut, read_proof(session, now=workspace().now()))


@routes.get("/ledger/heads")
@needs(AUDIT)
@routes.takes_query(PageQuery)
@routes.gives(200, page_schema(LedgerHeadOut))
def list_heads(query: dict[str, Any]) -> Response:
    """List the chain's daily heads, newest first, to be kept outside of this system."""
    page = page_of(query)
    before = page.after(int)
    with unit_of_work() as session:
        require_company(session, caller(session), AUDIT)
        found = chain.heads(before=_day(before[0]) if before else None, limit=page.limit + 1)
        rows, next_cursor = slice_page(
            session.scalars(found).all(), page, lambda head: (head.day.toordinal(),)
        )
    return answer_page(LedgerHeadOut, rows, next_cursor)


@routes.get("/red-packets/<uuid:packet_id>/proof")
@signed_in
@routes.gives(200, PacketProofOut)
def read_packet_proof(packet_id: UUID) -> Response:
    """Say what proves that a packet was cut fairly: what binds it, and once it is settled, seed and shares."""
    with unit_of_work() as session:
        proof = read_fairness(session, caller=caller(session), packet_id=packet_id)
        return answer(PacketProofOut, proof)


def _day(ordinal: int) -> date:
    if not date.min.toordinal() <= ordinal <= date.max.toordinal():
        raise BadCursor
    return date.fromordinal(ordinal)
