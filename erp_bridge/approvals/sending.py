"""Carrying a decision out: one step at a time, each decided and kept before the ERP is spoken to.

It leaves the queue once, under the lock of its row. Whoever finds it sent, with nobody left who could say what came of
it, reads the ERP; nothing ever sends it again.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.crypto import SecretUnreadable
from app.core.work import tenant_of
from erp_bridge.approvals import queries, rules, settling
from erp_bridge.approvals.approvers import key_of
from erp_bridge.approvals.errors import (
    ApprovalDecided,
    ApproverUnmapped,
    DocumentChanged,
    VerdictNotOffered,
)
from erp_bridge.approvals.models import PENDING, Approval, Approver, Decision
from erp_bridge.approvals.rules import Outcome, Sent
from erp_bridge.connectors.approving import STATE_OF, Act, Ruling, Verdict, WaitingTask
from erp_bridge.models import Source


@dataclass(frozen=True, kw_only=True)
class Step:
    """The next step of a decision: to be sent, or to be asked for."""

    decision_id: UUID
    source: Source
    act: Act
    is_to_be_sent: bool


def take_up(session: Session, *, decision_id: UUID, secret_key: str, now: datetime) -> Step | None:
    """Decide what is to be done next with a decision; None when it is over."""
    decision = session.scalar(queries.decision_locked(decision_id))
    if decision is None or decision.settled_at is not None:
        return None
    if decision.state == "sent":
        settling.move(
            session,
            decision,
            "unknown",
            now=now,
            code=rules.INTERRUPTED,
            next_at=now + rules.FIRST_LOOK,
        )
    approval = session.get_one(Approval, (tenant_of(session), decision.approval_id))
    approver = session.get_one(Approver, (tenant_of(session), decision.approver_id))
    act = Act(
        key=approval.task_key,
        approver=approver.erp_user,
        verdict=cast("Verdict", decision.verdict),
        reason=decision.reason,
        secret=_key_of(approver, secret_key),
    )
    return Step(
        decision_id=decision.id,
        source=session.scalars(queries.source_by_id(approval.source_id)).one(),
        act=act,
        is_to_be_sent=decision.state == "queued",
    )


def mark_sent(
    session: Session,
    *,
    step: Step,
    found: WaitingTask | None,
    number: str | None,
    currency: str,
    now: datetime,
) -> bool:
    """Let a decision leave the queue if the document is still as it was shown; else refuse it and show what is."""
    decision, approval = _held(session, step)
    if decision.state != "queued":
        return False
    code = _hindrance(session, decision, approval, found, now)
    if code is not None:
        settling.move(session, decision, "refused", now=now, code=code)
        _follow(session, step, approval, found, currency, now)
        return False
    assert found is not None
    decision.number, decision.sent_at = number, now
    decision.steps_before = len(found.steps_of(step.act.approver))
    settling.move(session, decision, "sent", now=now, next_at=now + rules.SENDING_LASTS_MAX)
    return True


def postpone(session: Session, *, step: Step, code: str, now: datetime) -> None:
    """The ERP cannot be asked: what has not been sent waits, and is given up in the end; what was sent stays in doubt."""
    decision, _ = _held(session, step)
    if decision.settled_at is not None:
        return
    decision.attempts += 1
    next_at = now + rules.look_after(decision.attempts)
    if decision.state != "queued":
        settling.move(session, decision, "unknown", now=now, code=decision.code, next_at=next_at)
    elif now >= decision.created_at + rules.QUEUED_FOR:
        settling.move(session, decision, "refused", now=now, code=rules.NEVER_SENT, answer=code)
    else:
        settling.move(session, decision, "queued", now=now, code=code, next_at=next_at)


def take_ruling(
    session: Session,
    *,
    step: Step,
    ruling: Ruling | None,
    after: WaitingTask | None,
    is_read: bool,
    currency: str,
    now: datetime,
    doubt: str = "",
) -> Outcome | None:
    """Keep what became of a decision by what the ERP said, if it said anything, and what it shows."""
    decision, approval = _held(session, step)
    if decision.settled_at is not None or decision.sent_at is None:
        return None
    sent = Sent(
        approver=step.act.approver,
        verdict=decision.verdict,
        steps_before=decision.steps_before,
        sent_at=decision.sent_at,
    )
    outcome = rules.outcome_of(sent, ruling=ruling, after=after, is_read=is_read, now=now)
    is_open = outcome.state == "unknown"
    decision.attempts += 1
    settling.move(
        session,
        decision,
        outcome.state,
        now=now,
        code=(doubt or decision.code or outcome.code) if is_open else outcome.code,
        next_at=now + rules.look_after(decision.attempts) if is_open else None,
        answer=ruling.answer if ruling is not None else "",
    )
    if is_open:
        return outcome
    if outcome.state == "confirmed":
        if after is not None:
            around = _around(session, step, after, currency, now)
            settling.show(approval, after, around, now)
        settling.end(session, approval, STATE_OF[decision.verdict], now)
    elif is_read:
        _follow(session, step, approval, after, currency, now)
    return outcome


def _key_of(approver: Approver, secret_key: str) -> str | None:
    """A key that cannot be read is none: the desk then refuses to decide without one."""
    try:
        return key_of(approver, secret_key=secret_key)
    except SecretUnreadable:
        return None


def _held(session: Session, step: Step) -> tuple[Decision, Approval]:
    """The approval first, as everybody holds them."""
    asked = session.scalars(queries.decision_by_id(step.decision_id)).one()
    approval = session.scalars(queries.approval_locked(asked.approval_id)).one()
    decision = session.scalars(
        queries.decision_locked(step.decision_id).execution_options(populate_existing=True)
    ).one()
    return decision, approval


def _hindrance(
    session: Session,
    decision: Decision,
    approval: Approval,
    found: WaitingTask | None,
    now: datetime,
) -> str | None:
    """Why a decision may not be sent any more; None when it may."""
    approver = session.get_one(Approver, (decision.tenant_id, decision.approver_id))
    if not approver.is_valid(now):
        return ApproverUnmapped.code
    if found is None:
        return rules.DOCUMENT_GONE
    if found.state != PENDING or approval.state != PENDING:
        return ApprovalDecided.code
    if found.version != decision.version:
        return DocumentChanged.code
    return None if decision.verdict in found.verdicts else VerdictNotOffered.code


def _follow(
    session: Session,
    step: Step,
    approval: Approval,
    found: WaitingTask | None,
    currency: str,
    now: datetime,
) -> None:
    """Show a document as the ERP has it, so that the approver sees at once why they were refused."""
    if found is None:
        settling.end(session, approval, "closed", now)
        return
    around = _around(session, step, found, currency, now)
    if settling.show(approval, found, around, now):
        settling.tell_changed(session, approval)
    if found.state != PENDING:
        state = found.state if found.state in ("approved", "rejected") else "closed"
        settling.end(session, approval, state, now)


def _around(
    session: Session, step: Step, found: WaitingTask, currency: str, now: datetime
) -> settling.Surroundings:
    return settling.surroundings_of(session, step.source.id, [found], currency=currency, now=now)
