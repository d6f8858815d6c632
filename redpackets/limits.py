"""Limits of budgets: every change of one moves money between a budget and what it was carved out of.

A budget's limit is what it was given; what it gave on to budgets below is its ``allotted_minor``. Budgets are always
locked in the order of their ids, so that nobody who locks several waits for somebody who waits.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.events import SCOPE_COUNT_MAX, record
from app.people.queries import scopes_of_holders, scopes_of_persons, units_above
from redpackets import budget_queries, ledger
from redpackets.errors import InsufficientBudget, LimitTooLow, PeriodClosed
from redpackets.events import BudgetChanged
from redpackets.models import Budget

MANAGE = "redpackets.manage"


def lock_with_parent(session: Session, budget_id: UUID) -> tuple[Budget | None, Budget | None]:
    """Lock a budget and the one above it: (budget, parent)."""
    found = {b.id: b for b in session.scalars(budget_queries.budget_and_parent_locked(budget_id))}
    budget = found.get(budget_id)
    parent = found.get(budget.parent_id) if budget and budget.parent_id else None
    return budget, parent


def set_limit(
    session: Session, budget: Budget, parent: Budget | None, limit_minor: int, now: datetime
) -> None:
    """Bring the limit to a new amount: the difference comes out of, or goes back to, parent or treasury."""
    committed = budget.limit_minor - budget.available_minor
    if limit_minor < committed:
        raise LimitTooLow(minimum=committed, unit=budget.unit)
    difference = limit_minor - budget.limit_minor
    if difference > 0:
        _require_room(parent, difference)
    if difference:
        _move(session, budget, parent, difference, "allot" if difference > 0 else "withdraw", now)


def give_back(session: Session, budget: Budget, parent: Budget | None, now: datetime) -> int:
    """Return all that is not held or spent to the parent, or to the treasury; say how much that was."""
    unused = budget.available_minor
    if unused:
        _move(session, budget, parent, -unused, "recover", now)
    return unused


def tell_changed(
    session: Session, budget: Budget, owner_ids: Iterable[UUID], successor_id: UUID | None = None
) -> None:
    """Tell these owners how a budget stands, and those who manage budgets there."""
    scope_ids = [row.id for row in session.execute(scopes_of_persons(sorted(set(owner_ids))))]
    holders = scopes_of_holders(MANAGE, units_above(budget.unit_id))
    managers = session.scalars(holders.limit(SCOPE_COUNT_MAX - len(scope_ids)))
    fact = BudgetChanged(
        budget_id=budget.id,
        name=budget.name,
        unit=budget.unit,
        limit_minor=budget.limit_minor,
        available_minor=budget.available_minor,
        closed=budget.closed_at is not None,
        successor_id=successor_id,
        scope_ids=tuple(scope_ids),
    )
    heard_by = sorted({*scope_ids, *managers})
    record(session, fact, ref=budget.id, version=budget.version, scope_ids=heard_by)


def _require_room(parent: Budget | None, difference: int) -> None:
    if parent is None:
        return
    if parent.closed_at is not None:
        raise PeriodClosed(period_from=parent.period_from, period_to=parent.period_to)
    if parent.available_minor < difference:
        raise InsufficientBudget(
            available=parent.available_minor, requested=difference, unit=parent.unit
        )


def _move(
    session: Session,
    budget: Budget,
    parent: Budget | None,
    difference: int,
    kind: str,
    now: datetime,
) -> None:
    above = parent.id if parent else ledger.company_account(session, "treasury", budget.unit)
    debit, credit = (above, budget.id) if difference > 0 else (budget.id, above)
    budget.limit_minor += difference
    if parent:
        parent.allotted_minor += difference
    session.flush()
    ledger.post(
        session,
        kind=kind,
        debit=debit,
        credit=credit,
        amount_minor=abs(difference),
        unit=budget.unit,
        reference=f"{kind}:{budget.id}:{budget.version}",
        now=now,
    )
