"""The catalogue of metrics, cards and homes, as plain values."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from app.core.errors import Texts

SUM, COUNT, LAST, RATIO = "sum", "count", "last", "ratio"
MONEY, NUMBER, RATE = "money", "count", "ratio"
KEPT_BY_DAY = frozenset({SUM, COUNT})
QUOTA = "quota"
COST = "cost"
COMPANY, SALES, OWN = "roledata.company", "roledata.sales", "roledata.own"
#: A card of this rule is about its reader alone; every signed-in person has it.
PERSONAL = "personal"
FIGURE_PERMISSIONS = frozenset({COMPANY, SALES, OWN})


@dataclass(frozen=True, kw_only=True)
class Amount:
    """What is added up: a column, or one less another."""

    column: str
    minus: str | None = None


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A column has one of these values."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """How facts become a figure; ``version`` is the fingerprint of this very definition."""

    key: str
    source: str
    time: str | None
    amount: Amount | None
    where: tuple[Condition, ...]
    aggregation: str
    numerator: str | None
    denominator: str | None
    unit: str
    sentiment: str
    target: str | None
    comparisons: tuple[str, ...]
    freshness_minutes: int
    mask: str | None
    version: str

    @property
    def is_kept(self) -> bool:
        """Whether the metric is a measure, kept by node and day."""
        return self.aggregation in KEPT_BY_DAY

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures that the figure is made of."""
        if self.numerator and self.denominator:
            return (self.numerator, self.denominator)
        return (self.key,) if self.is_kept else ()


@dataclass(frozen=True, kw_only=True)
class Card:
    """A metric laid out for a screen.

    ``otherwise`` stands in where the ERP gives no facts for the metric; ``parts`` are shown beside the value;
    ``live`` names the reader of what is not kept by day; ``permissions`` say who has the card.
    """

    key: str
    title: Texts
    layout: str
    metric: str
    otherwise: str | None
    parts: tuple[str, ...]
    live: str | None
    permissions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Home:
    """The cards that a role opens the app to, in order."""

    role: str
    cards: tuple[str, ...]


@dataclass(frozen=True)
class Catalogue:
    """All metrics, cards and homes; homes in the order of seniority."""

    metrics: dict[str, Metric]
    cards: dict[str, Card]
    homes: tuple[Home, ...]
    version: str

    @cached_property
    def fingerprint(self) -> str:
        """Of all that is defined: metrics, cards with their titles, homes."""
        defined = repr((self.metrics, self.cards, self.homes))
        return hashlib.blake2b(defined.encode(), digest_size=6).hexdigest()

    def home_of(self, role_keys: Iterable[str]) -> Home:
        """Pick the home of the most senior of these roles; the last home is everybody's."""
        held = set(role_keys)
        return next((home for home in self.homes if home.role in held), self.homes[-1])

    def measures(self) -> list[Metric]:
        """List the metrics that are kept by node and day."""
        return [metric for metric in self.metrics.values() if metric.is_kept]

    def metrics_of(self, card: Card) -> list[Metric]:
        """List every metric that a card may show, its main one first."""
        keys = [card.metric, *([card.otherwise] if card.otherwise else []), *card.parts]
        return [self.metrics[key] for key in keys]

    def measures_of(self, card: Card) -> set[str]:
        """List every measure that a card is made of, its target's too."""
        found = {measure for metric in self.metrics_of(card) for measure in metric.measures}
        return found | {m.target for m in self.metrics_of(card) if m.target}
