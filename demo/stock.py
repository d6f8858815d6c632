"""What lies in the warehouses, what is promised from them, and when to buy more."""

from collections import Counter
from random import Random
from typing import Final

from demo.catalogue import Catalogue, Product, warehouses_of

Place = tuple[str, str]  # warehouse, product

_OPENING_WEEKS: Final = 9
_WEEKLY_LINES: Final = 160  # order lines of the whole company in an early week
_USUAL_LINE_FEN: Final = 550_000
_MEMORY: Final = 0.85  # weight of the past in the weekly rate
_SAFETY_WEEKS: Final = 2.5
_COVER_WEEKS: Final = 4.0
_LEAST_PIECES: Final = 10


class Stock:
    """Pieces per warehouse and product; nothing leaves that is not there."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.on_hand: Counter[Place] = Counter()
        self.promised: Counter[Place] = Counter()
        self.incoming: Counter[Place] = Counter()
        self._sold_this_week: Counter[Place] = Counter()
        self._rate = _expected_rates(catalogue)

    def opening(self, rng: Random) -> dict[Place, int]:
        """What the company starts with."""
        return {
            place: _LEAST_PIECES + round(rate * _OPENING_WEEKS * rng.uniform(0.7, 1.3))
            for place, rate in self._rate.items()
        }

    def receive(self, place: Place, quantity: int) -> None:
        self.on_hand[place] += quantity

    def take(self, place: Place, quantity: int) -> int:
        """Take as much of ``quantity`` as there is."""
        taken = min(quantity, self.on_hand[place])
        self.on_hand[place] -= taken
        return taken

    def promise(self, place: Place, quantity: int) -> None:
        self.promised[place] += quantity

    def want(self, place: Place, quantity: int) -> None:
        self._sold_this_week[place] += quantity

    def shortfalls(self, products: dict[str, Product]) -> list[tuple[Place, int]]:
        """Weekly review: what to buy, by warehouse, so that it lasts beyond the lead time."""
        wanted = []
        for place, before in self._rate.items():
            rate = before * _MEMORY + self._sold_this_week[place] * (1 - _MEMORY)
            self._rate[place] = rate
            lead_weeks = products[place[1]].lead_days / 7
            # A hard-to-get product is ordered as if it came like the others: so it runs short.
            target = _LEAST_PIECES + rate * (min(lead_weeks, 2) + _SAFETY_WEEKS)
            ahead = self.on_hand[place] + self.incoming[place] - self.promised[place]
            if ahead < target:
                wanted.append((place, round(target - ahead + rate * _COVER_WEEKS) + 1))
        self._sold_this_week.clear()
        return wanted


def _expected_rates(catalogue: Catalogue) -> dict[Place, float]:
    popularity = sum(product.popularity for product in catalogue.products)
    rates: dict[Place, float] = {}
    for product in catalogue.products:
        places = warehouses_of(product.category)
        lines = _WEEKLY_LINES * product.popularity / popularity / len(places)
        for warehouse in places:
            rates[warehouse, product.code] = lines * _USUAL_LINE_FEN / product.price_fen
    return dict(sorted(rates.items()))
