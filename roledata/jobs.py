"""Timed work of role data: refreshing the summaries, evaluating watches."""

from functools import partial
from typing import Any
from uuid import UUID

from app.core.jobs import Workbench, defer, visit_companies
from roledata import telling, watches
from roledata.grammar import catalogue
from roledata.summaries import rebuild, refresh

REFRESH = "roledata.refresh"
REBUILD = "roledata.rebuild"
EVALUATE = "roledata.evaluate_watches"
NODE_COUNT_MAX = 200


def refresh_figures(bench: Workbench, **arguments: Any) -> None:
    """Bring a company's figures up to date, and tell whose own changed."""
    _bring_up_to_date(bench, UUID(arguments["tenant_id"]), everything=False)


def rebuild_figures(bench: Workbench, **arguments: Any) -> None:
    """Add a company's figures up again from all facts."""
    _bring_up_to_date(bench, UUID(arguments["tenant_id"]), everything=True)


def evaluate_watches(bench: Workbench, **arguments: Any) -> None:
    """Evaluate the watches over the nodes that changed, or over all where they are too many to name."""
    given: list[str] | None = arguments["node_ids"]
    node_ids = None if given is None else [UUID(node_id) for node_id in given]
    _evaluate(bench, UUID(arguments["tenant_id"]), node_ids)


def refresh_all(bench: Workbench) -> None:
    """Refresh every company: what an event did not bring, a minute does."""
    visit_companies(bench, partial(_bring_up_to_date, bench, everything=False))


def evaluate_all(bench: Workbench) -> None:
    """Evaluate every company's watches: pace moves with the day, and facts grow late."""
    visit_companies(bench, partial(_evaluate, bench, node_ids=None))


def _bring_up_to_date(bench: Workbench, tenant_id: UUID, *, everything: bool) -> None:
    bring = rebuild if everything else refresh
    with bench.database.transaction(tenant_id) as session:
        refreshed = bring(session, catalogue=catalogue(), now=bench.clock())
        if refreshed.is_empty:
            return
        nodes = telling.tell_holders(session, refreshed=refreshed, catalogue=catalogue())
        some = sorted(str(node_id) for node_id in nodes)
        defer(session, EVALUATE, node_ids=some if len(some) <= NODE_COUNT_MAX else None)


def _evaluate(bench: Workbench, tenant_id: UUID, node_ids: list[UUID] | None) -> None:
    with bench.database.transaction(tenant_id) as session:
        watches.evaluate_watches(
            session, catalogue=catalogue(), node_ids=node_ids, now=bench.clock()
        )
