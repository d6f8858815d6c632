"""Timed work of budgets: closing periods that are over, and taking back what leavers and ended budgets do not need."""

from functools import partial
from uuid import UUID

from app.core.jobs import Workbench, visit_companies
from redpackets import budget_queries, services

SWEPT_BUDGETS_MAX = 5_000


def sweep_budgets(bench: Workbench) -> None:
    """Reclaim what leavers left and close what is over in every company; each budget on its own."""
    visit_companies(bench, partial(sweep_company, bench))


def sweep_company(bench: Workbench, tenant_id: UUID) -> None:
    """Reclaim and close what is due in one company."""
    with bench.database.transaction(tenant_id) as session:
        found = budget_queries.budgets_to_reclaim(SWEPT_BUDGETS_MAX)
        to_reclaim = list(session.scalars(found))
    for budget_id in to_reclaim:
        with bench.database.transaction(tenant_id) as session:
            services.reclaim_budget(session, budget_id=budget_id, now=bench.clock())
    _close_level_by_level(bench, tenant_id)


def _close_level_by_level(bench: Workbench, tenant_id: UUID) -> None:
    """Close what is over; a budget can be closed once all that was carved out of it is."""
    seen: set[UUID] = set()
    while len(seen) < SWEPT_BUDGETS_MAX:
        with bench.database.transaction(tenant_id) as session:
            today = services.today_of(session, bench.clock())
            found = session.scalars(budget_queries.budgets_over(today, SWEPT_BUDGETS_MAX))
            over = [budget_id for budget_id in found if budget_id not in seen]
        if not over:
            return
        seen.update(over)
        for budget_id in over:
            with bench.database.transaction(tenant_id) as session:
                services.close_if_period_over(session, budget_id=budget_id, now=bench.clock())
