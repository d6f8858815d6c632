"""Attempts: which devices a job may send to, and what became of each.

A device is claimed before it is sent to and settled after, each in a transaction of its own, so that a job run twice
sends once. A claim whose holder died can be claimed anew after its lease: then, and only then, twice is possible.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.work import tenant_of
from app.delivery import rules
from app.delivery.models import PushAttempt
from app.delivery.push import Answer, Outcome
from app.people.models import Device

LEASE_SECONDS = 60


@dataclass(frozen=True)
class Target:
    """A device to be sent to, and the token it has now."""

    device_id: UUID
    token: str
    provider: str
    language: str
    tries: int = 1


def claim(
    session: Session, *, notice_id: UUID, targets: Sequence[Target], now: datetime
) -> list[Target]:
    """Claim the devices that nobody has sent to and nobody is sending to."""
    if not targets:
        return []
    rows = [
        {
            "tenant_id": tenant_of(session),
            "notice_id": notice_id,
            "device_id": target.device_id,
            "state": "asked",
            "tries": 1,
            "asked_at": now,
        }
        for target in sorted(targets, key=lambda t: t.device_id)
    ]
    new = insert(PushAttempt).values(rows)
    is_due = (PushAttempt.state == "waiting") & (PushAttempt.again_at <= now)
    is_left = (PushAttempt.state == "asked") & (
        PushAttempt.asked_at < now - timedelta(seconds=LEASE_SECONDS)
    )
    claimed = session.execute(
        new.on_conflict_do_update(
            index_elements=["tenant_id", "notice_id", "device_id"],
            set_={"state": "asked", "asked_at": now, "tries": PushAttempt.tries + 1},
            where=or_(is_due, is_left),
        ).returning(PushAttempt.device_id, PushAttempt.tries)
    ).all()
    tries = {row.device_id: row.tries for row in claimed}
    return [
        Target(t.device_id, t.token, t.provider, t.language, tries[t.device_id])
        for t in targets
        if t.device_id in tries
    ]


def settle(
    session: Session,
    *,
    notice_id: UUID,
    answers: Sequence[tuple[Target, Answer]],
    now: datetime,
    luck: float,
) -> datetime | None:
    """Note what became of each; tokens that are gone are dropped. Returns when the first is to be asked again."""
    first: datetime | None = None
    for target, answer in answers:
        again_at = _again_at(target, answer, now, luck)
        state = _state(answer, again_at)
        _note(
            session,
            notice_id,
            target,
            {"state": state, "error": answer.error, "again_at": again_at},
        )
        if answer.outcome is Outcome.GONE:
            _drop_token(session, target)
        if again_at is not None:
            first = min(first or again_at, again_at)
    return first


def unsettled(session: Session, *, notice_id: UUID, device_ids: Sequence[UUID]) -> bool:
    """Say whether some of these devices are being sent to, or wait to be."""
    found = select(PushAttempt.device_id).where(
        PushAttempt.notice_id == notice_id,
        PushAttempt.device_id.in_(device_ids),
        PushAttempt.state.in_(("asked", "waiting")),
    )
    return session.execute(found.limit(1)).first() is not None


def _again_at(target: Target, answer: Answer, now: datetime, luck: float) -> datetime | None:
    if answer.outcome is not Outcome.AGAIN or target.tries >= rules.TRIES_MAX:
        return None
    seconds = rules.wait_before(target.tries, asked=answer.retry_after, luck=luck)
    return now + timedelta(seconds=seconds)


def _state(answer: Answer, again_at: datetime | None) -> str:
    if answer.outcome is Outcome.ACCEPTED:
        return "accepted"
    return "failed" if again_at is None else "waiting"


def _note(session: Session, notice_id: UUID, target: Target, values: dict[str, Any]) -> None:
    session.execute(
        update(PushAttempt)
        .where(PushAttempt.notice_id == notice_id, PushAttempt.device_id == target.device_id)
        .values(values)
    )


def _drop_token(session: Session, target: Target) -> None:
    """Forget a token that is nobody's, unless the device has a newer one by now."""
    session.execute(
        update(Device)
        .where(Device.id == target.device_id, Device.push_token == target.token)
        .values(push_token=None)
    )
