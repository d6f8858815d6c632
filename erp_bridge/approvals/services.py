"""What an approver does: look at what waits, and decide a version of it; a job carries the decision out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import InvalidFields
from app.core.ids import new_id
from app.core.jobs import defer
from app.core.work import tenant_of
from erp_bridge.approvals import queries, settling
from erp_bridge.approvals.errors import (
    ApprovalDecided,
    ApprovalUnknown,
    ApproverUnmapped,
    DocumentChanged,
    SourceReadOnly,
    VerdictNotOffered,
)
from erp_bridge.approvals.models import LIVE_STATES, PENDING, Approval, Approver, Decision
from erp_bridge.approvals.rules import SENDING_LASTS_MAX
from erp_bridge.connectors.approving import REJECT, Verdict
from erp_bridge.connectors.registry import can_decide
from erp_bridge.models import Source

SEND_DECISION = "erp_bridge.send_decision"
READ_ONLY, UNMAPPED = "source_read_only", "approver_unmapped"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An approval as its approver sees it: whether they may decide it, and how their latest decision goes."""

    approval: Approval
    source: Source
    #: Why it can only be looked at; None when it can be decided.
    read_only: str | None
    decision: Decision | None
    as_of: datetime | None
    is_late: bool

    @property
    def verdicts(self) -> list[str]:
        """What the approver may decide now."""
        under_way = self.decision is not None and self.decision.state in LIVE_STATES
        waits = self.approval.state == PENDING and self.read_only is None and not under_way
        return self.approval.verdicts if waits else []


@dataclass(frozen=True, kw_only=True)
class Verdicts:
    """What somebody decides about which version, in which request."""

    verdict: Verdict
    reason: str
    version: str
    request_id: str | None


def show_all(
    session: Session, caller: Caller, approvals: Sequence[Approval], *, now: datetime
) -> list[Shown]:
    """Show approvals to their approver, with three questions however many there are."""
    source_ids = {row.source_id for row in approvals}
    sources = {row.id: row for row in session.scalars(queries.sources_named(source_ids))}
    mapped = {
        row.source_id for row in session.scalars(queries.approvers_for(caller.person_id, now))
    }
    asked = queries.latest_decisions([row.id for row in approvals])
    decisions = {row.approval_id: row for row in session.scalars(asked)}
    fresh = {row.source_id: row for row in session.execute(queries.freshness_of(source_ids))}
    return [
        Shown(
            approval=row,
            source=sources[row.source_id],
            read_only=_why_read_only(sources[row.source_id], is_mapped=row.source_id in mapped),
            decision=decisions.get(row.id),
            as_of=fresh[row.source_id].as_of if row.source_id in fresh else None,
            is_late=row.source_id in fresh and fresh[row.source_id].problem is not None,
        )
        for row in approvals
    ]


def find_approval(session: Session, caller: Caller, approval_id: UUID) -> Approval:
    """The approval of this id; one that waits for somebody else does not exist for the caller."""
    approval = session.scalar(queries.approval_of(approval_id, caller.person_id))
    if approval is None:
        raise ApprovalUnknown
    return approval


def decide(
    session: Session, *, caller: Caller, approval_id: UUID, asked: Verdicts, now: datetime
) -> Decision:
    """Decide a document as it was shown; from here on it is carried out, refused or unknown, never twice."""
    approval = session.scalar(queries.approval_locked(approval_id))
    if approval is None or approval.person_id != caller.person_id:
        raise ApprovalUnknown
    _refuse_decided(session, approval)
    if asked.version != approval.version:
        raise DocumentChanged(current_version=approval.version)
    if asked.verdict == REJECT and not asked.reason:
        raise InvalidFields({"reason": "required"})
    approver = _approver_of(session, caller, approval, now)
    if asked.verdict not in approval.verdicts:
        raise VerdictNotOffered(verdicts=approval.verdicts)
    decision = Decision(
        tenant_id=tenant_of(session),
        id=new_id(),
        approval_id=approval.id,
        person_id=caller.person_id,
        approver_id=approver.id,
        verdict=asked.verdict,
        reason=asked.reason,
        version=asked.version,
        state="queued",
        attempts=0,
        steps_before=0,
        created_at=now,
        next_at=now + SENDING_LASTS_MAX,
    )
    session.add(decision)
    settling.move(
        session,
        decision,
        "queued",
        now=now,
        # The job that is asked for here comes first; this is for when it was lost.
        next_at=decision.next_at,
        by=settling.By(caller.person_id, asked.request_id),
    )
    ask_to_send(session, decision.id, approval.id)
    return decision


def ask_to_send(
    session: Session, decision_id: UUID, approval_id: UUID, *, once: bool = False
) -> None:
    """Ask for a decision's next step; the steps of one approval are done one after another."""
    defer(
        session,
        SEND_DECISION,
        lock=f"erp_bridge.approval.{approval_id}",
        once=once,
        decision_id=str(decision_id),
    )


def _refuse_decided(session: Session, approval: Approval) -> None:
    decision = session.scalar(queries.latest_decisions([approval.id]))
    is_live = decision is not None and decision.state in LIVE_STATES
    if approval.state != PENDING or is_live:
        under_way = decision.state if decision is not None and is_live else None
        raise ApprovalDecided(state=approval.state, decision=under_way)


def _approver_of(session: Session, caller: Caller, approval: Approval, now: datetime) -> Approver:
    source = session.scalars(queries.source_by_id(approval.source_id)).one()
    approver = session.scalar(queries.approver_for(source.id, caller.person_id, now))
    why = _why_read_only(source, is_mapped=approver is not None)
    if why == READ_ONLY:
        raise SourceReadOnly
    if approver is None or approver.erp_user != approval.approver_key:
        raise ApproverUnmapped
    return approver


def _why_read_only(source: Source, *, is_mapped: bool) -> str | None:
    if not source.active or not can_decide(source.connector, source.config):
        return READ_ONLY
    return None if is_mapped else UNMAPPED
