"""Periods of business days: what ``period=`` means, what it is compared with, how it is cut into points. Pure."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

POINT_COUNT_MAX = 31
DAY_COUNT_MAX = 1_100
#: How much of a week's business is usually done on each day, Monday first: working days count whole, the others not.
WEEKDAY_WEIGHTS = (1, 1, 1, 1, 1, 0, 0)
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_QUARTER = re.compile(r"(\d{4})-Q([1-4])")
_YEAR = re.compile(r"(\d{4})")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class PeriodError(ValueError):
    """The text names no period."""


@dataclass(frozen=True)
class Days:
    """A run of days, both ends included."""

    first: date
    last: date

    @property
    def count(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class Period:
    """What is asked for: the days of the value, and the whole period that its target is set for.

    Month to date is measured against the whole month's target; ``known`` are the days that have come.
    """

    days: Days
    whole: Days
    today: date

    @property
    def known(self) -> Days:
        """The days of the period that have come; its first day if none has."""
        return Days(self.days.first, max(self.days.first, min(self.days.last, self.today)))

    @property
    def has_today(self) -> bool:
        """Whether the state of today is the state at the end of the period."""
        return self.days.first <= self.today <= self.whole.last

    @property
    def pace(self) -> Fraction:
        """The share of the whole period's working days that have passed, today included."""
        whole = _working_days(self.whole)
        if self.today < self.whole.first:
            return Fraction(0)
        passed = _working_days(Days(self.whole.first, min(self.today, self.whole.last)))
        return Fraction(passed, whole) if whole else Fraction(1)

    def last_year(self) -> Days:
        """The same calendar days a year before; the end of a month stays the end of a month."""
        return Days(_year_before(self.known.first), _year_before(self.known.last, is_end=True))

    def previous(self) -> Days:
        """The period before: whole, if this one is over; else as many days of it as have passed of this one."""
        first = _before(self.whole)
        end = self.whole.first - timedelta(days=1)
        if self.known.last == self.whole.last:
            return Days(first, end)
        return Days(first, min(first + timedelta(days=self.known.count - 1), end))


def parse_period(text: str, today: date) -> Period:
    """Read ``mtd``, ``qtd``, ``ytd``, ``today``, ``2013-10``, ``2013-Q4``, ``2013`` or ``from..to``."""
    whole = {"mtd": _month, "qtd": _quarter, "ytd": _year, "today": _one_day}.get(text)
    if whole:
        days = whole(today)
        return Period(Days(days.first, today), days, today)
    days = _named(text)
    in_reach = _FIRST_YEAR <= days.first.year <= days.last.year <= _LAST_YEAR
    if not in_reach or not 0 < days.count <= DAY_COUNT_MAX:
        raise PeriodError(text)
    return Period(days, days, today)


def point_step(days: Days) -> int:
    """How many days a point of the series covers, so that there are few enough."""
    return -(-days.count // POINT_COUNT_MAX)


def _named(text: str) -> Days:
    try:
        if found := _MONTH.fullmatch(text):
            return _month(date(int(found[1]), int(found[2]), 1))
        if found := _QUARTER.fullmatch(text):
            return _quarter(date(int(found[1]), int(found[2]) * 3, 1))
        if found := _YEAR.fullmatch(text):
            return _year(date(int(found[1]), 1, 1))
        first, dots, last = text.partition("..")
        if dots and _DAY.fullmatch(first) and _DAY.fullmatch(last):
            return Days(date.fromisoformat(first), date.fromisoformat(last))
    except ValueError as error:
        raise PeriodError(text) from error
    raise PeriodError(text)


def _one_day(day: date) -> Days:
    return Days(day, day)


def _month(day: date) -> Days:
    return Days(day.replace(day=1), _month_end(day))


def _quarter(day: date) -> Days:
    first = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    return Days(first, _month_end(first.replace(month=first.month + 2)))


def _year(day: date) -> Days:
    return Days(date(day.year, 1, 1), date(day.year, 12, 31))


def _month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _year_before(day: date, *, is_end: bool = False) -> date:
    """Move a day a year back; 29 February becomes the 28th, and a month's last day stays its last."""
    year = day.year - 1
    month_end = calendar.monthrange(year, day.month)[1]
    if is_end and day == _month_end(day):
        return date(year, day.month, month_end)
    return date(year, day.month, min(day.day, month_end))


def _before(whole: Days) -> date:
    """Find the first day of the period before this one."""
    day_before = whole.first - timedelta(days=1)
    for unit in (_month, _quarter, _year):
        if unit(whole.first) == whole:
            return unit(day_before).first
    return whole.first - timedelta(days=whole.count)


def _working_days(days: Days) -> int:
    weeks, rest = divmod(days.count, 7)
    start = days.first.weekday()
    return weeks * sum(WEEKDAY_WEIGHTS) + sum(WEEKDAY_WEIGHTS[(start + i) % 7] for i in range(rest))
