"""Timed work of feeds."""

from functools import partial
from uuid import UUID

from sqlalchemy import text

from app.core.jobs import Workbench, visit_companies
from feeds import files
from feeds.counting import count_marked
from feeds.file_store import STORE

EVERY_SECOND = "* * * * * */1"
COUNT = "feeds.count"
DROP_PICTURES = "feeds.drop_pictures"

_WAITING = text("SELECT DISTINCT tenant_id FROM feeds_recount")


def count(bench: Workbench) -> None:
    """Count what readers did since the last time, company by company."""
    with bench.database.relay() as session:
        tenant_ids: list[UUID] = list(session.scalars(_WAITING))
    for tenant_id in tenant_ids:
        with bench.database.transaction(tenant_id) as session:
            count_marked(session)


def drop_pictures(bench: Workbench) -> None:
    """Drop, for every company, pictures that nobody posted and those of items taken back."""
    visit_companies(bench, partial(_drop, bench))


def _drop(bench: Workbench, tenant_id: UUID) -> None:
    more = True
    while more:
        with bench.database.transaction(tenant_id) as session:
            dropped = files.drop_forgotten(session, store=bench.tools[STORE], now=bench.clock())
        more = dropped == files.DROP_COUNT
