"""How hard we lean on an ERP: so many requests a second and a day, and how long to wait before asking again."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

from erp_bridge.connectors.base import ConnectorError

TRIES_MAX = 4
BACKOFF_SECONDS = 0.5
#: Longer than this a run does not wait; the next poll asks again.
WAIT_SECONDS_MAX = 30.0


@dataclass
class Waiting:
    """Time and luck, so that tests need not wait."""

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def before_retry(self, tries: int, retry_after: str | None) -> float | None:
        """Seconds until the next try; None when that is too long to wait for."""
        if retry_after is not None and (named := self._read(retry_after)) is not None:
            return named if named <= WAIT_SECONDS_MAX else None
        longest = min(BACKOFF_SECONDS * float(2**tries), WAIT_SECONDS_MAX)
        return longest * (0.5 + self.jitter() / 2)

    def milliseconds(self) -> int:
        """The time now, as rows are stamped with it that have no stamp of their own."""
        return int(self.now().timestamp() * 1_000)

    def _read(self, retry_after: str) -> float | None:
        """Retry-After is a number of seconds or a date."""
        if retry_after.strip().isdigit():
            return float(retry_after)
        try:
            moment = parsedate_to_datetime(retry_after)
        except ValueError:
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max((moment - self.now()).total_seconds(), 0.0)


class Allowance(Protocol):
    """Counts the requests of a day where they cannot be forgotten."""

    def take(self) -> None:
        """Count one request before it is made; `erp.budget_spent` when the day has none left."""
        ...


@dataclass
class Budget:
    """The requests that one account of an ERP may still make; shared by all readings of this process."""

    per_second: float
    per_day: int
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _next_at: float = 0.0
    _day: date | None = None
    _spent: int = 0

    def spend(self, waiting: Waiting, allowance: Allowance | None = None) -> None:
        """Count one request and wait for its turn; `erp.budget_spent` when the day has none left.

        With an ``allowance`` the day is counted there, for all processes, and not here.
        """
        if allowance is not None:
            allowance.take()
        with self._lock:
            if allowance is None:
                self._count(waiting.now().date())
            turn_at = max(self._next_at, waiting.monotonic())
            self._next_at = turn_at + 1 / self.per_second
        pause = turn_at - waiting.monotonic()
        if pause > 0:
            waiting.sleep(pause)

    def _count(self, today: date) -> None:
        if self._day != today:
            self._day, self._spent = today, 0
        if self._spent >= self.per_day:
            raise ConnectorError("erp.budget_spent", f"{self.per_day} requests a day")
        self._spent += 1


_BUDGETS: dict[str, Budget] = {}
_BUDGETS_LOCK = threading.Lock()


def budget_of(account: str, *, per_second: float, per_day: int) -> Budget:
    """The budget of an account; it outlives the connector, which lives for one run only."""
    with _BUDGETS_LOCK:
        budget = _BUDGETS.setdefault(account, Budget(per_second, per_day))
        budget.per_second, budget.per_day = per_second, per_day
    return budget
