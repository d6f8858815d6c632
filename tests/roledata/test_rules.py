"""Pure rules: periods, targets, rounding, and the states of a watch."""

import calendar
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roledata.grammar import DefinitionInvalid, catalogue, read_catalogue, read_metric
from roledata.periods import POINT_COUNT_MAX, Days, PeriodError, parse_period, point_step
from roledata.rules import (
    FIRING,
    OK,
    RECOVERING,
    Promise,
    WatchRule,
    WatchState,
    age_bucket,
    has_news,
    minor,
    step_watch,
    target_of,
)

dates = st.dates(date(2005, 1, 1), date(2095, 12, 31))
money = st.decimals(-(10**9), 10**9, places=6)


@given(money)
def test_money_is_rounded_half_up(amount):
    assert minor(amount, "CNY") == int((amount * 100).quantize(Decimal(1), ROUND_HALF_UP))
    assert minor(amount, "JPY") == int(amount.quantize(Decimal(1), ROUND_HALF_UP))


@given(dates, st.integers(1, 400), money)
def test_a_quota_comes_back_whole_from_the_months_it_reaches_into(first, count, amount):
    promise = Promise(first, first + timedelta(days=count - 1), amount)
    months, day = [], first.replace(day=1)
    while day <= promise.until:
        end = day.replace(day=calendar.monthrange(day.year, day.month)[1])
        months.append(target_of([promise], Days(day, end)))
        day = end + timedelta(days=1)
    assert sum(months, Fraction(0)) == Fraction(amount)


def test_nobody_who_promised_nothing_has_a_target():
    assert target_of([], Days(date(2026, 1, 1), date(2026, 1, 31))) is None


@given(dates)
def test_month_to_date_ends_today_and_its_target_with_the_month(today):
    period = parse_period("mtd", today)
    assert period.days == Days(today.replace(day=1), today)
    assert (period.whole.last + timedelta(days=1)).day == 1
    assert 0 <= period.pace <= 1


@given(dates, dates)
def test_a_month_that_is_over_is_compared_with_whole_months(today, some_day):
    period = parse_period(f"{some_day:%Y-%m}", max(today, some_day + timedelta(days=31)))
    last_year, previous = period.last_year(), period.previous()

    for days in (last_year, previous):
        assert days.first.day == 1
        assert (days.last + timedelta(days=1)).day == 1
    assert last_year.first == some_day.replace(year=some_day.year - 1, day=1)
    assert previous.last + timedelta(days=1) == some_day.replace(day=1)
    assert period.pace == 1


def test_what_has_passed_is_compared_with_as_much_of_the_period_before():
    period = parse_period("mtd", date(2026, 3, 10))
    assert period.previous() == Days(date(2026, 2, 1), date(2026, 2, 10))
    assert period.last_year() == Days(date(2025, 3, 1), date(2025, 3, 10))
    leap = parse_period("today", date(2024, 2, 29))
    assert leap.last_year() == Days(date(2023, 2, 28), date(2023, 2, 28))


def test_pace_is_the_share_of_working_days_that_have_passed():
    # March 2026 has 22 working days; Friday the 13th is the tenth.
    assert parse_period("mtd", date(2026, 3, 13)).pace == Fraction(10, 22)
    assert parse_period("mtd", date(2026, 3, 15)).pace == Fraction(10, 22)


@given(dates, st.integers(1, 1_100))
def test_a_series_never_has_more_points_than_a_month_has_days(first, count):
    days = Days(first, first + timedelta(days=count - 1))
    assert -(-days.count // point_step(days)) <= POINT_COUNT_MAX


@given(st.text(max_size=25))
def test_any_other_text_is_no_period(text):
    try:
        period = parse_period(text, date(2026, 3, 10))
    except PeriodError:
        return
    assert period.days.first <= period.days.last


@given(dates, st.integers(-400, 400))
def test_a_receivable_has_the_age_of_the_days_since_it_was_due(today, overdue):
    name = age_bucket(today - timedelta(days=overdue), today)
    low, high = {
        "not_due": (-400, 0),
        "1_30": (1, 30),
        "31_60": (31, 60),
        "61_90": (61, 90),
        "over_90": (91, 400),
    }[name]
    assert low <= overdue <= high


values = st.decimals(0, 100, places=1)


@st.composite
def rules(draw):
    low, high = sorted((draw(values), draw(values)))
    below = draw(st.booleans())
    return WatchRule(
        direction="below" if below else "above",
        enter=low if below else high,
        exit=high if below else low,
        confirm=draw(st.integers(1, 4)),
    )


@given(rules(), st.lists(st.none() | values, max_size=40))
def test_a_watch_tells_of_firing_and_of_recovery_in_turns(rule, seen):
    state, told = WatchState(), []
    for value in seen:
        after = step_watch(rule, state, value)
        if has_news(state, after):
            told.append(after.state)
        state = after
    assert told == [FIRING, OK] * (len(told) // 2) + [FIRING] * (len(told) % 2)


@given(rules(), values, st.integers(1, 10))
def test_a_watch_needs_as_many_bad_values_in_a_row_as_it_was_told(rule, value, count):
    state = WatchState()
    for _ in range(count):
        state = step_watch(rule, state, value)
    fired = rule.is_entered(value) and count >= rule.confirm
    assert (state.state in {FIRING, RECOVERING}) == fired


@given(rules(), st.lists(values, max_size=20))
def test_a_value_between_the_thresholds_never_brings_news(rule, seen):
    between = [v for v in seen if not rule.is_entered(v) and not rule.is_left(v)]
    for start in (WatchState(state=OK), WatchState(state=FIRING)):
        state = start
        for value in between:
            state = step_watch(rule, state, value)
        assert state.state == start.state


@given(rules(), st.sampled_from([OK, FIRING]))
def test_without_a_value_a_watch_stays_as_it_was(rule, name):
    assert step_watch(rule, WatchState(state=name), None) == WatchState(state=name)


GOOD = """
key: freight
source: sales_order_line
time: ordered_on
amount: {column: tax}
aggregation: sum
unit: money
sentiment: neutral
freshness_minutes: 5
"""


@pytest.mark.parametrize(
    "mistake",
    [
        GOOD + "aggregation: count\n",
        GOOD + "sql: select 1\n",
        GOOD.replace("sales_order_line", "pg_user"),
        GOOD.replace("tax", "state"),
        GOOD.replace("ordered_on", "net"),
        GOOD.replace("aggregation: sum", "aggregation: ratio"),
        GOOD.replace("time: ordered_on\n", ""),
        GOOD + "where: {quantity: ['1']}\n",
        GOOD + "amount: !!python/object:os.system {}\n",
        "[]",
    ],
)
def test_a_definition_outside_the_grammar_is_refused(mistake):
    assert read_metric(GOOD).key == "freight"
    with pytest.raises(DefinitionInvalid):
        read_metric(mistake)


def test_a_changed_definition_has_another_version():
    assert read_metric(GOOD).version == read_metric(GOOD).version
    assert read_metric(GOOD).version != read_metric(GOOD.replace("tax", "gross")).version


def test_a_home_of_unknown_cards_is_refused():
    with pytest.raises(DefinitionInvalid, match="nothing is called moon"):
        read_catalogue([read_metric(GOOD)], "cards: []", "homes: [{role: owner, cards: [moon]}]")
    assert len(catalogue().homes) >= 7
