"""Replaying the log: what a device has missed, through the scopes of its owner; for sockets and for ``/sync`` alike."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.core.work import tenant_of
from app.delivery import queries
from app.delivery.errors import Resync


@dataclass(frozen=True)
class Standing:
    """Where the log stands: it has every number above ``floor`` up to ``head``."""

    epoch: UUID
    head: int
    floor: int


@dataclass(frozen=True)
class Replayed:
    """A page of missed events; with no ``more``, whoever has it has all up to ``head``."""

    events: list[Row[Any]]
    head: int
    more: bool


def standing_of(session: Session) -> Standing:
    """Say where the tenant's log stands."""
    row = session.execute(queries.STANDING, {"tenant_id": tenant_of(session)}).one()
    floor = row.head if row.oldest is None else row.oldest - 1
    return Standing(epoch=row.epoch, head=row.head, floor=floor)


def check_resumable(standing: Standing, *, after: int, epoch: UUID | None) -> None:
    """Refuse to continue from a number that this log does not have, or that is of another log."""
    if epoch is not None and epoch != standing.epoch:
        raise resync("epoch", standing)
    if after > standing.head:
        raise resync("future", standing)
    if after < standing.floor:
        raise resync("too_old", standing)


def resync(reason: str, standing: Standing) -> Resync:
    """Say why the log cannot continue, and where to begin anew."""
    return Resync(reason=reason, head=standing.head, epoch=str(standing.epoch))


def replay(
    session: Session, *, scope_ids: Collection[UUID], after: int, head: int, limit: int
) -> Replayed:
    """Read the next ``limit`` events after a number that anybody in these scopes may hear."""
    rows = session.execute(
        queries.REPLAY,
        {
            "tenant_id": tenant_of(session),
            "scope_ids": list(scope_ids),
            "after": after,
            "head": head,
            "limit": limit + 1,
        },
    ).all()
    return Replayed(events=list(rows[:limit]), head=head, more=len(rows) > limit)
