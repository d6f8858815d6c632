"""Pure rules of figures: rounding, targets, ages of receivables, and how a watch changes its state."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from roledata.periods import Days

#: Currencies without hundredths; all others have two decimals.
_WHOLE_CURRENCIES = frozenset({"JPY", "KRW", "VND", "CLP"})
RATIO_DECIMALS = 4
AGE_BUCKETS = (("not_due", 0), ("1_30", 30), ("31_60", 60), ("61_90", 90), ("over_90", None))

OK, PENDING, FIRING, RECOVERING = "ok", "pending", "firing", "recovering"
BELOW, ABOVE = "below", "above"


@dataclass(frozen=True)
class Promise:
    """A quota: so much from this day until that one."""

    first: date
    until: date
    amount: Decimal


@dataclass(frozen=True, kw_only=True)
class WatchRule:
    """When a watch fires and when it is well again; the gap between keeps a wavering value quiet."""

    direction: str
    enter: Decimal
    exit: Decimal
    confirm: int

    def is_entered(self, value: Decimal) -> bool:
        """Whether the value is bad enough to fire."""
        return value < self.enter if self.direction == BELOW else value > self.enter

    def is_left(self, value: Decimal) -> bool:
        """Whether the value is good enough to be well again."""
        return value >= self.exit if self.direction == BELOW else value <= self.exit


@dataclass(frozen=True, kw_only=True)
class WatchState:
    """How a watch stands: its state, and how many evaluations in a row spoke for the next one."""

    state: str = OK
    streak: int = 0


def minor(amount: Decimal | Fraction, currency: str) -> int:
    """Round an exact amount to the currency's minor units, half up (away from zero)."""
    scale = 1 if currency in _WHOLE_CURRENCIES else 100
    scaled = Fraction(amount) * scale
    whole = (abs(scaled) * 2 + 1) // 2
    return int(whole if scaled >= 0 else -whole)


def rate(part: Decimal | Fraction | int, whole: Decimal | Fraction | int) -> float | None:
    """Give a share to four decimals, half up; there is none of nothing."""
    if not whole:
        return None
    exact = Fraction(part) / Fraction(whole)
    rounded = Decimal(exact.numerator) / Decimal(exact.denominator)
    return float(rounded.quantize(Decimal(1).scaleb(-RATIO_DECIMALS), ROUND_HALF_UP))


def target_of(promises: Iterable[Promise], days: Days) -> Fraction | None:
    """Add up what quotas ask for in these days.

    A quota is spread evenly over the days of its own period: a month gets ``amount × (days of the month inside
    the period) / (days of the period)``, exactly. None if no quota reaches into the days.
    """
    parts = [part for promise in promises if (part := _part_of(promise, days)) is not None]
    return sum(parts, Fraction(0)) if parts else None


def age_bucket(due_on: date | None, today: date) -> str:
    """Name the age of what is owed: not yet due, or overdue by up to 30, 60, 90 days, or more."""
    overdue = (today - due_on).days if due_on else 0
    for name, days_max in AGE_BUCKETS:
        if days_max is None or overdue <= days_max:
            return name
    raise AssertionError("the last bucket has no end")


def step_watch(rule: WatchRule, before: WatchState, value: Decimal | None) -> WatchState:
    """Evaluate a watch once more: ok → pending → firing → recovering → ok.

    A change needs ``confirm`` evaluations in a row. A value between exit and enter keeps a firing watch firing
    and a well one well. Without a value (late or missing facts) nothing changes.
    """
    if value is None:
        return before
    if before.state in {OK, PENDING}:
        return _towards(rule.is_entered(value), before, rule.confirm, OK, PENDING, FIRING)
    return _towards(rule.is_left(value), before, rule.confirm, FIRING, RECOVERING, OK)


def has_news(before: WatchState, after: WatchState) -> bool:
    """Whether the owner is to be told: it began to fire, or is well again."""
    was_bad = before.state in {FIRING, RECOVERING}
    is_bad = after.state in {FIRING, RECOVERING}
    return was_bad != is_bad


def _towards(
    speaks_for_it: bool,  # noqa: FBT001 - the one question of the step
    before: WatchState,
    confirm: int,
    rest: str,
    waiting: str,
    goal: str,
) -> WatchState:
    if not speaks_for_it:
        return WatchState(state=rest)
    streak = before.streak + 1
    if streak >= confirm:
        return WatchState(state=goal)
    return replace(before, state=waiting, streak=streak)


def _part_of(promise: Promise, days: Days) -> Fraction | None:
    first, last = max(promise.first, days.first), min(promise.until, days.last)
    if last < first:
        return None
    whole = Days(promise.first, promise.until).count
    return Fraction(promise.amount) * Days(first, last).count / whole
