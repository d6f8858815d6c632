"""Facts of oversight, in the past tense."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.core.events import Fact


@dataclass(frozen=True, kw_only=True)
class PatternFlagged(Fact):
    """A pattern was found that somebody should look at; the auditors whom it is not about hear of it."""

    kind: ClassVar[str] = "redpackets.pattern_flagged"

    flag_id: UUID
    flag_kind: str
    scope_ids: tuple[UUID, ...]


@dataclass(frozen=True, kw_only=True)
class FlagResolvedBy(Fact):
    """An auditor said what became of a flag; the other auditors hear of it."""

    kind: ClassVar[str] = "redpackets.flag_resolved"

    flag_id: UUID
    state: str
    by_id: UUID
