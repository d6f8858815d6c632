"""Pure rules of delivery: when a push may come, and when it is tried again."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

TRIES_MAX = 6
FIRST_WAIT_SECONDS = 2.0
WAIT_SECONDS_MAX = 3_600.0
#: FCM asks senders to spread their retries.
JITTER = 0.25


def quiet_until(now: datetime, *, zone: str, start: int, end: int) -> datetime | None:
    """Say when the quiet hours end that ``now`` lies in; None outside them. Minutes since local midnight."""
    here = now.astimezone(ZoneInfo(zone))
    minute = here.hour * 60 + here.minute
    is_quiet = start <= minute < end if start < end else minute >= start or minute < end
    if not is_quiet:
        return None
    day = here.date() if minute < end else here.date() + timedelta(days=1)
    ends = datetime.combine(day, time(end // 60, end % 60), ZoneInfo(zone))
    return ends.astimezone(now.tzinfo)


def wait_before(tries: int, *, asked: float | None, luck: float) -> float:
    """Say how many seconds to wait after so many tries; the provider's wish counts. ``luck`` is between 0 and 1."""
    wait: float = min(FIRST_WAIT_SECONDS * 4.0 ** (tries - 1), WAIT_SECONDS_MAX)
    return max(wait, asked or 0.0) * (1 + JITTER * luck)
