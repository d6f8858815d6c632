"""Where the CPU of a load through the bridge goes: statement by statement, and step by step in Python."""

import time
from collections import defaultdict
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
from sqlalchemy import Connection, Engine, event, select

from app.core.work import Database
from erp_bridge.models import Source
from erp_bridge.opening import open_source
from erp_bridge.quarantine import ROWS_PER_BLOCK

#: What a statement is for, by how it begins; the first that fits. What fits none is ``the rest``.
PURPOSES = (
    ("CREATE TEMP TABLE erp_stage", "stage"),
    ("CREATE TEMP TABLE erp_changed", "compare: hashes, guard, orders, what is gone"),
    ("INSERT INTO erp_fact_version", "versions"),
    ("INSERT INTO erp_dirty_day", "days to recompute"),
    ("INSERT INTO erp_sales_order_line", "write: rows, three indexes, foreign key"),
    ("UPDATE erp_sales_order_line", "write: rows, three indexes, foreign key"),
    ("ANALYZE", "statistics"),
    ("SELECT erp_refresh_statistics", "statistics"),
)
COPY = "COPY into the stage"
REST = "cursor, batch, outbox, commit, all else"


class Costs:
    """PostgreSQL's CPU by purpose, from the process that serves the connection."""

    def __init__(self, engine: Engine) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._last: dict[int, tuple[float, str]] = {}
        self._purpose = REST
        self._heard = (
            (engine, "before_cursor_execute", self._before),
            (engine, "after_cursor_execute", self._after),
        )
        for what in self._heard:
            event.listen(*what)

    def stop(self) -> None:
        """Watch no more."""
        for what in self._heard:
            event.remove(*what)

    def _before(self, connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
        pid, now = self._look(connection)
        seconds, purpose = self._last.get(pid, (now, REST))
        # Between two statements a connection copies or commits.
        self.seconds[COPY if purpose == "stage" else REST] += now - seconds
        words = " ".join(statement.split())
        self._purpose = next((p for start, p in PURPOSES if words.startswith(start)), REST)
        self._last[pid] = now, self._purpose

    def _after(self, connection: Connection, *_: Any) -> None:
        pid, now = self._look(connection)
        purpose = REST if self._purpose == "stage" else self._purpose
        self.seconds[purpose] += now - self._last[pid][0]
        self._last[pid] = now, self._purpose

    def _look(self, connection: Connection) -> tuple[int, float]:
        pid: int = connection.connection.dbapi_connection.info.backend_pid  # type: ignore[union-attr]
        return pid, _process_seconds(pid)


def client_costs(
    database: Database, tenant: UUID, source_id: UUID, secret_key: str
) -> dict[str, float]:
    """The CPU of reading the lines, and of converting them beyond that; nothing is sent anywhere."""
    with database.transaction(tenant) as session:
        source = session.scalars(select(Source).where(Source.id == source_id)).one()
    opened = open_source(source, secret_key=secret_key)

    def read() -> None:
        for page in opened.connector.read("order_lines", {}, None):
            for _ in page.rows:
                pass

    def convert() -> None:
        for page in opened.connector.read("order_lines", {}, None):
            converter = opened.converter("order_lines", page.columns)
            rows = iter(page.rows)
            while block := list(islice(rows, ROWS_PER_BLOCK)):
                converter.convert_blocks(block)

    reading = _cpu_of(read)
    converting = _cpu_of(convert)
    opened.close()
    return {"read the file": reading, "convert": converting - reading}


def _cpu_of(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _process_seconds(pid: int) -> float:
    """CPU time of another process; Linux counts it in nanoseconds, others in ticks."""
    schedule = Path(f"/proc/{pid}/schedstat")
    if schedule.exists():
        return int(schedule.read_text().split()[0]) / 1e9
    return sum(psutil.Process(pid).cpu_times()[:2])
