"""Reading again: some days of the past, the closed months that may differ, or everything just to see what would change.

A stream is then read from its beginning, whatever its cursor says, and the cursor stays where it is. What is read
under the stream's lease is the ERP's own word of now: it lands even where its stamp is older than ours, as after a
backup was restored there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from erp_bridge import merge, spans
from erp_bridge.canon import TABLES, CanonTable
from erp_bridge.connectors.base import WENT_BACK, ConnectorError, Page, StreamSpec
from erp_bridge.landing import (
    Landing,
    Stage,
    count_in,
    find_leaving,
    merge_stage,
    retire_leaving,
    staging,
)
from erp_bridge.models import Batch
from erp_bridge.quarantine import (
    REFUSED_ROWS_MAX,
    RefusedRow,
    keep_refused,
    stage_rows,
    supersede_staged,
    too_many_refused,
)
from erp_bridge.streams import HaltError, Outcome, Reading, record_landing, stream_row

BACKFILL, DRY_RUN, VERIFY = "backfill", "dry_run", "verify"
FULL_READS_MAX = 1_000
FIRST_DAY = date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class Span:
    """Some days, both ends included."""

    first: date
    last: date


class _RollBackError(Exception):
    """All has been seen; nothing of it stays."""


def has_days(reading: Reading, spec: StreamSpec) -> bool:
    """Whether a stream's rows are of some day, so that some days of it can be read again."""
    return spans.has_days(_table(reading, spec))


def closed_months(now: datetime, time_zone: str) -> Span:
    """Everything up to the end of the last month, in the company's own time."""
    return Span(FIRST_DAY, now.astimezone(ZoneInfo(time_zone)).date().replace(day=1) - timedelta(1))


def backfill_stream(reading: Reading, spec: StreamSpec, span: Span) -> Outcome:
    """Read a stream from its beginning and land what is of these days, window by window.

    A stream whose rows have no day is read again whole. The lease is held by the caller.
    """
    outcome = reading.outcomes.setdefault(spec.name, Outcome())
    windows = full_pages(reading, spec)
    # Files of changes follow one another: landed one by one, an old one would undo a newer one for a moment.
    groups: Iterable[Iterable[Page]] = [windows] if spec.grain == "file" else ([w] for w in windows)
    with _failing(outcome):
        for pages in groups:
            _land_again(reading, spec, pages, span, outcome)
    return outcome


def verify_stream(reading: Reading, spec: StreamSpec, span: Span) -> Outcome:
    """Compare the months of a span with what the ERP has now, and land what differs.

    The lease is held by the caller. What the ERP no longer has is left to reconciliation, which looks twice.
    """
    outcome = reading.outcomes.setdefault(spec.name, Outcome())
    with _failing(outcome):
        _land_again(reading, spec, full_pages(reading, spec), span, outcome, is_compared=True)
    return outcome


def start_over(reading: Reading, spec: StreamSpec) -> None:
    """Read a stream anew whose ERP went back to an earlier day, once somebody has looked; the lease is held."""
    source = reading.source
    with reading.database.transaction(source.tenant_id) as session:
        row = session.scalars(stream_row(source.source_id, spec.name)).one()
        if row.problem != WENT_BACK:
            return
    with _failing(reading.outcomes.setdefault(spec.name, Outcome())):
        for page in full_pages(reading, spec):
            _land_again(reading, spec, [page], None, reading.outcomes[spec.name])
        with reading.database.transaction(source.tenant_id) as session:
            row = session.scalars(stream_row(source.source_id, spec.name).with_for_update()).one()
            row.cursor, row.revision = {}, row.revision + 1


def compare_stream(reading: Reading, spec: StreamSpec) -> Outcome:
    """Read a stream from its beginning and say what landing it all would change; nothing is kept or told."""
    outcome = reading.outcomes.setdefault(spec.name, Outcome())
    landing = reading.landing(spec.name)
    try:
        with (
            _failing(outcome),
            reading.database.transaction(landing.tenant_id) as session,
        ):
            _compare(session, reading, landing, spec, outcome)
            _roll_back()
    except _RollBackError:
        outcome.state = "compared"
    return outcome


def full_pages(reading: Reading, spec: StreamSpec) -> Iterator[Page]:
    """Everything the ERP has of a stream, up to the run's bound."""
    cursor: dict[str, Any] = {}
    for _ in range(FULL_READS_MAX):
        before = cursor
        for page in reading.source.connector.read(spec.name, cursor, reading.bound.until):
            cursor = page.cursor
            yield page
        # A long past may come in several readings; one that did not get any further was the last.
        if cursor == before:
            return


@contextmanager
def _failing(outcome: Outcome) -> Iterator[None]:
    """What the ERP cannot give, or what cannot be understood of it, ends this stream's part of the run only."""
    try:
        yield
    except ConnectorError as error:
        outcome.state, outcome.problem, outcome.detail = "failed", error.code, error.detail
    except HaltError as halt:
        outcome.state, outcome.problem, outcome.detail = "failed", halt.problem, halt.detail


def _land_again(
    reading: Reading,
    spec: StreamSpec,
    pages: Iterable[Page],
    span: Span | None,
    outcome: Outcome,
    *,
    is_compared: bool = False,
) -> None:
    landing, table = reading.landing(spec.name), _table(reading, spec)
    with reading.database.transaction(landing.tenant_id) as session:
        rows, refused = _stage(session, reading, spec, pages)
        if span is not None and spans.has_days(table):
            _runner(session, landing, span)(spans.drop_outside(table))
        if span is not None and is_compared:
            outcome.findings = {"months": _differing(session, landing, table, span)}
        _keep_refused(session, reading, landing, spec, refused)
        _trust_the_erp(session, reading, landing, spec)
        changed = _merge(session, reading, landing, spec)
        gone = _retire_left_out(session, landing, table)
        done = Outcome("landed", rows, changed, gone, len(refused))
        _record(session, reading, landing, spec, done)
    outcome.rows_read += rows
    outcome.rows_refused += len(refused)
    outcome.rows_changed += changed
    outcome.rows_deleted += gone
    outcome.state = "landed" if outcome.rows_changed or outcome.rows_deleted else "unchanged"


def _stage(
    session: Session, reading: Reading, spec: StreamSpec, pages: Iterable[Page]
) -> tuple[int, list[RefusedRow]]:
    """Put pages on the stage; gives how many rows were read, and those that could not be converted."""
    refused: list[RefusedRow] = []
    stream = reading.source.mapping.stream(spec.name)
    names = tuple(name for name, _ in stream.fields)
    with staging(session, TABLES[stream.into], names) as stage:
        for page in pages:
            # A file that was only touched has neither columns nor rows.
            if page.columns:
                _fill(stage, reading, spec, page, refused)
    rows = stage.rows - stage.refused + len(refused)
    if too_many_refused(len(refused), rows):
        raise HaltError("failed", "too_many_refused", f"{len(refused)} of {rows} rows", refused)
    return rows, refused


def _fill(
    stage: Stage, reading: Reading, spec: StreamSpec, page: Page, refused: list[RefusedRow]
) -> None:
    converter = reading.source.converter(spec.name, page.columns)
    progress = partial(reading.progress, spec.name)
    for item in stage_rows(stage, converter, page.columns, page.rows, progress):
        refused.append(item)
        if len(refused) > REFUSED_ROWS_MAX:
            detail = f"{len(refused)} rows and counting"
            raise HaltError("failed", "too_many_refused", detail, refused)


def _keep_refused(
    session: Session,
    reading: Reading,
    landing: Landing,
    spec: StreamSpec,
    refused: list[RefusedRow],
) -> None:
    supersede_staged(session, source_id=landing.source_id, stream=spec.name, now=landing.now)
    keep_refused(
        session,
        refused,
        source_id=landing.source_id,
        stream=spec.name,
        run_id=reading.run_id,
        now=landing.now,
    )


def _trust_the_erp(session: Session, reading: Reading, landing: Landing, spec: StreamSpec) -> None:
    """Nobody else lands this stream now, so what was just read is the latest there is, whatever its stamp."""
    table = _table(reading, spec)
    number = _stamp_is_number(spec)
    _runner(session, landing)(spans.forget_later_stamps(table, stamp_is_number=number))


def _merge(session: Session, reading: Reading, landing: Landing, spec: StreamSpec) -> int:
    return merge_stage(
        session,
        landing,
        _table(reading, spec),
        _mapped(reading, spec),
        stamp_is_number=_stamp_is_number(spec),
    )


def _retire_left_out(session: Session, landing: Landing, table: CanonTable) -> int:
    found = find_leaving(session, landing, table, present=None)
    return retire_leaving(session, landing, table) if found else 0


def _record(
    session: Session, reading: Reading, landing: Landing, spec: StreamSpec, done: Outcome
) -> None:
    """A window in which nothing was different leaves no batch: no cursor moved with it."""
    if not (done.rows_changed or done.rows_deleted):
        return
    session.add(
        Batch(
            tenant_id=landing.tenant_id,
            id=landing.batch_id,
            source_id=landing.source_id,
            run_id=reading.run_id,
            stream=spec.name,
            landed_at=landing.now,
            as_of=reading.bound.as_of,
            rows_read=done.rows_read,
            rows_changed=done.rows_changed,
            rows_deleted=done.rows_deleted,
            rows_refused=done.rows_refused,
        )
    )
    changed = done.rows_changed + done.rows_deleted
    record_landing(session, landing, spec.name, changed, reading.bound.as_of)


def _differing(
    session: Session, landing: Landing, table: CanonTable, span: Span
) -> list[dict[str, Any]]:
    """The months in which we have other rows, or other amounts, than the ERP."""
    parameters = landing.parameters() | {"first": span.first, "last": span.last}
    return [
        {
            "month": f"{row[0]:%Y-%m}",
            "ours": {"rows": row[1], "amount": _written(row[2]), "stamp": row[3]},
            "erp": {"rows": row[4], "amount": _written(row[5]), "stamp": row[6]},
        }
        for row in session.execute(text(spans.compare_months(table)), parameters)
    ]


def _compare(
    session: Session, reading: Reading, landing: Landing, spec: StreamSpec, outcome: Outcome
) -> None:
    table, run = _table(reading, spec), _runner(session, landing)
    outcome.rows_read, refused = _stage(session, reading, spec, full_pages(reading, spec))
    outcome.rows_refused = len(refused)
    _trust_the_erp(session, reading, landing, spec)
    mapped = _mapped(reading, spec)
    run(merge.find_changed(table, mapped, stamp_is_number=_stamp_is_number(spec)))
    changed, new = count_in(session, merge.CHANGED), session.scalar(text(spans.count_new())) or 0
    examples = [
        _example(kind, *row)
        for kind, are_new in (("insert", True), ("update", False))
        for row in run(spans.show_changed(table, are_new=are_new))
    ]
    leaving = find_leaving(session, landing, table, present=None)
    examples += [_example("delete", key, row, None) for key, row in run(spans.show_leaving(table))]
    if spec.deletes != "never":
        leaving += find_leaving(session, landing, table, present=merge.STAGE)
        examples += [
            _example("delete", key, row, None) for key, row in run(spans.show_leaving(table))
        ]
    outcome.findings = {
        "difference": {
            "inserts": new,
            "updates": changed - new,
            "deletes": leaving,
            "examples": examples,
        }
    }


def _roll_back() -> None:
    raise _RollBackError


def _example(
    kind: str, key: str, before: dict[str, Any] | None, after: dict[str, Any] | None
) -> dict[str, Any]:
    """What would happen to a row: only what of it would be different."""
    was, will = before or {}, after or {}
    names = [name for name in was | will if was.get(name) != will.get(name)]
    return {
        "change": kind,
        "key": key,
        "before": {name: _written(was.get(name)) for name in names} if before else None,
        "after": {name: _written(will.get(name)) for name in names} if after else None,
    }


def _written(value: Any) -> str | None:
    return None if value is None else str(value)


def _table(reading: Reading, spec: StreamSpec) -> CanonTable:
    return TABLES[reading.source.mapping.stream(spec.name).into]


def _mapped(reading: Reading, spec: StreamSpec) -> tuple[str, ...]:
    return tuple(name for name, _ in reading.source.mapping.stream(spec.name).fields)


def _stamp_is_number(spec: StreamSpec) -> bool:
    return spec.grain == "row"


def _runner(session: Session, landing: Landing, span: Span | None = None) -> Any:
    parameters = landing.parameters()
    if span is not None:
        parameters |= {"first": span.first, "last": span.last}

    def run(statement: str) -> Any:
        return session.execute(text(statement), parameters)

    return run
