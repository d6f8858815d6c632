"""What time and takers do to a packet: it opens, its free shares become fewer, it ends and settles with its budget.

Opening takes the packet's row only, so that the first grab of a due packet may do it; ending takes the packet's
lock alone, so that every claim is either before it or refused.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, and_, insert, literal, select, text, update
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.events import SCOPE_COUNT_MAX, record
from app.core.jobs import defer
from app.core.work import tenant_of
from app.people.models import Person
from app.people.queries import is_at_or_below, people_in_scopes, scopes_of_persons
from redpackets import approval_queries, ledger, queries
from redpackets.approvers import may_approve
from redpackets.claiming import claim_all_named, packet_key
from redpackets.events import PacketChanged, PacketOpened
from redpackets.models import Packet, PacketMember

OPEN_JOB = "redpackets.open_packet"
EXPIRE_JOB = "redpackets.expire_packet"
TELL_JOB = "redpackets.tell_remaining"

#: States of which an audience knows nothing.
UNHEARD_STATES = ("pending_approval", "rejected")

_REFUND = text("""
    WITH refunded AS (
        UPDATE redpackets_share SET state = 'refunded', at = :now
         WHERE packet_id = :packet_id AND state = 'free' RETURNING amount_minor
    ) SELECT COALESCE(sum(amount_minor), 0)::bigint FROM refunded
""")


def plan_ahead(session: Session, packet: Packet) -> None:
    """Ask for the jobs that open the packet and end it at their times."""
    plan_opening(session, packet)
    lock = packet_key(packet.id)
    defer(session, EXPIRE_JOB, at=packet.expires_at, lock=lock, packet_id=str(packet.id))


def plan_opening(session: Session, packet: Packet) -> None:
    """Ask for the job that opens the packet at its time, if that is still to come."""
    if packet.state == "scheduled":
        lock = packet_key(packet.id)
        defer(session, OPEN_JOB, at=packet.opens_at, lock=lock, packet_id=str(packet.id))


def open_if_due(session: Session, *, packet_id: UUID, now: datetime) -> bool:
    """Open a scheduled packet whose time has come: note who is in its audience, and tell them."""
    is_due = and_(Packet.state == "scheduled", Packet.opens_at <= now, Packet.frozen_at.is_(None))
    opened = session.execute(
        update(Packet)
        .where(Packet.id == packet_id, is_due)
        .values(state="open", opened_at=now, version=Packet.version + 1)
        .returning(Packet.version)
        .execution_options(synchronize_session=False)
    ).scalar()
    if opened is None:
        return False
    scope_ids = list(session.scalars(queries.scope_ids_of(packet_id)))
    _freeze_audience(session, packet_id, scope_ids)
    _tell_opened(session, packet_id, scope_ids)
    claim_all_named(session, packet_id, now)
    return True


def close_if_over(session: Session, *, packet_id: UUID, now: datetime) -> bool:
    """End a packet whose time is over or of which nothing is left; once, however often it is asked for."""
    session.execute(queries.ENTER_CLOSE, {"packet_key": packet_key(packet_id)})
    packet = session.scalar(queries.packet_locked(packet_id))
    if packet is None or packet.settled_at is not None:
        return False
    shares = totals(session, packet_id)
    if shares.free and now < packet.expires_at:
        return False
    settle(session, packet, "expired" if shares.free else "exhausted", now)
    return True


def tell_remaining(session: Session, *, packet_id: UUID, now: datetime) -> None:
    """Tell the audience how many shares are left, if it is fewer than they heard; end what is exhausted."""
    if totals(session, packet_id).free == 0:
        close_if_over(session, packet_id=packet_id, now=now)
        return
    packet = session.scalar(queries.packet_locked(packet_id))
    if packet is None or packet.state != "open":
        return
    remaining = totals(session, packet_id).free
    # At zero the taking of the last share, committed by now, ends the packet and tells.
    if 0 < remaining < packet.told_remaining:
        tell_changed(session, packet, remaining)


def may_manage(session: Session, caller: Caller, packet: Packet) -> bool:
    """Say whether the caller sent the packet or manages packets for its principal."""
    if packet.actor_id == caller.person_id:
        return True
    return _holds_for(session, caller, "redpackets.manage", packet)


def may_audit(session: Session, caller: Caller, packet: Packet) -> bool:
    """Say whether the caller audits the packet's principal."""
    return _holds_for(session, caller, "redpackets.audit", packet)


def is_insider(
    session: Session, caller: Caller, packet: Packet, *, now: datetime | None = None
) -> bool:
    """Say whether the caller may see amounts and claims: sender, managers, auditors, the budget's owner.

    With ``now``, those who approve it are insiders too.
    """
    if may_manage(session, caller, packet) or may_audit(session, caller, packet):
        return True
    owner_id = session.scalar(queries.budget_owner(packet.budget_id))
    if owner_id == caller.person_id:
        return True
    return now is not None and may_approve(session, caller, packet, now)


def knows_of(
    session: Session, caller: Caller, packet_id: UUID, *, now: datetime | None = None
) -> bool:
    """Say whether the caller may know that the packet exists: addressed, a member, or an insider.

    Its audience never hears of a packet that waits for approval or was rejected.
    """
    packet = session.get(Packet, (caller.tenant_id, packet_id))
    if packet is None:
        return False
    if packet.state not in UNHEARD_STATES and _is_addressed(session, caller, packet_id):
        return True
    return is_insider(session, caller, packet, now=now)


def _holds_for(session: Session, caller: Caller, permission: str, packet: Packet) -> bool:
    held_at = caller.units_with(permission)
    return bool(held_at) and bool(session.scalar(is_at_or_below(packet.on_behalf_of_id, held_at)))


def _is_addressed(session: Session, caller: Caller, packet_id: UUID) -> bool:
    if not caller.scope_ids.isdisjoint(session.scalars(queries.scope_ids_of(packet_id))):
        return True
    return bool(session.scalar(queries.member_of(packet_id, caller.person_id)))


def _freeze_audience(session: Session, packet_id: UUID, scope_ids: list[UUID]) -> None:
    """Note who may take a share; an approver is no receiver, whatever has changed since."""
    people = people_in_scopes(scope_ids).subquery()
    approved = session.execute(approval_queries.approver_ids(packet_id)).all()
    approvers = {person_id for row in approved for person_id in row}
    members = select(literal(tenant_of(session)), literal(packet_id), people.c.id).where(
        people.c.id.not_in(approvers)
    )
    session.execute(
        insert(PacketMember).from_select(["tenant_id", "packet_id", "person_id"], members)
    )


def _tell_opened(session: Session, packet_id: UUID, scope_ids: list[UUID]) -> None:
    found = select(Packet).where(Packet.id == packet_id)
    packet = session.scalars(found.execution_options(populate_existing=True)).one()
    sender = session.get_one(Person, (packet.tenant_id, packet.actor_id))
    assert packet.opened_at is not None
    for part, some in enumerate(_parts(scope_ids)):
        fact = PacketOpened(
            packet_id=packet.id,
            packet_kind=packet.kind,
            greeting=packet.greeting,
            sender_id=sender.id,
            sender_name=sender.name,
            on_behalf_of=packet.on_behalf_of_id,
            share_count=packet.share_count,
            unit=packet.unit,
            opened_at=packet.opened_at,
            expires_at=packet.expires_at,
            scope_ids=some,
            part=part,
            commitment=(packet.commitment or b"").hex(),
        )
        record(session, fact, ref=packet.id, version=packet.version, scope_ids=some)


def tell_changed(session: Session, packet: Packet, remaining: int) -> None:
    """Tell the audience its state and how many shares are left; of a packet it never heard of, the sender alone."""
    packet.version += 1
    packet.told_remaining = remaining
    session.flush()
    found = _hearing(session, packet)
    fact = PacketChanged(
        packet_id=packet.id,
        state=packet.state,
        remaining=remaining,
        frozen=packet.frozen_at is not None,
    )
    for scope_ids in _parts(found):
        record(session, fact, ref=packet.id, version=packet.version, scope_ids=scope_ids)


def _hearing(session: Session, packet: Packet) -> Sequence[UUID]:
    if packet.opened_at is not None:
        return session.scalars(queries.scope_ids_of(packet.id)).all()
    return [row.id for row in session.execute(scopes_of_persons([packet.actor_id]))]


def _parts(scope_ids: Sequence[UUID]) -> Iterator[tuple[UUID, ...]]:
    """Cut many scopes into as many as one fact may have; none is one part too."""
    for first in range(0, max(len(scope_ids), 1), SCOPE_COUNT_MAX):
        yield tuple(scope_ids[first : first + SCOPE_COUNT_MAX])


def settle(session: Session, packet: Packet, state: str, now: datetime) -> None:
    """Refund the free shares and turn what the budget held for the packet into what was spent."""
    refunded: int = session.execute(_REFUND, {"packet_id": packet.id, "now": now}).scalar_one()
    budget = session.scalars(queries.budget_locked(packet.budget_id)).one()
    budget.held_minor -= packet.total_minor
    budget.spent_minor += packet.total_minor - refunded
    packet.state, packet.settled_at = state, now
    session.flush()
    if refunded:
        ledger.post(
            session,
            kind="refund",
            debit=packet.id,
            credit=budget.id,
            amount_minor=refunded,
            unit=packet.unit,
            reference=f"refund:{packet.id}",
            now=now,
        )
    tell_changed(session, packet, remaining=0)


def totals(session: Session, packet_id: UUID) -> Row[int, int, int]:
    """Count a packet's shares: (free, claimed, claimed_minor)."""
    return session.execute(queries.share_totals(packet_id)).one()
