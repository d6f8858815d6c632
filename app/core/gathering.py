"""Gathering: what requests put down and one thread hands over for all of them, a few times a second.

For what nobody waits for: a line of a log, a count. Handing it over takes a call to the system or over the network, at
which a thread gives up the interpreter and stands in line for it again; a request should not pay for that.
"""

import atexit
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock, Thread
from time import sleep
from typing import Generic, TypeVar

import structlog

Item = TypeVar("Item")

log = structlog.get_logger()


class Gathered(Generic[Item]):
    """Items on their way; the thread that hands them over begins with the first of them."""

    def __init__(
        self, name: str, hand_over: Callable[[list[Item]], None], *, seconds: float
    ) -> None:
        """``hand_over`` gets all that came in so many seconds, in order; at the end of the process, what is left."""
        self._name = name
        self._hand_over = hand_over
        self._seconds = seconds
        self._items: deque[Item] = deque()
        self._have_come = Event()
        self._starting, self._handing_over = Lock(), Lock()
        self._is_started = False

    def put(self, item: Item) -> None:
        """Leave an item; never waits."""
        self._items.append(item)
        if not self._have_come.is_set():
            self._have_come.set()
        if not self._is_started:
            self._start()

    def flush(self) -> None:
        """Hand over what is there, by this thread; back once nothing is on its way any more."""
        with self._handing_over:
            items = [self._items.popleft() for _ in range(len(self._items))]
            if not items:
                return
            try:
                self._hand_over(items)
            except Exception:
                # The next ones are handed over all the same, even where a full disk takes no line about these.
                with suppress(Exception):
                    log.exception("not_handed_over", what=self._name, count=len(items))

    def _start(self) -> None:
        with self._starting:
            if self._is_started:
                return
            self._is_started = True
            Thread(target=self._work, name=self._name, daemon=True).start()
            atexit.register(self.flush)

    def _work(self) -> None:
        while True:
            self._have_come.wait()
            sleep(self._seconds)
            # Before they are taken: who comes meanwhile says so again.
            self._have_come.clear()
            self.flush()
