"""A packet as its reader may see it: the audience sees whose it is and what is left, insiders the money too."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import NotFound
from app.people.models import OrgUnit, Person
from redpackets import approval_queries, packet_queries, queries
from redpackets.approval_models import Approval, ApprovalRequest, Delegation
from redpackets.fairness import published
from redpackets.lifecycle import is_insider, knows_of
from redpackets.models import JournalEntry, Packet

#: Nobody can take a share any more, so whoever it was for may look where its sender lets them.
OVER = ("exhausted", "expired")


def read_packet(
    session: Session, *, caller: Caller, packet_id: UUID, now: datetime
) -> dict[str, Any]:
    """Describe a packet to somebody who may know of it."""
    packet = session.get(Packet, (caller.tenant_id, packet_id))
    if packet is None or not knows_of(session, caller, packet_id, now=now):
        raise NotFound
    shares = session.execute(queries.share_totals(packet_id)).one()
    sender = session.get_one(Person, (caller.tenant_id, packet.actor_id))
    principal = session.get_one(OrgUnit, (caller.tenant_id, packet.on_behalf_of_id))
    seen = {
        "id": packet.id,
        "kind": packet.kind,
        "unit": packet.unit,
        "count": packet.share_count,
        "remaining": shares.free,
        "state": _state(packet, shares.free, now),
        "frozen": packet.frozen_at is not None,
        "greeting": packet.greeting,
        "cover": packet.cover,
        "shows_claims": packet.shows_claims,
        "sender": sender,
        "on_behalf_of": principal,
        "purpose": {"category": packet.purpose_category, "text": packet.purpose_text},
        "opens_at": packet.opens_at,
        "expires_at": packet.expires_at,
        "settled_at": packet.settled_at,
        "version": packet.version,
        "commitment": published(packet),
        "mine": _mine(session, caller, packet),
    }
    if is_insider(session, caller, packet, now=now):
        seen |= _accounts(session, packet, shares.claimed_minor)
    elif packet.shows_claims and (seen["mine"] or seen["state"] in OVER):
        seen["claims"] = _claims(session, packet)
    return seen


def read_envelopes(
    session: Session, *, caller: Caller, packet_ids: Sequence[UUID], now: datetime
) -> list[dict[str, Any]]:
    """Describe those of several packets that the caller may know of; of the others nothing is said."""
    found = []
    for packet_id in dict.fromkeys(packet_ids):
        with suppress(NotFound):
            found.append(read_packet(session, caller=caller, packet_id=packet_id, now=now))
    return found


def listed_packet(row: Any) -> dict[str, Any]:
    """Describe a packet of ``packets_overseen``, as its sender or overseer sees it in a list."""
    packet: Packet = row.Packet
    return {
        "id": packet.id,
        "kind": packet.kind,
        "unit": packet.unit,
        "count": packet.share_count,
        "remaining": row.free,
        "state": row.state_now,
        "frozen": packet.frozen_at is not None,
        "greeting": packet.greeting,
        "cover": packet.cover,
        "sender": {"id": packet.actor_id, "name": row.sender_name},
        "on_behalf_of": {"id": packet.on_behalf_of_id, "name": row.principal_name},
        "purpose": {"category": packet.purpose_category, "text": packet.purpose_text},
        "opens_at": packet.opens_at,
        "expires_at": packet.expires_at,
        "settled_at": packet.settled_at,
        "version": packet.version,
        "total_minor": packet.total_minor,
        "claimed_minor": row.claimed_minor,
        "budget_id": packet.budget_id,
        "policy_version": packet.policy_version,
    }


def decision(approval: Approval, name: str, lender: str) -> dict[str, Any]:
    """Describe who decided what about a packet, and by whose right."""
    return {
        "approver": {"id": approval.approver_id, "name": name},
        "on_behalf_of": {"id": approval.on_behalf_of_id, "name": lender},
        "decision": approval.decision,
        "reason": approval.reason,
        "at": approval.at,
    }


def waiting_packet(row: Any, state: str) -> dict[str, Any]:
    """Describe a packet of ``requests_for`` to who may decide on it."""
    packet: Packet = row.Packet
    request: ApprovalRequest = row.ApprovalRequest
    return {
        "packet_id": packet.id,
        "state": state,
        "kind": packet.kind,
        "unit": packet.unit,
        "total_minor": packet.total_minor,
        "count": packet.share_count,
        "sender": {"id": packet.actor_id, "name": row[2]},
        "budget": {"id": packet.budget_id, "name": row[3]},
        "cost_centre": packet.cost_centre_id,
        "purpose": {"category": packet.purpose_category, "text": packet.purpose_text},
        "policy_version": packet.policy_version,
        "approvals_needed": request.approval_count,
        "approvals_made": row.approvals_made,
        "requested_at": request.requested_at,
        "opens_at": packet.opens_at,
        "expires_at": packet.expires_at,
    }


def delegation(lent: Delegation, delegator: str, delegate: str) -> dict[str, Any]:
    """Describe who stands in for whom, from when to when."""
    return {
        "id": lent.id,
        "delegator": {"id": lent.delegator_id, "name": delegator},
        "delegate": {"id": lent.delegate_id, "name": delegate},
        "starts_at": lent.starts_at,
        "ends_at": lent.ends_at,
        "revoked_at": lent.revoked_at,
    }


def wallet_entry(entry: JournalEntry, packet: Packet | None, own: set[UUID]) -> dict[str, Any]:
    """Describe a movement of a wallet; what came in is positive."""
    came_in = entry.credit_account_id in own
    return {
        "id": entry.id,
        "kind": entry.kind,
        "at": entry.at,
        "amount_minor": entry.amount_minor if came_in else -entry.amount_minor,
        "unit": entry.unit,
        "packet_id": packet.id if packet else None,
        "greeting": packet.greeting if packet else None,
    }


def _state(packet: Packet, free: int, now: datetime) -> str:
    """Say what is true now, also where the job that notes it has not run yet."""
    if packet.settled_at is not None:
        return packet.state
    if free == 0:
        return "exhausted"
    if now >= packet.expires_at:
        return "expired"
    if packet.state == "pending_approval":
        return packet.state
    return "open" if now >= packet.opens_at else "scheduled"


def _mine(session: Session, caller: Caller, packet: Packet) -> dict[str, Any] | None:
    share = session.scalar(queries.share_held_by(caller.person_id, packet.id))
    if share is None:
        return None
    return {"index": share.index, "amount_minor": share.amount_minor, "unit": packet.unit}


def _accounts(session: Session, packet: Packet, claimed_minor: int) -> dict[str, Any]:
    """Say what the audience does not see: the six attributes' other half, and who took what."""
    return {
        "total_minor": packet.total_minor,
        "claimed_minor": claimed_minor,
        "min_minor": packet.min_minor,
        "max_minor": packet.max_minor,
        "split": packet.split,
        "budget_id": packet.budget_id,
        "cost_centre": packet.cost_centre_id,
        "tax_class": packet.tax_class,
        "evidence": packet.purpose_evidence,
        "audience": {"scopes": packet.audience},
        "receivers": _receivers(session, packet),
        "policy_version": packet.policy_version,
        **_approvals(session, packet),
        "claims": _claims(session, packet),
    }


def _claims(session: Session, packet: Packet) -> list[dict[str, Any]]:
    """Say who got what, the newest first."""
    return [
        {
            "index": share.index,
            "amount_minor": share.amount_minor,
            "unit": packet.unit,
            "holder": {"id": share.holder_id, "name": name},
            "at": share.at,
        }
        for share, name in session.execute(queries.newest_claims(packet.id))
    ]


def _receivers(session: Session, packet: Packet) -> list[dict[str, Any]]:
    if packet.split != "named":
        return []
    return [
        {
            "person": {"id": share.receiver_id, "name": name},
            "amount_minor": share.amount_minor,
            "state": share.state,
        }
        for share, name in session.execute(packet_queries.receivers_of(packet.id))
    ]


def _approvals(session: Session, packet: Packet) -> dict[str, Any]:
    request = session.scalar(approval_queries.request_of(packet.id))
    made = session.execute(approval_queries.decisions_on([packet.id])) if request else ()
    return {
        "approvals_needed": request.approval_count if request else 0,
        "approvals": [decision(*row) for row in made],
    }
