"""The schedule of polls: quick after a change, slow at night, and never above the day's budget."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erp_bridge import rules
from erp_bridge.rules import Pace, Purse, Rhythm

SHANGHAI = ZoneInfo("Asia/Shanghai")
MORNING = datetime(2026, 3, 2, 1, tzinfo=UTC)
PACE = Pace(fast=10, slow=120, night_from=time(22), night_until=time(6))
DAY = 86_400.0
seconds = st.floats(1, 600)
rhythms = st.lists(
    st.builds(
        Rhythm,
        target=st.sampled_from([60.0, 120.0, 900.0]),
        cost=st.floats(rules.COST_MIN, 5),
        quiet_for=st.none() | st.floats(0, 10_000),
        is_watched=st.booleans(),
    ),
    min_size=1,
    max_size=20,
)


def pace_of(fast: float, slow: float, budget: int | None = None) -> Pace:
    night = {"night_from": time(22), "night_until": time(6)}
    return Pace(fast=fast, slow=slow, requests_per_day=budget, **night)


@dataclass
class _Looks:
    """What a day of polls came to."""

    spent: float
    longest_wait: float


def live_through(pace: Pace, streams: list[Rhythm], seed: int) -> _Looks:
    """A day from midnight to midnight with changes and people looking at random moments."""
    luck, now, spent, longest = random.Random(seed), 0.0, 0.0, 0.0
    due = [0.0] * len(streams)
    budget = pace.requests_per_day or 0
    while now < DAY:
        place = min(range(len(streams)), key=due.__getitem__)
        now = max(now, due[place])
        if now >= DAY:
            break
        spent += streams[place].cost
        watched = [
            Rhythm(
                target=stream.target,
                cost=stream.cost,
                quiet_for=luck.choice([None, 0.0, 100.0]),
                is_watched=luck.random() < 0.2,
            )
            for stream in streams
        ]
        night = not 6 * 3600 <= now < 22 * 3600
        purse = Purse(requests=max(0, int(budget - spent)), seconds=DAY - now)
        found = rules.intervals(pace, watched, purse, night=night)[place]
        longest = max(longest, found or DAY - now)
        due[place] = now + (found or DAY)
    return _Looks(spent, longest)


@settings(max_examples=25, deadline=None)
@given(
    budget=st.integers(50, 5_000),
    count=st.integers(1, 4),
    cost=st.floats(0.5, 3),
    seed=st.integers(0, 2**32),
)
def test_whatever_happens_a_day_never_costs_more_than_its_budget(
    budget: int, count: int, cost: float, seed: int
) -> None:
    streams = [Rhythm(target=60, cost=cost)] * count
    lived = live_through(pace_of(30, 300, budget), streams, seed)
    assert lived.spent <= budget


def test_a_budget_that_pays_for_it_keeps_the_longest_interval_the_whole_day() -> None:
    streams = [Rhythm(target=60, cost=1.0)] * 3
    # Three streams, every 30 seconds by day and every 120 by night, and a little over.
    budget = 3 * (16 * 120 + 8 * 30) * 2
    assert live_through(pace_of(10, 120, budget), streams, 7).longest_wait <= 120


def test_a_budget_too_small_is_spread_so_that_the_evening_has_some_too() -> None:
    streams = [Rhythm(target=60, cost=1.0)] * 2
    lived = live_through(pace_of(10, 120, 300), streams, 7)
    assert 200 <= lived.spent <= 300
    assert lived.longest_wait < DAY / 24


@given(
    fast=seconds,
    slow=seconds,
    streams=rhythms,
    requests=st.integers(0, 200_000),
    left=st.floats(1, DAY),
    night=st.booleans(),
)
def test_no_plan_costs_more_than_is_left_nor_waits_longer_than_the_budget_makes_it(
    fast: float, slow: float, streams: list[Rhythm], requests: int, left: float, night: bool
) -> None:
    pace = pace_of(fast, slow)
    found = rules.intervals(pace, streams, Purse(requests=requests, seconds=left), night=night)
    longest = [pace.longest(stream.target, night=night) for stream in streams]
    planned = [
        (stream.cost * left / length, length, most, stream.cost * left / most)
        for stream, length, most in zip(streams, found, longest, strict=True)
        if length is not None
    ]
    assert len(planned) in {0, len(streams)}
    assert sum(cost for cost, *_ in planned) <= requests * 1.000001
    lasts = sum(cost for *_, cost in planned) <= requests * rules.PLANNED_SHARE
    if lasts:
        assert all(length <= most * 1.000001 for _, length, most, _ in planned)


@given(fast=seconds, slow=seconds, target=st.floats(10, 1_000))
def test_a_change_and_a_reader_make_a_stream_as_fast_as_it_may_be(
    fast: float, slow: float, target: float
) -> None:
    pace, plenty = pace_of(fast, slow), Purse(requests=10**9, seconds=DAY)
    changed = Rhythm(target=target, cost=1, quiet_for=0)
    watched = Rhythm(target=target, cost=1, is_watched=True)
    assert rules.intervals(pace, [changed], plenty, night=False) == [pytest.approx(fast)]
    assert rules.intervals(pace, [watched], plenty, night=True) == [pytest.approx(fast)]


def test_a_stream_calms_down_after_a_change() -> None:
    waits = [
        rules.wanted_interval(PACE, Rhythm(target=900, cost=1, quiet_for=quiet), night=False)
        for quiet in (0, 60, 120, 300, 3_600)
    ]
    assert waits == [10, 10, 20, 50, 120]


def test_nobody_counts_where_requests_cost_nothing() -> None:
    pace = pace_of(5, 10)
    (found,) = rules.intervals(
        pace, [Rhythm(target=60, cost=9)], Purse(requests=None, seconds=1), night=True
    )
    assert found == 10


@pytest.mark.parametrize(
    ("hour", "night"), [(21, False), (22, True), (23, True), (0, True), (5, True), (6, False)]
)
def test_a_night_reaches_over_midnight(hour: int, night: bool) -> None:
    assert PACE.is_night(datetime(2026, 3, 2, hour, 30, tzinfo=SHANGHAI)) is night


def test_equal_ends_mean_that_there_is_no_night() -> None:
    sleepless = Pace(fast=10, slow=120, night_from=time(3), night_until=time(3))
    assert not any(
        sleepless.is_night(datetime(2026, 3, 2, hour, tzinfo=SHANGHAI)) for hour in range(24)
    )


@pytest.mark.parametrize(
    ("age", "state"), [(0, "fresh"), (60, "fresh"), (61, "late"), (180, "late"), (181, "red")]
)
def test_figures_are_late_after_their_target_and_red_after_three_times_that(
    age: float, state: str
) -> None:
    assert rules.freshness(age, rules.allowed_age(PACE, 60, night=False)) == state


def test_at_night_figures_are_as_old_as_the_nights_pace_makes_them() -> None:
    assert rules.allowed_age(PACE, 60, night=True) == 240
    assert rules.allowed_age(PACE, 900, night=True) == 900


def test_targets_are_the_products_unless_the_company_chose_its_own() -> None:
    assert rules.target_of("sales_order_line", {}, rest=None) == 60
    assert rules.target_of("stock_level", {}, rest=None) == 120
    assert rules.target_of("receivable_item", {}, rest=None) == 900
    assert rules.target_of("stock_level", {"stock_level": 30}, rest=None) == 30
    # What is read whole every half hour cannot be a quarter of an hour old.
    assert rules.target_of("customer", {}, rest=1_800) == 2_700


def test_what_a_look_costs_is_learnt() -> None:
    cost = 1.0
    for _ in range(20):
        cost = rules.next_cost(cost, 4.0)
    assert cost == pytest.approx(4, abs=0.01)
    assert rules.next_cost(rules.COST_MIN, 0) == rules.COST_MIN


def test_a_day_ends_at_the_companys_midnight_also_when_the_clocks_change() -> None:
    assert rules.midnight_after(MORNING, SHANGHAI) == datetime(2026, 3, 2, 16, tzinfo=UTC)
    berlin = ZoneInfo("Europe/Berlin")
    begins = datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert rules.seconds_left(begins, berlin) == 23 * 3_600
    assert rules.seconds_left(begins + timedelta(hours=1), berlin) == 22 * 3_600
