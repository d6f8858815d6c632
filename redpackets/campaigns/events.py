"""Facts of campaigns, in the past tense; they carry no figure."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from app.core.events import Fact


@dataclass(frozen=True, kw_only=True)
class RuleFired(Fact):
    """A figure met a rule, and its packet was placed."""

    kind: ClassVar[str] = "redpackets.rule_fired"

    rule_id: UUID
    fire_id: UUID
    packet_id: UUID
    owner_id: UUID
    period_from: date


@dataclass(frozen=True, kw_only=True)
class RuleMissed(Fact):
    """A rule could not be judged or paid for the first time in a period, for this reason."""

    kind: ClassVar[str] = "redpackets.rule_missed"

    rule_id: UUID
    owner_id: UUID
    period_from: date
    reason: str


@dataclass(frozen=True, kw_only=True)
class FigureRestated(Fact):
    """A figure fell below what it fired at; somebody has to decide what becomes of the packet."""

    kind: ClassVar[str] = "redpackets.figure_restated"

    proposal_id: UUID
    rule_id: UUID
    owner_id: UUID
    decider_scope_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RestatementDecided(Fact):
    """Somebody decided what becomes of a packet whose figure fell; the rule's owner and those who could decide hear."""

    kind: ClassVar[str] = "redpackets.restatement_decided"

    proposal_id: UUID
    rule_id: UUID
    state: str


@dataclass(frozen=True, kw_only=True)
class GiftMissed(Fact):
    """A milestone's gift could not be given."""

    kind: ClassVar[str] = "redpackets.gift_missed"

    rule_id: UUID
    owner_id: UUID
    on: date
    reason: str
