"""Tables of payouts: batches, their items, and where people can be paid over a rail."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Identified, Minor, TenantRow, points_to

METHODS = ("payroll", "rail")
BATCH_STATES = ("pending_approval", "released", "settled", "rejected")
ITEM_STATES = ("created", "sent", "unknown", "success", "failed")
#: States of items whose money is in flight.
LIVE = "state IN ('created', 'sent', 'unknown')"


class PayoutBatch(Identified, Base):
    """Payables of many people that leave together: by a payroll file, or over a rail; released by a second person."""

    __tablename__ = "redpackets_payout_batch"

    method: Mapped[str]
    #: The rail by name; None for a payroll file.
    rail: Mapped[str | None]
    unit_id: Mapped[UUID]
    unit: Mapped[str]
    period: Mapped[str]
    state: Mapped[str]
    row_count: Mapped[int]
    total_minor: Mapped[int] = mapped_column(Minor)
    #: SHA-256 of the payroll file; the items say all of it, so it can be written again.
    file_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    results_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_by_id: Mapped[UUID]
    created_at: Mapped[datetime]
    decided_by_id: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")
    settled_at: Mapped[datetime | None]

    __table_args__ = (
        points_to("people_org_unit", "unit_id"),
        points_to("people_person", "created_by_id"),
        points_to("people_person", "decided_by_id"),
        UniqueConstraint("tenant_id", "id", "unit"),
        CheckConstraint("(method = 'payroll') = (rail IS NULL)", name="method"),
        CheckConstraint(
            "state IN ('pending_approval', 'released', 'settled', 'rejected')", name="state"
        ),
        CheckConstraint("decided_by_id <> created_by_id", name="four_eyes"),
        CheckConstraint(
            "(state = 'pending_approval') = (decided_by_id IS NULL)"
            " AND (decided_by_id IS NULL) = (decided_at IS NULL)",
            name="decision",
        ),
        CheckConstraint("row_count >= 1 AND total_minor >= 1", name="amounts"),
        CheckConstraint("period ~ '^[0-9]{4}-[0-9]{2}$'", name="period"),
    )


class PayoutItem(Identified, Base):
    """What one person is paid of one tax class; its id, without hyphens, is our number at the rail."""

    __tablename__ = "redpackets_payout_item"

    batch_id: Mapped[UUID]
    person_id: Mapped[UUID]
    tax_class: Mapped[str]
    unit: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(Minor)
    #: Who it is to payroll, or to the rail, as of the creation: what was sent never changes.
    payee: Mapped[str]
    state: Mapped[str] = mapped_column(default="created")
    reason: Mapped[str] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(default=0)
    first_sent_at: Mapped[datetime | None]
    last_sent_at: Mapped[datetime | None]
    #: When the rail is to be spoken to again; None while it is not released, and at the end.
    next_at: Mapped[datetime | None]
    #: Set when the rail says it never heard of our number: only then may it be sent again.
    is_missing: Mapped[bool] = mapped_column(default=False)
    settled_at: Mapped[datetime | None]

    __table_args__ = (
        points_to("redpackets_payout_batch", "batch_id", "unit", to="id, unit"),
        points_to("people_person", "person_id"),
        UniqueConstraint(
            "tenant_id",
            "batch_id",
            "person_id",
            "tax_class",
            name="uq_redpackets_payout_item_row",
        ),
        CheckConstraint(
            "state IN ('created', 'sent', 'unknown', 'success', 'failed')", name="state"
        ),
        CheckConstraint(f"(settled_at IS NULL) = ({LIVE})", name="settlement"),
        CheckConstraint("amount_minor >= 1", name="amount"),
        Index(None, "tenant_id", "person_id"),
        Index(
            "ix_redpackets_payout_item_due",
            "tenant_id",
            "next_at",
            postgresql_where=text("next_at IS NOT NULL"),
        ),
    )

    @property
    def out_bill_no(self) -> str:
        """Our number at the rail: 32 letters and digits, kept before anybody is called."""
        return self.id.hex


class Payee(TenantRow, Base):
    """Where a person can be paid over a rail, as the rail knows them."""

    __tablename__ = "redpackets_payee"

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    rail: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str]
    changed_at: Mapped[datetime]

    __table_args__ = (points_to("people_person", "person_id", ondelete="CASCADE"),)
