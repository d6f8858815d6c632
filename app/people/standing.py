"""Which sign-ins ended lately: what an answer that gives nothing away checks instead of reading the caller's row.

The list is short where the callers are many. It is a second old at most; whatever moves money, changes anything or
shows anybody's data checks the row itself.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from time import monotonic
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.composition import Claims
from app.core.work import Database
from app.people import queries

FRESH_SECONDS = 1.0
TENANTS_MAX = 1_000
#: Where more ended than this, nobody is taken to stand and every row is read.
ENDED_MAX = 10_000


@dataclass(frozen=True)
class _Ended:
    """The sign-ins of a company that no longer count; None where nobody is taken to stand."""

    read_at: float
    sign_in_ids: frozenset[UUID] | None


class StandingSignIns:
    """Says of a sign-in whose token is still good whether it ended; one for each process."""

    def __init__(self, database: Database, *, token_seconds: int) -> None:
        self._database = database
        self._token_life = timedelta(seconds=token_seconds)
        self._ended: dict[UUID, _Ended] = {}
        self._lock = Lock()

    def stands(self, claims: Claims, now: datetime) -> bool:
        """Say whether the sign-in stood within the last second."""
        ended = self._ended.get(claims.tenant_id)
        if ended is None or monotonic() - ended.read_at > FRESH_SECONDS:
            ended = self._refreshed(claims.tenant_id, now)
        return ended.sign_in_ids is not None and claims.session_id not in ended.sign_in_ids

    def _refreshed(self, tenant_id: UUID, now: datetime) -> _Ended:
        with self._lock:
            ended = self._ended.get(tenant_id)
            if ended is not None and monotonic() - ended.read_at <= FRESH_SECONDS:
                return ended
            # Taken before reading: what ends while we read is in the next list.
            read_at = monotonic()
            with self._database.transaction(tenant_id) as session:
                found = self._read(session, tenant_id, now)
            if len(self._ended) >= TENANTS_MAX:
                self._ended.clear()
            self._ended[tenant_id] = ended = _Ended(read_at, found)
            return ended

    def _read(self, session: Session, tenant_id: UUID, now: datetime) -> frozenset[UUID] | None:
        values = {
            "tenant_id": tenant_id,
            "now": now,
            "since": now - self._token_life,
            "limit": ENDED_MAX + 1,
        }
        if not session.scalar(queries.TENANT_IS_ACTIVE, values):
            return None
        found = frozenset(session.scalars(queries.ENDED_SIGN_INS, values))
        return found if len(found) <= ENDED_MAX else None
