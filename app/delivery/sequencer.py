"""The sequencer: numbers committed facts into the event log, and hands each to its subscribers.

One at a time, by a PostgreSQL advisory lock held on the very connection that does the work: a leader that loses
its connection has lost its lock and its transaction together, so two can never number at once. Rows are taken
whole from the outbox (not "after the last id"), so a late commit is late, never lost.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Event
from typing import Any
from uuid import UUID

import orjson
import structlog
from sqlalchemy import Connection, Row, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from app.core.jobs import Jobs
from app.core.subscriptions import HANDLE_FACT, Subscriptions
from app.core.work import Database

LOCK_KEY = 0x5EC0
BATCH_SIZE = 500
IDLE_SECONDS = 0.1
STANDBY_SECONDS = 1.0
#: The server ends a leader that is frozen, so that another can lead.
FROZEN_SECONDS = 10
RETRY_SECONDS = 0.5

log = structlog.get_logger()

_TAKE = text("""
    DELETE FROM core_outbox
     WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM core_outbox ORDER BY id LIMIT :limit)
 RETURNING tenant_id, id, kind, ref, version, payload, scope_ids, recorded_at
""")
_ADVANCE = text("""
    UPDATE core_event_head SET seq = seq + :count WHERE tenant_id = :tenant_id RETURNING seq
""")
_INSERT_EVENT = text("""
    INSERT INTO core_event (tenant_id, seq, kind, ref, version, payload, recorded_at)
    VALUES (:tenant_id, :seq, :kind, :ref, :version, CAST(:payload AS jsonb), :recorded_at)
""")
_INSERT_AUDIENCE = text("""
    INSERT INTO core_event_audience (tenant_id, scope_id, seq) VALUES (:tenant_id, :scope_id, :seq)
""")

Heads = dict[UUID, int]


@dataclass
class Sequencer:
    """Runs until stopped; tells ``on_heads`` after each commit how far each tenant's log has come."""

    database: Database
    subscriptions: Subscriptions
    jobs: Jobs
    on_heads: Callable[[Heads], None]

    def run(self, stopped: Event) -> None:
        """Stand for leader again and again; number while leading; survive a database that goes away."""
        while not stopped.is_set():
            try:
                with self.database.relay_engine.connect() as connection:
                    # Its own for good: back in the pool it would still hold the lock, and nobody could lead.
                    connection.detach()
                    self._lead(connection, stopped)
            except (DBAPIError, PoolTimeout) as error:
                log.warning("sequencer_lost_database", kind=type(error).__name__)
                stopped.wait(RETRY_SECONDS)

    def drain(self) -> int:
        """Number all that is committed now, and return how many facts that were (tests, shutdown)."""
        total = 0
        with self.database.relay_engine.connect() as connection:
            while count := self._batch(connection):
                total += count
        return total

    def _lead(self, connection: Connection, stopped: Event) -> None:
        connection.execute(text(f"SET idle_session_timeout = '{FROZEN_SECONDS}s'"))
        while not stopped.is_set() and not self._is_leader(connection):
            stopped.wait(STANDBY_SECONDS)
        while not stopped.is_set():
            if self._batch(connection) == 0:
                stopped.wait(IDLE_SECONDS)

    def _is_leader(self, connection: Connection) -> bool:
        won = connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK_KEY})
        connection.commit()
        return bool(won)

    def _batch(self, connection: Connection) -> int:
        with Session(connection) as session, session.begin():
            facts = sorted(session.execute(_TAKE, {"limit": BATCH_SIZE}), key=lambda row: row.id)
            heads = self._number(session, facts)
        if heads:
            self.on_heads(heads)
        return len(facts)

    def _number(self, session: Session, facts: Iterable[Row[Any]]) -> Heads:
        heads: Heads = {}
        handling: list[dict[str, Any]] = []
        for tenant_id, group in _by_tenant(facts).items():
            numbers = _append_events(session, tenant_id, [row for row in group if row.scope_ids])
            if numbers:
                heads[tenant_id] = max(numbers.values())
            handling += self._handlings(group, numbers)
        self.jobs.defer_all(session, HANDLE_FACT, handling)
        return heads

    def _handlings(
        self, facts: Iterable[Row[Any]], numbers: dict[int, int]
    ) -> list[dict[str, Any]]:
        return [
            {
                "tenant_id": str(row.tenant_id),
                "subscription": name,
                "kind": row.kind,
                "ref": str(row.ref) if row.ref else None,
                "version": row.version,
                "seq": numbers.get(row.id),
                "payload": row.payload,
            }
            for row in facts
            for name in self.subscriptions.of(row.kind)
        ]


def _by_tenant(facts: Iterable[Row[Any]]) -> dict[UUID, list[Row[Any]]]:
    groups: dict[UUID, list[Row[Any]]] = defaultdict(list)
    for row in facts:
        groups[row.tenant_id].append(row)
    # Head rows are taken in one order, so that a relay beside us could only wait, never deadlock.
    return dict(sorted(groups.items()))


def _append_events(session: Session, tenant_id: UUID, rows: list[Row[Any]]) -> dict[int, int]:
    """Give these facts the next numbers of their tenant's log; returns outbox id → seq."""
    if not rows:
        return {}
    place = {"tenant_id": tenant_id, "count": len(rows)}
    last: int = session.execute(_ADVANCE, place).scalar_one()
    numbers = {row.id: last - len(rows) + i for i, row in enumerate(rows, start=1)}
    session.execute(_INSERT_EVENT, [_event_of(row, numbers[row.id]) for row in rows])
    audience = [
        {"tenant_id": tenant_id, "scope_id": scope_id, "seq": numbers[row.id]}
        for row in rows
        for scope_id in row.scope_ids
    ]
    session.execute(_INSERT_AUDIENCE, audience)
    return numbers


def _event_of(row: Row[Any], seq: int) -> dict[str, Any]:
    return {
        "tenant_id": row.tenant_id,
        "seq": seq,
        "kind": row.kind,
        "ref": row.ref,
        "version": row.version,
        "payload": orjson.dumps(row.payload).decode(),
        "recorded_at": row.recorded_at,
    }
