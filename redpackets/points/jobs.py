"""Timed work of points: once a night, by the company's own clock, they expire and people are warned."""

from datetime import timedelta
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from app.core.jobs import Workbench, visit_companies
from redpackets.points import expiring, notices, queries

EXPIRE_HOUR = 1
#: From when on a redemption that nobody decides, or hands over, is brought to mind.
AGED = timedelta(days=5)
#: 50 million people; what is left is done the next night.
BATCHES_MAX = 50_000

log = structlog.get_logger()


def expire_by_night(bench: Workbench) -> None:
    """Let points expire in every company where it is one o'clock at night."""
    visit_companies(bench, partial(_visit, bench))


def tell_aged(bench: Workbench) -> None:
    """Tell who keeps a catalogue of redemptions that wait for too long, once a day."""
    visit_companies(bench, partial(_tell_aged, bench))


def expire_in_company(bench: Workbench, tenant_id: UUID) -> None:
    """Let points of one company expire, some accounts at a time; running it again changes nothing."""
    after = None
    for _ in range(BATCHES_MAX):
        with bench.database.transaction(tenant_id) as session:
            after = expiring.expire_batch(session, after=after, now=bench.clock())
        if after is None:
            return


def _tell_aged(bench: Workbench, tenant_id: UUID) -> None:
    now = bench.clock()
    with bench.database.transaction(tenant_id) as session:
        for unit_id in session.scalars(queries.units_with_aged(now - AGED)).all():
            notices.tell_keepers_of_aged(session, unit_id, now=now)
            log.warning("redemptions_aged", tenant_id=str(tenant_id), unit_id=str(unit_id))


def _visit(bench: Workbench, tenant_id: UUID) -> None:
    with bench.database.transaction(tenant_id) as session:
        zone = session.scalars(queries.time_zone()).one()
    if bench.clock().astimezone(ZoneInfo(zone)).hour == EXPIRE_HOUR:
        expire_in_company(bench, tenant_id)
