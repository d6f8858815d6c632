"""Tables of delivery: device cursors, notices, who has read them, the attempts to push them, what people want pushed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Index, Text, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Identified, TenantRow, points_to


class DeviceCursor(TenantRow, Base):
    """The highest number of the log that a device says it has: what is below was delivered."""

    __tablename__ = "delivery_device_cursor"

    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    seq: Mapped[int] = mapped_column(BigInteger)
    acked_at: Mapped[datetime]

    __table_args__ = (
        points_to("people_device", "device_id", ondelete="CASCADE"),
        points_to("people_person", "person_id", ondelete="CASCADE"),
        Index(None, "tenant_id", "person_id"),
    )


class NoticeHead(TenantRow, Base):
    """The number of the latest notice; whoever tells holds the row, so that numbers follow the commits."""

    __tablename__ = "delivery_notice_head"

    number: Mapped[int] = mapped_column(BigInteger)


class NoticeRow(Identified, Base):
    """News for an audience: what is pushed, and what people find in their list for some weeks."""

    __tablename__ = "delivery_notice"

    number: Mapped[int] = mapped_column(BigInteger)

    kind: Mapped[str]
    texts: Mapped[dict[str, Any]]
    link: Mapped[str]
    collapse_key: Mapped[str]
    urgency: Mapped[str] = mapped_column(default="normal")
    scope_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    #: The event that brings the same news over the stream; whoever acknowledged it is not pushed to.
    seq: Mapped[int | None] = mapped_column(BigInteger)
    #: What made the notice, so that a handler run twice makes it once.
    source: Mapped[str]
    except_person_id: Mapped[UUID | None]
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("tenant_id", "source"),
        UniqueConstraint("tenant_id", "number"),
        Index(None, "tenant_id", "created_at"),
        CheckConstraint("urgency IN ('normal', 'high')", name="urgency"),
    )


class NoticeAudience(TenantRow, Base):
    """One line of the index that everybody's list of notices is merged from."""

    __tablename__ = "delivery_notice_audience"

    scope_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)

    __table_args__ = (
        points_to("delivery_notice", "number", to="number", ondelete="CASCADE"),
        Index(None, "tenant_id", "number"),
    )


class NoticeReader(TenantRow, Base):
    """How far a person has read the notices; ``version`` counts what this person did to the read state."""

    __tablename__ = "delivery_notice_reader"

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    through: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (points_to("people_person", "person_id", ondelete="CASCADE"),)


class NoticeRead(TenantRow, Base):
    """A notice that was read by itself, beyond what was read through."""

    __tablename__ = "delivery_notice_read"

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)

    __table_args__ = (
        points_to("people_person", "person_id", ondelete="CASCADE"),
        points_to("delivery_notice", "number", to="number", ondelete="CASCADE"),
        Index(None, "tenant_id", "number"),
    )


class PushAttempt(TenantRow, Base):
    """One notice to one device: asked, accepted, waiting to be asked again, or failed and why."""

    __tablename__ = "delivery_push_attempt"

    notice_id: Mapped[UUID] = mapped_column(primary_key=True)
    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str]
    error: Mapped[str | None]
    tries: Mapped[int] = mapped_column(default=1)
    asked_at: Mapped[datetime]
    #: While waiting: not to be asked again before.
    again_at: Mapped[datetime | None]

    __table_args__ = (
        points_to("delivery_notice", "notice_id", ondelete="CASCADE"),
        CheckConstraint("state IN ('asked', 'accepted', 'waiting', 'failed')", name="state"),
    )


class Preference(TenantRow, Base):
    """What a person wants to be pushed; whoever decided nothing has no row."""

    __tablename__ = "delivery_preference"

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    muted_kinds: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    #: Minutes since midnight in the person's time zone; the span may pass midnight.
    quiet_from: Mapped[int | None]
    quiet_to: Mapped[int | None]
    decided_at: Mapped[datetime]

    __table_args__ = (
        points_to("people_person", "person_id", ondelete="CASCADE"),
        CheckConstraint("(quiet_from IS NULL) = (quiet_to IS NULL)", name="quiet_hours"),
    )
