"""Timed work of oversight: once a night, by the company's own clock, and when an auditor asks."""

from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core.jobs import Workbench, visit_companies
from redpackets.oversight import queries, services

SCAN_HOUR = 2
SCAN_JOB = "redpackets.scan_for_patterns"


def scan_by_night(bench: Workbench) -> None:
    """Look for patterns in every company where it is two o'clock at night."""
    visit_companies(bench, partial(_visit, bench))


def scan_company(bench: Workbench, **arguments: Any) -> None:
    """Look for patterns in one company; running it again flags nothing twice."""
    with bench.database.transaction(UUID(arguments["tenant_id"])) as session:
        thresholds = services.thresholds_of(session)
        bands = services.bands_of_approval(session, thresholds)
        services.scan(session, thresholds=thresholds, bands=bands, now=bench.clock())


def _visit(bench: Workbench, tenant_id: UUID) -> None:
    with bench.database.transaction(tenant_id) as session:
        zone = session.scalars(queries.time_zone()).one()
    if bench.clock().astimezone(ZoneInfo(zone)).hour == SCAN_HOUR:
        scan_company(bench, tenant_id=str(tenant_id))
