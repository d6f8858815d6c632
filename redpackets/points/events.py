"""Facts of points, in the past tense."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from app.core.events import Fact


@dataclass(frozen=True, kw_only=True)
class PointsExpiring(Fact):
    """Points of these people expire at the latest on ``until``; each phone asks how many."""

    kind: ClassVar[str] = "redpackets.points_expiring"

    until: date
    scope_ids: tuple[UUID, ...]


@dataclass(frozen=True, kw_only=True)
class PointsExpired(Fact):
    """Points of those who hear this have expired; each phone asks what is left."""

    kind: ClassVar[str] = "redpackets.points_expired"

    expired_on: date


@dataclass(frozen=True, kw_only=True)
class RedemptionAsked(Fact):
    """Somebody redeemed points; whoever handles the item has something to do."""

    kind: ClassVar[str] = "redpackets.redemption_asked"

    redemption_id: UUID
    person_id: UUID
    unit_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class RedemptionChanged(Fact):
    """A redemption went on: reserved, approved, fulfilled, declined or withdrawn.

    Its person and whoever keeps the item hear of it; ``scope_ids`` are the person's.
    """

    kind: ClassVar[str] = "redpackets.redemption_changed"

    redemption_id: UUID
    person_id: UUID
    state: str
    points: int
    by_id: UUID
    scope_ids: tuple[UUID, ...]
