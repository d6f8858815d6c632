"""Who is looking: whoever has the app open sees the cards of their home, whether or not they asked for them lately."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from roledata import services
from roledata.grammar import catalogue
from roledata.ports import Attention


@dataclass(frozen=True)
class Looking:
    """Tells whoever brings the facts which of them are being looked at."""

    attention: Attention

    def at_cards(self, tenant_id: UUID, keys: Iterable[str], *, now: datetime) -> None:
        """Somebody has these cards before them."""
        tables = services.tables_behind(catalogue(), keys)
        self.attention.note(tenant_id, tables, now=now)

    def at_home(self, tenant_id: UUID, role_keys: frozenset[str], *, now: datetime) -> None:
        """Somebody of these roles has the app open, and the figures of the day before them.

        What only lists (stock, what waits) keeps its own pace: with everybody's app it would be looked at all day.
        """
        known = catalogue()
        cards = known.home_of(role_keys).cards
        self.at_cards(
            tenant_id, [key for key in cards if known.measures_of(known.cards[key])], now=now
        )
