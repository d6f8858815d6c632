"""Combining: what many threads ask for at once is asked in one call.

Whoever comes while a call is on its way waits, and all who wait go together in the next one. Alone, a caller's call
is made at once, by its own thread: there is no thread and no delay besides.
"""

from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Awaited(Generic[Answer]):
    """An answer that one thread waits for and another gives, once; a fifth of what a ``Future`` costs."""

    __slots__ = ("_answer", "_error", "_is_given")

    _answer: Answer

    def __init__(self) -> None:
        self._error: BaseException | None = None
        self._is_given = Lock()
        self._is_given.acquire()

    def give(self, answer: Answer) -> None:
        """Let the waiting thread have its answer."""
        self._answer = answer
        self._is_given.release()

    def fail(self, error: BaseException) -> None:
        """Raise in the waiting thread."""
        self._error = error
        self._is_given.release()

    def result(self, seconds: float) -> Answer:
        """Wait for the answer; raises ``TimeoutError`` when it is not there in time."""
        if not self._is_given.acquire(timeout=seconds):
            raise TimeoutError
        if self._error is not None:
            raise self._error
        return self._answer


class _Waiting(Generic[Question, Answer]):
    """A caller who waits for an answer, or for its turn to make the next call."""

    __slots__ = ("answer", "error", "is_answered", "question", "woken")

    answer: Answer

    def __init__(self, question: Question) -> None:
        self.question = question
        self.is_answered = False
        self.error: BaseException | None = None
        self.woken = Lock()
        self.woken.acquire()


class Combined(Generic[Question, Answer]):
    """A function of many questions, asked by many threads with one question each."""

    def __init__(
        self, call: Callable[[Sequence[Question]], Sequence[Answer]], *, most: int
    ) -> None:
        """``call`` answers at most so many questions, in their order."""
        self._call = call
        self._most = most
        self._lock = Lock()
        self._waiting: deque[_Waiting[Question, Answer]] = deque()
        self._is_calling = False

    def __call__(self, question: Question) -> Answer:
        """Answer one question; what the call raises is raised for each of its questions."""
        mine = _Waiting[Question, Answer](question)
        with self._lock:
            self._waiting.append(mine)
            is_next, self._is_calling = not self._is_calling, True
        if not is_next:
            mine.woken.acquire()
        if not mine.is_answered:
            self._call_for_all()
        if mine.error is not None:
            raise mine.error
        return mine.answer

    def _call_for_all(self) -> None:
        """Ask for everybody who waits, which includes this thread, and hand the next call to whoever came since."""
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        try:
            answers = self._call([waiting.question for waiting in batch])
            for waiting, answer in zip(batch, answers, strict=True):
                waiting.answer = answer
        except BaseException as error:  # noqa: BLE001 - whatever it is, nobody is left waiting
            for waiting in batch:
                waiting.error = error
        self._hand_over()
        for waiting in batch:
            waiting.is_answered = True
            waiting.woken.release()

    def _hand_over(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting[0].woken.release()
            else:
                self._is_calling = False
