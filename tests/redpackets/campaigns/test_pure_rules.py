"""Pure rules of campaigns: which days count, and when a figure meets a rule."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from redpackets.campaigns.rules import (
    COMPARISONS,
    GRACE,
    MET,
    NOT_MET,
    PERIODS,
    amount_for,
    first_day_met,
    judge,
    span_of,
    spans_at,
    spans_of_year,
)

DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))
FIGURES = st.integers(-(10**12), 10**12).map(Decimal)
THRESHOLDS = st.integers(1, 10**8).map(lambda n: Decimal(n) / 10_000)
DEADLINES = st.none() | st.integers(1, 366)


@given(st.sampled_from(PERIODS), DEADLINES, DAYS)
def test_every_day_lies_in_one_period_and_its_deadline_too(period, deadline, day):
    first, last, until = span_of(period, deadline, day)
    assert first <= day <= until
    assert first <= last <= until
    assert span_of(period, deadline, until + timedelta(days=1))[0] == until + timedelta(days=1)
    spans = spans_of_year(period, deadline, day.year)
    assert (first, last, until) in spans
    assert sum((s[2] - s[0]).days + 1 for s in spans) in {365, 366}


@given(st.sampled_from(PERIODS), DEADLINES, DAYS, st.integers(-400, 400))
def test_a_rule_waits_for_late_facts_and_looks_no_further_back(period, deadline, today, shift):
    starts_on = today + timedelta(days=shift)
    spans = spans_at(period, deadline, today, starts_on)
    assert len(spans) <= 2
    for first, last, _ in spans:
        assert first <= today <= last + GRACE
        assert last >= starts_on


@given(st.sampled_from(COMPARISONS), THRESHOLDS, FIGURES, FIGURES)
def test_a_figure_meets_a_rule_exactly_when_its_share_is_reached(
    comparison, threshold, value, base
):
    assume(value > 0)
    outcome = judge(comparison, threshold, value=value, target=base, last_year=base)
    if comparison != "value" and base <= 0:
        assert outcome in {"target_zero", "base_zero"}
        return
    share = {
        "value": lambda: Fraction(value),
        "target": lambda: Fraction(value) / Fraction(base),
        "growth": lambda: Fraction(value) / Fraction(base) - 1,
    }[comparison]()
    assert outcome == (MET if share >= Fraction(threshold) else NOT_MET)


@given(st.lists(st.integers(-100, 100), min_size=1, max_size=40), st.integers(1, 300))
def test_a_rule_fires_on_the_first_day_that_meets_it(amounts, threshold):
    day, total, days = date(2026, 1, 1), Decimal(0), []
    for amount in amounts:
        total += amount
        days.append((day, total))
        day += timedelta(days=1)
    outcome, on, value = first_day_met(
        "value", Decimal(threshold), days=days, target=None, last_year=None
    )
    met = [pair for pair in days if pair[1] >= threshold]
    assert (on, value) == (met[0] if met else (None, total))
    assert outcome == (MET if met else NOT_MET)


def test_without_a_figure_nothing_can_be_said():
    for comparison in COMPARISONS:
        said = judge(comparison, Decimal(1), value=None, target=Decimal(1), last_year=Decimal(1))
        assert said == "figure_missing"
    assert first_day_met("value", Decimal(1), days=(), target=None, last_year=None)[0] == (
        "figure_missing"
    )


@given(st.integers(1, 60), st.dictionaries(st.integers(1, 50), st.integers(1, 10**6), max_size=6))
def test_an_anniversary_is_worth_its_highest_step(years, steps):
    reached = [least for least in steps if least <= years]
    expected = steps[max(reached)] if reached else 7
    assert amount_for(7, steps.items(), years) == expected
