"""Values as ERPs write them: what is taken, what is refused, and that nothing is changed on the way."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_bridge.mappings.values import UnfitValueError, day, decimal, text, truth

SHANGHAI = ZoneInfo("Asia/Shanghai")
AMOUNTS = st.decimals(min_value=-999_999_999_999, max_value=999_999_999_999, places=6)


@given(AMOUNTS)
def test_an_amount_written_as_text_comes_back_exactly(amount: Decimal) -> None:
    assert decimal(format(amount, "f")) == amount


@given(AMOUNTS)
def test_an_amount_with_thousands_separators_is_the_same_amount(amount: Decimal) -> None:
    assert decimal(f"{amount:,f}") == amount


@given(st.one_of(st.text(), st.floats(), st.decimals(), st.integers()))
def test_a_number_is_exact_and_fits_or_it_is_refused(value: object) -> None:
    try:
        found = decimal(value)
    except UnfitValueError:
        return
    assert found is None or (found.is_finite() and abs(found) < Decimal(10) ** 12)
    if found is not None:
        assert found.as_tuple().exponent >= -6


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1,234.50", Decimal("1234.50")),
        ("1.2E3", Decimal(1200)),
        ("-0", Decimal(0)),
        (" 12.5 ", Decimal("12.5")),
        ("0.1234567890123456789012345678", Decimal("0.123457")),
        ("", None),
        ("   ", None),
        (None, None),
        (7, Decimal(7)),
        (0.1, Decimal("0.1")),
    ],
)
def test_numbers_are_read_as_an_accountant_would(written: object, meant: Decimal | None) -> None:
    assert decimal(written) == meant
    assert str(decimal("-0")) == "0"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("NaN", "number.format"),
        ("Infinity", "number.format"),
        (float("nan"), "number.format"),
        (Decimal("NaN"), "number.format"),
        ("12,34.5", "number.format"),
        ("1_000", "number.format"),
        ("１２", "number.format"),
        ("(12.00)", "number.format"),
        ("123456789012345678901234567890", "number.range"),
        ("1e400", "number.range"),
        ("9" * 500, "number.too_long"),
        (True, "number.format"),
    ],
)
def test_what_is_no_number_is_refused_with_its_reason(written: object, code: str) -> None:
    with pytest.raises(UnfitValueError) as refused:
        decimal(written)
    assert refused.value.code == code


@given(st.text())
def test_text_never_holds_a_nul_and_is_never_blank(written: str) -> None:
    try:
        found = text(written)
    except UnfitValueError:
        return
    assert found is None or ("\x00" not in found and found.strip() == found != "")


def test_text_keeps_emoji_and_loses_nul_and_outer_blanks() -> None:
    assert text("  A\x00corn 🌰 栗 ") == "Acorn 🌰 栗"


def test_half_a_character_is_refused() -> None:
    with pytest.raises(UnfitValueError):
        text("broken \ud800")


def test_numbers_from_a_sheet_become_the_keys_they_are() -> None:
    assert [text(value) for value in (12.0, 12, Decimal("12.00"), "12")] == ["12"] * 4


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2199, 12, 31)))
def test_a_day_is_read_in_every_common_spelling(written: date) -> None:
    for spelling in ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y-%m-%d 00:00:00"):
        padded = written.strftime(spelling)
        assert day(padded, SHANGHAI) == written


def test_an_instant_is_the_day_it_was_in_the_company() -> None:
    late_evening = datetime(2025, 3, 31, 23, 30, tzinfo=UTC)
    assert day(late_evening, SHANGHAI) == date(2025, 4, 1)
    assert day("2025-03-31T23:30:00Z", SHANGHAI) == date(2025, 4, 1)


@pytest.mark.parametrize("written", ["31.31.2025", "0001-01-01", "soon", "2025-02-30", 5])
def test_what_is_no_day_is_refused(written: object) -> None:
    with pytest.raises(UnfitValueError):
        day(written, SHANGHAI)


def test_yes_and_no_in_the_words_of_erps() -> None:
    assert [truth(word) for word in ("1", "是", "Y", True)] == [True] * 4
    assert [truth(word) for word in ("0", "否", "no", False)] == [False] * 4
    assert truth("") is None
    with pytest.raises(UnfitValueError):
        truth("perhaps")
