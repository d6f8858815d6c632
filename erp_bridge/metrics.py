"""Figures of the bridge for Prometheus, read when it asks: by table, never by company."""

from collections.abc import Iterator

from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from app.core.composition import Workspace
from erp_bridge.queries import STREAMS_WATCHED

STREAMS = (
    "workspace_erp_streams",
    "Streams of all ERPs by the table they fill and how fresh they are.",
)
AGE = (
    "workspace_erp_age_seconds",
    "How long ago the oldest figures of a table were true in their ERP.",
)


class StreamsWatched(Collector):
    """How many streams are fresh, late or red, and how old the oldest are; silent while PostgreSQL is away."""

    def __init__(self) -> None:
        self.space: Workspace | None = None

    def describe(self) -> Iterator[Metric]:
        """Name the figures without reading them."""
        return iter([GaugeMetricFamily(*STREAMS), GaugeMetricFamily(*AGE)])

    def collect(self) -> Iterator[Metric]:
        """Read the figures."""
        if self.space is None:
            return
        try:
            with self.space.database.relay() as session:
                rows = session.execute(STREAMS_WATCHED, {"now": self.space.now()}).all()
        except SQLAlchemyError:
            return
        streams = GaugeMetricFamily(*STREAMS, labels=["table", "state"])
        ages = GaugeMetricFamily(*AGE, labels=["table"])
        oldest: dict[str, float] = {}
        for table, state, count, age in rows:
            streams.add_metric([table, state], count)
            oldest[table] = max(oldest.get(table, 0.0), float(age or 0))
        for table, age in oldest.items():
            ages.add_metric([table], age)
        yield streams
        yield ages


_watched = StreamsWatched()
REGISTRY.register(_watched)


def show_streams(space: Workspace) -> None:
    """Let ``/metrics`` of this process show the streams of this workspace."""
    _watched.space = space
