"""Loading the caller: one indexed read a request; scopes and grants are cached by the versions they hold for."""

from collections import defaultdict
from datetime import datetime
from threading import Lock
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.composition import Claims
from app.core.errors import NotSignedIn
from app.people import queries
from app.people.errors import TenantSuspended

CACHED_PERSONS_MAX = 10_000

Access = dict[str, Any]
Key = tuple[UUID, UUID, int, int]


class CallerLoader:
    """Loads callers; one for each process. A changed version is a different key, so nothing stale is served."""

    def __init__(self) -> None:
        self._cache: dict[Key, Access] = {}
        self._lock = Lock()

    def load(self, session: Session, claims: Claims, now: datetime) -> Caller:
        """Check that the sign-in still stands and say who is calling."""
        row = session.execute(
            queries.CALLER,
            {
                "tenant_id": claims.tenant_id,
                "session_id": claims.session_id,
                "person_id": claims.person_id,
            },
        ).first()
        if row is None or row.ended_at is not None or not row.active or row.expires_at <= now:
            raise NotSignedIn
        if row.state != "active":
            raise TenantSuspended
        return Caller(
            tenant_id=claims.tenant_id,
            person_id=claims.person_id,
            session_id=claims.session_id,
            device_id=row.device_id,
            login=row.login,
            name=row.name,
            locale=row.locale,
            time_zone=row.time_zone,
            currency=row.currency,
            **self._access(session, claims, row.access_version, row.structure_version),
        )

    def _access(self, session: Session, claims: Claims, own: int, structure: int) -> Access:
        key = (claims.tenant_id, claims.person_id, own, structure)
        found = self._cache.get(key)
        if found is None:
            found = load_access(session, claims.person_id)
            with self._lock:
                if len(self._cache) >= CACHED_PERSONS_MAX:
                    self._cache.clear()
                self._cache[key] = found
        return found


def load_access(session: Session, person_id: UUID) -> Access:
    """Read a person's units, scopes, roles and permissions."""
    grants: dict[str, set[UUID]] = defaultdict(set)
    role_keys: set[str] = set()
    for role_key, permissions, unit_id in session.execute(queries.granted_permissions(person_id)):
        role_keys.add(role_key)
        for permission in permissions:
            grants[permission].add(unit_id)
    return {
        "unit_ids": tuple(session.scalars(queries.unit_ids_of(person_id))),
        "scope_ids": frozenset(session.scalars(queries.scope_ids_of(person_id))),
        "role_keys": frozenset(role_keys),
        "grants": {permission: frozenset(units) for permission, units in grants.items()},
    }
