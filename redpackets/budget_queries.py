"""SELECTs of budgets: their tree, what is due to be closed, and what their readers see."""

from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, exists, func, or_, select, text, union
from sqlalchemy.orm import aliased

from app.people.models import OrgUnitClosure, Person
from redpackets.models import UNUSED, Budget, Packet, Share

SHOWN_CHILDREN_MAX = 200


def budget_and_parent_locked(budget_id: UUID) -> Select[Budget]:
    """A budget and the one above it, alone, in the order of their ids."""
    above = select(Budget.parent_id).where(Budget.id == budget_id).scalar_subquery()
    return _locked_in_order(or_(Budget.id == budget_id, Budget.id == above))


def budget_line(budget_id: UUID) -> Select[UUID]:
    """A budget and all above it; a budget's parent never changes."""
    line = select(Budget.id, Budget.parent_id).where(Budget.id == budget_id).cte(recursive=True)
    above = select(Budget.id, Budget.parent_id).join(line, Budget.id == line.c.parent_id)
    return select(line.union(above).c.id)


def budget_in_force(budget_id: UUID, on: date) -> Select[UUID]:
    """Of a budget and all that it rolled over into, the one that may be spent on a day."""
    line = select(Budget.id).where(Budget.id == budget_id).cte(recursive=True)
    line = line.union(select(Budget.id).join(line, Budget.predecessor_id == line.c.id))
    return (
        select(Budget.id)
        .where(Budget.id.in_(select(line.c.id)), Budget.period_from <= on, Budget.period_to >= on)
        .order_by(Budget.period_from.desc())
        .limit(1)
    )


def budget_family_locked(budget_id: UUID) -> Select[Budget]:
    """A budget, all above it and the successors of all these, alone, in the order of their ids."""
    line = budget_line(budget_id)
    return _locked_in_order(or_(Budget.id.in_(line), Budget.predecessor_id.in_(line)))


def open_budgets_below(budget_id: UUID) -> Select[UUID]:
    """The budgets carved out of one that are not closed yet."""
    return select(Budget.id).where(Budget.parent_id == budget_id, Budget.closed_at.is_(None))


def last_day_below(budget_id: UUID) -> Select[date | None]:
    """The last day of any open budget carved out of one."""
    return select(func.max(Budget.period_to)).where(
        Budget.parent_id == budget_id, Budget.closed_at.is_(None)
    )


def budgets_over(today: date, limit: int) -> Select[UUID]:
    """Open budgets whose period is over and that hold nothing, those below first."""
    below = aliased(Budget)
    has_open_below = exists().where(
        below.tenant_id == Budget.tenant_id,
        below.parent_id == Budget.id,
        below.closed_at.is_(None),
    )
    return (
        select(Budget.id)
        .where(
            Budget.closed_at.is_(None),
            Budget.period_to < today,
            Budget.held_minor == 0,
            ~has_open_below,
        )
        .order_by(Budget.id.desc())
        .limit(limit)
    )


def budgets_to_reclaim(limit: int) -> Select[UUID]:
    """Open budgets of people who left, and closed ones with something unused that goes back, those below first."""
    owned_by = and_(Person.tenant_id == Budget.tenant_id, Person.id == Budget.owner_id)
    left_open = (
        select(Budget.id).join(Person, owned_by).where(~Person.active, Budget.closed_at.is_(None))
    )
    closed_unused = (
        select(Budget.id)
        .join(Person, owned_by)
        .where(
            Budget.closed_at.is_not(None),
            text(UNUSED),
            or_(~Person.active, Budget.recovers_unused),
        )
    )
    found = union(left_open, closed_unused).subquery()
    return select(found.c.id).order_by(found.c.id.desc()).limit(limit)


def budgets_visible(
    person_id: UUID,
    held_at: Collection[UUID],
    *,
    after: UUID | None,
    limit: int,
    is_tree: bool,
    give_only: bool | None,
) -> Select[Any]:
    """The budgets a person owns, carved from, may use or see where permissions are held, with live claims.

    Newest first, or in a tree's order: whatever was carved out of a budget comes after it; people's allowances alone,
    all but these, or both (None). Each row: the budget, what was claimed from its packets that are not settled yet,
    the ids of those right below it, and its owner's name.
    """
    below = select(OrgUnitClosure.descendant_id).where(OrgUnitClosure.ancestor_id.in_(held_at))
    own = select(Budget.id).where(Budget.owner_id == person_id)
    found = (
        _budgets_described()
        .where(
            or_(
                Budget.owner_id == person_id,
                Budget.unit_id.in_(below),
                Budget.parent_id.in_(own),
            )
        )
        .order_by(Budget.id.asc() if is_tree else Budget.id.desc())
        .limit(limit)
    )
    if give_only is not None:
        found = found.where(Budget.give_only.is_(give_only))
    if after is None:
        return found
    return found.where(Budget.id > after if is_tree else Budget.id < after)


def budget_with_claims(budget_id: UUID) -> Select[Any]:
    """One budget as ``budgets_visible`` gives it."""
    return _budgets_described().where(Budget.id == budget_id)


def _locked_in_order(condition: Any) -> Select[Budget]:
    return (
        select(Budget)
        .where(condition)
        .order_by(Budget.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _budgets_described() -> Select[Any]:
    below = aliased(Budget)
    children = (
        select(below.id)
        .where(below.tenant_id == Budget.tenant_id, below.parent_id == Budget.id, ~below.give_only)
        .order_by(below.id)
        .limit(SHOWN_CHILDREN_MAX)
        .correlate(Budget)
        .scalar_subquery()
    )
    return select(
        Budget,
        _claimed_unsettled(),
        func.array(children).label("children"),
        Person.name.label("owner_name"),
    ).join(Person, and_(Person.tenant_id == Budget.tenant_id, Person.id == Budget.owner_id))


def _claimed_unsettled() -> Any:
    return (
        select(func.coalesce(func.sum(Share.amount_minor), 0))
        .join(Packet, and_(Packet.tenant_id == Share.tenant_id, Packet.id == Share.packet_id))
        .where(
            Packet.tenant_id == Budget.tenant_id,
            Packet.budget_id == Budget.id,
            Packet.settled_at.is_(None),
            Share.state == "claimed",
        )
        .correlate(Budget)
        .scalar_subquery()
        .label("claimed_unsettled")
    )
