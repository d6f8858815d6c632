"""Stopping a packet: withdrawing it before the first claim, closing it early, freezing it for a while."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import NotAllowed, NotFound
from app.people.services import write_audit
from redpackets import lifecycle, queries
from redpackets.claiming import packet_key
from redpackets.errors import AlreadyClaimed, NotOpen, PacketCancelled, PacketExpired
from redpackets.models import Packet


@dataclass(frozen=True, kw_only=True)
class Freeze:
    """Whether claims are stopped, and why."""

    frozen: bool
    reason: str


def cancel_packet(session: Session, *, caller: Caller, packet_id: UUID, now: datetime) -> None:
    """Withdraw a packet that nobody has taken from, and give all of it back to the budget."""
    packet = _to_stop(session, caller, packet_id)
    if packet.state == "cancelled":
        return
    if lifecycle.totals(session, packet_id).claimed:
        raise AlreadyClaimed(offers="closing")
    _refuse_over(packet, now)
    withdraw(session, packet=packet, actor_id=caller.person_id, now=now)


def withdraw(session: Session, *, packet: Packet, actor_id: UUID | None, now: datetime) -> None:
    """End a packet that nobody has taken from; the packet is locked."""
    lifecycle.settle(session, packet, "cancelled", now)
    _audit(session, "cancel_packet", packet, actor_id, "", now)


def close_packet(session: Session, *, caller: Caller, packet_id: UUID, now: datetime) -> None:
    """End an open packet before its time and refund what nobody took; closing it again changes nothing."""
    packet = _to_stop(session, caller, packet_id)
    if packet.state in {"cancelled", "rejected"}:
        raise PacketCancelled
    if packet.settled_at is not None:
        return
    if packet.state != "open":
        raise NotOpen(opens_at=packet.opens_at, offers="cancellation")
    free = lifecycle.totals(session, packet_id).free
    lifecycle.settle(session, packet, "expired" if free else "exhausted", now)
    _audit(session, "close_packet", packet, caller.person_id, f"{free} shares free", now)


def withdraw_rest(session: Session, *, packet_id: UUID, actor_id: UUID, now: datetime) -> str:
    """End a packet because somebody decided so: withdrawn if nobody took from it, else closed for the rest.

    Says which: ``cancelled``, ``closed``, or ``nothing_left`` where it was over already.
    """
    session.execute(queries.ENTER_CLOSE, {"packet_key": packet_key(packet_id)})
    packet = session.scalar(queries.packet_locked(packet_id))
    if packet is None or packet.settled_at is not None:
        return "nothing_left"
    shares = lifecycle.totals(session, packet_id)
    if not shares.claimed:
        withdraw(session, packet=packet, actor_id=actor_id, now=now)
        return "cancelled"
    lifecycle.settle(session, packet, "expired" if shares.free else "exhausted", now)
    _audit(session, "close_packet", packet, actor_id, f"{shares.claimed} shares claimed", now)
    return "closed" if shares.free else "nothing_left"


def freeze_packet(
    session: Session, *, caller: Caller, packet_id: UUID, freeze: Freeze, now: datetime
) -> None:
    """Stop claims, or let them go on; nothing is erased, and what is free at the end is refunded as ever."""
    session.execute(queries.ENTER_CLOSE, {"packet_key": packet_key(packet_id)})
    packet = session.scalar(queries.packet_locked(packet_id))
    if packet is None or not lifecycle.knows_of(session, caller, packet_id):
        raise NotFound
    may_audit = lifecycle.may_audit(session, caller, packet)
    if not (may_audit or lifecycle.may_manage(session, caller, packet)):
        raise NotAllowed
    if (packet.frozen_at is not None) == freeze.frozen:
        return
    _refuse_over(packet, now)
    packet.frozen_at = now if freeze.frozen else None
    session.flush()
    verb = "freeze_packet" if freeze.frozen else "unfreeze_packet"
    _audit(session, verb, packet, caller.person_id, freeze.reason, now)
    if not lifecycle.open_if_due(session, packet_id=packet_id, now=now):
        lifecycle.tell_changed(session, packet, lifecycle.totals(session, packet_id).free)


def _to_stop(session: Session, caller: Caller, packet_id: UUID) -> Packet:
    """Take a packet alone, all claims before it done, as somebody who may end it."""
    session.execute(queries.ENTER_CLOSE, {"packet_key": packet_key(packet_id)})
    packet = session.scalar(queries.packet_locked(packet_id))
    if packet is None or not lifecycle.knows_of(session, caller, packet_id):
        raise NotFound
    if not lifecycle.may_manage(session, caller, packet):
        raise NotAllowed
    return packet


def _refuse_over(packet: Packet, now: datetime) -> None:
    if packet.state in {"cancelled", "rejected"}:
        raise PacketCancelled
    if packet.settled_at is not None or now >= packet.expires_at:
        raise PacketExpired


def _audit(
    session: Session,
    verb: str,
    packet: Packet,
    actor_id: UUID | None,
    detail: str,
    now: datetime,
) -> None:
    write_audit(
        session,
        actor_id=actor_id,
        action=f"redpackets.{verb}",
        subject=f"packet:{packet.id}",
        detail=f"{packet.total_minor} {packet.unit} {detail}".rstrip(),
        now=now,
    )
