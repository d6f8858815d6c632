"""Tables of feeds: items, the index that pages are merged from, pictures, comments, reactions, receipts, reach.

Counters stand apart from their item, so that counting never rewrites a text; receipts and reactions only leave a
mark in ``feeds_recount`` and are counted later.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Identity,
    Index,
    Sequence,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Identified, TenantRow, points_to

PUBLISH_SEQ = Sequence("feeds_publish_seq", metadata=Base.metadata, data_type=BigInteger)
ACTIVITY_SEQ = Sequence("feeds_activity_seq", metadata=Base.metadata, data_type=BigInteger)

PUBLISHED = "published"
REMOVED = "removed"


class Post(Identified, Base):
    """An item of the feed, of any type."""

    __tablename__ = "feeds_post"

    type: Mapped[str]
    author_id: Mapped[UUID]
    #: The unit in whose name it speaks.
    on_behalf_of: Mapped[UUID | None]
    client_id: Mapped[UUID | None]
    #: What of another package made it, so that a fact heard twice makes it once.
    source: Mapped[str | None]
    subject_kind: Mapped[str | None]
    subject_id: Mapped[UUID | None]
    subject: Mapped[dict[str, Any] | None]
    body: Mapped[str]
    body_html: Mapped[str]
    response: Mapped[str] = mapped_column(default="none")
    #: Whom it is for, as picked.
    audience_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    #: Who may see it: the audience, and the author who speaks to it from outside.
    scope_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    state: Mapped[str] = mapped_column(default=PUBLISHED)
    publish_seq: Mapped[int | None] = mapped_column(BigInteger)
    #: The number of its publication in the event log: a device that has it was delivered the item.
    event_seq: Mapped[int | None] = mapped_column(BigInteger)
    publish_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    edited_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    words: Mapped[Any] = mapped_column(TSVECTOR, deferred=True)
    #: Of those whom its text mentions, the ones who could see it when it was written.
    mentioned_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), server_default="{}")

    __table_args__ = (
        points_to("people_person", "author_id"),
        points_to("people_org_unit", "on_behalf_of"),
        UniqueConstraint("tenant_id", "author_id", "client_id"),
        UniqueConstraint("tenant_id", "source"),
        UniqueConstraint("tenant_id", "publish_seq"),
        CheckConstraint("response IN ('none', 'seen', 'acknowledge', 'answer')", name="response"),
        CheckConstraint(
            "state IN ('draft', 'scheduled', 'published', 'hidden', 'removed')", name="state"
        ),
        Index("ix_feeds_post_words", "words", postgresql_using="gin"),
    )


class PostAudience(TenantRow, Base):
    """One line of the feed's index: an item in a scope, in both orders; gone when the item is removed."""

    __tablename__ = "feeds_post_audience"

    scope_id: Mapped[UUID] = mapped_column(primary_key=True)
    publish_seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    post_id: Mapped[UUID]
    activity_seq: Mapped[int] = mapped_column(BigInteger)
    #: It stays on top until it is acknowledged.
    pins: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        points_to("feeds_post", "post_id", ondelete="CASCADE"),
        points_to("people_scope", "scope_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "scope_id", "activity_seq"),
        Index(None, "tenant_id", "post_id"),
        Index(
            "ix_feeds_post_audience_pins",
            "tenant_id",
            "scope_id",
            "publish_seq",
            postgresql_where=text("pins"),
        ),
    )


class Counter(TenantRow, Base):
    """What is counted of an item, and the number of its latest activity."""

    __tablename__ = "feeds_counter"

    post_id: Mapped[UUID] = mapped_column(primary_key=True)
    comment_count: Mapped[int] = mapped_column(default=0)
    reactions: Mapped[dict[str, Any]]
    activity_seq: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        points_to("feeds_post", "post_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "activity_seq"),
    )


class Comment(Identified, Base):
    """What somebody says about an item; ``seq`` orders the talk."""

    __tablename__ = "feeds_comment"

    post_id: Mapped[UUID]
    author_id: Mapped[UUID]
    client_id: Mapped[UUID]
    reply_to: Mapped[UUID | None]
    body: Mapped[str]
    body_html: Mapped[str]
    seq: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    mentioned_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), server_default="{}")

    __table_args__ = (
        points_to("feeds_post", "post_id", ondelete="CASCADE"),
        points_to("people_person", "author_id"),
        points_to("feeds_comment", "reply_to"),
        UniqueConstraint("tenant_id", "author_id", "client_id"),
        UniqueConstraint("tenant_id", "post_id", "seq"),
    )


class Picture(Identified, Base):
    """A picture of an item, or one that waits for the item it was uploaded for; its bytes are in the file store."""

    __tablename__ = "feeds_picture"

    author_id: Mapped[UUID]
    client_id: Mapped[UUID]
    post_id: Mapped[UUID | None]
    position: Mapped[int | None]
    width: Mapped[int]
    height: Mapped[int]
    bytes: Mapped[int]
    uploaded_at: Mapped[datetime]

    __table_args__ = (
        points_to("people_person", "author_id"),
        points_to("feeds_post", "post_id"),
        UniqueConstraint("tenant_id", "author_id", "client_id"),
        UniqueConstraint("tenant_id", "post_id", "position"),
        CheckConstraint("(post_id IS NULL) = (position IS NULL)", name="place"),
        Index(
            "ix_feeds_picture_waiting",
            "tenant_id",
            "uploaded_at",
            postgresql_where=text("post_id IS NULL"),
        ),
    )


class Reaction(TenantRow, Base):
    """One person's reaction of one kind."""

    __tablename__ = "feeds_reaction"

    post_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    reacted_at: Mapped[datetime]

    __table_args__ = (
        points_to("feeds_post", "post_id", ondelete="CASCADE"),
        points_to("people_person", "person_id"),
    )


class Receipt(TenantRow, Base):
    """One reader's response to a tracked item; the row is made when the reader does something."""

    __tablename__ = "feeds_receipt"

    post_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    #: Where the reader belonged at that moment.
    unit_id: Mapped[UUID | None]
    seen_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    answer: Mapped[str | None]

    __table_args__ = (
        points_to("feeds_post", "post_id", ondelete="CASCADE"),
        points_to("people_person", "person_id"),
        CheckConstraint("answer IS NULL OR acknowledged_at IS NOT NULL", name="answer"),
    )


class Target(TenantRow, Base):
    """Whom a tracked item was for at publish: the people of one primary unit."""

    __tablename__ = "feeds_target"

    post_id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    #: One row for each unit, not for each person: 500,000 people are a few thousand rows.
    person_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))

    __table_args__ = (
        points_to("feeds_post", "post_id", ondelete="CASCADE"),
        points_to("people_org_unit", "unit_id"),
    )


class Nudge(Identified, Base):
    """A reminder to those who have not responded."""

    __tablename__ = "feeds_nudge"

    post_id: Mapped[UUID]
    person_id: Mapped[UUID]
    #: The parts of the organisation it was for.
    unit_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    nudged_at: Mapped[datetime]
    #: How many were reminded.
    count: Mapped[int]

    __table_args__ = (
        points_to("feeds_post", "post_id", ondelete="CASCADE"),
        points_to("people_person", "person_id"),
        Index(None, "tenant_id", "post_id", "nudged_at"),
    )


class Recount(TenantRow, Base):
    """A mark that something of an item waits to be counted; only ever added, so nobody waits for anybody."""

    __tablename__ = "feeds_recount"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    post_id: Mapped[UUID]
    #: ``reactions`` or ``reach``.
    what: Mapped[str]

    __table_args__ = (CheckConstraint("what IN ('reactions', 'reach')", name="what"),)
