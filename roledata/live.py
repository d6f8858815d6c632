"""SELECTs of what is not kept by day: open orders, ages of receivables, stock against demand, tasks, documents."""

from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    FromClause,
    Integer,
    Select,
    Table,
    Uuid,
    and_,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    type_coerce,
    union_all,
)

from app.people.models import OrgUnitClosure
from erp_bridge.models import ApprovalTask, Customer, Employee, FactVersion, Product, SalesOrder
from roledata.catalogue import Metric
from roledata.compiler import FACTS, Lines, amount_of, conditions_of, lines_of
from roledata.known import known_fact
from roledata.models import still_to_ship
from roledata.rules import AGE_BUCKETS
from roledata.scopes import Scope

ITEM_COUNT_MAX = 10
#: An order in one of these states may still ship something.
_MAY_SHIP = ("open", "approved", "shipped")
_PENDING = "pending"

#: What a statement leaves open, so that it is built once; filled in by ``asked_of``.
UNITS = bindparam("unit_ids", type_=Uuid(), expanding=True)
PERSONS = bindparam("person_ids", type_=Uuid(), expanding=True)
ROOT = bindparam("root_id", type_=Uuid())
TODAY = bindparam("today", type_=Date())

order_line = FACTS["sales_order_line"]
stock_level = FACTS["stock_level"]
receivable = FACTS["receivable_item"]
task = cast("Table", ApprovalTask.__table__)
applicant = cast("Table", Employee.__table__).alias("applicant")
approver = cast("Table", Employee.__table__).alias("approver")


@cache
def fact(source: str, *, then: bool) -> FromClause:
    """The facts of a table as they are known; ``then``: as they were known at the moment asked for."""
    return known_fact(source) if then else FACTS[source]


@cache
def open_orders(*, then: bool) -> Select[Any]:
    """(open amount, open orders, overdue amount, overdue orders) of the scope."""
    line = fact("sales_order_line", then=then)
    unshipped = line.c.net - func.coalesce(line.c.shipped_net, 0)
    due = line.c.due_on.label("due_on")
    columns = [line.c.source_id, line.c.order_key, due, unshipped.label("unshipped")]
    lines = _of_scope("sales_order_line", columns, _is_open(line), line).subquery()
    overdue = lines.c.due_on < TODAY
    order = func.concat_ws("|", lines.c.source_id, lines.c.order_key).distinct()
    return select(
        func.coalesce(func.sum(lines.c.unshipped), 0).label("open_amount"),
        func.count(order).label("open_count"),
        func.coalesce(func.sum(lines.c.unshipped).filter(overdue), 0).label("overdue_amount"),
        func.count(order).filter(overdue).label("overdue_count"),
    )


@cache
def ages(metric: Metric, *, then: bool) -> Select[str, Any, int]:
    """(bucket, open amount, items) of what the scope's customers owe."""
    item = fact("receivable_item", then=then)
    columns = [item.c.due_on, amount_of(metric, item).label("amount")]
    still_open = and_(conditions_of(metric, item), amount_of(metric, item) != literal_column("0"))
    items = _of_scope("receivable_item", columns, still_open, item).subquery()
    bucket = _bucket(items.c.due_on)
    return select(
        bucket.label("bucket"),
        func.sum(items.c.amount).label("amount"),
        func.count().label("items"),
    ).group_by(bucket)


@cache
def short_products(*, then: bool) -> Select[Any]:
    """Products of which less is available than the scope's open orders ask for, the shortest first."""
    line, level = fact("sales_order_line", then=then), fact("stock_level", then=then)
    wanted = line.c.quantity - func.coalesce(line.c.shipped_quantity, 0)
    columns = [line.c.source_id, line.c.product_key, wanted.label("wanted")]
    lines = _of_scope("sales_order_line", columns, _is_open(line), line).subquery()
    demand = _by_product(lines, lines.c.wanted).subquery("demand")
    there = select(
        level.c.source_id,
        level.c.product_key,
        func.coalesce(level.c.available, level.c.on_hand).label("available"),
    ).where(level.c.deleted_at.is_(None))
    asked_for = tuple_(level.c.source_id, level.c.product_key).in_(
        select(lines.c.source_id, lines.c.product_key)
    )
    levels = there.where(asked_for).subquery()
    stock = _by_product(levels, levels.c.available).subquery("stock")
    available = func.coalesce(stock.c.quantity, 0)
    short = demand.c.quantity - available
    same = and_(
        stock.c.source_id == demand.c.source_id, stock.c.product_key == demand.c.product_key
    )
    product = and_(
        Product.source_id == demand.c.source_id, Product.source_key == demand.c.product_key
    )
    return (
        select(
            func.coalesce(Product.code, demand.c.product_key).label("code"),
            Product.name,
            available.label("available"),
            demand.c.quantity.label("demand"),
            short.label("short"),
            func.count().over().label("total"),
        )
        .select_from(demand.outerjoin(stock, same).outerjoin(Product, product))
        .where(short > 0)
        .order_by(short.desc(), demand.c.product_key)
        .limit(ITEM_COUNT_MAX)
    )


def waiting_tasks(person_id: UUID, *, then: bool) -> Select[Any]:
    """The documents that wait for a person, the longest waiting first."""
    task = fact("approval_task", then=then)
    return (
        select(
            task.c.source_id,
            task.c.source_key,
            task.c.document_kind,
            task.c.document_code,
            task.c.amount,
            task.c.requested_on,
            task.c.due_on,
            applicant.c.name.label("applicant"),
            func.count().over().label("total"),
        )
        .select_from(
            task.join(approver, _is_employee(task, approver, "approver_key")).outerjoin(
                applicant, _is_employee(task, applicant, "applicant_key")
            )
        )
        .where(
            task.c.deleted_at.is_(None),
            task.c.state == _PENDING,
            approver.c.person_id == person_id,
        )
        .order_by(task.c.requested_on, task.c.source_key)
        .limit(ITEM_COUNT_MAX)
    )


def lines_in_scope(
    metric: Metric, columns: list[Any], condition: Any, lines: FromClause
) -> Select[Any]:
    """The lines of a metric's facts that belong to the scope."""
    counted = and_(conditions_of(metric, lines), condition)
    return _of_scope(metric.source, columns, counted, lines)


def asked_of(scope: Scope, root_id: UUID, today: date, known_at: datetime | None) -> dict[str, Any]:
    """Fill in what the statements of this file leave open: whose, as of which day, as known when."""
    return {
        "unit_ids": scope.unit_ids,
        "person_ids": scope.person_ids,
        "root_id": root_id,
        "today": today,
        "known_at": known_at,
    }


def customer_of(columns: Any) -> ColumnElement[bool]:
    """Join the customer of a document."""
    return and_(
        Customer.source_id == columns.source_id, Customer.source_key == columns.customer_key
    )


def order_of(columns: Any) -> ColumnElement[bool]:
    """Join the order of its lines."""
    return and_(
        SalesOrder.source_id == columns.source_id, SalesOrder.source_key == columns.document_key
    )


def _of_scope(
    source: str, columns: list[Any], condition: ColumnElement[bool], facts: FromClause
) -> Select[Any]:
    parts = [
        select(*columns, lines.leaf.label("leaf_id"))
        .select_from(lines.joined)
        .where(lines.condition, condition, _is_in_scope(lines))
        for lines in lines_of(source, ROOT, facts)
    ]
    return select(union_all(*parts).subquery())


def _is_in_scope(lines: Lines) -> ColumnElement[bool]:
    below = select(OrgUnitClosure.descendant_id).where(OrgUnitClosure.ancestor_id.in_(UNITS))
    return or_(lines.leaf.in_(PERSONS), lines.unit.in_(below))


def _is_open(line: FromClause) -> ColumnElement[bool]:
    return and_(line.c.deleted_at.is_(None), line.c.state.in_(_MAY_SHIP), still_to_ship(line.c))


def _by_product(lines: Any, quantity: Any) -> Select[Any]:
    return select(
        lines.c.source_id, lines.c.product_key, func.sum(quantity).label("quantity")
    ).group_by(lines.c.source_id, lines.c.product_key)


def _bucket(due_on: Any) -> ColumnElement[str]:
    overdue = func.coalesce(type_coerce(TODAY - due_on, Integer), 0)
    limits = [(overdue <= days, name) for name, days in AGE_BUCKETS if days is not None]
    return case(*limits, else_=AGE_BUCKETS[-1][0])


def _is_employee(task: FromClause, found: Any, key: str) -> ColumnElement[bool]:
    return and_(
        found.c.tenant_id == task.c.tenant_id,
        found.c.source_id == task.c.source_id,
        found.c.source_key == task.c[key],
    )


def _stock_leaves(source_id: UUID, batch_id: UUID, root_id: UUID) -> Select[Any]:
    """Whose open orders ask for products of which a batch changed the stock."""
    products = select(stock_level.c.product_key).where(
        stock_level.c.source_id == source_id, stock_level.c.batch_id == batch_id
    )
    wanted = and_(
        order_line.c.source_id == source_id,
        order_line.c.product_key.in_(products),
        _is_open(order_line),
    )
    return _leaves("sales_order_line", wanted, root_id)


def _receivable_leaves(source_id: UUID, batch_id: UUID, root_id: UUID) -> Select[Any]:
    """Whose receivables a batch changed."""
    changed = and_(receivable.c.source_id == source_id, receivable.c.batch_id == batch_id)
    return _leaves("receivable_item", changed, root_id)


def _approvers(source_id: UUID, batch_id: UUID, root_id: UUID) -> Select[Any]:
    """For whom a batch changed what waits: who decides now, and who did before."""
    now = select(task.c.approver_key).where(
        task.c.source_id == source_id, task.c.batch_id == batch_id
    )
    before = select(FactVersion.row["approver_key"].astext).where(
        FactVersion.source_id == source_id,
        FactVersion.batch_closed == batch_id,
        FactVersion.table_name == task.name,
    )
    return select(approver.c.person_id).where(
        approver.c.source_id == source_id,
        approver.c.person_id.is_not(None),
        or_(approver.c.source_key.in_(now), approver.c.source_key.in_(before)),
    )


def _leaves(source: str, condition: ColumnElement[bool], root_id: UUID) -> Select[Any]:
    parts = [
        select(lines.leaf.label("leaf_id"))
        .select_from(lines.joined)
        .where(lines.condition, condition)
        for lines in lines_of(source, literal(root_id))
    ]
    return select(union_all(*parts).subquery())


#: How each kind of live card finds whom a batch concerns.
LEAVES_OF_BATCH: dict[str, Callable[[UUID, UUID, UUID], Select[Any]]] = {
    "stock_cover": _stock_leaves,
    "ageing": _receivable_leaves,
    "tasks": _approvers,
}
