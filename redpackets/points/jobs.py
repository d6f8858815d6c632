"""Timed work of points: once a night, by the company's own clock, they expire and people are warned."""

from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core.jobs import Workbench, visit_companies
from redpackets.points import expiring, queries

EXPIRE_HOUR = 1
#: 50 million people; what is left is done the next night.
BATCHES_MAX = 50_000


def expire_by_night(bench: Workbench) -> None:
    """Let points expire in every company where it is one o'clock at night."""
    visit_companies(bench, partial(_visit, bench))


def expire_in_company(bench: Workbench, tenant_id: UUID) -> None:
    """Let points of one company expire, some accounts at a time; running it again changes nothing."""
    after = None
    for _ in range(BATCHES_MAX):
        with bench.database.transaction(tenant_id) as session:
            after = expiring.expire_batch(session, after=after, now=bench.clock())
        if after is None:
            return


def _visit(bench: Workbench, tenant_id: UUID) -> None:
    with bench.database.transaction(tenant_id) as session:
        zone = session.scalars(queries.time_zone()).one()
    if bench.clock().astimezone(ZoneInfo(zone)).hour == EXPIRE_HOUR:
        expire_in_company(bench, tenant_id)
