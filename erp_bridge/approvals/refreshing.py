"""Reading what waits in an ERP: part of every reading of a source.

What is new comes, what is other is shown anew, what waits no longer is closed. A decision under way is left to who
sends it. A reading applies as of its beginning, so that what was settled meanwhile stays settled.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.core.work import Database
from erp_bridge.approvals import queries, settling
from erp_bridge.approvals.events import ApprovalCame
from erp_bridge.approvals.models import PENDING, Approval
from erp_bridge.approvals.settling import Surroundings
from erp_bridge.connectors.approving import Desk, WaitingLine, WaitingTask
from erp_bridge.connectors.base import ConnectorError
from erp_bridge.models import ApprovalLine, ApprovalTask, Stream
from erp_bridge.opening import OpenSource

#: The tables that say what waits where the connector itself cannot be asked.
TABLES = queries.TABLES | {"employee"}
TASKS_MAX = 5_000
#: Of so many that wait no longer it is asked how they ended; the others are only closed.
ENDS_READ_MAX = 50
STREAM_POSITION = 10_000


@dataclass
class _Found:
    """What a reading found: what waits, and of what no longer waits, how it ended."""

    tasks: dict[str, WaitingTask] = field(default_factory=dict)
    ended: dict[str, WaitingTask] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Reading:
    session: Session
    source: OpenSource
    around: Surroundings
    started: datetime
    now: datetime
    is_first: bool


def refresh_tasks(
    database: Database,
    source: OpenSource,
    *,
    changed: Collection[str],
    now: Callable[[], datetime],
) -> None:
    """Bring the approvals of a source to what waits there now; ``changed`` names the tables that this run changed.

    An ERP that cannot be asked leaves everything as it was, and its stream says why.
    """
    started, desk = now(), source.connector
    if not isinstance(desk, Desk) and not _lands_as_facts(source):
        return
    with database.transaction(source.tenant_id) as session:
        _ensure_stream(session, source)
        known = {row.task_key: row.approver_key for row in _waiting(session, source)}
        stream = session.scalars(queries.stream_locked(source.source_id)).one()
        is_told_already = stream.state == "live" and not TABLES & set(changed)
        approvers = {
            row.erp_user for row in session.scalars(queries.approvers_of(source.source_id))
        }
    if not isinstance(desk, Desk):
        if not is_told_already:
            _refresh_from_facts(database, source, started, now)
        with database.transaction(source.tenant_id) as session:
            session.execute(queries.stream_as_fresh_as_its_facts(source.source_id))
        return
    if stream.as_of is not None and started < stream.as_of + _pause_of(desk):
        return
    try:
        found = _ask(desk, known, approvers)
    except ConnectorError as error:
        _note_problem(database, source, error)
        return
    with database.transaction(source.tenant_id) as session:
        _apply(session, source, found, started, now())


def _lands_as_facts(source: OpenSource) -> bool:
    return any(stream.into == "approval_task" for stream in source.mapping.streams)


def _pause_of(desk: Desk) -> timedelta:
    """An ERP that is asked person by person is not asked at every poll."""
    return timedelta(seconds=getattr(desk, "pause_seconds", 0))


def _ask(desk: Desk, known: dict[str, str | None], approvers: Collection[str]) -> _Found:
    found = _Found()
    for task in desk.tasks(approvers):
        found.tasks[task.key] = task
        if len(found.tasks) > TASKS_MAX:
            raise ConnectorError("erp.too_many_rows", "tasks")
    gone = sorted(set(known) - set(found.tasks))
    for key in gone[:ENDS_READ_MAX]:
        ended = desk.task(key, known[key] or "")
        if ended is not None and ended.state != PENDING:
            found.ended[key] = ended
    return found


def _refresh_from_facts(
    database: Database, source: OpenSource, started: datetime, now: Callable[[], datetime]
) -> None:
    """An ERP whose connector only reads still shows what waits: its documents have landed as facts."""
    with database.transaction(source.tenant_id) as session:
        waiting = session.scalars(queries.canonical_tasks(source.source_id)).all()
        known = {row.task_key for row in _waiting(session, source)}
        gone = known - {row.source_key for row in waiting}
        ended = session.scalars(queries.canonical_tasks(source.source_id, gone)).all()
        keys = [row.source_key for row in (*waiting, *ended)]
        lines: dict[str, list[ApprovalLine]] = {}
        for line in session.scalars(queries.canonical_lines(source.source_id, keys)):
            lines.setdefault(line.task_key, []).append(line)
        found = _Found(
            {row.source_key: task_of(row, lines.get(row.source_key, [])) for row in waiting},
            {row.source_key: task_of(row, lines.get(row.source_key, [])) for row in ended},
        )
        _apply(session, source, found, started, now())


def task_of(row: ApprovalTask, lines: Collection[ApprovalLine]) -> WaitingTask:
    """A fact as a task."""
    states = {"pending": "pending", "approved": "approved", "rejected": "rejected"}
    return WaitingTask(
        key=row.source_key,
        kind=row.document_kind,
        code=row.document_code,
        approver=row.approver_key,
        state=states.get(row.state, "gone"),  # type: ignore[arg-type]  # one of the four
        amount=row.amount,
        applicant=row.applicant_key,
        requested_on=row.requested_on,
        due_on=row.due_on,
        lines=tuple(
            WaitingLine(product=line.product_key, quantity=line.quantity, amount=line.amount)
            for line in lines
        ),
    )


def _apply(
    session: Session, source: OpenSource, found: _Found, started: datetime, now: datetime
) -> None:
    stream = session.scalars(queries.stream_locked(source.source_id)).one()
    if stream.as_of is not None and stream.as_of > started:
        return
    reading = _Reading(
        session=session,
        source=source,
        around=settling.surroundings_of(
            session,
            source.source_id,
            (*found.tasks.values(), *found.ended.values()),
            currency=source.mapping.currency,
            now=now,
        ),
        started=started,
        now=now,
        is_first=stream.as_of is None,
    )
    keys = set(found.tasks)
    rows = session.scalars(queries.approvals_locked(source.source_id, keys)).all()
    by_key = {row.task_key: row for row in rows}
    busy = set(session.scalars(queries.live_decisions(source.source_id)))
    for key, task in found.tasks.items():
        _take(reading, by_key.get(key), task, busy)
    for row in rows:
        if row.task_key not in keys and row.state == PENDING and row.id not in busy:
            _close(reading, row, found.ended.get(row.task_key))
    stream.as_of = stream.synced_at = started
    stream.state, stream.problem, stream.problem_detail = "live", None, None


def _take(reading: _Reading, row: Approval | None, task: WaitingTask, busy: set[UUID]) -> None:
    person_id = reading.around.person_of(task)
    if row is None:
        row = Approval(
            tenant_id=reading.source.tenant_id,
            id=new_id(),
            source_id=reading.source.source_id,
            task_key=task.key,
            version="",
        )
        _come(reading, row, task, person_id)
        reading.session.add(row)
    elif row.state != PENDING:
        if row.settled_at is not None and row.settled_at < reading.started:
            row.state, row.settled_at = PENDING, None
            _come(reading, row, task, person_id)
    elif row.id not in busy:
        _show_anew(reading, row, task, person_id)


def _show_anew(reading: _Reading, row: Approval, task: WaitingTask, person_id: UUID | None) -> None:
    is_other = settling.show(row, task, reading.around, reading.now)
    if row.person_id != person_id:
        # Given to somebody else: whom it waited for until now hears that it is gone.
        settling.end(reading.session, row, "closed", reading.now)
        row.state, row.settled_at = PENDING, None
        _come(reading, row, task, person_id)
    elif is_other:
        settling.tell_changed(reading.session, row)


def _come(reading: _Reading, row: Approval, task: WaitingTask, person_id: UUID | None) -> None:
    settling.show(row, task, reading.around, reading.now)
    row.approver_key, row.person_id, row.came_at = task.approver, person_id, reading.now
    if person_id is not None:
        fact = ApprovalCame(approval_id=row.id, person_id=person_id, is_found=reading.is_first)
        settling.tell(reading.session, fact, row.id, person_id)


def _close(reading: _Reading, row: Approval, ended: WaitingTask | None) -> None:
    state = "closed"
    if ended is not None:
        settling.show(row, ended, reading.around, reading.now)
        state = ended.state if ended.state in ("approved", "rejected") else "closed"
    settling.end(reading.session, row, state, reading.now)


def _waiting(session: Session, source: OpenSource) -> list[Approval]:
    return list(session.execute(queries.waiting_keys(source.source_id)).all())  # type: ignore[arg-type]


def _ensure_stream(session: Session, source: OpenSource) -> None:
    row = {
        "tenant_id": source.tenant_id,
        "source_id": source.source_id,
        "name": queries.STREAM,
        "table_name": queries.STREAM_TABLE,
        "position": STREAM_POSITION,
        "cursor": {},
    }
    session.execute(upsert(Stream).values(row).on_conflict_do_nothing())


def _note_problem(database: Database, source: OpenSource, error: ConnectorError) -> None:
    with database.transaction(source.tenant_id) as session:
        stream = session.scalars(queries.stream_locked(source.source_id)).one()
        stream.state, stream.problem, stream.problem_detail = "failed", error.code, error.detail
