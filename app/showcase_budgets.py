"""The budgets of a company that is shown: one for each unit that somebody leads, below one another as the units are."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.people import queries
from app.people.models import OrgUnit, RoleGrant, Tenant
from redpackets.budgets import NewBudget, open_budget
from redpackets.models import Budget

#: What a leader's budget of the year is given, from the top of the tree down.
LIMITS_MINOR = (2_000_000_00, 200_000_00, 50_000_00, 15_000_00)
LEADING = ("owner", "sales_leader", "manager")


def open_year_budgets(session: Session, tenant: Tenant, now: datetime) -> None:
    """Give every leader's unit that has no budget one for the year, carved out of the closest one above."""
    units = {unit.id: unit for unit in session.scalars(queries.unit_tree())}
    kept = select(Budget).where(
        Budget.closed_at.is_(None), Budget.unit == tenant.currency, Budget.give_only.is_(False)
    )
    budgets = {
        budget.unit_id: budget for budget in session.scalars(kept.order_by(Budget.id.desc()))
    }
    leaders: dict[UUID, UUID] = {}
    for grant in session.scalars(grants_of(*LEADING)):
        leaders.setdefault(grant.unit_id, grant.person_id)
    for unit in units.values():
        if unit.id in leaders and unit.id not in budgets:
            line = _budgets_above(unit, units, budgets)
            new = _year_budget(tenant, unit, leaders[unit.id], line, now)
            budgets[unit.id] = open_budget(session, new, actor_id=None, now=now)


def grants_of(*roles: str) -> Select[RoleGrant]:
    """Everybody who holds one of the roles, and where."""
    return (
        select(RoleGrant)
        .where(RoleGrant.role_key.in_(roles))
        .order_by(RoleGrant.unit_id, RoleGrant.person_id)
    )


def _budgets_above(
    unit: OrgUnit, units: dict[UUID, OrgUnit], budgets: dict[UUID, Budget]
) -> list[Budget]:
    """List the budgets of the units above, the closest first."""
    found = []
    while unit.parent_id in units:
        unit = units[unit.parent_id]
        if unit.id in budgets:
            found.append(budgets[unit.id])
    return found


def _year_budget(
    tenant: Tenant, unit: OrgUnit, owner_id: UUID, above: Sequence[Budget], now: datetime
) -> NewBudget:
    today = now.astimezone(ZoneInfo(tenant.time_zone)).date()
    limit_minor = LIMITS_MINOR[min(len(above), len(LIMITS_MINOR) - 1)]
    # One that was spent or ran out leaves its units to the treasury.
    able = [b for b in above[:1] if b.available_minor >= limit_minor and b.covers(today)]
    ends_on = date(today.year, 12, 31)
    return NewBudget(
        name=f"{unit.name} {today.year}",
        owner_id=owner_id,
        unit_id=unit.id,
        unit=tenant.currency,
        limit_minor=limit_minor,
        period_from=max([date(today.year, 1, 1), *(b.period_from for b in able)]),
        period_to=min([ends_on, *(b.period_to for b in able)]),
        parent_id=able[0].id if able else None,
        rolls_over=True,
    )
