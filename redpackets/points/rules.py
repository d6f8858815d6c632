"""Pure rules of points: how long they live and which of them are gone, all from what was received when.

Points are spent oldest first, so a balance always consists of the newest points received. What is gone on a day is
the part of the balance that no receipt still good on that day accounts for.
"""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

NEVER = "never"
END_OF_YEAR = "end_of_year"
MONTHS = "months"
RULES = (END_OF_YEAR, MONTHS, NEVER)
YEARS_MAX = 10
MONTHS_MAX = 120
#: People hear of points that expire at least so many days before, and at most once in that time.
WARNING_DAYS = 30
#: A rule that takes points away sooner waits until everybody has been told.
NOTICE_DAYS = WARNING_DAYS + 1
#: Points given back because the company declined live at least so long.
DECLINED_DAYS = 30

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class ExpiryRule:
    """How long points live: to the end of the n-th year after receipt, for n months, or for ever."""

    rule: str = END_OF_YEAR
    count: int = 1

    def last_day(self, received_on: date) -> date:
        """Say the last day on which points received on a day are good."""
        if self.rule == NEVER:
            return date.max
        if self.rule == END_OF_YEAR:
            return date(received_on.year + self.count, 12, 31)
        return months_later(received_on, self.count)

    def received_since(self, day: date) -> date:
        """Say the first day of receipt of which points are still good on ``day``."""
        if self.rule == NEVER:
            return date.min
        if self.rule == END_OF_YEAR:
            return date(day.year - self.count, 1, 1)
        since = months_later(day, -self.count)
        while self.last_day(since) < day:
            since += ONE_DAY
        return since


DEFAULT_RULE = ExpiryRule()


@dataclass(frozen=True)
class ExpiryPlan:
    """A company's rules, oldest version first, each with the day from which it is in force."""

    versions: tuple[tuple[date, ExpiryRule], ...] = ()

    def on(self, day: date) -> ExpiryRule:
        """Say the rule that is in force on a day: the newest that has begun."""
        begun = [rule for effective_on, rule in self.versions if effective_on <= day]
        return begun[-1] if begun else DEFAULT_RULE

    def effective_on(self, rule: ExpiryRule, today: date) -> date:
        """Say from when a new rule may be in force: at once, unless points would be gone before people were told."""
        days = [today + timedelta(days=ahead) for ahead in range(NOTICE_DAYS + 1)]
        takes = any(rule.received_since(day) > self.on(day).received_since(day) for day in days)
        return days[-1] if takes else today


@dataclass(frozen=True, kw_only=True)
class Holding:
    """A person's points: the balance, what was received on which day, what stays good until a day regardless."""

    balance: int
    received: Sequence[tuple[date, int]]
    kept: Sequence[tuple[date, int]] = ()

    def gone_on(self, day: date, plan: ExpiryPlan) -> int:
        """Say how many points are no longer good on a day, if none move before."""
        since = plan.on(day).received_since(day)
        good = sum(amount for received_on, amount in self.received if received_on >= since)
        kept = sum(amount for until, amount in self.kept if until >= day)
        return max(0, self.balance - good - kept)

    def next_expiry(self, today: date, plan: ExpiryPlan) -> tuple[date, int] | None:
        """Say on which last day points expire next, and how many."""
        for day in sorted(set(self._turning_days(today, plan))):
            if gone := self.gone_on(day + ONE_DAY, plan):
                return day, gone
        return None

    def _turning_days(self, today: date, plan: ExpiryPlan) -> Iterator[date]:
        """List the days after which something may be gone: lots and grace end, rules begin."""
        rules = {plan.on(today), *(rule for begins, rule in plan.versions if begins > today)}
        ends = [rule.last_day(day) for rule in rules for day, _ in self.received]
        begins = [begins - ONE_DAY for begins, _ in plan.versions]
        for day in (today, *ends, *begins, *(until for until, _ in self.kept)):
            if today <= day < date.max:
                yield day


def months_later(day: date, months: int) -> date:
    """Go so many months on (or back); a day that the month lacks becomes its last."""
    month = day.year * 12 + day.month - 1 + months
    year, month = month // 12, month % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
