"""Figures of delivery that lie in the database, read when Prometheus asks."""

from collections.abc import Iterator

from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from app.core.composition import Workspace
from app.delivery import queries

_GAUGES = {
    "depth": ("workspace_outbox_depth", "Facts that wait for their number."),
    "waiting": ("workspace_outbox_waiting_seconds", "How long the oldest of them has waited."),
    "head_age": ("workspace_log_head_age_seconds", "How long ago the newest event was recorded."),
}


class Backlog(Collector):
    """Outbox depth and log head age; silent while PostgreSQL is away."""

    def __init__(self) -> None:
        self.space: Workspace | None = None

    def describe(self) -> Iterator[Metric]:
        """Name the figures without reading them."""
        return iter([GaugeMetricFamily(name, text) for name, text in _GAUGES.values()])

    def collect(self) -> Iterator[Metric]:
        """Read the figures."""
        if self.space is None:
            return
        try:
            with self.space.database.relay() as session:
                row = session.execute(queries.BACKLOG).one()
        except SQLAlchemyError:
            return
        for column, (name, text) in _GAUGES.items():
            yield GaugeMetricFamily(name, text, value=float(getattr(row, column) or 0))


_backlog = Backlog()
REGISTRY.register(_backlog)


def show_backlog(space: Workspace) -> None:
    """Let ``/metrics`` of this process show the backlog of this workspace."""
    _backlog.space = space
