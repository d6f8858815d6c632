"""What a connector may offer beside reading: the tasks that wait for people, and deciding one as a person.

A desk is asked for a task by its key before and after it decides; it decides once for each call and never asks
again by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, Protocol, runtime_checkable

import orjson

from erp_bridge.connectors.base import ConnectorError
from erp_bridge.connectors.http import HttpError

Verdict = Literal["approve", "reject"]
APPROVE: Verdict = "approve"
REJECT: Verdict = "reject"
BOTH: tuple[Verdict, ...] = (APPROVE, REJECT)
#: A task by what the ERP says of it: ``gone`` is neither waiting nor decided by this approver.
TaskState = Literal["pending", "approved", "rejected", "gone"]
STATE_OF: Mapping[str, TaskState] = {APPROVE: "approved", REJECT: "rejected"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingLine:
    """A line of a document, in the document's currency; ``product`` is the ERP's key, ``text`` what it says itself."""

    product: str | None
    quantity: Decimal | None
    amount: Decimal | None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryStep:
    """Somebody did something with a document; ``who`` is the ERP's key of the person."""

    did: Literal["submit", "approve", "reject", "withdraw"]
    who: str | None
    at: datetime | None
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingTask:
    """A document and one approver it waits for, or how that ended."""

    key: str
    kind: str
    code: str
    approver: str | None
    state: TaskState = "pending"
    verdicts: tuple[Verdict, ...] = BOTH
    subject: str = ""
    amount: Decimal | None = None
    #: None: the company's own.
    currency: str | None = None
    applicant: str | None = None
    requested_on: date | None = None
    due_on: date | None = None
    lines: tuple[WaitingLine, ...] = ()
    history: tuple[HistoryStep, ...] = field(default=())

    @property
    def version(self) -> str:
        """Names the content that an approver looks at: another amount, line or applicant is another version.

        An ERP's own stamps do not serve: some stay as they are when a line is edited, others move by themselves.
        """
        shown: list[Any] = [
            [self.kind, self.code, self.currency, self.applicant, self.subject],
            _plain(self.amount),
            self.due_on and self.due_on.isoformat(),
            [
                [line.product, line.text, _plain(line.quantity), _plain(line.amount)]
                for line in self.lines
            ],
        ]
        return hashlib.blake2b(orjson.dumps(shown), digest_size=12).hexdigest()

    def steps_of(self, approver: str) -> list[HistoryStep]:
        """What this approver did with the document, in order."""
        return [
            step
            for step in self.history
            if step.who == approver and step.did in ("approve", "reject")
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One decision to carry out, as the ERP's user ``approver`` with their own key if the ERP wants one."""

    key: str
    approver: str
    verdict: Verdict
    reason: str
    number: str | None = None
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the ERP said to a decision: it took it, or refused it for a reason; ``answer`` is kept for the record."""

    is_done: bool
    code: str = ""
    answer: str = ""


class UnclearError(Exception):
    """No answer, or none that can be read: whether the decision had an effect is not known; ``code`` says why."""

    def __init__(self, code: str, answer: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.answer = answer


@runtime_checkable
class Desk(Protocol):
    """A connector that can also decide."""

    def tasks(self, approvers: Collection[str]) -> Iterator[WaitingTask]:
        """Everything that waits; where the ERP wants to be asked person by person, for these."""
        ...

    def task(self, key: str, approver: str) -> WaitingTask | None:
        """One task as it is now, whatever its state; None when there is no such document."""
        ...

    def number(self) -> str | None:
        """A number for the next act, where the ERP gives them out; it is kept before anything is sent."""
        ...

    def act(self, act: Act) -> Ruling:
        """Decide, once; raises ``UnclearError`` when it cannot be told what came of it."""
        ...


def _plain(number: Decimal | None) -> str | None:
    return None if number is None else format(number.normalize(), "f")


def leaves_it_open(error: ConnectorError) -> bool:
    """Whether a write that failed so may have had its effect: no answer came, or none that says no in plain words."""
    if not isinstance(error, HttpError):
        return False
    return error.status is None or error.status < 400 or error.status == 408 or error.status >= 500
