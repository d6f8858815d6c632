"""From definitions to SQL: the lines of facts that a metric adds up, and whom each belongs to.

A line belongs to the person whom its salesperson was matched to; without one, to the unit that the ERP names; without
that, to the company's root. A person's lines count where the person's primary unit is now.
"""

from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Select, Table, and_, func, literal, select

from app.people.models import Membership
from erp_bridge.canon import TABLES
from erp_bridge.models import (
    ApprovalTask,
    Employee,
    ErpOrgUnit,
    InvoiceLine,
    LedgerEntry,
    Quota,
    ReceivableItem,
    SalesOrderLine,
    StockLevel,
)
from roledata.catalogue import COUNT, QUOTA, Metric

FACTS: dict[str, Table] = {
    name: cast("Table", model.__table__)
    for name, model in {
        "sales_order_line": SalesOrderLine,
        "invoice_line": InvoiceLine,
        "ledger_entry": LedgerEntry,
        "quota": Quota,
        "receivable_item": ReceivableItem,
        "stock_level": StockLevel,
        "approval_task": ApprovalTask,
    }.items()
}
employee = cast("Table", Employee.__table__)
erp_unit = cast("Table", ErpOrgUnit.__table__)
membership = cast("Table", Membership.__table__)


@dataclass(frozen=True)
class Lines:
    """Lines of a fact table that are somebody's, joined to say whose."""

    fact: FromClause
    joined: FromClause
    leaf: ColumnElement[UUID]
    unit: ColumnElement[UUID]
    condition: ColumnElement[bool]


def lines_of(source: str, root: ColumnElement[UUID], fact: FromClause | None = None) -> list[Lines]:
    """Give the lines of persons, and the lines of units that nobody sold; together all, each once.

    ``fact``: where the lines are, if it is not the table of what is known now.
    """
    fact = FACTS[source] if fact is None else fact
    if "salesperson_key" not in fact.c:
        return [_unit_lines(fact, root)]
    return [_person_lines(fact, root), _unit_lines(fact, root)]


def amount_of(metric: Metric, fact: FromClause | None = None) -> ColumnElement[Any]:
    """Say what of a line is added up."""
    if metric.amount is None or metric.aggregation == COUNT:
        return literal(1)
    columns = (FACTS[metric.source] if fact is None else fact).c
    column: ColumnElement[Any] = columns[metric.amount.column]
    return column - columns[metric.amount.minus] if metric.amount.minus else column


def conditions_of(metric: Metric, fact: FromClause | None = None) -> ColumnElement[bool]:
    """Say which lines count: those still there, that fit the filters and have an amount."""
    columns = (FACTS[metric.source] if fact is None else fact).c
    chosen = [columns[c.column].in_(c.values) for c in metric.where]
    return and_(columns.deleted_at.is_(None), *chosen, amount_of(metric, fact).is_not(None))


def summed_lines(
    metric: Metric, root_id: UUID, touched: Table | None, fact: FromClause | None = None
) -> list[Select[Any]]:
    """Add a measure up by leaf and day, one statement for persons and one for units.

    With ``touched`` only for the leaves and days in it; with ``fact`` of other lines than those known now.
    """
    assert metric.time is not None
    lines = lines_of(metric.source, literal(root_id), fact)
    return [_summed(metric, part, touched) for part in lines]


def group_of(metric: Metric) -> str:
    """Name the group under which the bridge marks days of this measure as stale."""
    dirt = TABLES[metric.source].dirt
    assert dirt is not None
    return dirt.group


def _summed(metric: Metric, lines: Lines, touched: Table | None) -> Select[Any]:
    day = lines.fact.c[metric.time or ""]
    until = lines.fact.c.period_to if metric.key == QUOTA else day
    joined, condition = (
        lines.joined,
        and_(lines.condition, conditions_of(metric, lines.fact), day.is_not(None)),
    )
    if touched is not None:
        same = and_(touched.c.leaf_id == lines.leaf, touched.c.day == day)
        joined = joined.join(touched, and_(same, touched.c.metric_group == group_of(metric)))
    return (
        select(
            lines.leaf.label("leaf_id"),
            lines.unit.label("unit_id"),
            literal(metric.key).label("measure"),
            day.label("day"),
            until.label("until"),
            func.sum(amount_of(metric, lines.fact)).label("amount"),
            func.count().label("count"),
        )
        .select_from(joined)
        .where(condition)
        .group_by(lines.leaf, lines.unit, day, until)
    )


def _person_lines(fact: FromClause, root: ColumnElement[UUID]) -> Lines:
    joined = fact.join(employee, _is_salesperson(fact)).outerjoin(
        membership,
        and_(
            membership.c.tenant_id == employee.c.tenant_id,
            membership.c.person_id == employee.c.person_id,
            membership.c.is_primary,
        ),
    )
    unit = func.coalesce(membership.c.unit_id, root)
    return Lines(fact, joined, employee.c.person_id, unit, employee.c.person_id.is_not(None))


def _unit_lines(fact: FromClause, root: ColumnElement[UUID]) -> Lines:
    joined: FromClause = fact
    condition: ColumnElement[bool] = literal(value=True)
    unit: ColumnElement[UUID] = root
    if "salesperson_key" in fact.c:
        joined = joined.outerjoin(
            employee, and_(_is_salesperson(fact), employee.c.person_id.is_not(None))
        )
        condition = employee.c.person_id.is_(None)
    if "org_unit_key" in fact.c:
        joined = joined.outerjoin(
            erp_unit,
            and_(_same_source(fact, erp_unit), erp_unit.c.source_key == fact.c.org_unit_key),
        )
        unit = func.coalesce(erp_unit.c.unit_id, root)
    return Lines(fact, joined, unit, unit, condition)


def _is_salesperson(fact: FromClause) -> ColumnElement[bool]:
    return and_(_same_source(fact, employee), employee.c.source_key == fact.c.salesperson_key)


def _same_source(fact: FromClause, other: FromClause) -> ColumnElement[bool]:
    return and_(other.c.tenant_id == fact.c.tenant_id, other.c.source_id == fact.c.source_id)
