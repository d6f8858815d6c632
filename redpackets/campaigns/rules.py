"""Pure rules of campaigns: which days a rule counts, when a figure fires it, whose day it is today."""

import calendar
import hashlib
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

#: (first day, last day that counts, last day of the period)
Span = tuple[date, date, date]

VALUE, TARGET, GROWTH = "value", "target", "growth"
COMPARISONS = (VALUE, TARGET, GROWTH)
MONTHS_OF = {"month": 1, "quarter": 3, "year": 12}
PERIODS = tuple(MONTHS_OF)
DAYS_MAX = {"month": 31, "quarter": 92, "year": 366}
UNITS, CHILDREN, PERSONS = "units", "children", "persons"
SUBJECTS = (UNITS, CHILDREN, PERSONS)
EQUAL, LUCKY, ONE = "equal", "lucky", "one"
AWARD_SPLITS = (EQUAL, LUCKY, ONE)
OF_SUBJECT, OF_UNIT = "subject", "unit"
AUDIENCES = (OF_SUBJECT, OF_UNIT)
BIRTHDAY, ANNIVERSARY = "birthday", "anniversary"
MILESTONES = (BIRTHDAY, ANNIVERSARY)

MET, NOT_MET = "met", "not_met"
MISSING, STALE = "figure_missing", "figure_stale"
#: Facts of the last days of a period land after it; a rule counts them for so long.
GRACE = timedelta(days=7)
#: A gift that could not be given on its day (no money, no server) is tried again for so long.
CAUGHT_UP = timedelta(days=3)


def span_of(period: str, deadline_day: int | None, day: date) -> Span:
    """Find the period that a day lies in, and the last of its days that counts."""
    months = MONTHS_OF[period]
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    last_month = first.month + months - 1
    until = date(day.year, last_month, calendar.monthrange(day.year, last_month)[1])
    last = until if deadline_day is None else min(until, first + timedelta(days=deadline_day - 1))
    return first, last, until


def spans_at(period: str, deadline_day: int | None, today: date, starts_on: date) -> list[Span]:
    """List the spans whose figures may still fire a rule today: this period's, and of a late fact the one's before."""
    now = span_of(period, deadline_day, today)
    before = span_of(period, deadline_day, now[0] - timedelta(days=1))
    return [span for span in (before, now) if today <= span[1] + GRACE and span[1] >= starts_on]


def spans_of_year(period: str, deadline_day: int | None, year: int) -> list[Span]:
    """List the spans of a calendar year."""
    months = MONTHS_OF[period]
    return [span_of(period, deadline_day, date(year, m, 1)) for m in range(1, 13, months)]


def judge(
    comparison: str,
    threshold: Decimal,
    *,
    value: Decimal | None,
    target: Decimal | None,
    last_year: Decimal | None,
) -> str:
    """Say whether a figure meets a rule, or why that cannot be said. Nothing is divided, so nothing is rounded."""
    if value is None:
        return MISSING
    if comparison == VALUE:
        return MET if value >= threshold else NOT_MET
    base = target if comparison == TARGET else last_year
    if base is None:
        return "target_missing" if comparison == TARGET else MISSING
    if base <= 0:
        return "target_zero" if comparison == TARGET else "base_zero"
    needed = base * (threshold if comparison == TARGET else 1 + threshold)
    return MET if value >= needed else NOT_MET


def first_day_met(
    comparison: str,
    threshold: Decimal,
    *,
    days: Iterable[tuple[date, Decimal | None]],
    target: Decimal | None,
    last_year: Decimal | None,
) -> tuple[str, date | None, Decimal | None]:
    """Say how a rule would have gone: the outcome, the day it fired, and the value it fired at or ended with."""
    outcome, value = MISSING, None
    for day, reached in days:
        value = reached
        outcome = judge(comparison, threshold, value=value, target=target, last_year=last_year)
        if outcome == MET:
            return outcome, day, value
    return outcome, None, value


def seed_of(seed: bytes, thing: UUID) -> bytes:
    """Give one of many packets of a run a seed of its own."""
    return hashlib.sha256(seed + thing.bytes).digest()


def is_day(year: int, month: int, day: int) -> bool:
    """Say whether the calendar has such a day."""
    return 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]


def celebrated_on(month: int, day: int, year: int) -> date:
    """Say when a day of the year is celebrated: 29 February on the 28th, in years without one."""
    if (month, day) == (2, 29) and not calendar.isleap(year):
        return date(year, 2, 28)
    return date(year, month, day)


def days_celebrated(today: date) -> list[tuple[int, int]]:
    """List the (month, day) of those whose day is today."""
    found = [(today.month, today.day)]
    if found == [(2, 28)] and not calendar.isleap(today.year):
        found.append((2, 29))
    return found


def amount_for(amount_minor: int, steps: Iterable[tuple[int, int]], years: int) -> int:
    """Pick what an anniversary is worth: the step of the most years reached, or the plain amount."""
    reached = [(least, amount) for least, amount in steps if least <= years]
    return max(reached)[1] if reached else amount_minor


def month_of(day: date) -> tuple[date, date]:
    """Give the first and the last day of a day's month."""
    first, _, until = span_of("month", None, day)
    return first, until
