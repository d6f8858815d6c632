"""Who is calling: the signed-in person as a value that every service can ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A signed-in person, with everything that decides what may be seen and done.

    ``scope_ids``: every scope the person is in, ancestors expanded. ``grants``: for each permission, the org
    units at which it is held; it reaches everything below them.
    """

    tenant_id: UUID
    person_id: UUID
    session_id: UUID
    device_id: UUID | None
    login: str
    name: str
    locale: str
    time_zone: str
    currency: str
    unit_ids: tuple[UUID, ...]
    scope_ids: frozenset[UUID]
    role_keys: frozenset[str]
    grants: Mapping[str, frozenset[UUID]]

    def may(self, permission: str) -> bool:
        """Say whether the permission is held anywhere; services ask for the unit itself."""
        return permission in self.grants

    def units_with(self, permission: str) -> frozenset[UUID]:
        """List the units at which the permission is held (everything below is meant too)."""
        return self.grants.get(permission, frozenset())
