"""The grab: one person, one packet, one share at most, the same answer however often it is asked for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import NotFound
from app.core.events import record
from app.people.queries import scopes_of_persons
from redpackets import claiming, grab_queries, lifecycle
from redpackets.errors import (
    NotEligible,
    NotOpen,
    OriginCapReached,
    PacketCancelled,
    PacketExpired,
    PacketFrozen,
    ReceiveCapReached,
)
from redpackets.events import ShareTaken
from redpackets.models import Packet

NAMED = "named"


@dataclass(frozen=True, kw_only=True)
class Grabbed:
    """What a grab came to: ``won`` with the share, ``first`` unless it was held before; or ``sold_out``.

    ``pending``: the claim was sent to the database and nobody knows whether it arrived; asking again tells.
    """

    result: str
    first: bool = False
    index: int | None = None
    amount_minor: int | None = None
    unit: str | None = None


def grab(session: Session, *, caller: Caller, packet_id: UUID, now: datetime) -> Grabbed:
    """Give the caller a free share; asking again returns the share held, so phones may repeat the call.

    The truth of a grab is here and in ``claiming``: a gate in front turns latecomers away, and never says "won".
    """
    claiming.enter(session, packet_id, caller.person_id)
    standing = _standing(session, caller, packet_id)
    if standing is None:
        raise NotFound
    if standing.share_index is None:
        standing = _require_open_to(session, caller, packet_id, standing, now)
    if standing.share_index is not None:
        return _won(standing, standing.unit, first=False)
    if standing.state == "exhausted":
        return Grabbed(result="sold_out")
    _require_below_origin_cap(session, caller, standing)
    taken = _take(session, caller, packet_id, standing, now)
    if taken is None:
        return Grabbed(result="sold_out")
    _tell_taken(session, caller, packet_id, standing, taken, now)
    return _won(taken, standing.unit, first=True)


def _standing(session: Session, caller: Caller, packet_id: UUID) -> Row[Any] | None:
    place = {"packet_id": packet_id, "person_id": caller.person_id}
    return session.execute(
        grab_queries.STANDING, place | {"scope_ids": list(caller.scope_ids)}
    ).one_or_none()


def _require_open_to(
    session: Session, caller: Caller, packet_id: UUID, standing: Row[Any], now: datetime
) -> Row[Any]:
    _require_known(session, caller, packet_id, standing)
    if standing.state in {"cancelled", "rejected"}:
        raise PacketCancelled
    if standing.state == "expired" or (now >= standing.expires_at and standing.state == "open"):
        raise PacketExpired
    if standing.frozen_at is not None and standing.state in {"scheduled", "open"}:
        raise PacketFrozen
    is_waiting = standing.state == "scheduled" and now < standing.opens_at
    if is_waiting or standing.state == "pending_approval":
        raise NotOpen(opens_at=standing.opens_at)
    if standing.state == "scheduled":
        return _open_now(session, caller, packet_id, now)
    return standing


def _require_known(session: Session, caller: Caller, packet_id: UUID, standing: Row[Any]) -> None:
    """Refuse whom the packet is not for; of one that was not approved only insiders may know at all."""
    if standing.state in {"pending_approval", "rejected"}:
        packet = session.get_one(Packet, (caller.tenant_id, packet_id))
        if not lifecycle.is_insider(session, caller, packet):
            raise NotFound
    # Who is meant is frozen at the opening; before it, and if it never came, the scopes say.
    if not (standing.is_member if standing.opened_at else standing.is_addressed):
        raise NotEligible if lifecycle.knows_of(session, caller, packet_id) else NotFound


def _open_now(session: Session, caller: Caller, packet_id: UUID, now: datetime) -> Row[Any]:
    """Open a due packet that no job has opened yet; whoever of its first grabbers comes first does it."""
    lifecycle.open_if_due(session, packet_id=packet_id, now=now)
    standing = _standing(session, caller, packet_id)
    assert standing is not None
    if now >= standing.expires_at:
        raise PacketExpired
    if not standing.is_member:
        raise NotEligible
    return standing


def _require_below_origin_cap(session: Session, caller: Caller, standing: Row[Any]) -> None:
    if standing.origin_cap_count is None:
        return
    lock = f"redpackets.taken:{standing.origin}:{caller.person_id}"
    session.execute(grab_queries.ENTER_CAP, {"keys": [lock]})
    taken_before = grab_queries.taken_of_origin(standing.origin, caller.person_id)
    if session.scalars(taken_before).one() >= standing.origin_cap_count:
        raise OriginCapReached(cap_count=standing.origin_cap_count)


def _take(
    session: Session, caller: Caller, packet_id: UUID, standing: Row[Any], now: datetime
) -> Row[Any] | None:
    """Take the next share, or one's own; one that would exceed the budget's cap goes back as we roll back.

    The next share decides: picking one that fits would make luck depend on what somebody received before.
    """
    cap_minor, before = standing.receive_cap_minor, 0
    if cap_minor is not None:
        everything = claiming.received(session, standing.budget_id, [caller.person_id])
        before = everything.get(caller.person_id, 0)
    taken = claiming.claim(
        session,
        packet_id=packet_id,
        person_id=caller.person_id,
        unit=standing.unit,
        is_named=standing.split == NAMED,
        now=now,
    )
    if taken is None and standing.split == NAMED:
        raise NotEligible
    if taken is not None and cap_minor is not None and before + taken.amount_minor > cap_minor:
        raise ReceiveCapReached(cap_minor=cap_minor, received_minor=before, unit=standing.unit)
    return taken


def _tell_taken(
    session: Session,
    caller: Caller,
    packet_id: UUID,
    standing: Row[Any],
    taken: Row[Any],
    now: datetime,
) -> None:
    concerned = scopes_of_persons([caller.person_id, standing.actor_id])
    fact = ShareTaken(
        packet_id=packet_id,
        holder_id=caller.person_id,
        holder_name=caller.name,
        index=taken.share_index,
        amount_minor=taken.amount_minor,
        unit=standing.unit,
        taken_at=now,
    )
    scope_ids = [row.id for row in session.execute(concerned)]
    record(session, fact, ref=packet_id, scope_ids=scope_ids)


def _won(share: Row[Any], unit: str, *, first: bool) -> Grabbed:
    return Grabbed(
        result="won",
        first=first,
        index=share.share_index,
        amount_minor=share.amount_minor,
        unit=unit,
    )
