"""Breaking a figure down by units or people: parts that add up to it, and what belongs to none of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from roledata import queries
from roledata.catalogue import RATIO, Metric
from roledata.desk import NOW, Desk, Question
from roledata.figures import WINDOWS, answer_figures, promises_of, said
from roledata.periods import Days
from roledata.rules import Promise, rate, target_of
from roledata.scopes import PERSON, UNIT
from roledata.services import Asked, Reader, ask, describe, open_desk

ROW_COUNT_MAX = 200
UNITS, PEOPLE, REST = "units", "people", "rest"


@dataclass
class _Part:
    """A node's share of a figure."""

    kind: str
    id: UUID | None
    name: str | None
    sums: dict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    promises: list[Promise] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not any(self.sums.values()) and not self.promises


def break_down(
    session: Session, *, reader: Reader, key: str, asked: Asked, by: str
) -> dict[str, Any]:
    """Cut a figure by the units directly below, or by the people; ``rest`` is what is nobody's."""
    question = ask(session, reader=reader, key=key, asked=asked)
    desk = open_desk(session, reader)
    metric = desk.metric_of(question.card)
    if not metric.measures:
        raise NotFound
    (figure,) = answer_figures(desk, [question])
    whole = _Part(REST, None, None)
    parts = _read_parts(desk, question, metric, _nodes(session, question, by))
    _read_whole(desk, question, metric, whole)
    shown, rest = _split(parts, whole, metric)
    rows = [_row(desk, question, metric, part) for part in shown]
    if not rest.is_empty:
        rows.append(_row(desk, question, metric, rest))
    return {"figure": describe(desk, reader, question, figure), "by": by, "rows": rows}


def _nodes(session: Session, question: Question, by: str) -> list[_Part]:
    scope = question.scope
    if by == PEOPLE:
        people = session.execute(queries.people_below(scope.unit_ids)).all()
        found = {row.id: _Part(PERSON, row.id, row.name) for row in people}
        alone = {n.id: _Part(PERSON, n.id, n.name) for n in scope.nodes if n.kind == PERSON}
        return list((found | alone).values())
    if len(scope.nodes) > 1 or scope.person_ids:
        return [_Part(node.kind, node.id, node.name) for node in scope.nodes]
    units = session.execute(queries.children_of(scope.unit_ids))
    return [_Part(UNIT, row.id, row.name) for row in units]


def _read_parts(desk: Desk, question: Question, metric: Metric, parts: list[_Part]) -> list[_Part]:
    by_id = {part.id: part for part in parts if part.id}
    if not by_id:
        return []
    statement = _sums(desk, question, metric, list(by_id))
    for row in desk.session.execute(statement):
        by_id[row.node_id].sums[row.name, row.measure] = row.amount
    if metric.target:
        for node_id, found in promises_of(desk, by_id, question.period.whole).items():
            by_id[node_id].promises = found
    return [part for part in parts if not part.is_empty or part.kind == UNIT]


def _read_whole(desk: Desk, question: Question, metric: Metric, whole: _Part) -> None:
    node_ids = question.scope.node_ids
    statement = _sums(desk, question, metric, node_ids)
    for row in desk.session.execute(statement):
        whole.sums[row.name, row.measure] += row.amount
    if metric.target:
        groups = promises_of(desk, node_ids, question.period.whole).values()
        whole.promises = [promise for group in groups for promise in group]


def _sums(
    desk: Desk, question: Question, metric: Metric, node_ids: Collection[UUID]
) -> Select[Any]:
    windows = _windows(question)
    kept = desk.node_days(node_ids, metric.measures, *(days for _, days in windows))
    return queries.sums_by_node(node_ids, metric.measures, windows, kept)


def _windows(question: Question) -> list[tuple[str, Days]]:
    windows = [(NOW, question.period.days)]
    if question.compare in WINDOWS:
        windows.append((question.compare, WINDOWS[question.compare](question.period)))
    return windows


def _split(parts: list[_Part], whole: _Part, metric: Metric) -> tuple[list[_Part], _Part]:
    """Show the largest; the whole less what is shown is the rest."""
    main = (NOW, metric.measures[0])
    shown = sorted(parts, key=lambda part: (-part.sums[main], part.name or ""))[:ROW_COUNT_MAX]
    for part in shown:
        for key, amount in part.sums.items():
            whole.sums[key] -= amount
        whole.promises += [_negative(promise) for promise in part.promises]
    whole.promises = list(_netted(whole.promises))
    return shown, whole


def _negative(promise: Promise) -> Promise:
    return Promise(promise.first, promise.until, -promise.amount)


def _netted(promises: Iterable[Promise]) -> Iterable[Promise]:
    """Add up what asks for the same days; what comes to nothing is nothing."""
    amounts: dict[Days, Decimal] = defaultdict(Decimal)
    for promise in promises:
        amounts[Days(promise.first, promise.until)] += promise.amount
    return (Promise(days.first, days.last, amount) for days, amount in amounts.items() if amount)


def _row(desk: Desk, question: Question, metric: Metric, part: _Part) -> dict[str, Any]:
    value = _total(metric, part, NOW)
    before = _total(metric, part, question.compare) if question.compare in WINDOWS else None
    target = target_of(part.promises, question.period.whole) if metric.target else None
    now, was = said(desk, metric, value), said(desk, metric, before)
    return {
        "kind": part.kind,
        "id": str(part.id) if part.id else None,
        "name": part.name,
        "value": now,
        "target": said(desk, metric, target),
        "attainment": rate(value, target) if target and value is not None else None,
        "before": was,
        "change": None if now is None or was is None else round(now - was, 4),
    }


def _total(metric: Metric, part: _Part, window: str) -> Fraction | None:
    if metric.aggregation != RATIO:
        return Fraction(part.sums[window, metric.key])
    over, whole = (Fraction(part.sums[window, measure]) for measure in metric.measures)
    return over / whole if whole else None
