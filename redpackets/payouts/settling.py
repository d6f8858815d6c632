"""How payouts move money: out of the wallets when prepared, and to its end, or back, once per item."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.events import SCOPE_COUNT_MAX, record
from app.people.queries import scopes_of_holders, scopes_of_persons, units_above
from redpackets import ledger
from redpackets.ledger import Movement
from redpackets.payouts import queries
from redpackets.payouts.events import PayoutChanged, WalletsSettled
from redpackets.payouts.models import PayoutBatch, PayoutItem

PAYOUT = "redpackets.payout"
IN_FLIGHT = "payout_in_flight"
END_OF = {"payroll": "external_payroll", "rail": "external_rail"}


def take_from_wallets(
    session: Session,
    batch: PayoutBatch,
    items: Sequence[Mapping[str, Any]],
    wallets: Mapping[UUID, UUID],
    *,
    now: datetime,
) -> None:
    """Move what the items say from the wallets into flight: a cent that is gone cannot be in another payout."""
    in_flight = ledger.company_account(session, IN_FLIGHT, batch.unit)
    movements = [
        Movement(
            debit=wallets[item["id"]],
            credit=in_flight,
            amount_minor=item["amount_minor"],
            reference=f"payout_sent:{item['id']}",
        )
        for item in items
    ]
    ledger.post_all(session, kind="payout_sent", movements=movements, unit=batch.unit, now=now)
    _tell(session, batch, {item["person_id"] for item in items}, "prepared")


def tell_released(session: Session, batch: PayoutBatch) -> None:
    """Let those whom a payout pays know that it is on its way."""
    _tell(session, batch, set(session.scalars(queries.persons_paid(batch.id))), "released")


def settle_items(
    session: Session,
    batch: PayoutBatch,
    ended: Mapping[PayoutItem, str],
    *,
    outcome: str,
    now: datetime,
) -> None:
    """End items with a reason: ``success`` moves them out of the company, ``failed`` back into the wallets."""
    if not ended:
        return
    for item, reason in ended.items():
        assert item.settled_at is None, "an item ends once"
        item.state, item.reason, item.settled_at, item.next_at = outcome, reason, now, None
    session.flush()
    kind = "payout_paid" if outcome == "success" else "payout_failed"
    movements = _movements(session, batch, [item.id for item in ended], kind)
    assert len(movements) == len(ended)
    ledger.post_all(session, kind=kind, movements=movements, unit=batch.unit, now=now)
    if session.scalar(queries.items_open(batch.id)) is None and batch.state == "released":
        batch.state, batch.settled_at = "settled", now
        session.flush()
        tell_payers(session, batch)
    _tell(session, batch, {item.person_id for item in ended}, outcome)


def tell_payers(session: Session, batch: PayoutBatch) -> None:
    """Tell those who pay out at the payout's unit how it stands."""
    fact = PayoutChanged(payout_id=batch.id, state=batch.state)
    record(session, fact, ref=batch.id, scope_ids=scopes_of_payers(session, batch))


def scopes_of_payers(session: Session, batch: PayoutBatch) -> list[UUID]:
    """List the personal scopes of those who pay out at the payout's unit, or above it."""
    holders = scopes_of_holders(PAYOUT, units_above(batch.unit_id)).limit(SCOPE_COUNT_MAX)
    return list(session.scalars(holders))


def _movements(
    session: Session, batch: PayoutBatch, item_ids: list[UUID], kind: str
) -> list[Movement]:
    in_flight = ledger.company_account(session, IN_FLIGHT, batch.unit)
    out = ledger.company_account(session, END_OF[batch.method], batch.unit)
    rows = session.execute(queries.WALLETS_OF_ITEMS, {"item_ids": item_ids})
    return [
        Movement(
            debit=in_flight,
            credit=out if kind == "payout_paid" else row.wallet_id,
            amount_minor=row.amount_minor,
            reference=f"{kind}:{row.item_id}",
        )
        for row in rows
    ]


def _tell(session: Session, batch: PayoutBatch, person_ids: set[UUID], outcome: str) -> None:
    """Let the phones of those concerned read their wallet anew."""
    scope_ids = [row.id for row in session.execute(scopes_of_persons(person_ids))]
    fact = WalletsSettled(payout_id=batch.id, outcome=outcome)
    for start in range(0, len(scope_ids), SCOPE_COUNT_MAX):
        part = scope_ids[start : start + SCOPE_COUNT_MAX]
        record(session, fact, ref=batch.id, scope_ids=part)
