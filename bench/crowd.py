"""A crowd: people who tap at once, as an installation serves them: a process for each core, with an api's threads.

One process cannot fill a machine of several cores, because its threads share an interpreter. All contenders are
played by as many processes and threads, each contender over connections of its own.
"""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from app.core.settings import Settings
from app.runtime.programs import API_THREADS

PROCESSES = min(os.cpu_count() or 1, 8)
#: Who taps at once, in all processes together.
TAPPING = PROCESSES * API_THREADS

Answer = dict[str, Any]
Work = Callable[[Any], Answer]
#: Makes ready, in each process, what an item is worked on with; found by its name there.
Prepare = Callable[[Settings], Work]


@dataclass(frozen=True)
class Played:
    """What came of the items, in their order: answers, how long each took and when it ended (seconds), and CPU time."""

    answers: list[Answer]
    waits: list[float]
    ended: list[float]
    began: float
    cpu_seconds: float

    @property
    def seconds(self) -> float:
        return max(self.ended) - self.began


@dataclass(frozen=True)
class Crowd:
    """Processes that wait for items."""

    doors: Sequence["Connection[Any, Any]"]

    def play(self, items: Sequence[Any]) -> Played:
        """Let all processes work on their parts at once; nothing is measured before each of them holds its own."""
        parts = [items[start :: len(self.doors)] for start in range(len(self.doors))]
        for door, part in zip(self.doors, parts, strict=True):
            door.send(part)
        self._hear()
        began = time.perf_counter()
        for door in self.doors:
            door.send("go")
        played: list[Played] = self._hear()
        answers: list[Answer] = [{}] * len(items)
        waits, ended = [0.0] * len(items), [0.0] * len(items)
        for start, part in enumerate(played):
            answers[start :: len(self.doors)] = part.answers
            waits[start :: len(self.doors)] = part.waits
            ended[start :: len(self.doors)] = part.ended
        return Played(answers, waits, ended, began, sum(part.cpu_seconds for part in played))

    def _hear(self) -> list[Any]:
        try:
            return [door.recv() for door in self.doors]
        except EOFError:
            raise SystemExit("a process of the crowd died") from None


@contextmanager
def crowd(settings: Settings, prepare: Prepare, tapping: int = TAPPING) -> Iterator[Crowd]:
    """Start as many processes as the machine has cores, or as tap at once where those are fewer."""
    context = multiprocessing.get_context("spawn")
    count = min(PROCESSES, tapping)
    with ExitStack() as stack:
        doors = []
        for number in range(count):
            ours, theirs = context.Pipe()
            threads = len(range(number, tapping, count))
            process = context.Process(
                target=_serve, args=(theirs, settings, prepare, threads), daemon=True
            )
            process.start()
            theirs.close()
            stack.callback(process.join)
            stack.callback(ours.close)
            doors.append(ours)
        yield Crowd(doors)


def _serve(
    door: "Connection[Any, Any]", settings: Settings, prepare: Prepare, threads: int
) -> None:
    work = prepare(settings)
    while True:
        try:
            items = door.recv()
        except EOFError:
            return
        door.send("ready")
        door.recv()
        door.send(_work_off(work, items, threads))


def _work_off(work: Work, items: Sequence[Any], threads: int) -> Played:
    answers: list[Answer] = [{}] * len(items)
    waits, ended = [0.0] * len(items), [0.0] * len(items)
    left = iter(range(len(items)))

    def work_off() -> None:
        # The threads share one iterator: a pool's future for each item cost more than the item.
        for number in left:
            tapped = time.perf_counter()
            answers[number] = work(items[number])
            ended[number] = time.perf_counter()
            waits[number] = ended[number] - tapped

    own, began = time.process_time(), time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        for worker in [pool.submit(work_off) for _ in range(threads)]:
            worker.result()
    return Played(answers, waits, ended, began, time.process_time() - own)
