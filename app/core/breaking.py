"""Breaking off: a server that was silent is left alone for a while, so that one call pays for its silence, not each."""

from threading import Lock
from time import monotonic

BREAK_SECONDS = 2.0


class Breaker:
    """Remembers that a server was silent, and sends one call at a time to see whether it is back."""

    def __init__(self) -> None:
        self._closed_until = 0.0
        self._is_broken = False
        self._lock = Lock()

    def lets_through(self) -> bool:
        if not self._is_broken:
            return True
        with self._lock:
            if monotonic() < self._closed_until:
                return False
            self._closed_until = monotonic() + BREAK_SECONDS
            return True

    def failed(self) -> None:
        with self._lock:
            self._is_broken, self._closed_until = True, monotonic() + BREAK_SECONDS

    def worked(self) -> None:
        self._is_broken = False
