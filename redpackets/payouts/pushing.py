"""Paying over a rail: one step of one item at a time, each decided and kept before the rail is spoken to.

A number is sent first, and again only when the rail itself said that it knows none such. What was sent is asked for
until the answer is final and names our amount; nothing else ends an item.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.work import tenant_of
from redpackets.payouts import queries, rules, settling
from redpackets.payouts.models import PayoutBatch, PayoutItem
from redpackets.payouts.rails import FAILED, MISSING, SUCCESS, Answer, Order

REMARK = "红包 Red packet"


@dataclass(frozen=True, kw_only=True)
class Step:
    """What to say to which rail: an order to send, or a number to ask for."""

    item_id: UUID
    rail: str
    out_bill_no: str
    order: Order | None


def take_up(session: Session, *, item_id: UUID, now: datetime) -> Step | None:
    """Decide an item's next step and keep that it is taken; whoever else looks finds nothing to do for a while."""
    item = session.scalar(queries.item_locked(item_id))
    if item is None or item.next_at is None or item.next_at > now:
        return None
    batch = session.get_one(PayoutBatch, (tenant_of(session), item.batch_id))
    assert batch.rail is not None
    assert batch.state == "released"
    item.attempts += 1
    item.next_at = now + rules.wait_after(item.attempts)
    order = _order(item) if _is_to_be_sent(item, now) else None
    if order is not None:
        item.first_sent_at = item.first_sent_at or now
        item.last_sent_at, item.is_missing = now, False
        item.state = "sent" if item.state == "created" else item.state
    return Step(item_id=item.id, rail=batch.rail, out_bill_no=item.out_bill_no, order=order)


def take_answer(
    session: Session, *, step: Step, answer: Answer | None, now: datetime, doubt: str = ""
) -> None:
    """Note what the rail said to a step; None where it said nothing that can be believed."""
    item = session.scalar(queries.item_locked(step.item_id))
    if item is None or item.settled_at is not None:
        return
    if answer is None:
        _doubt(item, doubt)
    elif answer.state == MISSING:
        _take_missing(session, item, now)
    elif answer.state in (SUCCESS, FAILED):
        _take_end(session, item, answer, now)


def _is_to_be_sent(item: PayoutItem, now: datetime) -> bool:
    if item.first_sent_at is None:
        return True
    return item.is_missing and now < item.first_sent_at + rules.SENT_AGAIN_FOR


def _order(item: PayoutItem) -> Order:
    return Order(
        out_bill_no=item.out_bill_no,
        account=item.payee,
        amount_minor=item.amount_minor,
        remark=REMARK,
    )


def _take_missing(session: Session, item: PayoutItem, now: datetime) -> None:
    """Send it again, or once it can no longer arrive, give the money back."""
    item.is_missing = True
    _doubt(item, "the rail knows no such number")
    assert item.last_sent_at is not None
    if now >= item.last_sent_at + rules.MAY_ARRIVE_FOR:
        _end(session, item, "failed", "never arrived", now)


def _take_end(session: Session, item: PayoutItem, answer: Answer, now: datetime) -> None:
    if answer.amount_minor != item.amount_minor:
        _doubt(item, f"the rail says {answer.amount_minor}")
        return
    _end(session, item, "success" if answer.state == SUCCESS else "failed", answer.reason, now)


def _end(session: Session, item: PayoutItem, outcome: str, reason: str, now: datetime) -> None:
    batch = session.scalars(queries.batch_locked(item.batch_id)).one()
    settling.settle_items(session, batch, {item: reason}, outcome=outcome, now=now)


def _doubt(item: PayoutItem, reason: str) -> None:
    item.state, item.reason = "unknown", reason[: rules.REASON_LENGTH_MAX]
