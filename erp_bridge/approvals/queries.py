"""All SELECTs of approvals, and the one UPDATE that is made of one."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Update, and_, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased

from erp_bridge.approvals.models import LIVE_STATES, PENDING, Approval, Approver, Decision
from erp_bridge.models import ApprovalLine, ApprovalTask, Employee, Product, Source, Stream
from erp_bridge.rules import WAITING_STREAM

CANONICAL_TASKS_MAX = 5_000
STREAM = WAITING_STREAM
STREAM_TABLE = "approval"
#: What says of the ERP's documents that they wait.
TABLES = frozenset({STREAM_TABLE, "approval_task", "approval_line"})


def waiting_for(person_id: UUID, *, before: UUID | None, limit: int) -> Select[Approval]:
    """What waits for a person, the latest first."""
    found = (
        select(Approval)
        .where(Approval.person_id == person_id, Approval.state == PENDING)
        .order_by(Approval.id.desc())
        .limit(limit)
    )
    return found.where(Approval.id < before) if before else found


def settled_for(
    person_id: UUID, *, before: tuple[datetime, UUID] | None, limit: int
) -> Select[Approval]:
    """What waits for a person no longer, the latest end first."""
    found = (
        select(Approval)
        .where(Approval.person_id == person_id, Approval.state != PENDING)
        .order_by(Approval.settled_at.desc(), Approval.id.desc())
        .limit(limit)
    )
    return found.where(tuple_(Approval.settled_at, Approval.id) < before) if before else found


def count_waiting_for(person_id: UUID) -> Select[int]:
    """How many documents wait for a person and are not being decided already."""
    return select(func.count()).where(
        Approval.person_id == person_id,
        Approval.state == PENDING,
        Approval.id.not_in(
            select(Decision.approval_id).where(
                Decision.person_id == person_id, Decision.state.in_(LIVE_STATES)
            )
        ),
    )


def approval_of(approval_id: UUID, person_id: UUID) -> Select[Approval]:
    """One approval, if it is this person's."""
    return select(Approval).where(Approval.id == approval_id, Approval.person_id == person_id)


def approval_locked(approval_id: UUID) -> Select[Approval]:
    """One approval, held: deciding, reading it anew and settling it come one after another."""
    return select(Approval).where(Approval.id == approval_id).with_for_update()


def approvals_locked(source_id: UUID, task_keys: Collection[str]) -> Select[Approval]:
    """A source's approvals that wait or have one of these keys, held in the order in which all hold them."""
    return (
        select(Approval)
        .where(
            Approval.source_id == source_id,
            or_(Approval.state == PENDING, Approval.task_key.in_(task_keys)),
        )
        .order_by(Approval.id)
        .with_for_update()
    )


def waiting_keys(source_id: UUID) -> Select[str, str | None]:
    """(task, approver) of what waits at a source, as far as we know."""
    return select(Approval.task_key, Approval.approver_key).where(
        Approval.source_id == source_id, Approval.state == PENDING
    )


def latest_decisions(approval_ids: Collection[UUID]) -> Select[Decision]:
    """The latest decision of each of these approvals."""
    return (
        select(Decision)
        .ext(distinct_on(Decision.approval_id))
        .where(Decision.approval_id.in_(approval_ids))
        .order_by(Decision.approval_id, Decision.id.desc())
    )


def live_decisions(source_id: UUID) -> Select[UUID]:
    """The approvals of a source on which a decision is under way."""
    return (
        select(Decision.approval_id)
        .join(
            Approval,
            and_(Approval.tenant_id == Decision.tenant_id, Approval.id == Decision.approval_id),
        )
        .where(Approval.source_id == source_id, Decision.state.in_(LIVE_STATES))
    )


def decision_by_id(decision_id: UUID) -> Select[Decision]:
    """One decision."""
    return select(Decision).where(Decision.id == decision_id)


def decision_locked(decision_id: UUID) -> Select[Decision]:
    """One decision, held: it goes from queued to sent only once."""
    return select(Decision).where(Decision.id == decision_id).with_for_update()


def decisions_due(now: datetime, limit: int) -> Select[UUID, UUID]:
    """(decision, approval) of those that are to be sent, or to be asked for."""
    return (
        select(Decision.id, Decision.approval_id)
        .where(Decision.next_at <= now)
        .order_by(Decision.next_at)
        .limit(limit)
    )


def approver_by_id(source_id: UUID, approver_id: UUID) -> Select[Approver]:
    """One entry of who decides as whom, held."""
    return (
        select(Approver)
        .where(Approver.source_id == source_id, Approver.id == approver_id)
        .with_for_update()
    )


def approvers_of(source_id: UUID) -> Select[Approver]:
    """Every entry of a source, ended ones too."""
    return select(Approver).where(Approver.source_id == source_id).order_by(Approver.id)


def approvers_page(source_id: UUID, *, after: UUID | None, limit: int) -> Select[Approver]:
    """The entries of a source in the order of their making."""
    found = approvers_of(source_id).limit(limit)
    return found.where(Approver.id > after) if after else found


def approver_for(source_id: UUID, person_id: UUID, now: datetime) -> Select[Approver]:
    """As whom a person decides at a source now."""
    return select(Approver).where(
        Approver.source_id == source_id, Approver.person_id == person_id, _is_valid(now)
    )


def approvers_for(person_id: UUID, now: datetime) -> Select[Approver]:
    """As whom a person decides now, at every source."""
    return select(Approver).where(Approver.person_id == person_id, _is_valid(now))


def employees_by_key(source_id: UUID) -> Select[str, UUID | None, str]:
    """(key, person, name) of a source's employees."""
    return select(Employee.source_key, Employee.person_id, Employee.name).where(
        Employee.source_id == source_id, Employee.deleted_at.is_(None)
    )


def product_names(source_id: UUID, keys: Collection[str]) -> Select[str, str]:
    """(key, name) of these products of a source."""
    return select(Product.source_key, Product.name).where(
        Product.source_id == source_id, Product.source_key.in_(keys)
    )


def canonical_tasks(source_id: UUID, keys: Collection[str] | None = None) -> Select[ApprovalTask]:
    """The documents of a source's facts that wait, or those of these keys whatever their state."""
    found = select(ApprovalTask).where(
        ApprovalTask.source_id == source_id, ApprovalTask.deleted_at.is_(None)
    )
    wanted = (
        ApprovalTask.state == PENDING if keys is None else ApprovalTask.source_key.in_(list(keys))
    )
    return found.where(wanted).order_by(ApprovalTask.source_key).limit(CANONICAL_TASKS_MAX)


def canonical_lines(source_id: UUID, task_keys: Collection[str]) -> Select[ApprovalLine]:
    """The lines of these documents of a source's facts."""
    return (
        select(ApprovalLine)
        .where(
            ApprovalLine.source_id == source_id,
            ApprovalLine.task_key.in_(task_keys),
            ApprovalLine.deleted_at.is_(None),
        )
        .order_by(ApprovalLine.task_key, ApprovalLine.source_key)
    )


def source_by_id(source_id: UUID) -> Select[Source]:
    """One source."""
    return select(Source).where(Source.id == source_id)


def sources_named(source_ids: Collection[UUID]) -> Select[Source]:
    """These sources."""
    return select(Source).where(Source.id.in_(source_ids))


def streams_that_tell(source_id: UUID) -> Select[str]:
    """The streams of a source that say what waits."""
    return select(Stream.name).where(Stream.source_id == source_id, Stream.table_name.in_(TABLES))


def stream_as_fresh_as_its_facts(source_id: UUID) -> Update:
    """What waits is known as of the oldest of the facts that say so."""
    facts = aliased(Stream)
    of_source = facts.source_id == source_id, facts.table_name.in_(TABLES - {STREAM_TABLE})
    oldest = select(func.min(facts.as_of)).where(*of_source).scalar_subquery()
    return (
        update(Stream)
        .where(Stream.source_id == source_id, Stream.name == STREAM)
        .values(as_of=func.coalesce(oldest, Stream.as_of))
    )


def stream_locked(source_id: UUID) -> Select[Stream]:
    """How the reading of a source's approvals goes, held: a later reading is never undone by an earlier one."""
    return (
        select(Stream).where(Stream.source_id == source_id, Stream.name == STREAM).with_for_update()
    )


def freshness_of(
    source_ids: Collection[UUID],
) -> Select[UUID, datetime | None, str | None]:
    """(source, when its approvals were last true, the problem of the last reading if there was one)."""
    return select(Stream.source_id, Stream.as_of, Stream.problem).where(
        Stream.source_id.in_(source_ids), Stream.name == STREAM
    )


def _is_valid(now: datetime) -> Any:
    return and_(
        Approver.valid_from <= now, or_(Approver.valid_to.is_(None), Approver.valid_to > now)
    )
