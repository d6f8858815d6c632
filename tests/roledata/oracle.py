"""The oracle: an engine of its own adds all facts up anew, by its own statements, and knows no summaries."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import duckdb
from sqlalchemy import select

from app.people.models import Membership, OrgUnit
from erp_bridge.models import (
    Employee,
    ErpOrgUnit,
    InvoiceLine,
    LedgerEntry,
    Quota,
    SalesOrderLine,
)
from roledata.models import NodeDay
from tests.builders.company import Company

Sums = dict[tuple[UUID, str, date, date], tuple[Decimal, int]]

_SCHEMA = """
    CREATE TABLE unit (id VARCHAR, parent VARCHAR);
    CREATE TABLE seat (person VARCHAR, unit VARCHAR);
    CREATE TABLE employee (key VARCHAR, person VARCHAR);
    CREATE TABLE erp_unit (key VARCHAR, unit VARCHAR);
    CREATE TABLE fact (measure VARCHAR, seller VARCHAR, unit VARCHAR, day DATE, until DATE, amount DECIMAL(18,6));
"""
_ADD_UP = """
    WITH RECURSIVE root AS (SELECT id FROM unit WHERE parent IS NULL),
    chain(below, above) AS (
        SELECT id, id FROM unit
        UNION ALL
        SELECT chain.below, unit.parent FROM chain JOIN unit ON unit.id = chain.above WHERE unit.parent IS NOT NULL
    ),
    owned AS (
        SELECT fact.*, employee.person,
               CASE WHEN employee.person IS NOT NULL THEN seat.unit ELSE erp_unit.unit END AS home
          FROM fact
          LEFT JOIN employee ON employee.key = fact.seller AND employee.person IS NOT NULL
          LEFT JOIN seat ON seat.person = employee.person
          LEFT JOIN erp_unit ON erp_unit.key = fact.unit
    ),
    placed AS (SELECT *, coalesce(home, (SELECT id FROM root)) AS sits FROM owned),
    given AS (
        SELECT person AS node, measure, day, until, amount FROM placed WHERE person IS NOT NULL
        UNION ALL
        SELECT chain.above, measure, day, until, amount FROM placed JOIN chain ON chain.below = placed.sits
    )
    SELECT node, measure, day, until, sum(amount), count(*) FROM given GROUP BY ALL
"""


def add_up(company: Company) -> Sums:
    """Export the facts and add them up for every node and day."""
    with duckdb.connect() as engine:
        engine.execute(_SCHEMA)
        with company.transaction() as session:
            _export(engine, session)
        rows = engine.execute(_ADD_UP).fetchall()
    return {(UUID(n), m, day, until): (amount, lines) for n, m, day, until, amount, lines in rows}


def kept(company: Company) -> Sums:
    """Read what is kept for every node and day."""
    with company.transaction() as session:
        rows = session.scalars(select(NodeDay)).all()
    return {(r.node_id, r.measure, r.day, r.until): (r.amount, r.count) for r in rows}


def _export(engine: duckdb.DuckDBPyConnection, session: Any) -> None:
    units = session.execute(select(OrgUnit.id, OrgUnit.parent_id))
    _fill(engine, "unit", [(str(u), str(p) if p else None) for u, p in units])
    seats = session.execute(
        select(Membership.person_id, Membership.unit_id).where(Membership.is_primary)
    )
    _fill(engine, "seat", [(str(p), str(u)) for p, u in seats])
    people = session.execute(select(Employee.source_key, Employee.person_id))
    _fill(engine, "employee", [(k, str(p) if p else None) for k, p in people])
    named = session.execute(select(ErpOrgUnit.source_key, ErpOrgUnit.unit_id))
    _fill(engine, "erp_unit", [(k, str(u) if u else None) for k, u in named])
    facts = [fact for fact in _facts(session) if fact[3] is not None and fact[5] is not None]
    _fill(engine, "fact", facts)


def _facts(session: Any) -> list[tuple[Any, ...]]:
    quotas = [
        _fact("quota", quota, quota.period_from, quota.period_to, quota.amount)
        for quota in _live(session, Quota)
    ]
    return [*_order_facts(session), *_invoice_facts(session), *_expenses(session), *quotas]


def _order_facts(session: Any) -> Iterator[tuple[Any, ...]]:
    for line in _live(session, SalesOrderLine):
        if line.state not in {"open", "approved", "shipped", "closed"}:
            continue
        for measure, amount in (
            ("ordered_net", line.net),
            ("shipped_net", line.shipped_net),
            ("invoiced_of_orders", line.invoiced_net),
            ("ordered_gross_profit", _profit(line)),
        ):
            yield _fact(measure, line, line.ordered_on, line.ordered_on, amount)


def _invoice_facts(session: Any) -> Iterator[tuple[Any, ...]]:
    for line in _live(session, InvoiceLine):
        for measure, amount in (("invoiced_net", line.net), ("gross_profit", _profit(line))):
            yield _fact(measure, line, line.invoiced_on, line.invoiced_on, amount)


def _expenses(session: Any) -> Iterator[tuple[Any, ...]]:
    for entry in _live(session, LedgerEntry):
        if entry.account_type == "expense":
            amount, day = entry.debit - entry.credit, entry.booked_on
            yield ("expense", None, entry.org_unit_key, day, day, amount)


def _profit(line: Any) -> Decimal | None:
    return None if line.cost is None else line.net - line.cost


def _fact(
    measure: str, row: Any, day: date | None, until: date | None, amount: Any
) -> tuple[Any, ...]:
    return (measure, row.salesperson_key, row.org_unit_key, day, until, amount)


def _live(session: Any, model: Any) -> Any:
    return session.scalars(select(model).where(model.deleted_at.is_(None)))


def _fill(engine: duckdb.DuckDBPyConnection, table: str, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        marks = ", ".join("?" * len(rows[0]))
        engine.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
