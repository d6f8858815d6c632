"""Pruning: events older than the log is kept, and notices whose pushes are long done, leave in small batches."""

from datetime import timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import delete, text

from app.core.jobs import Workbench, visit_companies
from app.delivery.models import NoticeRow

BATCH_SIZE = 5_000
NOTICE_DAYS = 30

#: The first number that is young enough to stay; everything below goes, so that the log has no holes.
_FIRST_KEPT = text("""
    SELECT coalesce(
        (SELECT min(e.seq) FROM core_event e
          WHERE e.tenant_id = h.tenant_id AND e.recorded_at >= :since),
        h.seq + 1)
      FROM core_event_head h
     WHERE h.tenant_id = :tenant_id
""")
_OLDEST = text("SELECT min(seq) FROM core_event WHERE tenant_id = :tenant_id")
_PRUNE_EVENTS = text("DELETE FROM core_event WHERE tenant_id = :tenant_id AND seq < :below")
_PRUNE_AUDIENCE = text(
    "DELETE FROM core_event_audience WHERE tenant_id = :tenant_id AND seq < :below"
)


def prune_log(bench: Workbench) -> None:
    """Drop, for every company, the events older than the log is kept, and old notices."""
    visit_companies(bench, partial(_prune, bench))


def _prune(bench: Workbench, tenant_id: UUID) -> None:
    while _prune_some(bench, tenant_id):
        pass
    _prune_notices(bench, tenant_id)


def _prune_some(bench: Workbench, tenant_id: UUID) -> bool:
    """Drop one batch; says whether there is more. Events go first: who sees their gap is told to resync."""
    since = bench.clock() - timedelta(days=bench.settings.event_log_days)
    with bench.database.relay() as session:
        oldest = session.scalar(_OLDEST, {"tenant_id": tenant_id})
        kept = session.scalar(_FIRST_KEPT, {"tenant_id": tenant_id, "since": since})
        if oldest is None or kept is None or oldest >= kept:
            return False
        below = min(kept, oldest + BATCH_SIZE)
        for statement in (_PRUNE_EVENTS, _PRUNE_AUDIENCE):
            session.execute(statement, {"tenant_id": tenant_id, "below": below})
        return bool(below < kept)


def _prune_notices(bench: Workbench, tenant_id: UUID) -> None:
    until = bench.clock() - timedelta(days=NOTICE_DAYS)
    with bench.database.transaction(tenant_id) as session:
        session.execute(delete(NoticeRow).where(NoticeRow.created_at < until))
