"""Timed work of campaigns: evaluating rules on figures, and giving people their gifts on their day."""

import secrets
from functools import partial
from typing import Any
from uuid import UUID

import structlog

from app.core.jobs import Workbench, visit_companies
from redpackets.campaigns import giving_queries, placing, queries, services
from redpackets.campaigns.milestones import days_due
from redpackets.campaigns.ports import FIGURES

EVALUATE = "redpackets.evaluate_rules"
SEED_BYTES = 32
#: In one run and for one rule and day; the next run goes on.
GIFT_ROUNDS_MAX = 1_000

log = structlog.get_logger()

Ports = dict[str, Any]


def evaluate_rules(bench: Workbench, *, ports: Ports, **arguments: Any) -> None:
    """Evaluate a company's rules, because figures changed."""
    _evaluate_company(bench, UUID(arguments["tenant_id"]), ports)


def evaluate_all(bench: Workbench, *, ports: Ports) -> None:
    """Evaluate every company's rules: days pass, facts grow late, budgets are filled."""
    visit_companies(bench, partial(_evaluate_company, bench, ports=ports))


def give_gifts(bench: Workbench) -> None:
    """Give the gifts of the day in every company, and those of the last days that could not be given."""
    visit_companies(bench, partial(_give_company, bench))


def _evaluate_company(bench: Workbench, tenant_id: UUID, ports: Ports) -> None:
    with bench.database.transaction(tenant_id) as session:
        rule_ids = list(session.scalars(queries.active_rules()))
    for rule_id in rule_ids:
        try:
            _evaluate_rule(bench, tenant_id, rule_id, ports)
        except Exception:
            # One rule's trouble stops no other; the timer comes again.
            log.exception("rule_failed", tenant_id=str(tenant_id), rule_id=str(rule_id))


def _evaluate_rule(bench: Workbench, tenant_id: UUID, rule_id: UUID, ports: Ports) -> None:
    asked: dict[str, Any] = {
        "figures": ports[FIGURES],
        "rule_id": rule_id,
        "now": bench.clock(),
    }
    with bench.database.transaction(tenant_id) as session:
        services.evaluate_rule(session, seed=secrets.token_bytes(SEED_BYTES), **asked)
    with bench.database.transaction(tenant_id) as session:
        services.review_fires(session, **asked)


def _give_company(bench: Workbench, tenant_id: UUID) -> None:
    now = bench.clock()
    with bench.database.transaction(tenant_id) as session:
        rule_ids = list(session.scalars(giving_queries.milestone_rules_active()))
        today = placing.business_day(session, now).date()
    for rule_id in rule_ids:
        for on in days_due(today):
            for _ in range(GIFT_ROUNDS_MAX):
                with bench.database.transaction(tenant_id) as session:
                    seed = secrets.token_bytes(SEED_BYTES)
                    given = services.give_gifts(session, rule_id=rule_id, on=on, seed=seed, now=now)
                if given is None:
                    break
