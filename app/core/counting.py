"""Counting what callers do, in windows of time, over all processes: at once in each, together a few times a second.

A request is counted where it is, with what Redis said last of all other processes'. What a process counted since is
told to Redis for all of its callers in one call, which no request waits for. So a caller who spreads requests over
several processes may do a few too many before they hear of each other; while Redis is away each counts on alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Any

import redis

from app.core.breaking import Breaker
from app.core.gathering import Gathered

#: How long a process keeps to itself what it counted.
TELL_SECONDS = 0.05
#: In one call; Redis does nothing else meanwhile.
TOLD_TOGETHER_MAX = 500
FORGET_SECONDS = 30.0
#: For each key: adds its count, begins a window where there is none, gives (count, milliseconds that are left).
ADD = """
local said = {}
for i, key in ipairs(KEYS) do
  local count = redis.call('INCRBY', key, ARGV[2 * i - 1])
  local left = redis.call('PTTL', key)
  if left < 0 then
    left = tonumber(ARGV[2 * i])
    redis.call('PEXPIRE', key, left)
  end
  said[i] = {count, left}
end
return said
"""


@dataclass(eq=False, slots=True)
class _Window:
    """What is counted under a key until ``ends_at`` (monotonic): as Redis said last, and in this process since."""

    key: str
    seconds: int
    ends_at: float
    told: int = 0
    untold: int = 0
    #: Whether it waits to be told.
    waits: bool = False


class SharedCounts:
    """Counts by key, each in a window that begins with the first; shared by all processes over one Redis."""

    def __init__(self, client: Any) -> None:
        self._add = client.register_script(ADD)
        self._windows: dict[str, _Window] = {}
        self._lock = Lock()
        self._telling = Gathered("counts", self._tell, seconds=TELL_SECONDS)
        self._breaker = Breaker()
        self._forget_at = monotonic() + FORGET_SECONDS

    def add(self, key: str, seconds: int) -> tuple[int, float]:
        """Count one more under ``key``; gives how many there are and in how many seconds the window ends."""
        now = monotonic()
        with self._lock:
            window = self._windows.get(key)
            if window is None or window.ends_at <= now:
                window = self._windows[key] = _Window(key, seconds, now + seconds)
            window.untold += 1
            counted = window.told + window.untold, window.ends_at - now
            is_first, window.waits = not window.waits, True
        if is_first:
            self._telling.put(window)
        return counted

    def _tell(self, given: list[_Window]) -> None:
        now = monotonic()
        # What an ended window did not tell is of no use to the next.
        windows = [window for window in given if window.ends_at > now]
        for start in range(0, len(windows), TOLD_TOGETHER_MAX):
            self._tell_some(windows[start : start + TOLD_TOGETHER_MAX])
        if now >= self._forget_at:
            self._forget_ended()

    def _tell_some(self, windows: Sequence[_Window]) -> None:
        with self._lock:
            counts = [window.untold for window in windows]
            for window in windows:
                window.waits = False
        said = self._ask(windows, counts)
        now = monotonic()
        with self._lock:
            for window, count, (total, left_ms) in zip(windows, counts, said, strict=False):
                window.told = total
                window.untold -= count
                window.ends_at = now + left_ms / 1000

    def _ask(self, windows: Sequence[_Window], counts: list[int]) -> list[tuple[int, int]]:
        """Add the counts in Redis; nothing while it is away, and what was counted stays untold."""
        if not self._breaker.lets_through():
            return []
        values = [
            value
            for window, count in zip(windows, counts, strict=True)
            for value in (count, window.seconds * 1000)
        ]
        try:
            said: list[tuple[int, int]] = self._add([window.key for window in windows], values)
        except redis.RedisError:
            self._breaker.failed()
            return []
        self._breaker.worked()
        return said

    def _forget_ended(self) -> None:
        now = monotonic()
        self._forget_at = now + FORGET_SECONDS
        for key, window in list(self._windows.items()):
            with self._lock:
                if window.ends_at <= now and self._windows.get(key) is window:
                    del self._windows[key]
