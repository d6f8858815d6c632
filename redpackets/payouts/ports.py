"""What payouts ask of other parts; the composition root introduces who answers."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from sqlalchemy.orm import Session

REDEMPTION_WORTH = "redemption_worth"


class RedemptionWorth(Protocol):
    """Says what redemptions count for: id → (tax class, fen); one it does not know counts by the usual rule."""

    def __call__(
        self, session: Session, redemption_ids: Sequence[UUID], /
    ) -> dict[UUID, tuple[str, int]]: ...
