"""Approval: a packet above its band waits, with its money held, until enough others have agreed or one has refused."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import NotAllowed, NotFound
from app.core.events import record
from app.people.models import Person
from app.people.queries import scopes_of_persons
from app.people.services import write_audit
from redpackets import approval_queries, lifecycle, queries
from redpackets.approval_models import Approval, ApprovalRequest
from redpackets.approvers import Standing, approvers_of, standing_of, whose_rights
from redpackets.bands import Band
from redpackets.claiming import packet_key
from redpackets.errors import (
    AlreadyDecided,
    ConflictOfInterest,
    FourEyes,
    NotPending,
    ReasonMissing,
)
from redpackets.events import ApprovalDecided, ApprovalRequested
from redpackets.models import Packet


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What somebody decides about a packet; ``renounces`` gives up being one of its receivers."""

    decision: str
    reason: str = ""
    renounces: bool = False


def request_approval(session: Session, packet: Packet, band: Band, now: datetime) -> None:
    """Let a packet wait for the approvals its band asks for, and tell those who can give them."""
    request = ApprovalRequest(
        tenant_id=packet.tenant_id,
        packet_id=packet.id,
        approval_count=band.approvals,
        permission=band.permission,
        held_at=band.held_at,
        requested_at=now,
    )
    session.add(request)
    session.flush()
    approvers = approvers_of(session, request, packet, now)
    scope_ids = _scopes(session, approvers)
    sender = session.get_one(Person, (packet.tenant_id, packet.actor_id))
    fact = ApprovalRequested(
        packet_id=packet.id,
        sender_id=sender.id,
        sender_name=sender.name,
        total_minor=packet.total_minor,
        unit=packet.unit,
        approval_count=band.approvals,
        policy_version=packet.policy_version or 0,
        expires_at=packet.expires_at,
        scope_ids=tuple(scope_ids),
    )
    record(session, fact, ref=packet.id, scope_ids=scope_ids)


def decide(
    session: Session, *, caller: Caller, packet_id: UUID, decision: Decision, now: datetime
) -> None:
    """Approve or reject a packet, with all that was given at once with it.

    Deciding the same again changes nothing, and each person and right counts once.
    """
    together = session.scalars(approval_queries.given_at_once_with(packet_id, now)).all()
    for each_id in together or [packet_id]:
        _decide_one(session, caller, each_id, decision, now)


def _decide_one(
    session: Session, caller: Caller, packet_id: UUID, decision: Decision, now: datetime
) -> None:
    packet, request = _to_decide(session, caller, packet_id, now)
    made = [row.Approval for row in session.execute(approval_queries.decisions_on([packet_id]))]
    if _has_decided(made, caller, decision):
        return
    owner_id = _right_to_use(session, caller, packet, request, made, now)
    if packet.state != "pending_approval" or now >= packet.expires_at:
        raise NotPending(state="expired" if packet.settled_at is None else packet.state)
    if owner_id is None:
        return
    _refuse_receivers(session, packet_id, {caller.person_id, owner_id}, decision)
    if decision.decision == "reject" and not decision.reason:
        raise ReasonMissing
    _keep(session, caller, packet, owner_id, decision, now)
    approved = sum(a.decision == "approve" for a in made) + (decision.decision == "approve")
    if decision.decision == "reject":
        lifecycle.settle(session, packet, "rejected", now)
    elif approved >= request.approval_count:
        _let_go(session, packet, request, now)
    _tell_decided(session, caller, packet, request, decision, approved, now)


def _to_decide(
    session: Session, caller: Caller, packet_id: UUID, now: datetime
) -> tuple[Packet, ApprovalRequest]:
    """Lock a packet that the caller may know of, and say what it waits, or waited, for."""
    session.execute(queries.ENTER_CLOSE, {"packet_key": packet_key(packet_id)})
    packet = session.scalar(queries.packet_locked(packet_id))
    if packet is None or not lifecycle.knows_of(session, caller, packet_id, now=now):
        raise NotFound
    request = session.scalar(approval_queries.request_of(packet_id))
    if request is None:
        raise NotPending(state=packet.state)
    return packet, request


def _has_decided(made: list[Approval], caller: Caller, decision: Decision) -> bool:
    own = next((a for a in made if a.approver_id == caller.person_id), None)
    if own is not None and own.decision != decision.decision:
        raise AlreadyDecided(decision=own.decision)
    return own is not None


def _right_to_use(
    session: Session,
    caller: Caller,
    packet: Packet,
    request: ApprovalRequest,
    made: list[Approval],
    now: datetime,
) -> UUID | None:
    """Say by whose right the caller decides; None when each of them was used already."""
    standing: Standing = standing_of(session, caller, now)
    # Who stands in for the sender was chosen by the sender: no second pair of eyes.
    if packet.actor_id in {caller.person_id, *standing.lenders}:
        raise FourEyes
    rights = whose_rights(session, standing, request, packet)
    if not rights:
        raise NotAllowed
    used = {approval.on_behalf_of_id for approval in made}
    return next((person_id for person_id in rights if person_id not in used), None)


def _refuse_receivers(
    session: Session, packet_id: UUID, deciding: set[UUID], decision: Decision
) -> None:
    """Refuse who would receive from the packet, or stands in for one; who is only one of many may renounce."""
    if session.scalars(queries.named_among(packet_id, deciding)).first():
        raise ConflictOfInterest
    scope_ids = session.scalars(queries.scope_ids_of(packet_id)).all()
    if (
        not decision.renounces
        and session.scalars(queries.reached_among(scope_ids, deciding)).first()
    ):
        raise ConflictOfInterest(offers="renounce")


def _keep(
    session: Session,
    caller: Caller,
    packet: Packet,
    owner_id: UUID,
    decision: Decision,
    now: datetime,
) -> None:
    session.add(
        Approval(
            tenant_id=packet.tenant_id,
            packet_id=packet.id,
            approver_id=caller.person_id,
            on_behalf_of_id=owner_id,
            decision=decision.decision,
            reason=decision.reason,
            at=now,
        )
    )
    session.flush()
    write_audit(
        session,
        actor_id=caller.person_id,
        action=f"redpackets.{decision.decision}_packet",
        subject=f"packet:{packet.id}",
        detail=f"policy {packet.policy_version}, by the right of {owner_id}: {decision.reason}",
        now=now,
    )


def _let_go(session: Session, packet: Packet, request: ApprovalRequest, now: datetime) -> None:
    """Let an approved packet go its way: it opens now, or at its time if that is still to come."""
    request.approved_at = now
    packet.state = "scheduled"
    session.flush()
    lifecycle.open_if_due(session, packet_id=packet.id, now=now)
    session.refresh(packet)
    lifecycle.plan_opening(session, packet)


def _tell_decided(
    session: Session,
    caller: Caller,
    packet: Packet,
    request: ApprovalRequest,
    decision: Decision,
    approved: int,
    now: datetime,
) -> None:
    sender = _scopes(session, [packet.actor_id])
    others = _scopes(session, approvers_of(session, request, packet, now))
    fact = ApprovalDecided(
        packet_id=packet.id,
        approver_id=caller.person_id,
        approver_name=caller.name,
        decision=decision.decision,
        reason=decision.reason,
        state=packet.state,
        approvals_made=approved,
        approval_count=request.approval_count,
        sender_scope_ids=tuple(sender),
    )
    record(session, fact, ref=packet.id, scope_ids=[*sender, *others])


def _scopes(session: Session, person_ids: list[UUID]) -> list[UUID]:
    return [row.id for row in session.execute(scopes_of_persons(person_ids))]
