"""Verbs of budgets: opening one, changing its limit, and who may see or use it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import NotAllowed, NotFound, VersionConflict
from app.core.ids import new_id
from app.core.work import tenant_of
from app.people.models import OrgUnit, Person
from app.people.queries import granted_permissions, is_at_or_below
from app.people.services import write_audit
from redpackets import budget_queries, ledger, limits, queries
from redpackets.errors import (
    GiveOnly,
    OutsideParent,
    OwnerUnknown,
    PeriodClosed,
    PeriodRefused,
    TreeTooDeep,
    UnitMismatch,
)
from redpackets.models import Budget

TREE_DEPTH_MAX = 8

MANAGE = limits.MANAGE
SEND = "redpackets.send"
SEE_BUDGETS = (MANAGE, "redpackets.budgets", SEND, "redpackets.audit")


@dataclass(frozen=True, kw_only=True)
class NewBudget:
    """A budget to open: who answers for it, which cost centre it belongs to, how much, for how long."""

    name: str
    owner_id: UUID
    unit_id: UUID
    unit: str
    limit_minor: int
    period_from: date
    period_to: date
    #: The budget it is carved out of; None for the company's treasury.
    parent_id: UUID | None = None
    give_only: bool = False
    rolls_over: bool = False
    recovers_unused: bool = True
    receive_cap_minor: int | None = None


@dataclass(frozen=True, kw_only=True)
class BudgetChange:
    """What shall become different; what is None stays. ``version`` is the one that was read."""

    version: int
    name: str | None = None
    limit_minor: int | None = None
    period_to: date | None = None
    owner_id: UUID | None = None
    rolls_over: bool | None = None
    recovers_unused: bool | None = None
    receive_cap_minor: int | None = None
    #: Takes the cap away.
    is_uncapped: bool = False


def create_budget(session: Session, *, caller: Caller, new: NewBudget, now: datetime) -> Budget:
    """Open a budget, as somebody who may manage budgets at its cost centre, or carve it out of the one above."""
    if session.get(OrgUnit, (caller.tenant_id, new.unit_id)) is None:
        raise NotFound
    parent = session.get(Budget, (caller.tenant_id, new.parent_id)) if new.parent_id else None
    if new.parent_id and (parent is None or not may_see(session, caller, parent)):
        raise NotFound
    if not (_may_carve(session, caller, parent) if parent else _manages(session, caller, new)):
        raise NotAllowed
    return open_budget(session, new, actor_id=caller.person_id, now=now)


def open_budget(
    session: Session, new: NewBudget, *, actor_id: UUID | None, now: datetime
) -> Budget:
    """Open a budget and allot its limit to it: out of the budget above, or from the treasury."""
    _require_owner(session, new.owner_id)
    if new.period_from > new.period_to:
        raise PeriodRefused
    parent = session.scalar(queries.budget_locked(new.parent_id)) if new.parent_id else None
    if new.parent_id:
        _require_within(session, new, parent)
    budget = Budget(
        tenant_id=tenant_of(session), id=new_id(), created_at=now, **vars(new) | {"limit_minor": 0}
    )
    session.add(budget)
    session.flush()
    ledger.open_budget_account(session, budget)
    limits.set_limit(session, budget, parent, new.limit_minor, now)
    session.flush()
    audit(session, "open_budget", budget, actor_id, now)
    limits.tell_changed(session, budget, _owners(budget, parent))
    return budget


def change_budget(
    session: Session, *, caller: Caller, budget_id: UUID, change: BudgetChange, now: datetime
) -> Budget:
    """Change a budget; its limit never falls below what is held, spent and allotted, and stays within its parent."""
    budget, parent = limits.lock_with_parent(session, budget_id)
    if budget is None or not may_see(session, caller, budget):
        raise NotFound
    if not may_administer(session, caller, budget, parent):
        raise NotAllowed
    if change.version != budget.version:
        raise VersionConflict(current_version=budget.version)
    if budget.closed_at is not None:
        raise PeriodClosed(period_from=budget.period_from, period_to=budget.period_to)
    owners = _owners(budget, parent)
    _apply(session, budget, change)
    _require_period(session, budget, parent)
    budget.version += 1
    if change.limit_minor is not None:
        limits.set_limit(session, budget, parent, change.limit_minor, now)
    session.flush()
    audit(session, "change_budget", budget, caller.person_id, now)
    limits.tell_changed(session, budget, owners | _owners(budget, parent))
    return budget


def may_administer(session: Session, caller: Caller, budget: Budget, parent: Budget | None) -> bool:
    """Say whether the caller manages budgets at its cost centre, or the budget it was carved out of."""
    if _manages(session, caller, budget):
        return True
    return parent is not None and _may_carve(session, caller, parent)


def may_see(session: Session, caller: Caller, budget: Budget) -> bool:
    """Say whether the caller owns the budget or the one above, or holds a permission there that shows it."""
    if budget.owner_id == caller.person_id:
        return True
    if _holds_at(session, units_showing(caller), budget.unit_id):
        return True
    parent_owner = queries.budget_owner(budget.parent_id) if budget.parent_id else None
    return parent_owner is not None and session.scalar(parent_owner) == caller.person_id


def may_spend(session: Session, caller: Caller, budget: Budget) -> bool:
    """Say whether the caller may pay packets from it: its owner, and who may send for its cost centre."""
    return budget.owner_id == caller.person_id or _holds_at(
        session, caller.units_with(SEND), budget.unit_id
    )


def may_still_spend(session: Session, person_id: UUID, budget: Budget) -> bool:
    """Say whether a person who is not calling, such as the owner of a rule, may pay packets from it by now."""
    granted = session.execute(granted_permissions(person_id))
    held_at = frozenset(unit_id for _, permissions, unit_id in granted if SEND in permissions)
    return budget.owner_id == person_id or _holds_at(session, held_at, budget.unit_id)


def units_showing(caller: Caller) -> frozenset[UUID]:
    """List the units at and below which the caller sees budgets."""
    return frozenset[UUID]().union(*(caller.units_with(p) for p in SEE_BUDGETS))


def described(
    budget: Budget, claimed_unsettled: int, children: list[UUID], owner_name: str
) -> dict[str, Any]:
    """Say a budget as of now: what open packets already gave away counts as spent."""
    return {
        "id": budget.id,
        "name": budget.name,
        "owner_id": budget.owner_id,
        "owner_name": owner_name,
        "unit_id": budget.unit_id,
        "unit": budget.unit,
        "period_from": budget.period_from,
        "period_to": budget.period_to,
        "limit_minor": budget.limit_minor,
        "held_minor": budget.held_minor - claimed_unsettled,
        "spent_minor": budget.spent_minor + claimed_unsettled,
        "available_minor": budget.available_minor,
        "allotted_minor": budget.allotted_minor,
        "parent_id": budget.parent_id,
        "children": children,
        "predecessor_id": budget.predecessor_id,
        "give_only": budget.give_only,
        "rolls_over": budget.rolls_over,
        "recovers_unused": budget.recovers_unused,
        "receive_cap_minor": budget.receive_cap_minor,
        "closed_at": budget.closed_at,
        "version": budget.version,
    }


def read_budget(session: Session, budget_id: UUID) -> dict[str, Any]:
    """Describe one budget, with what open packets gave away."""
    session.flush()
    return described(*session.execute(budget_queries.budget_with_claims(budget_id)).one())


def budget_seen(session: Session, caller: Caller, budget_id: UUID) -> dict[str, Any]:
    """Describe a budget that the caller may see; any other does not exist."""
    budget = session.get(Budget, (caller.tenant_id, budget_id))
    if budget is None or not may_see(session, caller, budget):
        raise NotFound
    return read_budget(session, budget_id)


def require_spendable(session: Session, caller: Caller, budget_id: UUID) -> Budget:
    """Lock a budget that the caller may spend; one that may not be seen does not exist."""
    budget = session.scalar(queries.budget_locked(budget_id))
    if budget is None or not may_see(session, caller, budget):
        raise NotFound
    if not may_spend(session, caller, budget):
        raise NotAllowed
    return budget


def audit(
    session: Session, verb: str, budget: Budget, actor_id: UUID | None, now: datetime
) -> None:
    """Note who did what to a budget, and how it stands after it."""
    write_audit(
        session,
        actor_id=actor_id,
        action=f"redpackets.{verb}",
        subject=f"budget:{budget.id}",
        detail=f"limit {budget.limit_minor} {budget.unit}, {budget.period_from} to {budget.period_to}",
        now=now,
    )


def _require_within(session: Session, new: NewBudget, parent: Budget | None) -> None:
    """Refuse to carve a budget that would not lie within the one above, or one too many levels down."""
    if parent is None:
        raise NotFound
    if parent.unit != new.unit:
        raise UnitMismatch
    if parent.give_only:
        raise GiveOnly
    if parent.closed_at is not None:
        raise PeriodClosed(period_from=parent.period_from, period_to=parent.period_to)
    if not session.scalar(is_at_or_below(new.unit_id, [parent.unit_id])):
        raise OutsideParent("unit_id")
    _require_period_within(new, parent)
    if len(session.scalars(budget_queries.budget_line(parent.id)).all()) >= TREE_DEPTH_MAX:
        raise TreeTooDeep(maximum=TREE_DEPTH_MAX)


def _apply(session: Session, budget: Budget, change: BudgetChange) -> None:
    if change.owner_id:
        _require_owner(session, change.owner_id)
    for name in ("name", "period_to", "owner_id", "rolls_over", "recovers_unused"):
        asked = getattr(change, name)
        setattr(budget, name, getattr(budget, name) if asked is None else asked)
    if change.receive_cap_minor or change.is_uncapped:
        budget.receive_cap_minor = change.receive_cap_minor


def _require_period(session: Session, budget: Budget, parent: Budget | None) -> None:
    if budget.period_from > budget.period_to:
        raise PeriodRefused
    if parent is not None:
        _require_period_within(budget, parent)
    last = session.scalar(budget_queries.last_day_below(budget.id))
    if last is not None and last > budget.period_to:
        raise OutsideParent("period_to")


def _require_period_within(period: Budget | NewBudget, parent: Budget) -> None:
    if period.period_from < parent.period_from:
        raise OutsideParent("period_from")
    if period.period_to > parent.period_to:
        raise OutsideParent("period_to")


def _require_owner(session: Session, owner_id: UUID) -> None:
    owner = session.get(Person, (tenant_of(session), owner_id))
    if owner is None or not owner.active:
        raise OwnerUnknown


def _owners(budget: Budget, parent: Budget | None) -> set[UUID]:
    return {budget.owner_id} | ({parent.owner_id} if parent else set())


def _may_carve(session: Session, caller: Caller, parent: Budget) -> bool:
    return parent.owner_id == caller.person_id or _manages(session, caller, parent)


def _manages(session: Session, caller: Caller, budget: Budget | NewBudget) -> bool:
    return _holds_at(session, caller.units_with(MANAGE), budget.unit_id)


def _holds_at(session: Session, held_at: frozenset[UUID], unit_id: UUID) -> bool:
    return bool(held_at) and bool(session.scalar(is_at_or_below(unit_id, held_at)))
