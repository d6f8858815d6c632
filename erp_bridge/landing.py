"""Landing: staged rows become facts, in the caller's transaction.

The order is always the same: keep the versions that go, note the days they were part of, write, note the days the
new ones are part of; then whatever repeats or adds up the changed rows follows in the same transaction.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import repeat
from typing import Any
from uuid import UUID

from psycopg import Copy
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.work import driver_connection
from erp_bridge import merge
from erp_bridge.canon import TABLES, CanonTable
from erp_bridge.leases import wait_for_turn
from erp_bridge.mappings.converter import Converted, ConvertedBlock
from erp_bridge.mappings.values import ABSENT, escaped

LANDING_SECONDS_MAX = 600
LANDING_MEGABYTES = 32
LARGE_WINDOW_ROWS = 1_000
ROWS_SENT_AT_ONCE = 200


Run = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Landing:
    """The circumstances of one batch: whose it is, when, and what else the mapping fills."""

    tenant_id: UUID
    source_id: UUID
    stream: str
    batch_id: UUID
    now: datetime
    root_unit: str
    filled: frozenset[str]

    def parameters(self) -> dict[str, Any]:
        """What the statements of `merge` are run with."""
        return {
            "tenant": self.tenant_id,
            "source": self.source_id,
            "stream": self.stream,
            "batch": self.batch_id,
            "now": self.now,
            "root": self.root_unit,
        }


@dataclass(slots=True)
class Stage:
    """Rows on their way in; counts what was put on it."""

    copy: Copy
    blank: tuple[str, ...]
    rows: int = 0
    left_out: int = 0
    refused: int = 0
    _waiting: list[str] = field(default_factory=list)

    def put(self, row: Converted) -> None:
        """Stage a converted row, or the key of one that the mapping leaves out."""
        key, stamp, wanted, cells, extra = row
        if wanted:
            self._put(key, stamp, "t", json.dumps(extra) if extra else None, cells)
        else:
            self.left_out += 1
            self._put(key, stamp, "f", None, self.blank)

    def put_block(self, block: ConvertedBlock) -> None:
        """Stage converted rows, or the keys of such as the mapping leaves out."""
        self.flush()
        cells = block.cells if block.wanted else map(repeat, self.blank)
        orders = (str(self.rows + place) for place in block.places)
        flags = repeat("t" if block.wanted else "f")
        # What is the same for every row has no end.
        columns = (orders, block.keys, block.stamps, flags, block.extras, *cells)
        self.copy.write("\n".join(map("\t".join, zip(*columns, strict=False))) + "\n")

    def put_blocks(self, blocks: Iterable[ConvertedBlock]) -> None:
        """Stage rows that were converted together."""
        count = 0
        for block in blocks:
            self.put_block(block)
            count += len(block.places)
            self.left_out += 0 if block.wanted else len(block.places)
        self.rows += count

    def put_refused(self, key: str) -> None:
        """Note that a refused row is there all the same: its last good version is not gone."""
        self.refused += 1
        self._put(key, None, ABSENT, None, self.blank)

    def flush(self) -> None:
        """Send the rows that wait to PostgreSQL."""
        if self._waiting:
            self.copy.write("\n".join(self._waiting) + "\n")
            self._waiting.clear()

    def _put(
        self, key: str, stamp: str | None, wanted: str, raw: str | None, cells: Sequence[str]
    ) -> None:
        """One line of COPY's text format; the driver's own rows cost as much again as the whole conversion."""
        stamp_cell = ABSENT if stamp is None else escaped(stamp)
        raw_cell = ABSENT if raw is None else escaped(raw)
        line = (str(self.rows), escaped(key), stamp_cell, wanted, raw_cell, *cells)
        self._waiting.append("\t".join(line))
        self.rows += 1
        if len(self._waiting) >= ROWS_SENT_AT_ONCE:
            self.flush()


@contextmanager
def staging(session: Session, table: CanonTable, mapped: tuple[str, ...]) -> Iterator[Stage]:
    """Open a stage for rows of a table."""
    relax_limits(session)
    session.execute(text(merge.create_stage(table)))
    with (
        driver_connection(session).cursor() as cursor,
        cursor.copy(merge.copy_into_stage(mapped)) as copy,
    ):
        stage = Stage(copy, (ABSENT,) * len(mapped))
        yield stage
        stage.flush()
    plan_for(session, stage.rows)


def relax_limits(session: Session) -> None:
    """Let this transaction take the time that a large window needs; requests keep their limits."""
    milliseconds = LANDING_SECONDS_MAX * 1000
    session.execute(text(f"SET LOCAL statement_timeout = {milliseconds:d}"))
    # The planner needs a rough idea of the staged rows, not a portrait.
    session.execute(text("SET LOCAL default_statistics_target = 10"))
    # Sorting and hashing a window on disk costs half as much again.
    session.execute(text(f"SET LOCAL work_mem = '{LANDING_MEGABYTES}MB'"))
    session.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = {milliseconds:d}"))


def plan_for(session: Session, rows: int) -> None:
    """Keep the planner from row-by-row joins on a table that it has not yet seen grow.

    A first load fills a table within one transaction, so its statistics say that it is empty; joining it row by
    row with as many staged ones would take hours instead of a second.
    """
    if rows > LARGE_WINDOW_ROWS:
        session.execute(text("SET LOCAL enable_nestloop = off"))


def refresh_statistics(session: Session, table: CanonTable) -> None:
    """Let the planner see a table as it has become, rather than when the server next looks by itself."""
    relax_limits(session)
    session.execute(
        text("SELECT erp_refresh_statistics(:name)"),
        {"name": table.sql_name},
    )


def merge_stage(
    session: Session,
    landing: Landing,
    table: CanonTable,
    mapped: tuple[str, ...],
    *,
    stamp_is_number: bool,
    is_snapshot: bool = False,
) -> int:
    """Write what is new or changed on the stage; gives the number of rows.

    Of a snapshot, what it lacks is set aside for `find_gone`.
    """
    # Two streams may fill one table; one after the other they see each other's rows.
    wait_for_turn(session, landing.tenant_id, landing.source_id, f"table {table.name}")
    run = _runner(session, landing)
    run(f"ANALYZE {merge.STAGE} (source_key)")
    run(merge.find_changed(table, mapped, stamp_is_number=stamp_is_number, is_snapshot=is_snapshot))
    new, replacing, gone = session.execute(text(merge.count_changed())).one()
    if gone:
        keep, forget = merge.set_gone_aside()
        run(keep)
        run(forget)
    if new or replacing:
        run(f"ANALYZE {merge.CHANGED} (source_key)")
        with _following_totals(session, landing, table, merge.CHANGED):
            _write_changed(run, table, new=new, replacing=replacing)
        _follow(session, landing, table)
    return int(new + replacing)


def _write_changed(run: Run, table: CanonTable, *, new: int, replacing: int) -> None:
    if replacing and table.versioned:
        run(merge.keep_versions(table, merge.CHANGED))
    dirty = merge.mark_changed_dirty(table, replaces=replacing > 0)
    if dirty:
        run(dirty)
    if replacing:
        run(merge.update_known(table))
    if new:
        run(merge.insert_new(table))


def find_leaving(
    session: Session, landing: Landing, table: CanonTable, *, present: str | None
) -> int:
    """Find the rows to retire: left out by the mapping, or not among those ``present`` in the ERP."""
    run = _runner(session, landing)
    run(f"DROP TABLE IF EXISTS {merge.LEAVING}")
    run(merge.find_gone(table, present) if present else merge.find_left_out(table))
    return count_in(session, merge.LEAVING)


def find_gone(session: Session) -> int:
    """Find the rows to retire because the snapshot that was merged lacks them."""
    session.execute(text(f"DROP TABLE IF EXISTS {merge.LEAVING}"))
    session.execute(text(f"ALTER TABLE IF EXISTS {merge.GONE} RENAME TO {merge.LEAVING}"))
    is_there = session.scalar(
        text("SELECT to_regclass(:name)"), {"name": f"pg_temp.{merge.LEAVING}"}
    )
    return count_in(session, merge.LEAVING) if is_there else 0


def retire_leaving(session: Session, landing: Landing, table: CanonTable) -> int:
    """Soft-delete the rows that were found leaving."""
    leaving = count_in(session, merge.LEAVING)
    if leaving:
        with _following_totals(session, landing, table, merge.LEAVING):
            _rewrite(session, landing, table, merge.LEAVING, merge.retire(table))
    return leaving


def count_live(session: Session, landing: Landing, table: CanonTable) -> int:
    """How many rows of the table the ERP has, as far as we know."""
    return int(session.scalar(text(merge.count_live(table)), landing.parameters()) or 0)


def count_in(session: Session, temporary: str) -> int:
    """How many rows a temporary table holds."""
    return int(session.scalar(text(merge.count_rows(temporary))) or 0)


def stage_keys(session: Session, keys: Iterable[str]) -> None:
    """Put the keys that the ERP has now into a table of their own."""
    session.execute(text(f"CREATE TEMP TABLE {merge.PRESENT} (source_key text) ON COMMIT DROP"))
    with (
        driver_connection(session).cursor() as cursor,
        cursor.copy(f"COPY {merge.PRESENT} (source_key) FROM STDIN") as copy,
    ):
        count = 0
        for key in keys:
            copy.write_row((key,))
            count += 1
    plan_for(session, count)
    session.execute(text(f"ANALYZE {merge.PRESENT}"))


def _follow(session: Session, landing: Landing, table: CanonTable) -> None:
    """Let everything that depends on the changed rows follow them."""
    _repeat_in_lines(session, landing, table, merge.CHANGED)
    for name in table.lines:
        line = TABLES[name]
        if line.total and name in landing.filled:
            _add_up(session, landing, line, merge.CHANGED, by="source_key")
    if table.name == "employee":
        _resolve_late_salespeople(session, landing)


def _repeat_in_lines(session: Session, landing: Landing, table: CanonTable, keys: str) -> None:
    for name in table.lines:
        line = TABLES[name]
        if line.header is None or name not in landing.filled:
            continue
        run = _runner(session, landing)
        run(merge.find_repeating(line, line.header, keys))
        if count_in(session, merge.TOUCHED):
            change = merge.apply_touched(line, line.header.repeated)
            _rewrite(session, landing, line, merge.TOUCHED, change)
        run(f"DROP TABLE {merge.TOUCHED}")


def _resolve_late_salespeople(session: Session, landing: Landing) -> None:
    """An order may land before its salesperson does; it gets its unit when they arrive."""
    for table in TABLES.values():
        if not table.unit_of_salesperson or table.name not in landing.filled:
            continue
        run = _runner(session, landing)
        run(merge.find_late_salespeople(table))
        if count_in(session, merge.TOUCHED):
            change = merge.apply_touched(table, ["org_unit_key"])
            _rewrite(session, landing, table, merge.TOUCHED, change)
            run(f"ALTER TABLE {merge.TOUCHED} RENAME TO {merge.LINKED}")
            _repeat_in_lines(session, landing, table, merge.LINKED)
            run(f"DROP TABLE {merge.LINKED}")
        else:
            run(f"DROP TABLE {merge.TOUCHED}")


@contextmanager
def _following_totals(
    session: Session, landing: Landing, table: CanonTable, keys: str
) -> Iterator[None]:
    """Around a change of lines: let the documents they add up to follow."""
    if table.total is None:
        yield
        return
    run = _runner(session, landing)
    run(merge.find_linked(table, table.total, keys))
    yield
    _add_up(session, landing, table, merge.LINKED, by=table.total.to)
    run(f"DROP TABLE {merge.LINKED}")


def _add_up(session: Session, landing: Landing, line: CanonTable, keys: str, *, by: str) -> None:
    assert line.total is not None
    document = TABLES[line.total.table]
    run = _runner(session, landing)
    run(merge.find_totals(line, line.total, keys, by=by))
    if count_in(session, merge.TOUCHED):
        change = merge.apply_touched(document, [line.total.into])
        _rewrite(session, landing, document, merge.TOUCHED, change)
    run(f"DROP TABLE {merge.TOUCHED}")


def _rewrite(session: Session, landing: Landing, table: CanonTable, keys: str, change: str) -> None:
    run = _runner(session, landing)
    dirty = merge.mark_dirty(table, keys)
    if table.versioned:
        run(merge.keep_versions(table, keys))
    if dirty:
        run(dirty)
    run(change)
    if dirty:
        run(dirty)


def _runner(session: Session, landing: Landing) -> Run:
    parameters = landing.parameters()

    def run(statement: str) -> None:
        session.execute(text(statement), parameters)

    return run
