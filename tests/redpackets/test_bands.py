"""Bands of a policy: whatever is accepted says about every amount exactly one thing."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from redpackets.bands import Band, BandAsked, band_for, thresholds_of, whole_bands
from redpackets.rules import next_period

AMOUNTS = st.integers(1, 10**12)


def asked(from_minor: int | None, up_to_minor: int | None, unit: str = "CNY") -> BandAsked:
    return BandAsked(
        unit=unit,
        from_minor=from_minor,
        up_to_minor=up_to_minor,
        approvals=1,
        permission="redpackets.approve",
        held_at="cost_centre",
    )


def rows(ends: list[int], unit: str = "CNY") -> list[BandAsked]:
    return [asked(None, end, unit) for end in [*sorted(set(ends)), None]]


@given(st.lists(AMOUNTS, max_size=6), AMOUNTS)
def test_every_amount_lies_in_exactly_one_band(ends, amount):
    bands, errors = whole_bands(rows(ends) + rows([amount], "POINT"))
    assert errors == {}
    assert sum(band.unit == "CNY" and band.holds(amount) for band in bands) == 1
    found = band_for(bands, unit="CNY", amount_minor=amount)
    assert found is not None
    assert found.holds(amount)


@given(st.lists(AMOUNTS, min_size=1, max_size=5, unique=True), st.data())
def test_a_band_that_begins_too_late_or_too_early_is_named(ends, data):
    bands = rows(ends)
    position = data.draw(st.integers(1, len(bands) - 1))
    begins = sorted(ends)[position - 1] + 1
    off = data.draw(st.sampled_from([begins + 1, max(1, begins - 1)]))
    bands[position] = replace(bands[position], from_minor=off)

    _, errors = whole_bands(bands)
    wanted = "bands_gap" if off > begins else "bands_overlap"
    assert errors[f"bands.{position}.from_minor"] == wanted


@given(st.lists(AMOUNTS, min_size=1, max_size=5))
def test_bands_that_end_leave_amounts_out_and_are_refused(ends):
    bounded = rows(ends)[:-1]
    _, errors = whole_bands(bounded)
    assert errors == {f"bands.{len(bounded) - 1}.up_to_minor": "bands_bounded"}


def test_nothing_follows_a_band_without_an_end():
    _, errors = whole_bands([asked(None, None), asked(None, 100)])
    assert errors == {
        "bands.1.from_minor": "bands_overlap",
        "bands.1.up_to_minor": "bands_bounded",
    }


def test_a_unit_that_no_band_names_needs_no_approval():
    bands, _ = whole_bands([asked(None, None)])
    assert band_for(bands, unit="POINT", amount_minor=5) is None
    assert isinstance(bands[0], Band)


@given(st.lists(AMOUNTS, max_size=5), st.lists(st.integers(0, 5), min_size=6, max_size=6))
def test_above_a_threshold_and_only_there_an_approval_more_is_needed(ends, approvals):
    written = [replace(b, approvals=n) for b, n in zip(rows(ends), approvals, strict=False)]
    bands, _ = whole_bands(written)
    thresholds = thresholds_of(bands).get("CNY", [])

    def needed(amount):
        band = band_for(bands, unit="CNY", amount_minor=amount)
        return band.approvals if band else 0

    for end in {0, *ends}:
        assert (end in thresholds) == (needed(end + 1) > needed(end))


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(0, 800))
def test_the_next_period_follows_at_once_and_is_as_long(begins, days):
    ends = begins + timedelta(days=days)
    after, until = next_period(begins, ends)
    assert after == ends + timedelta(days=1)
    whole_months = begins.day == 1 and after.day == 1
    assert (until + timedelta(days=1)).day == 1 if whole_months else until - after == ends - begins


def test_a_month_is_followed_by_a_month_and_a_year_by_a_year():
    assert next_period(date(2024, 1, 1), date(2024, 1, 31)) == (date(2024, 2, 1), date(2024, 2, 29))
    assert next_period(date(2023, 1, 1), date(2023, 12, 31)) == (
        date(2024, 1, 1),
        date(2024, 12, 31),
    )
