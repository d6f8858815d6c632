"""Tables of oversight: from when on a pattern is worth a question, and the questions."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Index, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Identified, TenantRow, points_to

FLAG_STATES = ("open", "dismissed", "confirmed")


class OversightPolicy(TenantRow, Base):
    """From when on a pattern is flagged; a company without one has the values of ``rules.DEFAULTS``."""

    __tablename__ = "redpackets_oversight_policy"

    window_days: Mapped[int]
    receiver_percent: Mapped[int]
    receiver_count: Mapped[int]
    ring_count: Mapped[int]
    #: Unit → the amounts above which a packet needs (one more) approval.
    split_minor: Mapped[dict[str, Any]]
    version: Mapped[int] = mapped_column(default=1)
    changed_by_id: Mapped[UUID]
    changed_at: Mapped[datetime]

    __table_args__ = (
        points_to("people_person", "changed_by_id"),
        CheckConstraint("window_days BETWEEN 7 AND 366", name="window"),
        CheckConstraint("receiver_percent BETWEEN 10 AND 100", name="receiver_percent"),
        CheckConstraint("receiver_count >= 2 AND ring_count >= 2", name="counts"),
    )


class Flag(Identified, Base):
    """A pattern that somebody should look at: whom it is about, which packets show it, what became of it."""

    __tablename__ = "redpackets_flag"

    kind: Mapped[str]
    #: Names the pattern, so that a scan that finds it again flags nothing new.
    pattern: Mapped[str]
    subject_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    packet_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    figures: Mapped[dict[str, Any]]
    window_from: Mapped[datetime]
    window_to: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="open")
    note: Mapped[str] = mapped_column(default="")
    resolved_by_id: Mapped[UUID | None]
    resolved_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    __table_args__ = (
        points_to("people_person", "resolved_by_id"),
        UniqueConstraint("tenant_id", "kind", "pattern"),
        CheckConstraint("kind IN ('same_receiver', 'ring', 'split', 'self_gift')", name="kind"),
        CheckConstraint("state IN ('open', 'dismissed', 'confirmed')", name="state"),
        CheckConstraint(
            "(state = 'open') = (resolved_at IS NULL)"
            " AND (resolved_at IS NULL) = (resolved_by_id IS NULL)",
            name="resolution",
        ),
        CheckConstraint("NOT resolved_by_id = ANY (subject_ids)", name="uninvolved"),
        Index(None, "tenant_id", "state", "id"),
    )
