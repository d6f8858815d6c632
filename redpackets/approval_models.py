"""Tables of approval: policies by version, what a packet waits for, who decided, and who stands in for whom."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Identified, TenantRow, points_to

DELEGATED_DAYS_MAX = 90
APPROVALS_MAX = 5


class Policy(TenantRow, Base):
    """The company's rule of which amounts need whose approval; a change is a new version, none is ever altered."""

    __tablename__ = "redpackets_policy"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: As ``bands.Band`` writes them, in order.
    bands: Mapped[list[Any]]
    created_by_id: Mapped[UUID]
    created_at: Mapped[datetime]

    __table_args__ = (
        points_to("people_person", "created_by_id"),
        CheckConstraint("version >= 1", name="version"),
    )


class ApprovalRequest(TenantRow, Base):
    """What a packet waits for: how many approvals, by holders of which permission, held where.

    Open while its packet is ``pending_approval``; ``approved_at`` is set by the last approval it needed.
    """

    __tablename__ = "redpackets_approval_request"

    packet_id: Mapped[UUID] = mapped_column(primary_key=True)
    approval_count: Mapped[int]
    permission: Mapped[str]
    held_at: Mapped[str]
    requested_at: Mapped[datetime]
    approved_at: Mapped[datetime | None]

    __table_args__ = (
        points_to("redpackets_packet", "packet_id"),
        CheckConstraint(f"approval_count BETWEEN 1 AND {APPROVALS_MAX}", name="count"),
        CheckConstraint("held_at IN ('cost_centre', 'company')", name="held_at"),
    )


class Approval(TenantRow, Base):
    """What one person decided about a packet, in their own right or on behalf of somebody; append-only.

    A person decides once, and so does each right: whoever lent theirs to a delegate is not counted again.
    """

    __tablename__ = "redpackets_approval"

    packet_id: Mapped[UUID] = mapped_column(primary_key=True)
    approver_id: Mapped[UUID] = mapped_column(primary_key=True)
    #: Whose right it was: the approver's own, or that of who delegated it.
    on_behalf_of_id: Mapped[UUID]
    decision: Mapped[str]
    reason: Mapped[str]
    at: Mapped[datetime]

    __table_args__ = (
        points_to("redpackets_approval_request", "packet_id", to="packet_id"),
        points_to("people_person", "approver_id"),
        points_to("people_person", "on_behalf_of_id"),
        UniqueConstraint("tenant_id", "packet_id", "on_behalf_of_id"),
        CheckConstraint("decision IN ('approve', 'reject')", name="decision"),
        CheckConstraint("decision = 'approve' OR reason <> ''", name="reason"),
    )


class Delegation(Identified, Base):
    """A person's right to approve, lent to another for a time; it can be taken back at any moment."""

    __tablename__ = "redpackets_delegation"

    delegator_id: Mapped[UUID]
    delegate_id: Mapped[UUID]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    __table_args__ = (
        points_to("people_person", "delegator_id"),
        points_to("people_person", "delegate_id"),
        CheckConstraint("delegator_id <> delegate_id", name="persons"),
        CheckConstraint(
            f"ends_at > starts_at AND ends_at <= starts_at + interval '{DELEGATED_DAYS_MAX * 24} hours'",
            name="times",
        ),
        Index(
            "ix_redpackets_delegation_standing",
            "tenant_id",
            "delegate_id",
            postgresql_where=text("revoked_at IS NULL"),
        ),
        Index(None, "tenant_id", "delegator_id"),
    )
