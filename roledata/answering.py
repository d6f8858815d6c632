"""Answering what others ask of figures, about a unit or a person as such: the same figures that the cards show.

Nobody looks over the shoulder here: whoever keeps a rule on a figure was asked, by ``may_see``, when it was made.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import NotFound, Texts
from app.core.paging import Page
from app.core.work import tenant_of
from app.people.models import Tenant
from roledata import queries
from roledata.cache import FigureCache
from roledata.catalogue import COST, QUOTA, Card, Catalogue, Metric
from roledata.desk import NOW, Desk, Question, Sums
from roledata.documents import count_documents, documents_behind
from roledata.figures import (
    NONE,
    WITH_COST,
    answer_figures,
    lines_without_cost,
    promises_of,
    said,
    total_of,
)
from roledata.grammar import catalogue
from roledata.periods import Days, Period
from roledata.rules import target_of
from roledata.scopes import Resolver, scope_of_subject, viewer_of
from roledata.services import is_late, lay_desk

#: (first day, last day that counts, last day of the period that the target is set for)
Span = tuple[date, date, date]


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What can be asked for: its key, its unit (money, count or ratio), whether targets are set for it."""

    key: str
    unit: str
    has_target: bool
    version: str


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A figure of a subject: money in minor units; ``missing`` names what the value would need and is not there."""

    value: Decimal | None
    target: Decimal | None
    last_year: Decimal | None
    missing: tuple[str, ...]
    as_of: datetime | None
    source: str | None
    is_late: bool
    batch_id: UUID | None
    metric_version: str


@dataclass(frozen=True, kw_only=True)
class PastReading:
    """How a figure grew over a span: its value at the end of each day on which it moved."""

    subject_id: UUID
    span: Span
    days: tuple[tuple[date, Decimal | None], ...]
    target: Decimal | None
    last_year: Decimal | None
    missing: tuple[str, ...]


class FigureAnswers:
    """The figures of role data, for who keeps rules on them."""

    def __init__(self, cache: FigureCache) -> None:
        self._cache = cache

    def measure(self, key: str) -> Measure | None:
        """Say what a metric is; none for what is not kept by day."""
        metric = catalogue().metrics.get(key)
        if metric is None or key == QUOTA or not metric.measures:
            return None
        return Measure(
            key=key,
            unit=metric.unit,
            has_target=metric.target is not None,
            version=metric.version,
        )

    def measures(self) -> list[Measure]:
        """List all that can be asked for."""
        found = map(self.measure, sorted(catalogue().metrics))
        return [measure for measure in found if measure is not None]

    def may_see(
        self, session: Session, *, caller: Caller, metric: str, subject_ids: Collection[UUID]
    ) -> bool:
        """Say whether the caller has a card with this metric for every one of these units and persons."""
        resolver, asked = Resolver(session, viewer_of(caller)), catalogue().metrics[metric]
        cards = [card for card in catalogue().cards.values() if metric in _shown_on(card)]
        return all(
            any(_is_visible(resolver, card, asked, subject_id) for card in cards)
            for subject_id in subject_ids
        )

    def reading(
        self,
        session: Session,
        *,
        metric: str,
        subject_id: UUID,
        span: Span,
        on: date,
        now: datetime,
        with_last_year: bool,
    ) -> Reading:
        """Read a figure as it stands on a day; where asked for, against all of the span a year before."""
        desk = self._desk(session, on)
        asked = desk.catalogue.metrics[metric]
        before = _year_before(span)
        periods = [_period(span, on)]
        periods += [Period(before, before, before.last)] if with_last_year else []
        figure, *then = answer_figures(
            desk, [_question(session, metric, subject_id, period) for period in periods]
        )
        landed = desk.landed.get(asked.source)
        return Reading(
            value=_decimal(figure["value"]),
            target=_decimal(figure["target"]),
            last_year=_decimal(then[0]["value"]) if then else None,
            missing=tuple(name for name in figure["missing"] if name != asked.target),
            as_of=landed.as_of if landed else None,
            source=landed.source if landed else None,
            is_late=is_late(landed, asked.freshness_minutes, now),
            batch_id=landed.batch_id if landed else None,
            metric_version=asked.version,
        )

    def documents(
        self, session: Session, *, metric: str, subject_id: UUID, span: Span, on: date, most: int
    ) -> tuple[list[dict[str, Any]], int]:
        """List the newest documents that the figure adds up as it stands on a day, and count them all."""
        question = _question(session, metric, subject_id, _period(span, on))
        desk = self._desk(session, on)
        found, more = documents_behind(desk, question, Page(limit=most))
        return found, count_documents(desk, question) if more else len(found)

    def history(
        self,
        session: Session,
        *,
        metric: str,
        subject_ids: Sequence[UUID],
        spans: Sequence[Span],
        on: date,
    ) -> list[PastReading]:
        """Say how a figure of each subject grew over each span, as the facts stand now."""
        desk = self._desk(session, on)
        asked = desk.catalogue.metrics[metric]
        lines = _read_lines(desk, asked, subject_ids, spans)
        return [
            _past(desk, asked, subject_id, span, lines[subject_id])
            for subject_id in subject_ids
            for span in spans
        ]

    def _desk(self, session: Session, on: date) -> Desk:
        tenant = session.get_one(Tenant, tenant_of(session))
        return lay_desk(
            session,
            catalogue=catalogue(),
            cache=self._cache,
            currency=tenant.currency,
            today=on,
        )


#: Of one subject: (day, measure, amount, lines), in order of the days.
_Line = tuple[date, str, Decimal, int]


def _shown_on(card: Card) -> set[str]:
    definitions: Catalogue = catalogue()
    return {metric.key for metric in definitions.metrics_of(card)}


def _is_visible(resolver: Resolver, card: Card, metric: Metric, subject_id: UUID) -> bool:
    try:
        scope = resolver.named(card, subject_id)
    except NotFound:
        return False
    return scope.cost or metric.mask != COST


def _question(session: Session, metric: str, subject_id: UUID, period: Period) -> Question:
    """Ask for the bare metric, as a card of its own would show it."""
    card = Card(
        key=f"metric:{metric}",
        title=Texts("", ""),
        layout="number",
        metric=metric,
        otherwise=None,
        parts=(),
        live=None,
        permissions=(),
    )
    return Question(card, scope_of_subject(session, subject_id), period, NONE)


def _period(span: Span, on: date) -> Period:
    first, last, until = span
    return Period(Days(first, max(first, min(last, on))), Days(first, until), on)


def _year_before(span: Span) -> Days:
    """The same days a year before, all of them: what is outgrown is a whole span, not the first days of one."""
    first, last, until = span
    return Period(Days(first, last), Days(first, until), last).last_year()


def _read_lines(
    desk: Desk, metric: Metric, subject_ids: Sequence[UUID], spans: Sequence[Span]
) -> dict[UUID, list[_Line]]:
    befores = [_year_before(span) for span in spans]
    days = Days(
        min([before.first for before in befores], default=desk.today),
        max([span[1] for span in spans], default=desk.today),
    )
    measures = {*metric.measures, *([WITH_COST[metric.source]] if metric.mask else [])}
    found: dict[UUID, list[_Line]] = defaultdict(list)
    for row in desk.session.execute(queries.daily(subject_ids, measures, days)):
        found[row.node_id].append((row.day, row.measure, row.amount, row.lines))
    for lines in found.values():
        lines.sort(key=lambda line: line[0])
    return found


def _past(
    desk: Desk, metric: Metric, subject_id: UUID, span: Span, lines: list[_Line]
) -> PastReading:
    first, last, until = span
    known = Days(first, min(last, desk.today))
    whole, sums = Days(first, until), Sums()
    days = tuple(_grown(desk, metric, sums, lines, known))
    promised = promises_of(desk, [subject_id], whole).get(subject_id, []) if metric.target else []
    without_cost = lines_without_cost(metric, sums)
    return PastReading(
        subject_id=subject_id,
        span=span,
        days=days if metric.source in desk.landed else (),
        target=_decimal(said(desk, metric, target_of(promised, whole))),
        last_year=_summed(desk, metric, lines, _year_before(span)),
        missing=_missing(desk, metric, without_cost),
    )


def _missing(desk: Desk, metric: Metric, without_cost: int) -> tuple[str, ...]:
    if metric.source not in desk.landed:
        return (metric.source,)
    return (f"{metric.source}.cost",) if without_cost else ()


def _grown(
    desk: Desk, metric: Metric, sums: Sums, lines: list[_Line], days: Days
) -> Iterator[tuple[date, Decimal | None]]:
    """Add lines up day by day, from nothing on the first."""
    within = [line for line in lines if days.first <= line[0] <= days.last]
    if days.count < 1:
        return
    moved = {days.first, *(line[0] for line in within)}
    for day in sorted(moved):
        for _, measure, amount, count in (line for line in within if line[0] == day):
            sums.totals[NOW, measure] += amount
            sums.counts[NOW, measure] += count
        yield day, _decimal(said(desk, metric, total_of(metric, sums, NOW)))


def _summed(desk: Desk, metric: Metric, lines: list[_Line], days: Days) -> Decimal | None:
    *_, (_, value) = _grown(desk, metric, Sums(), lines, days)
    return value


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))
