"""The statements that keep the summaries: find what differs, write the leaves, give the difference to every node."""

from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    FromClause,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    Uuid,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateTable

from app.core.work import tenant_of
from app.people.models import OrgUnitClosure
from roledata.models import Exact, LeafDay, NodeDay

leaf_day = cast("Table", LeafDay.__table__)
node_day = cast("Table", NodeDay.__table__)
closure = cast("Table", OrgUnitClosure.__table__)

KEY = ("measure", "day", "until")
LEAF_KEY = ("leaf_id", *KEY)
NODE_KEY = ("node_id", *KEY)
_VALUES = ("unit_id", "amount", "count")


def _work_table(name: str, **columns: Any) -> Table:
    """Describe a table that lives as long as the transaction."""
    described = [Column(column, kind) for column, kind in columns.items()]
    options: dict[str, Any] = {"prefixes": ["TEMPORARY"], "postgresql_on_commit": "DROP"}
    return Table(name, MetaData(), *described, **options)


#: The leaves and days to add up again.
TOUCHED = _work_table("roledata_touched", leaf_id=Uuid(), metric_group=Text(), day=Date())
#: What differs between the facts and the kept leaves: a sign for old or new, with its values.
DELTA = _work_table(
    "roledata_delta",
    sign=Integer(),
    leaf_id=Uuid(),
    measure=Text(),
    day=Date(),
    until=Date(),
    unit_id=Uuid(),
    amount=Exact,
    count=BigInteger(),
)
#: What is to be added to each node.
CHANGE = _work_table(
    "roledata_change",
    node_id=Uuid(),
    measure=Text(),
    day=Date(),
    until=Date(),
    amount=Exact,
    count=BigInteger(),
)
OLD, NEW = -1, 1


def lay_out(session: Session) -> None:
    """Lay out the work tables, empty."""
    for table in (TOUCHED, DELTA, CHANGE):
        session.execute(CreateTable(table, if_not_exists=True))
        session.execute(delete(table))


def write_leaves(session: Session, fresh: Select[Any], kept: Select[Any]) -> None:
    """Make the kept leaves what the fresh ones are; what differed stands in ``DELTA`` afterwards."""
    session.execute(delete(DELTA))
    _find_delta(session, fresh.subquery("fresh"), kept.subquery("kept"))
    same = and_(*(leaf_day.c[k] == DELTA.c[k] for k in LEAF_KEY))
    session.execute(delete(leaf_day).where(exists().where(same, DELTA.c.sign == OLD)))
    names = [*LEAF_KEY, *_VALUES]
    rows = select(_tenant(session), *(DELTA.c[n] for n in names)).where(DELTA.c.sign == NEW)
    session.execute(insert(leaf_day).from_select(["tenant_id", *names], rows))


def change_by_delta(session: Session) -> None:
    """Give each difference to the person it is about and to every unit above."""
    amount, count = DELTA.c.sign * DELTA.c.amount, DELTA.c.sign * DELTA.c.count
    key = [DELTA.c[k] for k in KEY]
    _keep_change(session, _to_nodes(DELTA, key, amount, count))


def change_by_leaves(session: Session) -> None:
    """Find where the nodes are not what all leaves add up to, as the organisation is now."""
    wanted = _to_nodes(leaf_day, [leaf_day.c[k] for k in KEY], leaf_day.c.amount, leaf_day.c.count)
    kept = select(
        *(node_day.c[k] for k in NODE_KEY),
        (-node_day.c.amount).label("amount"),
        -node_day.c["count"],
    )
    _keep_change(session, [*wanted, kept])


def write_nodes(session: Session) -> set[tuple[UUID, str]]:
    """Add the change to the nodes and drop what is empty; gives the measures of nodes that changed.

    First the rows that are there, then those that are not: a count below zero is a bug and no row.
    """
    same = and_(*(node_day.c[k] == CHANGE.c[k] for k in NODE_KEY))
    session.execute(
        update(node_day)
        .where(same)
        .values(
            amount=node_day.c.amount + CHANGE.c.amount,
            count=node_day.c["count"] + CHANGE.c["count"],
        )
    )
    names = [*NODE_KEY, "amount", "count"]
    missing = select(_tenant(session), *(CHANGE.c[n] for n in names)).where(~exists().where(same))
    session.execute(insert(node_day).from_select(["tenant_id", *names], missing))
    session.execute(delete(node_day).where(node_day.c["count"] == 0, exists().where(same)))
    changed = session.execute(select(CHANGE.c.node_id, CHANGE.c.measure).distinct())
    return {(row.node_id, row.measure) for row in changed}


def _find_delta(session: Session, fresh: FromClause, kept: FromClause) -> None:
    joined = fresh.join(kept, and_(*(fresh.c[k] == kept.c[k] for k in LEAF_KEY)), full=True)
    names = [*LEAF_KEY, *_VALUES]
    both = [
        part.c[n].label(f"{sign}_{n}") for sign, part in ((OLD, kept), (NEW, fresh)) for n in names
    ]
    differs = or_(*(fresh.c[c].is_distinct_from(kept.c[c]) for c in _VALUES))
    pairs = select(*both).select_from(joined).where(differs).cte("pairs")
    sides = [
        select(literal(sign), *(pairs.c[f"{sign}_{n}"] for n in names)).where(
            pairs.c[f"{sign}_count"].is_not(None)
        )
        for sign in (OLD, NEW)
    ]
    session.execute(insert(DELTA).from_select(["sign", *names], union_all(*sides)))


def _to_nodes(leaves: Table, key: list[Any], amount: Any, count: Any) -> list[Select[Any]]:
    """Give leaves to the units at and above theirs, and to the person, if the leaf is one."""
    above = leaves.join(closure, closure.c.descendant_id == leaves.c.unit_id)
    values = [*key, amount.label("amount"), count.label("count")]
    return [
        select(closure.c.ancestor_id.label("node_id"), *values).select_from(above),
        select(leaves.c.leaf_id.label("node_id"), *values).where(
            leaves.c.leaf_id != leaves.c.unit_id
        ),
    ]


def _keep_change(session: Session, parts: list[Select[Any]]) -> None:
    given = union_all(*parts).subquery("given")
    amount, count = func.sum(given.c.amount), func.sum(given.c["count"])
    summed = (
        select(*(given.c[k] for k in NODE_KEY), amount, count)
        .group_by(*(given.c[k] for k in NODE_KEY))
        .having(or_(amount != 0, count != 0))
    )
    session.execute(insert(CHANGE).from_select([*NODE_KEY, "amount", "count"], summed))


def _tenant(session: Session) -> Any:
    return literal(tenant_of(session)).label("tenant_id")
