"""Keeps children alive: one that dies comes back under the same address, ever more slowly."""

import ctypes
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from app.runtime.child import Child
from app.runtime.errors import StartRefusedError
from app.runtime.leftovers import end_orphans

LOOK_SECONDS = 0.1
FIRST_PAUSE_SECONDS = 0.1
PAUSE_SECONDS_MAX = 10.0
STEADY_SECONDS = 30.0
DEATHS_BEFORE_READY_MAX = 5
PR_SET_CHILD_SUBREAPER = 36


class StoppedError(Exception):
    """Somebody asked for the end while something was still being waited for."""


@dataclass
class Watched:
    """A child and how it has fared."""

    child: Child
    started_at: float
    deaths: int = 0
    again_at: float | None = None

    def died(self, now: float) -> None:
        """Put off the next start, the longer the more often it died in a row."""
        if now - self.started_at > STEADY_SECONDS:
            self.deaths = 0
        self.again_at = now + min(FIRST_PAUSE_SECONDS * 2**self.deaths, PAUSE_SECONDS_MAX)
        self.deaths += 1


class Keeper:
    """All children of the supervisor, in the order they were started."""

    def __init__(
        self, say: Callable[[str], None], *, stop: threading.Event, owns_process: bool = False
    ) -> None:
        """``owns_process``: every child of this process is ours to end, because nobody else starts any."""
        self._say = say
        self._stop = stop
        self._owns_process = owns_process
        self._watched: list[Watched] = []
        self._passing: Child | None = None
        self._beside: list[Child] = []

    def start(self, child: Child) -> None:
        """Start ``child`` and keep it running from now on."""
        child.start()
        self.adopt(child)

    def adopt(self, child: Child) -> None:
        """Keep a child running that somebody else has started."""
        self._watched.append(Watched(child, time.monotonic()))

    def run_once(self, child: Child) -> None:
        """Run ``child`` to its end, which must be a good one."""
        self._passing = child
        child.start()
        try:
            self.wait_until(lambda: child.exit_code is not None)
        finally:
            child.stop()
            self._passing = None
        if child.exit_code != 0:
            raise StartRefusedError(f"{child.name} failed with exit code {child.exit_code}.")

    def run_beside(self, child: Child) -> None:
        """Run ``child`` to its end while all else goes on; how it ends is its own affair."""
        child.start()
        self._beside.append(child)

    @property
    def is_alone(self) -> bool:
        """Whether all that ran beside has ended."""
        return all(child.exit_code is not None for child in self._beside)

    def end_beside(self) -> None:
        """End what still runs beside."""
        for child in self._beside:
            child.stop()

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Keep the children until ``is_so``; somebody's wish to stop comes first."""
        while not is_so():
            self.look(time.monotonic())
            if self._stop.wait(LOOK_SECONDS):
                raise StoppedError

    def look(self, now: float) -> None:
        """Bring back who has died and waited long enough."""
        for watched in self._watched:
            if watched.again_at is None:
                self._notice_death(watched, now)
            if watched.again_at is not None and now >= watched.again_at:
                if self._owns_process:
                    end_orphans(self._pids())
                watched.child.start()
                watched.started_at, watched.again_at = now, None

    def refuse_the_restless(self) -> None:
        """While starting up, a child that keeps dying will not get well by itself."""
        for watched in self._watched:
            if watched.deaths >= DEATHS_BEFORE_READY_MAX:
                raise StartRefusedError(f"{watched.child.name} keeps dying; see above.")

    def stop(self, names: Iterable[str], seconds: float) -> None:
        """End the named children together, within ``seconds``; they do not come back."""
        wanted = set(names)
        leaving = [w.child for w in self._watched if w.child.name in wanted]
        self._watched = [w for w in self._watched if w.child.name not in wanted]
        deadline = time.monotonic() + seconds
        for child in leaving:
            child.signal_stop()
        for child in leaving:
            child.finish(max(0.0, deadline - time.monotonic()))

    @property
    def names(self) -> list[str]:
        return [watched.child.name for watched in self._watched]

    def _notice_death(self, watched: Watched, now: float) -> None:
        code = watched.child.exit_code
        if code is None:
            return
        watched.died(now)
        self._say(f"{watched.child.name} ended ({_how(code)}) and is started again")
        for line in watched.child.last_words():
            self._say(f"  {watched.child.name} | {line}")

    def _pids(self) -> set[int]:
        children = [watched.child for watched in self._watched]
        children += [self._passing] if self._passing else []
        children += self._beside
        return {child.pid for child in children if child.pid is not None}


def adopt_orphans() -> None:
    """Let the kernel hand us a dead child's children, such as PostgreSQL's sessions.

    They would hold its shared memory and so put off the restart; and as the first process of a
    container we would have to bury them anyway.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(1), 0, 0, 0)


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
