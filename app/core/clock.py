"""The clock: the one place that reads the time. Only the edge calls it; services are told ``now``."""

from datetime import UTC, datetime


def now() -> datetime:
    """Say what time it is, aware, in UTC."""
    return datetime.now(UTC)
