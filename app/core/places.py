"""Places: how many requests of a process work at once, and how one that only waits lets another work meanwhile.

Threads that all work take turns at the interpreter, and each then takes longer; threads that wait cost nothing. So a
process has more threads than places, and who waits for something that many are better in lends its place.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from threading import local
from typing import Any

#: As many as work at once in a process; the pool of connections is at least as large.
PLACES = 8

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Places:
    """The places of one process."""

    def __init__(self, count: int = PLACES) -> None:
        #: A token for each free place: getting and putting one costs a tenth of what a ``Semaphore`` does.
        self._free: SimpleQueue[None] = SimpleQueue()
        for _ in range(count):
            self._free.put(None)
        self._own = local()

    def around(self, application: WsgiApp) -> WsgiApp:
        """Give each request of an application a place, for which it may have to wait."""

        def placed(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            with self.taken():
                return application(environ, start_response)

        return placed

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Work in a place of this thread's own."""
        self._free.get()
        self._own.is_placed = True
        try:
            yield
        finally:
            self._own.is_placed = False
            self._free.put(None)

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Wait for something while another works in this thread's place; nothing changes for a thread without one."""
        if not getattr(self._own, "is_placed", False):
            yield
            return
        self._free.put(None)
        try:
            yield
        finally:
            self._free.get()
