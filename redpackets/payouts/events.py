"""Facts of payouts, in the past tense."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.core.events import Fact


@dataclass(frozen=True, kw_only=True)
class PayoutPrepared(Fact):
    """A payout waits for somebody else to release it."""

    kind: ClassVar[str] = "redpackets.payout_prepared"

    payout_id: UUID
    created_by: UUID


@dataclass(frozen=True, kw_only=True)
class PayoutChanged(Fact):
    """A payout was prepared, decided or settled; those who pay out there hear of it."""

    kind: ClassVar[str] = "redpackets.payout_changed"

    payout_id: UUID
    state: str


@dataclass(frozen=True, kw_only=True)
class AccountNamed(Fact):
    """Where a person is paid over a rail was changed; it is told to that person alone."""

    kind: ClassVar[str] = "redpackets.account_named"

    change_id: UUID
    person_id: UUID
    rail: str


@dataclass(frozen=True, kw_only=True)
class WalletsSettled(Fact):
    """A payout took from wallets, was released, or ended: those who hear this read their wallet anew.

    It names nobody and no amount; ``outcome`` is prepared, released, success or failed.
    """

    kind: ClassVar[str] = "redpackets.wallets_settled"

    payout_id: UUID
    outcome: str
