"""Facts and the outbox: what happened is recorded in the transaction that made it happen.

The sequencer of ``app.delivery`` takes committed rows from here, numbers those that have an audience into the
event log, and hands every fact to its subscribers. Nothing is told to anybody from inside a transaction.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Self, get_type_hints
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, BigInteger, DateTime, Identity, Index, Uuid, func, insert, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.db import Base, TenantRow
from app.core.work import tenant_of

SCOPE_COUNT_MAX = 1_000


@dataclass(frozen=True, kw_only=True)
class Fact:
    """Something that happened, in the past tense; its fields are its payload, its class names its kind."""

    kind: ClassVar[str]

    def payload(self) -> dict[str, Any]:
        """Write the fields as JSON values."""
        return {f.name: _to_json(getattr(self, f.name)) for f in dataclasses.fields(self)}

    @classmethod
    def from_payload(cls, payload: dict[str, Any]) -> Self:
        """Read a payload back; fields added since are taken from their defaults."""
        hints = get_type_hints(cls)
        known = {f.name for f in dataclasses.fields(cls)}
        return cls(**{k: _from_json(hints[k], v) for k, v in payload.items() if k in known})


class OutboxRow(TenantRow, Base):
    """A recorded fact that waits for its number; gone once the sequencer has taken it."""

    __tablename__ = "core_outbox"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str]
    ref: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(default=0)
    payload: Mapped[dict[str, Any]]
    scope_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    recorded_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now()
    )


class EventHead(TenantRow, Base):
    """The last number given in a tenant's log, and the log's epoch (a restore begins a new one)."""

    __tablename__ = "core_event_head"

    seq: Mapped[int] = mapped_column(BigInteger, default=0)
    epoch: Mapped[UUID]


class EventRow(TenantRow, Base):
    """A numbered fact of the event log, as clients hear it."""

    __tablename__ = "core_event"

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    kind: Mapped[str]
    ref: Mapped[UUID | None]
    version: Mapped[int]
    payload: Mapped[dict[str, Any]]
    recorded_at: Mapped[datetime]


class EventAudience(TenantRow, Base):
    """Which scopes hear of an event."""

    __tablename__ = "core_event_audience"

    scope_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)

    __table_args__ = (Index(None, "tenant_id", "seq"),)


_RECORD_ALL = text("""
    INSERT INTO core_outbox (tenant_id, kind, ref, version, payload, scope_ids)
    SELECT :tenant_id, kind, ref, 0, payload, scope_ids
      FROM ROWS FROM (jsonb_to_recordset(CAST(:facts AS jsonb))
                      AS (kind text, ref uuid, payload jsonb, scope_ids uuid[]))
           WITH ORDINALITY AS f (kind, ref, payload, scope_ids, place)
     ORDER BY place
""")


def record(
    session: Session,
    fact: Fact,
    *,
    ref: UUID | None = None,
    version: int = 0,
    scope_ids: Iterable[UUID] = (),
) -> None:
    """Put a fact into the outbox, in the caller's transaction.

    With ``scope_ids`` the fact also goes into the event log and to the phones of everybody in one of
    these scopes, payload and all; without, only subscribers hear of it.
    """
    scopes = sorted(set(scope_ids))
    assert len(scopes) <= SCOPE_COUNT_MAX
    session.execute(
        insert(OutboxRow).inline(),
        {
            "tenant_id": tenant_of(session),
            "kind": fact.kind,
            "ref": ref,
            "version": version,
            "payload": fact.payload(),
            "scope_ids": scopes,
        },
    )


def record_all(session: Session, facts: Sequence[tuple[Fact, UUID | None, Iterable[UUID]]]) -> None:
    """Put many facts into the outbox in one statement, each with its ref and its scopes, as ``record`` puts one."""
    if not facts:
        return
    scopes = [sorted(set(scope_ids)) for _, _, scope_ids in facts]
    assert all(len(each) <= SCOPE_COUNT_MAX for each in scopes)
    rows = [
        {"kind": fact.kind, "ref": ref, "payload": fact.payload(), "scope_ids": each}
        for (fact, ref, _), each in zip(facts, scopes, strict=True)
    ]
    session.execute(
        _RECORD_ALL, {"tenant_id": tenant_of(session), "facts": orjson.dumps(rows).decode()}
    )


def _to_json(value: Any) -> Any:
    match value:
        case UUID() | Decimal():
            return str(value)
        case datetime() | date():
            return value.isoformat()
        case list() | tuple():
            return [_to_json(item) for item in value]
        case _:
            return value


def _from_json(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    text = str(hint)
    for name, read in _READERS:
        if name in text:
            return [read(item) for item in value] if isinstance(value, list) else read(value)
    return tuple(value) if isinstance(value, list) and text.startswith("tuple") else value


_READERS: tuple[tuple[str, Any], ...] = (
    ("UUID", UUID),
    ("datetime.datetime", datetime.fromisoformat),
    ("datetime.date", date.fromisoformat),
    ("Decimal", Decimal),
)
