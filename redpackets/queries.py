"""All SELECTs of red packets but for those of the grab, which are in ``grab_queries``."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select, text

from app.people.models import Person, Scope
from app.people.queries import people_in_scopes
from redpackets.models import (
    Budget,
    FundAccount,
    JournalEntry,
    Packet,
    PacketMember,
    PacketScope,
    Share,
)

SHOWN_CLAIMS_MAX = 100

#: Ending a packet takes its lock alone; grabs share it (``grab_queries``).
ENTER_CLOSE = text("SELECT pg_advisory_xact_lock(hashtextextended(:packet_key, 0))")


def budget_locked(budget_id: UUID) -> Select[Budget]:
    """A budget, alone: what is available cannot change until we commit."""
    return (
        select(Budget)
        .where(Budget.id == budget_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def packets_not_open(budget_id: UUID, limit: int) -> Select[UUID]:
    """Packets of a budget that wait for their time or for approval, in the order of their ids."""
    return (
        select(Packet.id)
        .where(
            Packet.budget_id == budget_id,
            Packet.state.in_(("pending_approval", "scheduled")),
            Packet.settled_at.is_(None),
        )
        .order_by(Packet.id)
        .limit(limit)
    )


def packet_locked(packet_id: UUID) -> Select[Packet]:
    """A packet's row, against others who change it; grabs do not touch it and do not wait."""
    return (
        select(Packet)
        .where(Packet.id == packet_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )


def budget_owner(budget_id: UUID) -> Select[UUID]:
    """Who answers for a budget."""
    return select(Budget.owner_id).where(Budget.id == budget_id)


def share_count(packet_id: UUID) -> Select[int]:
    """Into how many shares a packet was cut."""
    return select(Packet.share_count).where(Packet.id == packet_id)


def share_totals(packet_id: UUID) -> Select[int, int, int]:
    """(free, claimed, claimed_minor) of a packet's shares."""
    return select(
        func.count().filter(Share.state == "free").label("free"),
        func.count().filter(Share.state == "claimed").label("claimed"),
        func.coalesce(func.sum(Share.amount_minor).filter(Share.state == "claimed"), 0).label(
            "claimed_minor"
        ),
    ).where(Share.packet_id == packet_id)


def amounts_of(packet_id: UUID) -> Select[int]:
    """What a packet was cut into, by index."""
    return select(Share.amount_minor).where(Share.packet_id == packet_id).order_by(Share.index)


def share_held_by(person_id: UUID, packet_id: UUID) -> Select[Share]:
    """The share of a packet that a person holds."""
    return select(Share).where(Share.packet_id == packet_id, Share.holder_id == person_id)


def newest_claims(packet_id: UUID) -> Select[Share, str]:
    """(share, holder's name) of the shares taken last."""
    return (
        select(Share, Person.name)
        .join(Person, and_(Person.tenant_id == Share.tenant_id, Person.id == Share.holder_id))
        .where(Share.packet_id == packet_id, Share.state == "claimed")
        .order_by(Share.at.desc(), Share.index)
        .limit(SHOWN_CLAIMS_MAX)
    )


def scope_ids_of(packet_id: UUID) -> Select[UUID]:
    """The scopes a packet is addressed to."""
    return (
        select(PacketScope.scope_id)
        .where(PacketScope.packet_id == packet_id)
        .order_by(PacketScope.scope_id)
    )


def member_of(packet_id: UUID, person_id: UUID) -> Select[UUID]:
    """Whether the person was in the audience when the packet opened."""
    return select(PacketMember.person_id).where(
        PacketMember.packet_id == packet_id, PacketMember.person_id == person_id
    )


def active_among(person_ids: Collection[UUID]) -> Select[UUID]:
    """Who of these persons is active here."""
    return select(Person.id).where(Person.id.in_(person_ids), Person.active)


def named_among(packet_id: UUID, person_ids: Collection[UUID]) -> Select[UUID]:
    """Who of these persons is picked by name as a receiver of a packet."""
    picked = (
        select(Scope.person_id)
        .join(
            PacketScope,
            and_(PacketScope.tenant_id == Scope.tenant_id, PacketScope.scope_id == Scope.id),
        )
        .where(PacketScope.packet_id == packet_id, Scope.kind == "person")
    )
    named = select(Share.receiver_id).where(Share.packet_id == packet_id)
    return select(Person.id).where(
        Person.id.in_(person_ids), or_(Person.id.in_(picked), Person.id.in_(named))
    )


def reached_among(scope_ids: Collection[UUID], person_ids: Collection[UUID]) -> Select[UUID]:
    """Who of these persons is in any of these scopes."""
    reached = people_in_scopes(scope_ids).subquery()
    return select(reached.c.id).where(reached.c.id.in_(person_ids))


def packets_to_open(now: datetime, limit: int) -> Select[UUID]:
    """Scheduled packets whose time has come."""
    return (
        select(Packet.id)
        .where(Packet.state == "scheduled", Packet.opens_at <= now, Packet.frozen_at.is_(None))
        .limit(limit)
    )


def packets_to_close(now: datetime, limit: int) -> Select[UUID]:
    """Packets not settled whose time is over, or of which nothing is left."""
    free = select(Share.index).where(
        Share.tenant_id == Packet.tenant_id, Share.packet_id == Packet.id, Share.state == "free"
    )
    return (
        select(Packet.id)
        .where(Packet.settled_at.is_(None), or_(Packet.expires_at <= now, ~free.exists()))
        .order_by(Packet.expires_at)
        .limit(limit)
    )


def wallets_of(person_id: UUID) -> Select[FundAccount]:
    """What a person has received, by unit."""
    return select(FundAccount).where(FundAccount.person_id == person_id).order_by(FundAccount.unit)


def entries_of(
    account_ids: Collection[UUID], *, before: UUID | None, limit: int
) -> Select[JournalEntry, Packet]:
    """(entry, packet) that moved these accounts, newest first."""
    found = (
        select(JournalEntry, Packet)
        .outerjoin(
            Packet,
            and_(
                Packet.tenant_id == JournalEntry.tenant_id,
                Packet.id == JournalEntry.debit_account_id,
            ),
        )
        .where(
            or_(
                JournalEntry.credit_account_id.in_(account_ids),
                JournalEntry.debit_account_id.in_(account_ids),
            )
        )
        .order_by(JournalEntry.id.desc())
        .limit(limit)
    )
    return found.where(JournalEntry.id < before) if before else found
