"""Leases: one reader of a stream at a time, whatever happens to the reader.

A lease is a session-level advisory lock on a connection of its own; when the process dies, the server lets go.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from app.core.work import Database

TURN_SECONDS_MAX = 60

_TAKE = text("SELECT pg_try_advisory_lock(:key)")
_WAIT = text("SELECT pg_advisory_xact_lock(:key)")
_RELEASE = text("SELECT pg_advisory_unlock(:key)")


@contextmanager
def lease_connection(database: Database) -> Iterator[Connection]:
    """A connection that holds leases; it is in no transaction, so nothing it locks can time out."""
    with database.engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def lease(connection: Connection, tenant_id: UUID, source_id: UUID, stream: str) -> Iterator[bool]:
    """Take the lease of a stream; false when somebody else reads it now."""
    key = _lock_key(tenant_id, source_id, stream)
    held = bool(connection.scalar(_TAKE, {"key": key}))
    try:
        yield held
    finally:
        if held:
            connection.execute(_RELEASE, {"key": key})


def wait_for_turn(session: Session, tenant_id: UUID, source_id: UUID, what: str) -> None:
    """Wait until no other transaction does this for the source, and keep others waiting until it ends."""
    session.execute(text(f"SET LOCAL lock_timeout = {TURN_SECONDS_MAX * 1000:d}"))
    session.execute(_WAIT, {"key": _lock_key(tenant_id, source_id, what)})


def _lock_key(tenant_id: UUID, source_id: UUID, what: str) -> int:
    name = f"erp_bridge|{tenant_id}|{source_id}|{what}"
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
