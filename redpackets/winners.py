"""Winners: whom the gate gave a share is written to the database by one thread a process, many in a commit.

A request waits for the commit of its winner: nobody is told "won" before it. While one commit is on its way the
next winners gather, so the more there are the fewer commits each of them costs; and who is at the gate just now is
waited for a moment, as most of them will win. Room is bounded, and taken before the gate is asked: a server that
cannot keep up says so at the door.
"""

import atexit
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from threading import Condition, Thread
from time import monotonic
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.core.combining import Awaited
from app.core.errors import Unavailable
from app.core.work import Database
from redpackets.claiming import TOGETHER_MAX, Claim, Taken, claim_together

ROOM_MAX = 1_000
RETRY_AFTER_SECONDS = 1
STOP_SECONDS_MAX = 4.0
#: A commit waits this long at most for those who are still at the gate. It saves them a commit of their own.
GATHER_SECONDS_MAX = 0.002
#: A deadlock with somebody else's work is over once we gave way; the same commit is tried again.
TRIES_MAX = 3

log = structlog.get_logger()


class OutcomeUnknown(Exception):  # noqa: N818 - neither an error nor a success
    """The connection was lost in the commit: it may have happened or not."""


@dataclass
class _Waiting:
    """A winner and the request that waits for the commit."""

    claim: Claim
    answer: Awaited[Taken | None] = field(default_factory=Awaited)


#: Hears of (packet, person, index) that are committed.
Settle = Callable[[UUID, list[tuple[UUID, UUID, int]]], None]


class Winners:
    """The bounded queue of winners and its writer, which starts with the first winner of the process."""

    def __init__(self, database: Database, *, settle: Settle, room: int = ROOM_MAX) -> None:
        self._database = database
        self._settle = settle
        self._room = room
        #: Requests that hold a place, and those of them whose claims are in the queues.
        self._inside = self._queued = 0
        self._queues: OrderedDict[UUID, deque[_Waiting]] = OrderedDict()
        self._changed = Condition()
        self._thread: Thread | None = None
        self._is_closed = False

    @contextmanager
    def room(self) -> Iterator[None]:
        """Hold a place in the queue while asking the gate and waiting; refuse at once when there is none."""
        with self._changed:
            if self._is_closed or self._inside == self._room:
                raise Unavailable(retry_after=RETRY_AFTER_SECONDS)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._tell_writer()

    def submit(self, tenant_id: UUID, claim: Claim) -> Awaited[Taken | None]:
        """Hand a winner over; the answer is there after the commit, None when the claim was not true."""
        waiting = _Waiting(claim)
        with self._changed:
            if self._is_closed:
                raise Unavailable(retry_after=RETRY_AFTER_SECONDS)
            self._queues.setdefault(tenant_id, deque()).append(waiting)
            self._queued += 1
            if self._thread is None:
                self._start()
            self._tell_writer()
        return waiting.answer

    def close(self) -> None:
        """Write who is waiting and stop; nobody new is let in."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS_MAX)

    def _start(self) -> None:
        self._thread = Thread(target=self._work, name="redpackets-winners", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def _work(self) -> None:
        while (taken := self._next()) is not None:
            self._write(*taken)

    def _tell_writer(self) -> None:
        """Wake the writer for the first winner, and once there is nobody left to wait for."""
        if self._queued == 1 or self._queued >= self._inside:
            self._changed.notify()

    def _next(self) -> tuple[UUID, list[_Waiting]] | None:
        """Take up to a commit's worth of one company; companies take turns."""
        with self._changed:
            while not self._queues:
                if self._is_closed:
                    return None
                self._changed.wait()
            self._gather()
            tenant_id, queue = self._queues.popitem(last=False)
            batch = list(islice(_emptied(queue), TOGETHER_MAX))
            self._queued -= len(batch)
            if queue:
                self._queues[tenant_id] = queue
            return tenant_id, batch

    def _gather(self) -> None:
        """Wait a moment for those who are inside and may yet win."""
        until = monotonic() + GATHER_SECONDS_MAX
        while self._queued < self._inside and (left := until - monotonic()) > 0:
            self._changed.wait(left)

    def _write(self, tenant_id: UUID, batch: list[_Waiting]) -> None:
        try:
            outcomes = self._commit(tenant_id, [waiting.claim for waiting in batch])
        except Exception as error:
            log.exception("winners_not_written", tenant_id=str(tenant_id), count=len(batch))
            for waiting in batch:
                waiting.answer.fail(error)
            return
        for waiting, outcome in zip(batch, outcomes, strict=True):
            waiting.answer.give(outcome)
        self._settle(
            tenant_id,
            [
                (waiting.claim.packet_id, waiting.claim.person_id, outcome.index)
                for waiting, outcome in zip(batch, outcomes, strict=True)
                if outcome is not None
            ],
        )

    def _commit(self, tenant_id: UUID, claims: list[Claim]) -> list[Taken | None]:
        for _ in range(TRIES_MAX):
            try:
                return self._commit_once(tenant_id, claims)
            except DBAPIError as error:
                if not _sqlstate(error).startswith("40"):
                    # The database said no to all of them: each finds out alone what it meant.
                    log.warning("winners_refused", sqlstate=_sqlstate(error), count=len(claims))
                    return [None] * len(claims)
        return [None] * len(claims)

    def _commit_once(self, tenant_id: UUID, claims: list[Claim]) -> list[Taken | None]:
        is_committing = False
        try:
            with self._database.transaction(tenant_id) as session:
                outcomes = claim_together(session, claims)
                is_committing = True
        except DBAPIError as error:
            if is_committing and _was_cut(error):
                raise OutcomeUnknown from error
            if _was_cut(error):
                raise Unavailable(retry_after=RETRY_AFTER_SECONDS) from error
            raise
        except PoolTimeout as error:
            raise Unavailable(retry_after=RETRY_AFTER_SECONDS) from error
        return outcomes


def _emptied(queue: deque[_Waiting]) -> Iterator[_Waiting]:
    while queue:
        yield queue.popleft()


def _sqlstate(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def _was_cut(error: DBAPIError) -> bool:
    """Say whether the server was lost or going down, rather than refusing: it may have done what it was told."""
    return _sqlstate(error)[:3] in {"", "57P"} or _sqlstate(error).startswith("08")
