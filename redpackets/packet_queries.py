"""SELECTs of lists of packets, as their senders and overseers read them: one statement however long the list."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, true

from app.people.models import OrgUnit, OrgUnitClosure, Person
from redpackets.models import Budget, Packet, Share

SHOWN_RECEIVERS_MAX = 100


def packets_overseen(
    person_id: UUID,
    overseen_at: Collection[UUID],
    *,
    is_mine: bool,
    state: str | None,
    budget_id: UUID | None,
    before: UUID | None,
    limit: int,
    now: datetime,
) -> Select[Any]:
    """(packet, sender's name, principal's name, state now, free, claimed_minor) of packets, newest first.

    Those that the person sent; unless only these are asked for, also those whose budget they own, whose principal
    lies where they manage or audit packets.
    """
    shares = _shares()
    state_now = _state_now(shares.c.free, now)
    found = (
        select(
            Packet,
            Person.name.label("sender_name"),
            OrgUnit.name.label("principal_name"),
            state_now.label("state_now"),
            shares.c.free,
            shares.c.claimed_minor,
        )
        .join(Person, and_(Person.tenant_id == Packet.tenant_id, Person.id == Packet.actor_id))
        .join(
            OrgUnit,
            and_(OrgUnit.tenant_id == Packet.tenant_id, OrgUnit.id == Packet.on_behalf_of_id),
        )
        .join(shares, true())
        .order_by(Packet.id.desc())
        .limit(limit)
    )
    is_shown = Packet.actor_id == person_id
    if not is_mine:
        is_shown = or_(is_shown, _overseen(person_id, overseen_at))
    found = found.where(is_shown)
    if state:
        found = found.where(state_now == state)
    if budget_id:
        found = found.where(Packet.budget_id == budget_id)
    return found.where(Packet.id < before) if before else found


def receivers_of(packet_id: UUID) -> Select[Share, str]:
    """(share, receiver's name) of a packet with receivers by name, in order."""
    return (
        select(Share, Person.name)
        .join(Person, and_(Person.tenant_id == Share.tenant_id, Person.id == Share.receiver_id))
        .where(Share.packet_id == packet_id)
        .order_by(Share.index)
        .limit(SHOWN_RECEIVERS_MAX)
    )


def _overseen(person_id: UUID, overseen_at: Collection[UUID]) -> ColumnElement[bool]:
    below = select(OrgUnitClosure.descendant_id).where(OrgUnitClosure.ancestor_id.in_(overseen_at))
    own = select(Budget.id).where(Budget.owner_id == person_id)
    return or_(Packet.budget_id.in_(own), Packet.on_behalf_of_id.in_(below))


def _shares() -> Any:
    return (
        select(
            func.count().filter(Share.state == "free").label("free"),
            func.coalesce(func.sum(Share.amount_minor).filter(Share.state == "claimed"), 0).label(
                "claimed_minor"
            ),
        )
        .where(Share.tenant_id == Packet.tenant_id, Share.packet_id == Packet.id)
        .correlate(Packet)
        .lateral("shares")
    )


def _state_now(free: Any, now: datetime) -> Any:
    """Say what is true now in SQL, as ``reading`` says it of one packet."""
    return case(
        (Packet.settled_at.is_not(None), Packet.state),
        (free == 0, "exhausted"),
        (Packet.expires_at <= now, "expired"),
        (Packet.state == "pending_approval", "pending_approval"),
        (Packet.opens_at <= now, "open"),
        else_="scheduled",
    )
