"""Answering cards: values, targets, comparisons and series of nodes that the resolver gave.

Everything is added up exactly and rounded when it is answered. What is not there is null, and ``missing`` says what.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

from roledata import queries
from roledata.adapters import ADAPTERS, TABLES_READ
from roledata.cache import Figure
from roledata.catalogue import MONEY, QUOTA, RATIO, Card, Metric
from roledata.desk import NOW, Desk, Question, Sums
from roledata.periods import Days, Period, point_step
from roledata.rules import Promise, minor, rate, target_of

LAST_YEAR, PREVIOUS, TARGET, NONE = "last_year", "previous", "target", "none"
#: The measure that counts all lines, with a known cost or without.
WITH_COST = {"invoice_line": "invoiced_net", "sales_order_line": "ordered_net"}
#: A comparison of this kind reads another window of days.
WINDOWS: dict[str, Callable[[Period], Days]] = {
    LAST_YEAR: Period.last_year,
    PREVIOUS: Period.previous,
}


def answer_figures(desk: Desk, questions: list[Question]) -> list[Figure]:
    """Answer many cards with few statements: one for the sums of each scope and period, one for its quotas."""
    if desk.known_at is not None:
        # What was known at some moment is asked for once; it would only push out what is asked all day.
        return _compute(desk, questions)
    keys = [_key(desk, question) for question in questions]
    found = [desk.cache.get(key) for key in keys]
    absent = [q for q, figure in zip(questions, found, strict=True) if figure is None]
    fresh = iter(_compute(desk, absent))
    answers: list[Figure] = []
    for key, figure in zip(keys, found, strict=True):
        if figure is None:
            figure = next(fresh)  # noqa: PLW2901 - the loop's own value, filled in
            desk.cache.put(key, figure)
        answers.append(figure)
    return answers


def promises_of(desk: Desk, node_ids: Iterable[UUID], days: Days) -> dict[UUID, list[Promise]]:
    """Read the quotas of nodes that reach into these days."""
    found: dict[UUID, list[Promise]] = defaultdict(list)
    kept = desk.node_days(list(node_ids), {QUOTA}, days)
    for row in desk.session.execute(queries.promises(list(node_ids), days, kept)):
        found[row.node_id].append(Promise(row.day, row.until, row.amount))
    return found


def _key(desk: Desk, question: Question) -> tuple[Any, ...]:
    card, period = question.card, question.period
    versions = tuple(metric.version for metric in desk.catalogue.metrics_of(card))
    return (
        desk.tenant_id,
        question.scope.node_ids,
        card.key,
        versions,
        question.scope.cost,
        (period.days, period.whole, period.today),
        question.compare,
        desk.currency,
        desk.data_version,
        frozenset(desk.landed),
        _read_live(desk, card),
    )


def _read_live(desk: Desk, card: Card) -> tuple[Any, ...]:
    """What else a figure follows from that is not kept by day: the rows themselves, and whose they are."""
    tables = TABLES_READ[card.live] if card.live else ()
    batches = tuple(desk.batches.get(table) for table in tables)
    return (batches, desk.arrangement) if tables else ()


def _compute(desk: Desk, questions: list[Question]) -> list[Figure]:
    groups: dict[tuple[Any, ...], list[Question]] = defaultdict(list)
    for question in questions:
        groups[question.scope.node_ids, question.period].append(question)
    sums = {key: _read_sums(desk, group) for key, group in groups.items()}
    return [_figure(desk, q, sums[q.scope.node_ids, q.period]) for q in questions]


def _read_sums(desk: Desk, questions: list[Question]) -> Sums:
    """Read what these questions of one scope and period need, together."""
    sums = Sums()
    scope, period = questions[0].scope, questions[0].period
    metrics = [m for q in questions for m in _shown(desk, q.card)]
    measures = {measure for metric in metrics for measure in metric.measures}
    if measures:
        measures |= {WITH_COST[metric.source] for metric in metrics if metric.mask}
        kinds = {q.compare for q in questions} & set(WINDOWS)
        windows = [(NOW, period.days, point_step(period.days))]
        windows += [(k, days, days.count) for k in sorted(kinds) for days in [WINDOWS[k](period)]]
        kept = desk.node_days(scope.node_ids, measures, *(days for _, days, _ in windows))
        for row in desk.session.execute(queries.sums(scope.node_ids, measures, windows, kept)):
            sums.totals[row.name, row.measure] += row.amount
            sums.counts[row.name, row.measure] += row.lines
            if row.name == NOW:
                sums.points[row.measure][row.point] = row.amount
    if any(metric.target for metric in metrics):
        promises = promises_of(desk, scope.node_ids, period.whole)
        sums.promises = [promise for group in promises.values() for promise in group]
    return sums


def _shown(desk: Desk, card: Card) -> list[Metric]:
    return [desk.metric_of(card), *(desk.catalogue.metrics[key] for key in card.parts)]


def _figure(desk: Desk, question: Question, sums: Sums) -> Figure:
    metric = desk.metric_of(question.card)
    figure: Figure = {
        "value": None,
        "target": None,
        "pace": None,
        "attainment": None,
        "comparison": None,
        "series": [],
        "parts": [],
        "items": [],
        "missing": [],
    }
    if metric.source not in desk.landed:
        return figure | {"missing": [metric.source]}
    if metric.measures:
        figure |= _kept(desk, question, metric, sums)
    if question.card.live:
        figure |= ADAPTERS[question.card.live](desk, question, metric, sums)
    return figure


def _kept(desk: Desk, question: Question, metric: Metric, sums: Sums) -> Figure:
    """Build what follows from sums by day."""
    period = question.period
    total = total_of(metric, sums, NOW)
    target = target_of(sums.promises, period.whole) if metric.target else None
    missing = [metric.target] if metric.target and target is None else []
    without_cost = lines_without_cost(metric, sums)
    nothing_known = without_cost and not sums.counts[NOW, metric.key]
    return {
        "value": None if nothing_known else said(desk, metric, total),
        "target": said(desk, metric, target),
        "pace": rate(period.pace, 1) if metric.target else None,
        "attainment": rate(total, target) if target and total is not None else None,
        "comparison": _comparison(desk, question, metric, sums, target),
        "series": _series(desk, metric, period, sums),
        "missing": missing + ([f"{metric.source}.cost"] if without_cost else []),
    }


def total_of(metric: Metric, sums: Sums, window: str) -> Fraction | None:
    """Add a metric up over a window; a ratio comes from its two sums."""
    if metric.aggregation != RATIO:
        return Fraction(sums.totals[window, metric.key])
    part, whole = (Fraction(sums.totals[window, measure]) for measure in metric.measures)
    return part / whole if whole else None


def said(desk: Desk, metric: Metric, exact: Fraction | None) -> int | float | None:
    """Say an exact value as it is answered: whole minor units, or a number."""
    if exact is None:
        return None
    if metric.unit == MONEY:
        return minor(exact, desk.currency)
    return rate(exact, 1) if metric.aggregation == RATIO else int(exact)


def _comparison(
    desk: Desk, question: Question, metric: Metric, sums: Sums, target: Fraction | None
) -> Figure | None:
    kind, period = question.compare, question.period
    if kind == NONE:
        return None
    if kind == TARGET:
        then = None if target is None else target * period.pace
        days = Days(period.whole.first, period.known.last)
    else:
        then, days = total_of(metric, sums, kind), WINDOWS[kind](period)
    now, was = said(desk, metric, total_of(metric, sums, NOW)), said(desk, metric, then)
    change = None if now is None or was is None else now - was
    return {
        "kind": kind,
        "period": {"from": days.first.isoformat(), "to": days.last.isoformat()},
        "value": was,
        "change": round(change, 4) if isinstance(change, float) else change,
        "ratio": rate(Fraction(change), abs(Fraction(was))) if change is not None and was else None,
    }


def _series(desk: Desk, metric: Metric, period: Period, sums: Sums) -> list[Figure]:
    step, days = point_step(period.days), period.known
    if period.today < period.days.first:
        return []
    count = -(-days.count // step)
    return [
        {
            "day": (days.first + timedelta(days=point * step)).isoformat(),
            "value": said(desk, metric, _point(metric, sums, point)),
        }
        for point in range(count)
    ]


def _point(metric: Metric, sums: Sums, point: int) -> Fraction | None:
    values = [Fraction(sums.points[measure].get(point, 0)) for measure in metric.measures]
    if metric.aggregation != RATIO:
        return values[0]
    return values[0] / values[1] if values[1] else None


def lines_without_cost(metric: Metric, sums: Sums) -> int:
    """Count the lines that are not in the profit because their cost is not known."""
    if metric.mask is None:
        return 0
    return sums.counts[NOW, WITH_COST[metric.source]] - sums.counts[NOW, metric.key]
