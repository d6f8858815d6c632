"""The rules on figures of a company that is shown."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from redpackets.campaigns.services import RuleTerms
from redpackets.models import Budget

#: What all of sales has ordered within the first days of a month.
FIRST_ORDERS_FEN = 100_000_00


def figure_rules(budget: Budget, *, sales_id: UUID, today: date) -> tuple[RuleTerms, RuleTerms]:
    """Reward each part of sales that reaches its target of the month, and all of it for a good start."""
    target = RuleTerms(
        name="大区月度达标",
        budget_id=budget.id,
        on_behalf_of_id=sales_id,
        metric="ordered_net",
        comparison="target",
        threshold=Decimal(1),
        period="month",
        deadline_day=None,
        subject_kind="children",
        subject_ids=[sales_id],
        unit=budget.unit,
        total_minor=8_888_00,
        per_head_minor=None,
        split="lucky",
        audience="subject",
        purpose_category="sales",
        purpose_text="订单额达成月度目标",
        greeting="达标了，恭喜发财！",
        tax_class="wage_income",
        kept_open_hours=72,
        starts_on=today,
    )
    start = replace(
        target,
        name="当月首个十万",
        comparison="value",
        threshold=Decimal(FIRST_ORDERS_FEN),
        subject_kind="units",
        total_minor=888_00,
        purpose_text="当月订单额过十万",
        greeting="开门红！",
    )
    return target, start
