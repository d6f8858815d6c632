"""Idempotency keys: where money or ERP documents move, a repeat gets the first answer and has no effect.

The key's row is written in the same transaction as the effect; a refusal rolls both back and is not stored. Answers
are forgotten after a while, keys never: however late a phone repeats itself, nothing happens twice.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import orjson
from flask import Response, request
from psycopg.errors import LockNotAvailable
from sqlalchemy import LargeBinary, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.callers import Caller
from app.core.db import Base, TenantRow
from app.core.errors import (
    IdempotencyKeyInProgress,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    IdempotencyKeySpent,
)
from app.core.jobs import Workbench, visit_companies

KEY_LENGTH_MAX = 128
ANSWERS_KEPT = timedelta(days=30)
FORGET_ANSWERS = "core.forget_answers"


class IdempotencyRow(TenantRow, Base):
    """A key used by a person on a route, and the answer that was given."""

    __tablename__ = "core_idempotency"

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int | None]
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]


def answer_once(
    session: Session,
    *,
    caller: Caller,
    body: dict[str, Any],
    now: datetime,
    make: Callable[[], Response],
) -> Response:
    """Run ``make`` for the first request with its ``Idempotency-Key``; repeat its answer for later ones."""
    key = request.headers.get("Idempotency-Key", "")
    if not 0 < len(key) <= KEY_LENGTH_MAX or not key.isprintable():
        raise IdempotencyKeyMissing
    place = {"person_id": caller.person_id, "route": _route(), "key": key}
    digest = hashlib.sha256(orjson.dumps(body, default=str, option=orjson.OPT_SORT_KEYS)).digest()
    if not _claim(session, caller.tenant_id, place, digest, now):
        return _replay(session, place, digest)
    response = make()
    session.execute(
        update(IdempotencyRow)
        .filter_by(**place)
        .values(status=response.status_code, answer=response.get_data())
    )
    return response


def answer_once_if_keyed(
    session: Session,
    *,
    caller: Caller,
    body: dict[str, Any],
    now: datetime,
    make: Callable[[], Response],
) -> Response:
    """As ``answer_once`` where the phone sends a key; without one each request counts."""
    if "Idempotency-Key" not in request.headers:
        return make()
    return answer_once(session, caller=caller, body=body, now=now, make=make)


def forget_answers(bench: Workbench) -> None:
    """Drop the answers that nobody is expected to ask for again."""
    visit_companies(bench, partial(_forget, bench))


def _forget(bench: Workbench, tenant_id: UUID) -> None:
    old = IdempotencyRow.created_at < bench.clock() - ANSWERS_KEPT
    with bench.database.transaction(tenant_id) as session:
        session.execute(
            update(IdempotencyRow)
            .where(old, IdempotencyRow.answer.is_not(None))
            .values(answer=None)
        )


def _route() -> str:
    return f"{request.method} {request.path}"


def _claim(
    session: Session, tenant_id: UUID, place: dict[str, Any], digest: bytes, now: datetime
) -> bool:
    """Insert the key; a concurrent first request holds us here until it commits or the lock times out."""
    row = {"tenant_id": tenant_id, "body_hash": digest, "created_at": now} | place
    try:
        done = session.execute(
            insert(IdempotencyRow)
            .values(row)
            .on_conflict_do_nothing()
            .returning(IdempotencyRow.key)
        )
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable):
            raise IdempotencyKeyInProgress(retry_after=1) from error
        raise
    return done.first() is not None


def _replay(session: Session, place: dict[str, Any], digest: bytes) -> Response:
    kept = session.scalars(select(IdempotencyRow).filter_by(**place)).one()
    if kept.body_hash != digest:
        raise IdempotencyKeyReused
    if kept.answer is None:
        raise IdempotencyKeySpent
    response = Response(kept.answer, kept.status, mimetype="application/json")
    response.headers["Idempotent-Replayed"] = "true"
    return response
