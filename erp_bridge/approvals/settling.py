"""How an approval's row follows the ERP, and how each step of a decision is kept and told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.core.events import Fact, record
from app.core.work import tenant_of
from app.people.queries import scopes_of_persons
from erp_bridge.approvals import queries, rules
from erp_bridge.approvals.events import ApprovalChanged, ApprovalClosed, DecisionMoved
from erp_bridge.approvals.models import PENDING, Approval, Decision, DecisionEntry
from erp_bridge.connectors.approving import HistoryStep, WaitingLine, WaitingTask


@dataclass(frozen=True)
class Surroundings:
    """What a source's tasks are read with: who its employees are to us, and what things are called."""

    currency: str
    persons: Mapping[str, UUID]
    names: Mapping[str, str]
    products: Mapping[str, str]

    def person_of(self, task: WaitingTask) -> UUID | None:
        """Who of us a task waits for."""
        return self.persons.get(task.approver or "")


@dataclass(frozen=True)
class By:
    """Who asked for a step, and in which request."""

    person_id: UUID
    request_id: str | None


def surroundings_of(
    session: Session,
    source_id: UUID,
    tasks: Iterable[WaitingTask],
    *,
    currency: str,
    now: datetime,
) -> Surroundings:
    """Look up who and what these tasks name; who decides as an ERP's user is known to be them."""
    names: dict[str, str] = {}
    persons: dict[str, UUID] = {}
    for key, person_id, name in session.execute(queries.employees_by_key(source_id)):
        names[key] = name
        if person_id is not None:
            persons[key] = person_id
    for approver in session.scalars(queries.approvers_of(source_id)):
        if approver.is_valid(now):
            persons[approver.erp_user] = approver.person_id
    keys = {line.product for task in tasks for line in task.lines if line.product}
    products = {row[0]: row[1] for row in session.execute(queries.product_names(source_id, keys))}
    return Surroundings(currency, persons, names, products)


def show(approval: Approval, task: WaitingTask, around: Surroundings, now: datetime) -> bool:
    """Let an approval show a task as it is now; says whether its content is another than was shown."""
    before, currency = approval.version, task.currency or around.currency
    approval.document_kind, approval.document_code = task.kind, task.code
    approval.subject, approval.verdicts = task.subject, list(task.verdicts)
    approval.amount_minor = rules.minor_of(task.amount, currency)
    approval.currency = currency
    approval.applicant = around.names.get(task.applicant or "", task.applicant or "")
    approval.requested_on, approval.due_on = task.requested_on, task.due_on
    approval.lines = [_line(line, around, currency) for line in task.lines]
    approval.history = [_step(step, around) for step in task.history]
    approval.version, approval.seen_at = task.version, now
    return before != task.version


def end(session: Session, approval: Approval, state: str, now: datetime) -> None:
    """It waits no longer."""
    if approval.state != PENDING:
        return
    approval.state, approval.settled_at = state, now
    fact = ApprovalClosed(approval_id=approval.id, state=state)
    tell(session, fact, approval.id, approval.person_id)


def tell_changed(session: Session, approval: Approval) -> None:
    """Its content is another one now: who looks at it looks anew."""
    fact = ApprovalChanged(approval_id=approval.id, version=approval.version)
    tell(session, fact, approval.id, approval.person_id)


def move(
    session: Session,
    decision: Decision,
    state: str,
    *,
    now: datetime,
    code: str | None = None,
    next_at: datetime | None = None,
    answer: str = "",
    by: By | None = None,
) -> None:
    """Let a decision go a step: its state, the entry that stays, and the news to who decided."""
    is_news = (decision.state, decision.code) != (state, code) or decision.attempts == 0
    decision.state, decision.code, decision.next_at = state, code, next_at
    if state in ("confirmed", "refused"):
        decision.settled_at = now
    session.flush()
    if not is_news and not answer:
        return
    session.execute(
        insert(DecisionEntry).inline(),
        {
            "tenant_id": tenant_of(session),
            "decision_id": decision.id,
            "at": now,
            "state": state,
            "code": code,
            "actor_id": by and by.person_id,
            "request_id": by and by.request_id,
            "answer": answer[: rules.ANSWER_LENGTH_MAX],
        },
    )
    if is_news:
        fact = DecisionMoved(
            approval_id=decision.approval_id,
            decision_id=decision.id,
            person_id=decision.person_id,
            state=state,
            code=code,
        )
        tell(session, fact, decision.approval_id, decision.person_id)


def tell(session: Session, fact: Fact, approval_id: UUID, person_id: UUID | None) -> None:
    """Tell one person's phones; a document that waits for nobody we know is nobody's news."""
    if person_id is None:
        return
    scopes: Sequence[UUID] = [row.id for row in session.execute(scopes_of_persons([person_id]))]
    record(session, fact, ref=approval_id, scope_ids=scopes)


def _line(line: WaitingLine, around: Surroundings, currency: str) -> dict[str, Any]:
    return {
        "code": line.product or "",
        "name": around.products.get(line.product or "", "") or line.text,
        "quantity": None if line.quantity is None else format(line.quantity.normalize(), "f"),
        "amount_minor": rules.minor_of(line.amount, currency),
    }


def _step(step: HistoryStep, around: Surroundings) -> dict[str, Any]:
    return {
        "did": step.did,
        "who": around.names.get(step.who or "", step.who or ""),
        "at": step.at and step.at.isoformat(),
        "remark": step.remark,
    }
