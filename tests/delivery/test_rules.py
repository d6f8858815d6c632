"""The rules of when a push may come."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from app.delivery.rules import WAIT_SECONDS_MAX, quiet_until, wait_before

minutes = st.integers(0, 24 * 60 - 1)
moments = st.integers(0, 2 * 366 * 24 * 60).map(
    lambda m: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=m)
)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, 2, hour, minute, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)


def test_quiet_hours_may_pass_midnight():
    night = {"zone": "Asia/Shanghai", "start": 22 * 60, "end": 7 * 60}
    assert quiet_until(at(21, 59), **night) is None
    assert quiet_until(at(23), **night) == at(7) + timedelta(days=1)
    assert quiet_until(at(6, 59), **night) == at(7)
    assert quiet_until(at(7), **night) is None


@given(moments, minutes, minutes)
def test_quiet_hours_end_within_a_day_and_outside_themselves(now, start, end):
    if start == end:
        return
    until = quiet_until(now, zone="Asia/Shanghai", start=start, end=end)
    if until is not None:
        assert now < until <= now + timedelta(days=1)
        assert quiet_until(until, zone="Asia/Shanghai", start=start, end=end) is None


@given(st.integers(1, 20), st.none() | st.floats(0, 10_000), st.floats(0, 1))
def test_waiting_grows_and_heeds_the_provider(tries, asked, luck):
    wait = wait_before(tries, asked=asked, luck=luck)
    assert wait >= (asked or 0)
    assert wait <= max(WAIT_SECONDS_MAX, asked or 0) * 1.25
    assert wait_before(tries + 1, asked=asked, luck=luck) >= wait
