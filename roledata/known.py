"""Figures as they were known at a moment, added up anew from the versions of the facts.

Whose a line was follows from how the company is organised and matched to the ERP now; what was known of it, from
the batches that had landed by then.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, Select, Subquery, bindparam, literal, select, union_all
from sqlalchemy import DateTime as MomentType
from sqlalchemy.sql.elements import ColumnElement

from app.people.models import OrgUnitClosure
from erp_bridge.facts import rows_known_at
from roledata.catalogue import QUOTA, Metric
from roledata.compiler import FACTS, summed_lines
from roledata.periods import Days

#: What a statement leaves open that was built once for every moment.
KNOWN_AT: ColumnElement[datetime] = bindparam("known_at", type_=MomentType(timezone=True))


def known_fact(source: str, moment: ColumnElement[datetime] = KNOWN_AT) -> Subquery:
    """The facts of a table as they were known at a moment."""
    return rows_known_at(FACTS[source], moment)


def known_node_days(
    metrics: Sequence[Metric],
    root_id: UUID,
    node_ids: Collection[UUID],
    windows: Sequence[Days],
    moment: datetime,
) -> CTE:
    """(node, measure, day, until, amount, count) of these nodes, as the summaries would have kept them then."""
    span = Days(min(days.first for days in windows), max(days.last for days in windows))
    parts = [part for metric in metrics for part in _lines(metric, root_id, span, moment)]
    leaves = union_all(*parts).cte("known_leaves")
    kept = [leaves.c[name] for name in ("measure", "day", "until", "amount", "count")]
    units = (
        select(OrgUnitClosure.ancestor_id.label("node_id"), *kept)
        .join(OrgUnitClosure, OrgUnitClosure.descendant_id == leaves.c.unit_id)
        .where(OrgUnitClosure.ancestor_id.in_(node_ids))
    )
    persons = select(leaves.c.leaf_id.label("node_id"), *kept).where(
        leaves.c.leaf_id.in_(node_ids), leaves.c.leaf_id != leaves.c.unit_id
    )
    return union_all(units, persons).cte("known_days")


def _lines(metric: Metric, root_id: UUID, span: Days, moment: datetime) -> list[Select[Any]]:
    fact = known_fact(metric.source, literal(moment, MomentType(timezone=True)))
    assert metric.time is not None
    until = fact.c.period_to if metric.key == QUOTA else fact.c[metric.time]
    within = (fact.c[metric.time] <= span.last, until >= span.first)
    return [part.where(*within) for part in summed_lines(metric, root_id, None, fact)]
