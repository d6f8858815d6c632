"""Tables of the bridge: sources and their streams, what each run did, what was refused.

The canonical dimensions and facts are in `canonical`; they are imported here too, so that whoever reads
`erp_bridge.models` has all of them.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Identity,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Identified, TenantRow, points_to
from erp_bridge.canonical import (
    ApprovalLine,
    ApprovalTask,
    Customer,
    Employee,
    ErpOrgUnit,
    Invoice,
    InvoiceLine,
    LedgerEntry,
    Product,
    Quota,
    ReceivableItem,
    ReceivablePayment,
    SalesOrder,
    SalesOrderLine,
    StockLevel,
    Warehouse,
)


class Source(Identified, Base):
    """One connected ERP: which connector reads it, by which mapping, with which settings."""

    __tablename__ = "erp_source"

    name: Mapped[str]
    connector: Mapped[str]
    mapping: Mapped[str]
    #: The settings that may be shown; the others are in ``secrets``, sealed for this row.
    config: Mapped[dict[str, Any]]
    secrets: Mapped[bytes | None] = mapped_column(LargeBinary)
    active: Mapped[bool] = mapped_column(default=True)
    poll_seconds: Mapped[int]
    reconcile_seconds: Mapped[int]
    created_at: Mapped[datetime]
    checked_at: Mapped[datetime | None]
    check_passed: Mapped[bool | None]
    directory_at: Mapped[datetime | None]
    polled_at: Mapped[datetime | None]
    #: What its directory is to the company's: followed by it, or only matched to it.
    directory: Mapped[str] = mapped_column(default="follow", server_default="follow")
    #: When the closed months were last compared with the ERP's.
    verified_at: Mapped[datetime | None]
    #: What the company chose of its pace: longest interval, night, targets; `pacing` says what the rest is.
    pace: Mapped[dict[str, Any]] = mapped_column(default=dict)
    #: Since when a stream of it has been red, as the operators were told.
    red_since: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        CheckConstraint("directory IN ('follow', 'match')", name="directory"),
    )


class Stream(TenantRow, Base):
    """How far one stream of a source has been read, and how true its figures are."""

    __tablename__ = "erp_stream"

    source_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    table_name: Mapped[str]
    position: Mapped[int]
    cursor: Mapped[dict[str, Any]] = mapped_column(default=dict)
    #: Counts the cursor's moves, so that two readers can never both move it from the same place.
    revision: Mapped[int] = mapped_column(default=0)
    #: When the figures were true in the ERP.
    as_of: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(default="new")
    problem: Mapped[str | None]
    problem_detail: Mapped[str | None]
    #: The file that caused the problem; the same one is not tried again.
    problem_input: Mapped[str | None]
    rows_landed: Mapped[int] = mapped_column(BigInteger, default=0)
    synced_at: Mapped[datetime | None]
    #: When it had been read for the first time, be it that there was nothing in it.
    first_read_at: Mapped[datetime | None]
    reconciled_at: Mapped[datetime | None]
    #: When the last reading of it began; what the ERP changed before that is known.
    polled_at: Mapped[datetime | None]
    #: When it is read next, and when it would be if somebody looked at it.
    due_at: Mapped[datetime | None]
    eager_at: Mapped[datetime | None]
    changed_at: Mapped[datetime | None]
    #: When the ERP last said that there is something new.
    hinted_at: Mapped[datetime | None]
    target_seconds: Mapped[int | None]
    #: How many requests a look costs, learnt from the last ones.
    request_cost: Mapped[float] = mapped_column(default=1.0)
    #: As it was judged last; None while the source is not read at all.
    freshness: Mapped[str | None]

    __table_args__ = (
        points_to("erp_source", "source_id", ondelete="CASCADE"),
        CheckConstraint("state IN ('new', 'live', 'failed', 'paused', 'stopped')", name="state"),
        CheckConstraint("freshness IN ('fresh', 'late', 'red')", name="freshness"),
    )


class RequestDay(TenantRow, Base):
    """How many requests of a day were taken for a source; what a killed process had left counts as used."""

    __tablename__ = "erp_request_day"

    source_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    used: Mapped[int]

    __table_args__ = (
        points_to("erp_source", "source_id", ondelete="CASCADE"),
        CheckConstraint("used >= 0", name="used"),
    )


class Hook(TenantRow, Base):
    """The keys that a source's hooks are signed with, sealed for this row; found by the source's id alone."""

    __tablename__ = "erp_hook"

    source_id: Mapped[UUID] = mapped_column(primary_key=True)
    keys: Mapped[bytes] = mapped_column(LargeBinary)
    changed_at: Mapped[datetime]
    heard_at: Mapped[datetime | None]

    __table_args__ = (
        points_to("erp_source", "source_id", ondelete="CASCADE"),
        Index(None, "source_id"),
    )


class Run(Identified, Base):
    """One reading of a source; ``streams`` says what became of each."""

    __tablename__ = "erp_run"

    source_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(default="running")
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    streams: Mapped[dict[str, Any]] = mapped_column(default=dict)
    problem: Mapped[str | None]
    kind: Mapped[str] = mapped_column(default="sync", server_default="sync")
    #: The days that are read again, both included.
    first_day: Mapped[date | None]
    last_day: Mapped[date | None]
    #: How many rows of each stream have been read up to now.
    progress: Mapped[dict[str, Any]] = mapped_column(
        default=dict, server_default=text("'{}'::jsonb")
    )

    __table_args__ = (
        points_to("erp_source", "source_id", ondelete="CASCADE"),
        CheckConstraint("state IN ('running', 'done', 'failed')", name="state"),
        CheckConstraint("kind IN ('sync', 'backfill', 'dry_run', 'verify')", name="kind"),
        Index(None, "tenant_id", "source_id", "started_at"),
    )


class Batch(Identified, Base):
    """What one window of a run changed, landed in one transaction."""

    __tablename__ = "erp_batch"

    source_id: Mapped[UUID]
    run_id: Mapped[UUID | None]
    stream: Mapped[str]
    landed_at: Mapped[datetime]
    as_of: Mapped[datetime]
    rows_read: Mapped[int]
    rows_changed: Mapped[int]
    rows_deleted: Mapped[int]
    rows_refused: Mapped[int]

    __table_args__ = (
        points_to("erp_source", "source_id", ondelete="CASCADE"),
        Index(None, "tenant_id", "source_id", "stream", "landed_at"),
    )


class QuarantinedRow(Identified, Base):
    """A row that could not be converted or matched, with the reason; it waits for a retry."""

    __tablename__ = "erp_quarantine"

    source_id: Mapped[UUID]
    stream: Mapped[str]
    source_key: Mapped[str | None]
    code: Mapped[str]
    field: Mapped[str]
    value: Mapped[str | None]
    row: Mapped[dict[str, Any]]
    run_id: Mapped[UUID | None]
    refused_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="waiting")
    settled_at: Mapped[datetime | None]

    __table_args__ = (
        points_to("erp_source", "source_id", ondelete="CASCADE"),
        CheckConstraint("state IN ('waiting', 'released', 'superseded')", name="state"),
        Index(None, "tenant_id", "source_id", "stream", "state"),
    )


class DropFile(TenantRow, Base):
    """A drop file by its content: loaded once, however often it is dropped again."""

    __tablename__ = "erp_file"

    source_id: Mapped[UUID] = mapped_column(primary_key=True)
    stream: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    batch_id: Mapped[UUID]
    loaded_at: Mapped[datetime]
    seen_count: Mapped[int] = mapped_column(default=1)

    __table_args__ = (points_to("erp_source", "source_id", ondelete="CASCADE"),)


class Absence(TenantRow, Base):
    """A row that the ERP did not show at the last reconciliation; gone when it is missed again."""

    __tablename__ = "erp_absence"

    source_id: Mapped[UUID] = mapped_column(primary_key=True)
    stream: Mapped[str] = mapped_column(primary_key=True)
    source_key: Mapped[str] = mapped_column(primary_key=True)
    misses: Mapped[int]
    first_missed_at: Mapped[datetime]

    __table_args__ = (points_to("erp_source", "source_id", ondelete="CASCADE"),)


class Match(Identified, Base):
    """A person or unit of the ERP that is nobody's yet, or whose place somebody decided."""

    __tablename__ = "erp_match"

    source_id: Mapped[UUID]
    kind: Mapped[str]
    source_key: Mapped[str]
    name: Mapped[str]
    login: Mapped[str | None]
    reason: Mapped[str]
    #: Settled: it no longer needs anybody, as the ERP or the company has changed.
    state: Mapped[str] = mapped_column(default="open")
    decision: Mapped[str | None]
    #: The person or unit that it is.
    target_id: Mapped[UUID | None]
    noted_at: Mapped[datetime]
    decided_by_id: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]

    __table_args__ = (
        points_to("erp_source", "source_id", ondelete="CASCADE"),
        points_to("people_person", "decided_by_id"),
        UniqueConstraint("tenant_id", "source_id", "kind", "source_key"),
        CheckConstraint("kind IN ('person', 'unit')", name="kind"),
        CheckConstraint("state IN ('open', 'decided', 'settled')", name="state"),
        CheckConstraint("decision IN ('link', 'create', 'ignore')", name="decision"),
        CheckConstraint(
            "(state = 'decided') = (decision IS NOT NULL AND decided_by_id IS NOT NULL)",
            name="decided",
        ),
        CheckConstraint("decision <> 'link' OR target_id IS NOT NULL", name="linked"),
        Index(None, "tenant_id", "source_id", "state", "id"),
    )


class FactVersion(TenantRow, Base):
    """A version of a fact that was replaced: which batch opened it, which closed it."""

    __tablename__ = "erp_fact_version"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    source_id: Mapped[UUID]
    table_name: Mapped[str]
    source_key: Mapped[str]
    row: Mapped[dict[str, Any]]
    batch_opened: Mapped[UUID]
    batch_closed: Mapped[UUID]
    closed_at: Mapped[datetime]

    __table_args__ = (
        points_to("erp_source", "source_id", ondelete="CASCADE"),
        Index(None, "tenant_id", "source_id", "table_name", "source_key", "closed_at"),
        Index(None, "tenant_id", "batch_closed"),
    )


class DirtyDay(TenantRow, Base):
    """A day whose figures a batch made stale, for one salesperson and unit; gone once recomputed."""

    __tablename__ = "erp_dirty_day"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    metric_group: Mapped[str]
    salesperson_key: Mapped[str | None]
    org_unit_key: Mapped[str | None]
    day: Mapped[date]
    batch_id: Mapped[UUID]

    __table_args__ = (
        CheckConstraint(
            "metric_group IN ('orders', 'invoices', 'expense', 'quota')", name="metric_group"
        ),
    )


__all__ = [
    "Absence",
    "ApprovalLine",
    "ApprovalTask",
    "Batch",
    "Customer",
    "DirtyDay",
    "DropFile",
    "Employee",
    "ErpOrgUnit",
    "FactVersion",
    "Hook",
    "Invoice",
    "InvoiceLine",
    "LedgerEntry",
    "Match",
    "Product",
    "QuarantinedRow",
    "Quota",
    "ReceivableItem",
    "ReceivablePayment",
    "RequestDay",
    "Run",
    "SalesOrder",
    "SalesOrderLine",
    "Source",
    "StockLevel",
    "Stream",
    "Warehouse",
]
