"""Who wants to know which apps are open: said where the product is composed."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

OPEN_APPS = "delivery.open_apps"


class OpenApps(Protocol):
    """Hears every few seconds that somebody of these roles has the app open."""

    def __call__(self, tenant_id: UUID, role_keys: frozenset[str], *, now: datetime) -> None:
        """Note it; may forget it, never waits and never fails."""
        ...
