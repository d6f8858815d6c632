"""One stream, window by window: stage, merge, save the cursor and record the batch, all in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from app.core.events import record
from app.core.ids import new_id
from app.core.work import Database
from erp_bridge.canon import CanonTable
from erp_bridge.connectors.base import Bound, ConnectorError, Document, Page, StreamSpec
from erp_bridge.events import BatchLanded, StreamHalted
from erp_bridge.landing import (
    Landing,
    Stage,
    count_live,
    find_gone,
    find_leaving,
    merge_stage,
    retire_leaving,
    staging,
)
from erp_bridge.mappings.converter import Converter
from erp_bridge.models import Batch, DropFile, Stream
from erp_bridge.opening import OpenSource
from erp_bridge.quarantine import (
    REFUSED_ROWS_MAX,
    RefusedRow,
    keep_refused,
    stage_rows,
    supersede_all,
    supersede_staged,
    too_many_refused,
)

GONE_SHARE_MAX = 0.05
#: One or two rows of a small table may go without an alarm.
GONE_ROWS_TOLERATED = 2

Progress = Callable[[str, int], None]


@dataclass
class Outcome:
    """What became of one stream in one run."""

    state: str = "unchanged"
    rows_read: int = 0
    rows_changed: int = 0
    rows_deleted: int = 0
    rows_refused: int = 0
    problem: str | None = None
    detail: str | None = None
    #: What a reading that looks at the past has found: a difference, or months that differed.
    findings: dict[str, Any] | None = None

    def counted(self) -> dict[str, Any]:
        """As it is kept with the run."""
        return dict(vars(self))


class HaltError(Exception):
    """The window must not land: the stream is paused or stopped and the last good figures stay."""

    def __init__(self, state: str, problem: str, detail: str, refused: list[RefusedRow]) -> None:
        super().__init__(problem)
        self.state = state
        self.problem = problem
        self.detail = detail
        self.refused = refused


class CursorMovedError(Exception):
    """Somebody else moved the cursor since it was read; this window is theirs."""


@dataclass
class Reading:
    """One run's work on a source: what every window of it needs."""

    database: Database
    source: OpenSource
    run_id: UUID
    clock: Callable[[], datetime]
    bound: Bound
    progress: Progress
    #: An operator has looked: what a stopped stream lost is really gone.
    release: bool = False
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def landing(self, stream: str) -> Landing:
        """The circumstances of a new batch."""
        mapping = self.source.mapping
        return Landing(
            tenant_id=self.source.tenant_id,
            source_id=self.source.source_id,
            stream=stream,
            batch_id=new_id(),
            now=self.clock(),
            root_unit=mapping.root_unit,
            filled=frozenset(stream.into for stream in mapping.streams),
        )


def read_stream(reading: Reading, spec: StreamSpec) -> Outcome:
    """Read a stream from its cursor to the run's bound; the lease is held by the caller."""
    outcome = reading.outcomes.setdefault(spec.name, Outcome())
    state = _state_of(reading, spec)
    if state.state in {"paused", "stopped"} and not reading.release and spec.grain == "row":
        outcome.state, outcome.problem = state.state, state.problem
        return outcome
    document: Document | None = None
    try:
        for page in reading.source.connector.read(spec.name, state.cursor, reading.bound.until):
            document = page.document
            if _is_known_bad(state, document) and not reading.release:
                outcome.state, outcome.problem = state.state, state.problem
                return outcome
            _land(reading, spec, page, state, outcome)
    except ConnectorError as error:
        halt_stream(
            reading, spec, document, HaltError("failed", error.code, error.detail, []), outcome
        )
    except HaltError as halt:
        halt_stream(reading, spec, document, halt, outcome)
    except CursorMovedError:
        outcome.state = "busy"
    return outcome


@dataclass
class _State:
    cursor: dict[str, Any]
    revision: int
    state: str
    problem: str | None
    problem_input: str | None


def _state_of(reading: Reading, spec: StreamSpec) -> _State:
    with reading.database.transaction(reading.source.tenant_id) as session:
        row = session.scalars(stream_row(reading.source.source_id, spec.name)).one()
        return _State(row.cursor, row.revision, row.state, row.problem, row.problem_input)


def stream_row(source_id: UUID, name: str) -> Any:
    """The row that holds a stream's cursor."""
    return select(Stream).where(Stream.source_id == source_id, Stream.name == name)


def _is_known_bad(state: _State, document: Document | None) -> bool:
    return (
        state.state in {"paused", "stopped"}
        and document is not None
        and document.sha256 == state.problem_input
    )


def _land(reading: Reading, spec: StreamSpec, page: Page, state: _State, outcome: Outcome) -> None:
    landing = reading.landing(spec.name)
    with reading.database.transaction(landing.tenant_id) as session:
        row = session.scalars(stream_row(landing.source_id, spec.name).with_for_update()).one()
        if row.revision != state.revision:
            raise CursorMovedError
        batch = Outcome("landed")
        if not _is_repeated(session, landing, spec, page, state):
            batch = _merge_page(session, reading, landing, spec, page)
        _save(session, reading, landing, row, page, batch)
        state.cursor, state.revision = row.cursor, row.revision
    _add(outcome, batch)


def _is_repeated(
    session: Session, landing: Landing, spec: StreamSpec, page: Page, state: _State
) -> bool:
    """Whether this file was loaded before; the same file twice changes nothing."""
    document = page.document
    if document is None:
        return False
    key = {"source_id": landing.source_id, "stream": spec.name, "sha256": document.sha256}
    row = key | {
        "tenant_id": landing.tenant_id,
        "name": document.name,
        "size": document.size,
        "batch_id": landing.batch_id,
        "loaded_at": landing.now,
        "seen_count": 1,
    }
    seen_count = session.scalar(
        upsert(DropFile)
        .values(row)
        .on_conflict_do_update(
            constraint="pk_erp_file",
            set_={"seen_count": DropFile.seen_count + 1, "name": document.name},
        )
        .returning(DropFile.seen_count)
    )
    renamed = spec.deletes == "never" and document.name not in state.cursor.get("files", {})
    return not page.columns or (renamed and seen_count != 1)


def _merge_page(
    session: Session, reading: Reading, landing: Landing, spec: StreamSpec, page: Page
) -> Outcome:
    converter = reading.source.converter(spec.name, page.columns)
    refused: list[RefusedRow] = []
    with staging(session, converter.table, converter.fields) as stage:
        _fill(stage, converter, page, refused, lambda rows: reading.progress(spec.name, rows))
    # A refused row without a key could not be staged.
    rows = stage.rows - stage.refused + len(refused)
    if too_many_refused(len(refused), rows):
        raise HaltError("paused", "too_many_refused", f"{len(refused)} of {rows} rows", refused)
    _settle_quarantine(session, landing, spec, page, refused, reading.run_id)
    changed = merge_stage(
        session,
        landing,
        converter.table,
        converter.fields,
        stamp_is_number=spec.grain == "row",
        is_snapshot=page.is_snapshot,
    )
    deleted = _retire(session, reading, landing, converter.table, stage, page)
    return Outcome("landed", rows, changed, deleted, len(refused))


def _fill(
    stage: Stage,
    converter: Converter,
    page: Page,
    refused: list[RefusedRow],
    progress: Callable[[int], None],
) -> None:
    for item in stage_rows(stage, converter, page.columns, page.rows, progress):
        refused.append(item)
        if len(refused) > REFUSED_ROWS_MAX:
            detail = f"{len(refused)} rows and counting"
            raise HaltError("paused", "too_many_refused", detail, refused)


def _settle_quarantine(
    session: Session,
    landing: Landing,
    spec: StreamSpec,
    page: Page,
    refused: list[RefusedRow],
    run_id: UUID,
) -> None:
    settle = supersede_all if page.is_snapshot else supersede_staged
    settle(session, source_id=landing.source_id, stream=spec.name, now=landing.now)
    keep_refused(
        session,
        refused,
        source_id=landing.source_id,
        stream=spec.name,
        run_id=run_id,
        now=landing.now,
    )


def _retire(
    session: Session,
    reading: Reading,
    landing: Landing,
    table: CanonTable,
    stage: Stage,
    page: Page,
) -> int:
    """Retire what the mapping leaves out, and what a full snapshot no longer has."""
    retired = 0
    if stage.left_out and find_leaving(session, landing, table, present=None):
        retired += retire_leaving(session, landing, table)
    if page.is_snapshot and (gone := find_gone(session)):
        refuse_mass_deletion(session, reading, landing, table, gone)
        retired += retire_leaving(session, landing, table)
    return retired


def refuse_mass_deletion(
    session: Session, reading: Reading, landing: Landing, table: CanonTable, gone: int
) -> None:
    """Too much gone at once looks like lost rights or the wrong book set: stop, and ask a person."""
    if reading.release or gone <= GONE_ROWS_TOLERATED:
        return
    live = count_live(session, landing, table)
    if gone <= live * GONE_SHARE_MAX:
        return
    raise HaltError("stopped", "too_many_gone", f"{gone} of {live} rows", [])


def _save(
    session: Session,
    reading: Reading,
    landing: Landing,
    row: Stream,
    page: Page,
    batch: Outcome,
) -> None:
    """Move the cursor and record the batch, in the transaction that changed the facts."""
    as_of = page.as_of or reading.bound.as_of
    row.cursor, row.revision = page.cursor, row.revision + 1
    row.as_of, row.synced_at, row.state = as_of, landing.now, "live"
    row.problem = row.problem_detail = row.problem_input = None
    row.rows_landed += batch.rows_changed
    if batch.rows_read == 0:
        return
    session.add(
        Batch(
            tenant_id=landing.tenant_id,
            id=landing.batch_id,
            source_id=landing.source_id,
            run_id=reading.run_id,
            stream=row.name,
            landed_at=landing.now,
            as_of=as_of,
            rows_read=batch.rows_read,
            rows_changed=batch.rows_changed,
            rows_deleted=batch.rows_deleted,
            rows_refused=batch.rows_refused,
        )
    )
    record_landing(session, landing, row.name, batch.rows_changed + batch.rows_deleted, as_of)


def record_landing(
    session: Session, landing: Landing, stream: str, rows_changed: int, as_of: datetime
) -> None:
    """Tell the figures that facts changed."""
    if rows_changed:
        fact = BatchLanded(
            source_id=landing.source_id,
            stream=stream,
            batch_id=landing.batch_id,
            rows_changed=rows_changed,
            as_of=as_of,
        )
        record(session, fact, ref=landing.source_id)


def halt_stream(
    reading: Reading,
    spec: StreamSpec,
    document: Document | None,
    halt: HaltError,
    outcome: Outcome,
) -> None:
    """Note why the window did not land; the cursor and the last good figures stay."""
    now, source = reading.clock(), reading.source
    outcome.state, outcome.problem, outcome.detail = halt.state, halt.problem, halt.detail
    outcome.rows_refused += len(halt.refused)
    with reading.database.transaction(source.tenant_id) as session:
        row = session.scalars(stream_row(source.source_id, spec.name).with_for_update()).one()
        known = (row.state, row.problem) == (halt.state, halt.problem)
        row.state, row.problem, row.problem_detail = halt.state, halt.problem, halt.detail
        row.problem_input = document.sha256 if document else None
        if halt.refused:
            supersede_all(session, source_id=source.source_id, stream=spec.name, now=now)
            keep_refused(
                session,
                halt.refused[:REFUSED_ROWS_MAX],
                source_id=source.source_id,
                stream=spec.name,
                run_id=reading.run_id,
                now=now,
            )
        if not known:
            fact = StreamHalted(
                source_id=source.source_id,
                stream=spec.name,
                state=halt.state,
                problem=halt.problem,
            )
            record(session, fact, ref=source.source_id)


def _add(outcome: Outcome, batch: Outcome) -> None:
    outcome.state = "landed" if batch.rows_read else outcome.state
    outcome.rows_read += batch.rows_read
    outcome.rows_changed += batch.rows_changed
    outcome.rows_deleted += batch.rows_deleted
    outcome.rows_refused += batch.rows_refused
