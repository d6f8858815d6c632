"""Facts of role data, in the past tense."""

from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from app.core.events import Fact


@dataclass(frozen=True, kw_only=True)
class CardsChanged(Fact):
    """Figures of one's own nodes changed: ask for the home or these cards again. Carries no figure."""

    kind: ClassVar[str] = "roledata.cards_changed"

    cards: list[str]
    nodes: list[UUID]
    data_version: int


@dataclass(frozen=True, kw_only=True)
class FigureShared(Fact):
    """Somebody put a figure up for talk, frozen as it was; ``scope_ids`` may read it."""

    kind: ClassVar[str] = "roledata.figure_shared"

    share_id: UUID
    author_id: UUID
    card: str
    text: str
    figure: dict[str, Any]
    scope_ids: list[UUID]


@dataclass(frozen=True, kw_only=True)
class WatchTurned(Fact):
    """A watch began to fire, or is well again; carries no figure."""

    kind: ClassVar[str] = "roledata.watch_turned"

    watch_id: UUID
    card: str
    node_id: UUID
    state: str
    severity: str
