"""Pure rules of near real time: how often an ERP is asked, what its daily budget pays for, when figures are late.

All lengths of time are seconds. Nothing here reads a clock.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

#: The stream that tells how the reading of what waits for decisions goes; no mapping can have one of this name.
WAITING_STREAM = "approvals.waiting"
FRESH, LATE, RED = "fresh", "late", "red"
#: A source is red when a stream is so many times older than it should be.
RED_AFTER = 3
#: A stream that is asked for twice within its target keeps the target even if one answer is late.
ASKED_PER_TARGET = 2
#: After a change a stream is asked often, and less and less so: every sixth of the time that it was quiet.
CALM = 6
#: Of what is left of a day's requests the polls plan with nine tenths; hints, checks and runs by hand have the rest.
PLANNED_SHARE = 0.9
#: What one more look costs at least, where some cost nothing.
COST_MIN = 0.05
#: How much of what a look cost counts for what the next will cost.
COST_WEIGHT = 0.3

QUICK, STOCK, CALM_FIGURES = 60, 120, 900
TARGETS: Mapping[str, int] = {
    "sales_order": QUICK,
    "sales_order_line": QUICK,
    "invoice": QUICK,
    "invoice_line": QUICK,
    "approval": QUICK,
    "approval_task": QUICK,
    "approval_line": QUICK,
    "stock_level": STOCK,
}


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How a source is asked: between ``fast`` and ``slow``, at night slowly, within a day's budget."""

    fast: float
    slow: float
    night_from: time
    night_until: time
    requests_per_day: int | None = None

    def is_night(self, local: datetime) -> bool:
        """Whether it is night; it may begin before midnight. Equal ends mean that there is none."""
        now, begins, ends = local.time(), self.night_from, self.night_until
        return begins <= now < ends if begins <= ends else now >= begins or now < ends

    def longest(self, target: float, *, night: bool) -> float:
        """The longest that a stream with this target waits while the budget lasts."""
        if night:
            return max(self.fast, self.slow)
        return max(self.fast, min(self.slow, target / ASKED_PER_TARGET))


@dataclass(frozen=True, kw_only=True)
class Rhythm:
    """What decides how soon a stream is asked for again: its target, what a look costs, when it last changed."""

    target: float
    cost: float
    quiet_for: float | None = None
    is_watched: bool = False


@dataclass(frozen=True, kw_only=True)
class Purse:
    """What is left of the day: requests (None: nobody counts) and seconds."""

    requests: int | None
    seconds: float


def target_of(table: str, chosen: Mapping[str, int], *, rest: float | None) -> int:
    """How old a table's figures may be; a table that is read whole may not be younger than its rest between."""
    wanted = chosen.get(table, TARGETS.get(table, CALM_FIGURES))
    return max(wanted, round(rest * 1.5)) if rest else wanted


def wanted_interval(pace: Pace, rhythm: Rhythm, *, night: bool) -> float:
    """How soon to look again if requests cost nothing: soon while somebody looks or after a change."""
    longest = pace.longest(rhythm.target, night=night)
    if rhythm.is_watched:
        return pace.fast
    if night or rhythm.quiet_for is None:
        return longest
    return min(max(rhythm.quiet_for / CALM, pace.fast), longest)


def intervals(
    pace: Pace, rhythms: Iterable[Rhythm], purse: Purse, *, night: bool
) -> list[float | None]:
    """How soon each stream of a source is asked for again; None: not before tomorrow.

    While the budget pays for the longest intervals until midnight, none is longer, and what is left over makes those
    shorter that want to be. A budget too small for that is spread over the rest of the day.
    """
    asked = list(rhythms)
    wanted = [wanted_interval(pace, rhythm, night=night) for rhythm in asked]
    if purse.requests is None:
        return list(wanted)
    planned = purse.requests * PLANNED_SHARE
    if planned < max((rhythm.cost for rhythm in asked), default=0):
        return [None] * len(asked)
    longest = [pace.longest(rhythm.target, night=night) for rhythm in asked]
    least, most = (_needed(asked, lengths, purse.seconds) for lengths in (longest, wanted))
    if least > planned:
        return [length * least / planned for length in longest]
    share = 1.0 if most <= planned else (planned - least) / (most - least)
    return [
        1 / ((1 - share) / long + share / short)
        for long, short in zip(longest, wanted, strict=True)
    ]


def next_cost(before: float, spent: float) -> float:
    """What a look will cost, after one has cost so much."""
    return max(COST_MIN, before + (spent - before) * COST_WEIGHT)


def allowed_age(pace: Pace, target: float, *, night: bool) -> float:
    """How old figures may be at this hour: their target, or what the night's pace promises."""
    return max(target, ASKED_PER_TARGET * pace.longest(target, night=night))


def freshness(age: float, allowed: float) -> str:
    """Fresh, late, or red after three times what is allowed."""
    if age <= allowed:
        return FRESH
    return LATE if age <= RED_AFTER * allowed else RED


def seconds_left(now: datetime, zone: ZoneInfo) -> float:
    """How long this day lasts yet in the company's zone; days on which clocks change are shorter or longer."""
    return (midnight_after(now, zone) - now).total_seconds()


def midnight_after(now: datetime, zone: ZoneInfo) -> datetime:
    """When the company's next day begins."""
    day = now.astimezone(zone).date() + timedelta(days=1)
    begins = datetime.combine(day, time(), zone)
    return begins.astimezone(now.tzinfo)


def _needed(rhythms: Iterable[Rhythm], lengths: Iterable[float], seconds: float) -> float:
    return sum(
        rhythm.cost * seconds / length for rhythm, length in zip(rhythms, lengths, strict=True)
    )
