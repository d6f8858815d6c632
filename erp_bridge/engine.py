"""A run: one reading of a source, every stream up to a bound that is fixed when it starts."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from app.core import clock
from app.core.crypto import SecretUnreadable
from app.core.ids import new_id
from app.core.work import Database
from erp_bridge.approvals.refreshing import TABLES as WAITING_TABLES
from erp_bridge.approvals.refreshing import refresh_tasks
from erp_bridge.canon import TABLES
from erp_bridge.connectors.base import ConnectorError, StreamSpec
from erp_bridge.directory import sync_directory
from erp_bridge.landing import refresh_statistics, relax_limits
from erp_bridge.leases import lease, lease_connection, wait_for_turn
from erp_bridge.mappings.loader import mapping_of
from erp_bridge.models import Run, Source, Stream
from erp_bridge.opening import open_source
from erp_bridge.polling import allowance_of, looked_at, plan_next
from erp_bridge.queries import streams_of
from erp_bridge.reconcile import is_due, reconcile_stream
from erp_bridge.rereading import (
    BACKFILL,
    DRY_RUN,
    Span,
    backfill_stream,
    compare_stream,
    has_days,
    start_over,
    verify_stream,
)
from erp_bridge.rules import WAITING_STREAM
from erp_bridge.streams import Outcome, Progress, Reading, read_stream
from erp_bridge.unmatched import note_unmatched

#: A table that grew or changed by so many rows is looked at anew by the planner.
STATISTICS_ROWS = 5_000
NOTED_EVERY_SECONDS = 1.0
SYNC = "sync"
RUN_LASTS_MAX = timedelta(hours=2)
DIRECTORY_TABLES = {"org_unit", "employee"}
SALES_TABLES = {"sales_order", "invoice", "quota", "employee"}


@dataclass
class RunReport:
    """What a run did, stream by stream."""

    run_id: UUID
    state: str = "done"
    problem: str | None = None
    streams: dict[str, Outcome] = field(default_factory=dict)

    @property
    def rows_changed(self) -> int:
        return sum(outcome.rows_changed + outcome.rows_deleted for outcome in self.streams.values())

    @property
    def is_quiet(self) -> bool:
        """Whether nothing happened that anybody would look for."""
        return self.problem is None and all(
            outcome.state in {"unchanged", "busy"} for outcome in self.streams.values()
        )


@dataclass(frozen=True, kw_only=True)
class RunOrder:
    """What a run is asked to do beyond reading what is new."""

    run_id: UUID | None = None
    streams: Collection[str] | None = None
    #: None: when it is due.
    reconcile: bool | None = None
    #: An operator has looked at what halted a stream and lets it go on.
    release: bool = False
    #: Keep no trace of a run in which nothing happened.
    forget_if_quiet: bool = False
    #: Read what is new, or read again: some days, everything for show, the closed months.
    kind: str = SYNC
    #: Which days to read again.
    span: Span | None = None


def _no_progress(stream: str, rows: int) -> None:
    return


def sync_source(
    database: Database,
    tenant_id: UUID,
    source_id: UUID,
    *,
    secret_key: str,
    order: RunOrder | None = None,
    now: Callable[[], datetime] = clock.now,
    progress: Progress = _no_progress,
) -> RunReport:
    """Read a source now, in the calling thread; gives what became of each stream."""
    order = order or RunOrder()
    with database.transaction(tenant_id) as session:
        source = session.scalars(select(Source).where(Source.id == source_id)).one()
        began = now()
        run_id = _begin(session, source, order, began)
        allowance = allowance_of(session, source, database=database, now=now)
    progress = _Noted(database, tenant_id, run_id, progress)
    # Until it is known to have ended well, a run has been interrupted.
    report = RunReport(run_id, "failed", "interrupted")
    try:
        with closing(open_source(source, secret_key=secret_key, allowance=allowance)) as opened:
            bound = opened.connector.bound(now())
            _read_all(
                Reading(
                    database, opened, run_id, now, bound, progress, order.release, report.streams
                ),
                source,
                order,
            )
        report.state, report.problem = "done", None
    except ConnectorError as error:
        report.problem = error.code
    except SecretUnreadable:
        report.problem = "secrets_unreadable"
    finally:
        requests = allowance.settle() if allowance else 0
        _finish(database, source, report, now(), forget=order.forget_if_quiet)
        # What was read again says nothing of when to look for what is new.
        if order.kind == SYNC:
            looked = looked_at(report.streams, names=order.streams, requests=requests, began=began)
            with database.transaction(tenant_id) as session:
                fresh = session.get_one(Source, (tenant_id, source_id))
                plan_next(session, fresh, looked, now=now())
    return report


class _Noted:
    """Progress that a person can watch from elsewhere: noted with the run, though not at every row."""

    def __init__(
        self, database: Database, tenant_id: UUID, run_id: UUID, progress: Progress
    ) -> None:
        self._database = database
        self._run = (tenant_id, run_id)
        self._progress = progress
        self._rows: dict[str, int] = {}
        self._noted_at = monotonic()

    def __call__(self, stream: str, rows: int) -> None:
        self._progress(stream, rows)
        self._rows[stream] = self._rows.get(stream, 0) + rows
        if rows and monotonic() - self._noted_at >= NOTED_EVERY_SECONDS:
            self._note()

    def _note(self) -> None:
        tenant_id, run_id = self._run
        with self._database.transaction(tenant_id) as session:
            session.execute(update(Run).where(Run.id == run_id).values(progress=self._rows))
        self._noted_at = monotonic()


def _begin(session: Session, source: Source, order: RunOrder, now: datetime) -> UUID:
    """Make sure that every stream has its row, and open the run."""
    rows = [
        {
            "tenant_id": source.tenant_id,
            "source_id": source.id,
            "name": stream.name,
            "table_name": stream.into,
            "position": position,
            "cursor": {},
        }
        for position, stream in enumerate(mapping_of(source.mapping, source.config).streams)
    ]
    # Two workers may begin at once; the second finds what the first has made.
    session.execute(upsert(Stream).values(rows).on_conflict_do_nothing())
    _close_abandoned(session, source, now)
    run = session.get(Run, (source.tenant_id, order.run_id)) if order.run_id else None
    if run is None:
        run = Run(
            tenant_id=source.tenant_id,
            id=order.run_id or new_id(),
            source_id=source.id,
            started_at=now,
            kind=order.kind,
            first_day=order.span.first if order.span else None,
            last_day=order.span.last if order.span else None,
        )
        session.add(run)
    return run.id


def _close_abandoned(session: Session, source: Source, now: datetime) -> None:
    """A run whose process was killed cannot say so itself."""
    session.execute(
        update(Run)
        .where(
            Run.source_id == source.id, Run.state == "running", Run.started_at < now - RUN_LASTS_MAX
        )
        .values(state="failed", problem="interrupted", finished_at=now)
    )


def _read_all(reading: Reading, source: Source, order: RunOrder) -> None:
    specs = [
        spec
        for spec in reading.source.connector.streams()
        if order.streams is None or spec.name in order.streams
    ]
    if order.kind == DRY_RUN:
        for spec in specs:
            compare_stream(reading, spec)
        return
    with lease_connection(reading.database) as connection:
        if order.kind == SYNC:
            for spec in specs:
                _read_one(reading, connection, spec)
            for spec in _due_for_reconciling(reading, specs, source, order):
                _reconcile_one(reading, connection, spec)
        else:
            _read_again(reading, connection, specs, order)
    with reading.database.transaction(source.tenant_id) as session:
        relax_limits(session)
        if order.kind == SYNC:
            _publish_freshness(session, reading, specs)
        _follow_up(session, reading, source)
    if order.kind == SYNC and _asks_what_waits(reading, order):
        # Last, when whoever it waits for is known.
        refresh_tasks(
            reading.database, reading.source, changed=_changed(reading), now=reading.clock
        )


def _asks_what_waits(reading: Reading, order: RunOrder) -> bool:
    """Approvals are a stream of their own, and may come with the documents' facts."""
    if order.streams is None or WAITING_STREAM in order.streams:
        return True
    return bool(WAITING_TABLES & _changed(reading))


def _read_again(
    reading: Reading, connection: Connection, specs: Collection[StreamSpec], order: RunOrder
) -> None:
    """Read days of the past again; streams without days only when they were asked for by name."""
    source = reading.source
    assert order.span is not None, "what is read again is of some days"
    for spec in specs:
        if order.streams is None and not has_days(reading, spec):
            continue
        with lease(connection, source.tenant_id, source.source_id, spec.name) as held:
            if not held:
                reading.outcomes[spec.name] = Outcome("busy")
            elif order.kind == BACKFILL:
                _refresh_statistics(reading, spec, backfill_stream(reading, spec, order.span))
            elif spec.grain == "row" and has_days(reading, spec):
                _verify_one(reading, spec, order.span)


def _verify_one(reading: Reading, spec: StreamSpec, span: Span) -> None:
    """Compare the closed months; where the ERP has fewer rows than we, some may be gone there."""
    outcome = verify_stream(reading, spec, span)
    months = (outcome.findings or {}).get("months", [])
    lacks = any(month["ours"]["rows"] > month["erp"]["rows"] for month in months)
    if lacks and spec.deletes == "ids":
        reconcile_stream(reading, spec)


def _read_one(reading: Reading, connection: Connection, spec: StreamSpec) -> None:
    source = reading.source
    with lease(connection, source.tenant_id, source.source_id, spec.name) as held:
        if held:
            if reading.release:
                start_over(reading, spec)
            outcome = read_stream(reading, spec)
            _refresh_statistics(reading, spec, outcome)
            reading.progress(spec.name, 0)
        else:
            outcome = Outcome("busy")
    reading.outcomes[spec.name] = outcome


def _refresh_statistics(reading: Reading, spec: StreamSpec, outcome: Outcome) -> None:
    """After much has landed; cards would else be planned for a table that was empty a minute ago."""
    if outcome.rows_changed < STATISTICS_ROWS:
        return
    table = TABLES[reading.source.mapping.stream(spec.name).into]
    with reading.database.transaction(reading.source.tenant_id) as session:
        refresh_statistics(session, table)


def _due_for_reconciling(
    reading: Reading, specs: Collection[StreamSpec], source: Source, order: RunOrder
) -> list[StreamSpec]:
    """The streams whose deletions only show in their keys, and whose keys should be compared now."""
    read = [
        spec
        for spec in specs
        if spec.deletes == "ids" and reading.outcomes[spec.name].state in {"unchanged", "landed"}
    ]
    if order.reconcile is not None:
        return read if order.reconcile else []
    with reading.database.transaction(source.tenant_id) as session:
        rows = {row.name: row for row in session.scalars(streams_of(source.id))}
        for row in rows.values():
            # Who has read everything just now for the first time knows its keys.
            if row.first_read_at is None and row.reconciled_at is None:
                row.reconciled_at = reading.clock()
    return [spec for spec in read if is_due(rows[spec.name], reading, source.reconcile_seconds)]


def _reconcile_one(reading: Reading, connection: Connection, spec: StreamSpec) -> None:
    source = reading.source
    with lease(connection, source.tenant_id, source.source_id, spec.name) as held:
        if held:
            reconcile_stream(reading, spec)


def _publish_freshness(session: Session, reading: Reading, specs: Collection[StreamSpec]) -> None:
    """A table that was read up to the bound is as true as the bound, changed or not.

    A file is as true as the moment it was written; its page said so.
    """
    read = [s for s in specs if reading.outcomes[s.name].state in {"unchanged", "landed"}]
    of_source = Stream.source_id == reading.source.source_id
    rows = [spec.name for spec in read if spec.grain == "row" and not spec.rests]
    session.execute(
        update(Stream)
        .where(of_source, Stream.name.in_(rows))
        .values(
            as_of=reading.bound.as_of,
            synced_at=reading.clock(),
            state="live",
            problem=None,
            problem_detail=None,
        )
    )
    session.execute(
        update(Stream)
        .where(of_source, Stream.name.in_([spec.name for spec in read]))
        .where(Stream.first_read_at.is_(None), Stream.as_of.is_not(None))
        .values(first_read_at=reading.clock())
    )


def _follow_up(session: Session, reading: Reading, source: Source) -> None:
    """Bring the directory to what landed, and list the salespeople that nobody knows."""
    changed = _changed(reading)
    if changed & (DIRECTORY_TABLES | SALES_TABLES) or source.directory_at is None:
        wait_for_turn(session, source.tenant_id, source.id, "directory")
    if changed & DIRECTORY_TABLES or source.directory_at is None:
        sync_directory(session, source=reading.source, now=reading.clock())
    if changed & SALES_TABLES:
        note_unmatched(session, source=reading.source, now=reading.clock())


def _changed(reading: Reading) -> set[str]:
    """The tables of which this run changed anything."""
    return {
        reading.source.mapping.stream(name).into
        for name, outcome in reading.outcomes.items()
        if outcome.rows_changed or outcome.rows_deleted
    }


def _finish(
    database: Database,
    source: Source,
    report: RunReport,
    now: datetime,
    *,
    forget: bool,
) -> None:
    with database.transaction(source.tenant_id) as session:
        session.execute(update(Source).where(Source.id == source.id).values(polled_at=now))
        run = session.get_one(Run, (source.tenant_id, report.run_id))
        if forget and report.is_quiet:
            session.delete(run)
            return
        run.state, run.problem, run.finished_at = report.state, report.problem, now
        run.streams = {name: outcome.counted() for name, outcome in report.streams.items()}
