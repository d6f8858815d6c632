"""Questions of role data to others, and what it tells them: who answers is decided where the product is composed."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import Select

ATTENTION = "roledata.attention"
WAITING_APPROVALS = "roledata.waiting_approvals"


class Attention(Protocol):
    """Whoever brings the facts may bring those sooner that somebody is looking at."""

    def note(self, tenant_id: UUID, tables: Collection[str], *, now: datetime) -> None:
        """Somebody looks at figures made of these tables; may be forgotten, never waits and never fails."""
        ...


class WaitingApprovals(Protocol):
    """How many documents wait for a person's decision; a SELECT, for the home asks several things at once."""

    def __call__(self, person_id: UUID) -> Select[int]: ...
