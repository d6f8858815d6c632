"""How much a day usually sells: weekdays, month ends, seasons, growth."""

from collections.abc import Iterator
from datetime import date, timedelta
from math import pow as power
from typing import Final

HISTORY_MONTHS: Final = 25  # whole months before the current one

_WEEKDAYS: Final = (1.10, 1.05, 1.0, 1.0, 0.95, 0.30, 0.12)
_MONTHS: Final = (0.95, 0.70, 1.05, 1.0, 1.0, 1.05, 0.92, 0.95, 1.08, 0.92, 1.15, 1.10)
_MONTH_END_DAYS: Final = 4
_MONTH_END_FACTOR: Final = 1.3
_GROWTH_PER_MONTH: Final = 0.011
_NATIONAL_DAYS: Final = 5
_NATIONAL_FACTOR: Final = 0.25


def first_day(today: date) -> date:
    """The first day of the history that ends on ``today``."""
    return month_before(today.replace(day=1), HISTORY_MONTHS)


def month_before(month: date, count: int) -> date:
    index = month.year * 12 + month.month - 1 - count
    return date(index // 12, index % 12 + 1, 1)


def next_month(month: date) -> date:
    return month_before(month, -1)


def month_end(month: date) -> date:
    return next_month(month.replace(day=1)) - timedelta(days=1)


def days(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def months(first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = next_month(month)


def demand(day: date, since: date) -> float:
    """What a day sells beside an ordinary Wednesday at the beginning of the history."""
    age_months = (day - since).days / 30.4
    return _shape(day) * _MONTHS[day.month - 1] * power(1 + _GROWTH_PER_MONTH, age_months)


def share_of_month_gone(day: date) -> float:
    """The share of the month's sales that is normally done by the end of ``day``."""
    whole = sum(map(_shape, days(day.replace(day=1), month_end(day))))
    return sum(map(_shape, days(day.replace(day=1), day))) / whole


def working_day(day: date) -> date:
    """``day`` itself, or the Monday after a weekend."""
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() >= 5 else 0)


def _shape(day: date) -> float:
    shape = _WEEKDAYS[day.weekday()]
    if (month_end(day) - day).days < _MONTH_END_DAYS:
        shape *= _MONTH_END_FACTOR
    if day.month == 10 and day.day <= _NATIONAL_DAYS:
        shape *= _NATIONAL_FACTOR
    return shape
