"""A clock that tests can move; it runs like the real one in between.

``WORKSPACE_TEST_NOW=2028-02-29T15:59:30+00:00`` lets every test begin at that moment, such as the last of a month.
"""

import os
from datetime import datetime, timedelta

from app.core import clock

BEGINS_AT = os.environ.get("WORKSPACE_TEST_NOW")


class MovableClock:
    """Say what time it is, shifted by what the test has moved it."""

    def __init__(self) -> None:
        self._shift = timedelta()
        if BEGINS_AT:
            self._shift = datetime.fromisoformat(BEGINS_AT) - clock.now()

    def __call__(self) -> datetime:
        return clock.now() + self._shift

    def move(self, **shift: float) -> None:
        """Move on by ``minutes=…, hours=…, days=…``."""
        self._shift += timedelta(**shift)
