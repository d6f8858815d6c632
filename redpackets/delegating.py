"""Lending one's right to approve: to somebody, for a time, until it is taken back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import NotAllowed, NotFound
from app.core.events import record
from app.core.ids import new_id
from app.people.models import Person
from app.people.queries import scopes_of_persons
from app.people.services import write_audit
from redpackets import approval_queries
from redpackets.approval_models import DELEGATED_DAYS_MAX, Delegation
from redpackets.bands import APPROVING
from redpackets.errors import DelegationRefused, TooManyDelegations
from redpackets.events import RightLent

DELEGATED_MAX = timedelta(days=DELEGATED_DAYS_MAX)
STARTS_LATE_MAX = timedelta(minutes=5)
STARTS_AHEAD_MAX = timedelta(days=366)
STANDING_MAX = 20


@dataclass(frozen=True, kw_only=True)
class NewDelegation:
    """Who shall stand in for me, from when to when."""

    delegate_id: UUID
    starts_at: datetime
    ends_at: datetime


def lend_right(
    session: Session, *, caller: Caller, new: NewDelegation, now: datetime
) -> Delegation:
    """Let somebody approve in the caller's stead; what the caller may not approve, the delegate may not either."""
    if not any(caller.may(permission) for permission in APPROVING):
        raise NotAllowed
    _check(session, caller, new, now)
    if (session.scalar(approval_queries.standing_delegations(caller.person_id, now)) or 0) >= (
        STANDING_MAX
    ):
        raise TooManyDelegations(maximum=STANDING_MAX)
    delegation = Delegation(
        tenant_id=caller.tenant_id,
        id=new_id(),
        delegator_id=caller.person_id,
        created_at=now,
        **vars(new),
    )
    session.add(delegation)
    session.flush()
    _audit(session, "lend_right", caller, delegation, now)
    _tell(session, caller, delegation)
    return delegation


def take_back_right(
    session: Session, *, caller: Caller, delegation_id: UUID, now: datetime
) -> None:
    """End a delegation at once; taking it back again changes nothing."""
    delegation = session.scalar(approval_queries.delegation_locked(delegation_id))
    if delegation is None or caller.person_id not in (
        delegation.delegator_id,
        delegation.delegate_id,
    ):
        raise NotFound
    if delegation.delegator_id != caller.person_id:
        raise NotAllowed
    if delegation.revoked_at is not None:
        return
    delegation.revoked_at = now
    session.flush()
    _audit(session, "take_back_right", caller, delegation, now)
    _tell(session, caller, delegation)


def _check(session: Session, caller: Caller, new: NewDelegation, now: datetime) -> None:
    delegate = session.get(Person, (caller.tenant_id, new.delegate_id))
    if delegate is None or not delegate.active:
        raise DelegationRefused({"delegate_id": "receiver_not_active"})
    if delegate.id == caller.person_id:
        raise DelegationRefused({"delegate_id": "delegate_self"})
    if new.starts_at < now - STARTS_LATE_MAX:
        raise DelegationRefused({"from": "time_in_past"})
    if new.starts_at > now + STARTS_AHEAD_MAX:
        raise DelegationRefused({"from": "time_too_far"})
    if new.ends_at <= new.starts_at:
        raise DelegationRefused({"to": "time_order"})
    if new.ends_at > new.starts_at + DELEGATED_MAX:
        raise DelegationRefused({"to": "time_too_far"})


def _audit(
    session: Session, verb: str, caller: Caller, delegation: Delegation, now: datetime
) -> None:
    write_audit(
        session,
        actor_id=caller.person_id,
        action=f"redpackets.{verb}",
        subject=f"delegation:{delegation.id}",
        detail=f"to {delegation.delegate_id}, {delegation.starts_at} to {delegation.ends_at}",
        now=now,
    )


def _tell(session: Session, caller: Caller, delegation: Delegation) -> None:
    scopes = session.execute(scopes_of_persons([delegation.delegate_id]))
    scope_ids = [row.id for row in scopes]
    fact = RightLent(
        delegation_id=delegation.id,
        delegator_id=caller.person_id,
        delegator_name=caller.name,
        starts_at=delegation.starts_at,
        ends_at=delegation.ends_at,
        revoked=delegation.revoked_at is not None,
        scope_ids=tuple(scope_ids),
    )
    record(session, fact, ref=delegation.id, scope_ids=scope_ids)
