"""Tables of approvals: who decides as whom, what waits, what was decided, and every step of writing it back."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Identity, Index, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Identified, Minor, TenantRow, points_to

PENDING = "pending"
#: How an approval ends: decided as we know, or no longer waiting without our knowing why.
ENDS = ("approved", "rejected", "closed")
#: A decision under way; there is at most one for an approval.
LIVE = "state IN ('queued', 'sent', 'unknown')"
LIVE_STATES = ("queued", "sent", "unknown")


class Approver(Identified, Base):
    """Which user of an ERP a person decides as, and from when to when; ended, never deleted."""

    __tablename__ = "erp_approver"

    source_id: Mapped[UUID]
    person_id: Mapped[UUID]
    #: How the ERP names them where it says for whom a document waits.
    erp_user: Mapped[str]
    #: Their own key to the ERP, where it wants one; sealed for this row.
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]
    created_by_id: Mapped[UUID]
    created_at: Mapped[datetime]

    __table_args__ = (
        points_to("erp_source", "source_id", ondelete="CASCADE"),
        points_to("people_person", "person_id"),
        points_to("people_person", "created_by_id"),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="validity"),
        CheckConstraint("created_by_id <> person_id", name="four_eyes"),
        Index(None, "tenant_id", "source_id", "person_id"),
    )

    def is_valid(self, now: datetime) -> bool:
        """Whether the person decides as this user now."""
        return self.valid_from <= now and (self.valid_to is None or now < self.valid_to)


class Approval(Identified, Base):
    """One document that waits for one approver, as it was last read, or how its waiting ended."""

    __tablename__ = "erp_approval"

    source_id: Mapped[UUID]
    #: The connector's own name of the task; with the source it is the same however often it is read.
    task_key: Mapped[str]
    approver_key: Mapped[str | None]
    #: Who of us that is; None while nobody is known to be.
    person_id: Mapped[UUID | None]
    document_kind: Mapped[str]
    document_code: Mapped[str]
    subject: Mapped[str]
    amount_minor: Mapped[int | None] = mapped_column(Minor)
    currency: Mapped[str]
    applicant: Mapped[str]
    requested_on: Mapped[date | None]
    due_on: Mapped[date | None]
    lines: Mapped[list[Any]]
    history: Mapped[list[Any]]
    #: What may be decided: a document without a workflow can only be approved.
    verdicts: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    version: Mapped[str]
    state: Mapped[str] = mapped_column(default=PENDING)
    came_at: Mapped[datetime]
    #: When it was last seen to be so in the ERP.
    seen_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]

    __table_args__ = (
        points_to("erp_source", "source_id", ondelete="CASCADE"),
        points_to("people_person", "person_id"),
        CheckConstraint("state IN ('pending', 'approved', 'rejected', 'closed')", name="state"),
        CheckConstraint("(state = 'pending') = (settled_at IS NULL)", name="settlement"),
        Index("uq_erp_approval_task", "tenant_id", "source_id", "task_key", unique=True),
        Index(None, "tenant_id", "person_id", "state", "id"),
    )


class Decision(Identified, Base):
    """A person's decision on a version of a document, on its way into the ERP."""

    __tablename__ = "erp_decision"

    approval_id: Mapped[UUID]
    person_id: Mapped[UUID]
    approver_id: Mapped[UUID]
    verdict: Mapped[str]
    reason: Mapped[str]
    version: Mapped[str]
    state: Mapped[str] = mapped_column(default="queued")
    #: Why it was refused, or why it is not known what became of it.
    code: Mapped[str | None]
    #: The ERP's number of the act, kept before it is sent.
    number: Mapped[str | None]
    #: How often this approver stood in the document's history before: what is there beyond that is ours.
    steps_before: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    #: When it is to be looked at again; None once it is settled.
    next_at: Mapped[datetime | None]

    __table_args__ = (
        points_to("erp_approval", "approval_id", ondelete="CASCADE"),
        points_to("people_person", "person_id"),
        points_to("erp_approver", "approver_id"),
        CheckConstraint("verdict IN ('approve', 'reject')", name="verdict"),
        CheckConstraint(
            "state IN ('queued', 'sent', 'unknown', 'confirmed', 'refused')", name="state"
        ),
        CheckConstraint("verdict = 'approve' OR reason <> ''", name="reason"),
        CheckConstraint(f"(settled_at IS NULL) = ({LIVE})", name="settlement"),
        CheckConstraint(f"(next_at IS NOT NULL) = ({LIVE})", name="next"),
        Index(
            "uq_erp_decision_live",
            "tenant_id",
            "approval_id",
            unique=True,
            postgresql_where=text(LIVE),
        ),
        Index(
            "ix_erp_decision_due",
            "tenant_id",
            "next_at",
            postgresql_where=text("next_at IS NOT NULL"),
        ),
        Index(None, "tenant_id", "approval_id", "id"),
    )


class DecisionEntry(TenantRow, Base):
    """One step of a decision, and what the ERP said to it; written once, never changed."""

    __tablename__ = "erp_decision_entry"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    decision_id: Mapped[UUID]
    at: Mapped[datetime]
    state: Mapped[str]
    code: Mapped[str | None]
    #: Who asked for it, and in which request; None where the machine went on by itself.
    actor_id: Mapped[UUID | None]
    request_id: Mapped[str | None]
    answer: Mapped[str]

    __table_args__ = (
        points_to("erp_decision", "decision_id", ondelete="CASCADE"),
        Index(None, "tenant_id", "decision_id", "id"),
    )
