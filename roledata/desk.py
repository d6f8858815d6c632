"""What answering figures works with: the definitions, what has landed, the question, the sums that were read."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import FromClause
from sqlalchemy.orm import Session

from roledata.cache import FigureCache
from roledata.catalogue import Card, Catalogue, Metric
from roledata.known import known_node_days
from roledata.periods import Days, Period
from roledata.queries import node_day
from roledata.rules import Promise
from roledata.scopes import Scope

#: The window of the period itself; others are named by their comparison.
NOW = "now"


@dataclass(frozen=True)
class Question:
    """One card for one scope over one period."""

    card: Card
    scope: Scope
    period: Period
    compare: str


@dataclass(frozen=True)
class Landed:
    """What has come from the ERP for a table: how true it is (the oldest source counts), and the last batch."""

    as_of: datetime
    source: str
    batch_id: UUID | None


@dataclass(frozen=True)
class Arrangement:
    """By which tree, which matching to the ERP's persons and units, and which seats figures are somebody's."""

    structure_version: int
    matching: str
    placement: str


@dataclass(frozen=True)
class Desk:
    """What answering needs: the definitions, what has landed, today, the currency."""

    session: Session
    catalogue: Catalogue
    cache: FigureCache
    tenant_id: UUID
    currency: str
    today: date
    root_id: UUID
    data_version: int
    arrangement: Arrangement
    landed: dict[str, Landed]
    #: The last batch of each stream, by table: all sources, where ``landed`` names the oldest.
    batches: dict[str, tuple[UUID | None, ...]]
    #: The moment whose knowledge counts; none: all that is known.
    known_at: datetime | None = None
    #: How many documents wait for the reader; asked for by the home only.
    approvals: int = 0

    def node_days(
        self, node_ids: Collection[UUID], measures: Collection[str], *windows: Days
    ) -> FromClause:
        """Give what is kept by node and day, or what it was at the moment asked for."""
        if self.known_at is None:
            return node_day
        metrics = [self.catalogue.metrics[measure] for measure in sorted(measures)]
        return known_node_days(metrics, self.root_id, node_ids, windows, self.known_at)

    def metric_of(self, card: Card) -> Metric:
        """Pick the card's metric, or the one that stands in while the ERP gives no facts for it."""
        metric = self.catalogue.metrics[card.metric]
        if card.otherwise and metric.source not in self.landed:
            other = self.catalogue.metrics[card.otherwise]
            return other if other.source in self.landed else metric
        return metric


@dataclass
class Sums:
    """Sums by window and measure, and their points; quotas that reach into the whole period."""

    totals: dict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    counts: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    points: dict[str, dict[int, Decimal]] = field(default_factory=lambda: defaultdict(dict))
    promises: list[Promise] = field(default_factory=list)
