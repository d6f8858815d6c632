"""Facts of feeds, in the past tense.

``post`` and ``comment`` are the shared part of what a reader gets, exactly as a page has it, or null when that is
too large to ride: the phone then fetches it. What is only the reader's own comes in facts to the reader alone.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from app.core.events import Fact


@dataclass(frozen=True, kw_only=True)
class PostPublished(Fact):
    """An item appeared in the feed of its scopes."""

    kind: ClassVar[str] = "feeds.post_published"

    post_id: UUID
    post: dict[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class PostChanged(Fact):
    """An item's text or end was changed; the event's version is the item's new one."""

    kind: ClassVar[str] = "feeds.post_changed"

    post_id: UUID
    post: dict[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class PostRemoved(Fact):
    """An item was taken back."""

    kind: ClassVar[str] = "feeds.post_removed"

    post_id: UUID


@dataclass(frozen=True, kw_only=True)
class CommentAdded(Fact):
    """Somebody commented: the item's new count and its new place in the order of activity."""

    kind: ClassVar[str] = "feeds.comment_added"

    post_id: UUID
    comment_id: UUID
    comment: dict[str, Any] | None
    comment_count: int
    activity_seq: int


@dataclass(frozen=True, kw_only=True)
class ReactionsChanged(Fact):
    """An item's reactions were counted again; at most about once a second for each item."""

    kind: ClassVar[str] = "feeds.reactions_changed"

    post_id: UUID
    reactions: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Seen(Fact):
    """A reader saw tracked items; the reader's own devices hear of it."""

    kind: ClassVar[str] = "feeds.seen"

    post_ids: list[UUID]
    seen_at: datetime


@dataclass(frozen=True, kw_only=True)
class Acknowledged(Fact):
    """A reader acknowledged or answered an item; the reader's own devices hear of it."""

    kind: ClassVar[str] = "feeds.acknowledged"

    post_id: UUID
    person_id: UUID
    seen_at: datetime
    acknowledged_at: datetime
    answer: str | None


@dataclass(frozen=True, kw_only=True)
class Reacted(Fact):
    """A reader's own reaction went on or off; the reader's own devices hear of it."""

    kind: ClassVar[str] = "feeds.reacted"

    post_id: UUID
    reaction: str
    on: bool


@dataclass(frozen=True, kw_only=True)
class ReachChanged(Fact):
    """An item got further; its author's devices may read the report again. At most about once a second."""

    kind: ClassVar[str] = "feeds.reach_changed"

    post_id: UUID


@dataclass(frozen=True, kw_only=True)
class Nudged(Fact):
    """Those who have not responded to an item are to be reminded."""

    kind: ClassVar[str] = "feeds.nudged"

    post_id: UUID
    nudge_id: UUID
