"""What an operator does: say which user of an ERP a person decides as, and end it; nobody does it for themselves."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.crypto import seal, unseal
from app.core.errors import InvalidFields
from app.core.ids import new_id
from app.core.work import tenant_of
from app.people.models import Person
from app.people.services import write_audit
from erp_bridge.approvals import queries, rules
from erp_bridge.approvals.errors import (
    ApproverFourEyes,
    ApproverTaken,
    ApproverUnknown,
    SourceReadOnly,
)
from erp_bridge.approvals.models import Approver
from erp_bridge.connectors.registry import can_decide, wants_key
from erp_bridge.errors import SourceUnknown
from erp_bridge.leases import wait_for_turn
from erp_bridge.models import Source


@dataclass(frozen=True, kw_only=True)
class NewApprover:
    """Who decides as which of the ERP's users, from when to when (None: for good), with which key of theirs."""

    person_id: UUID
    erp_user: str
    key: str | None
    valid_from: datetime | None
    valid_to: datetime | None


def add_approver(
    session: Session,
    *,
    caller: Caller,
    source_id: UUID,
    new: NewApprover,
    secret_key: str,
    now: datetime,
) -> Approver:
    """Let a person decide as a user of the ERP; one person is one user at a time, and the other way round."""
    source = _deciding_source(session, source_id)
    if new.person_id == caller.person_id:
        raise ApproverFourEyes
    begin = new.valid_from or now
    _refuse_unfit(session, source, new, begin)
    wait_for_turn(session, source.tenant_id, source.id, "approvers")
    for other in session.scalars(queries.approvers_of(source.id)):
        is_same = other.person_id == new.person_id or other.erp_user == new.erp_user
        if is_same and rules.overlaps([(other.valid_from, other.valid_to)], begin, new.valid_to):
            raise ApproverTaken
    made = Approver(
        tenant_id=tenant_of(session),
        id=new_id(),
        source_id=source.id,
        person_id=new.person_id,
        erp_user=new.erp_user,
        valid_from=begin,
        valid_to=new.valid_to,
        created_by_id=caller.person_id,
        created_at=now,
    )
    if new.key is not None:
        made.secret = seal(new.key.encode(), key=secret_key, place=_place(made))
    session.add(made)
    session.flush()
    _audit(session, caller, "erp.add_approver", made, now)
    return made


def end_approver(
    session: Session, *, caller: Caller, source_id: UUID, approver_id: UUID, now: datetime
) -> Approver:
    """From now on the person decides no more as that user; ending it again changes nothing."""
    found = session.scalar(queries.approver_by_id(source_id, approver_id))
    if found is None:
        raise ApproverUnknown
    if found.valid_to is None or found.valid_to > now:
        found.valid_to = max(now, found.valid_from)
        session.flush()
        _audit(session, caller, "erp.end_approver", found, now)
    return found


def key_of(approver: Approver, *, secret_key: str) -> str | None:
    """The person's own key to the ERP, if one was given."""
    if approver.secret is None:
        return None
    return unseal(approver.secret, key=secret_key, place=_place(approver)).decode()


def _deciding_source(session: Session, source_id: UUID) -> Source:
    source = session.scalar(queries.source_by_id(source_id))
    if source is None:
        raise SourceUnknown
    if not can_decide(source.connector, source.config):
        raise SourceReadOnly
    return source


def _refuse_unfit(session: Session, source: Source, new: NewApprover, begin: datetime) -> None:
    if new.valid_to is not None and new.valid_to <= begin:
        raise InvalidFields({"valid_to": "time_order"})
    if wants_key(source.connector) and new.key is None:
        raise InvalidFields({"key": "required"})
    if not wants_key(source.connector) and new.key is not None:
        raise InvalidFields({"key": "unknown_field"})
    is_here = select(Person.id).where(Person.id == new.person_id, Person.active)
    if session.scalar(is_here) is None:
        raise InvalidFields({"person_id": "subject_unknown"})


def _audit(session: Session, caller: Caller, verb: str, approver: Approver, now: datetime) -> None:
    write_audit(
        session,
        actor_id=caller.person_id,
        action=verb,
        subject=f"erp_source:{approver.source_id}",
        detail=f"{approver.person_id} as {approver.erp_user}",
        now=now,
    )


def _place(approver: Approver) -> str:
    return f"{approver.tenant_id}|erp_approver|{approver.id}|secret"
