"""Facts and the outbox: what happened is recorded in the transaction that made it happen.

The sequencer of ``app.delivery`` takes committed rows from here, numbers those that have an audience into the
event log, and hands every fact to its subscribers. Nothing is told to anybody from inside a transaction.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Self, get_type_hints
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, DateTime, Identity, Index, Uuid, func, insert
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


def recording(
    kind: type[Fact], source: str, *, payload: Mapping[str, str], ref: str, scope_ids: str
) -> str:
    """Write the INSERT that records a fact for each row of ``source``, as part of the statement that makes them happen.

    What ``payload`` (a value for each field of the fact), ``ref`` and ``scope_ids`` say is SQL over the rows of
    ``source``, which may say in which order; the statement is given ``:tenant_id``. For facts by the dozen, which
    then need not travel to us and back.
    """
    assert payload.keys() == {f.name for f in dataclasses.fields(kind)}
    pairs = ", ".join(f"'{name}', {value}" for name, value in payload.items())
    return f"""
        INSERT INTO core_outbox (tenant_id, kind, ref, version, payload, scope_ids)
        SELECT :tenant_id, '{kind.kind}', {ref}, 0, jsonb_build_object({pairs}), {scope_ids} FROM {source}
    """  # noqa: S608 - written by ourselves, no value among it


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
