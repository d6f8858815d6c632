"""What a rail is to us: somebody who pays people on our order, and may be asked what came of it."""

from dataclasses import dataclass
from typing import Protocol

#: Where the composition root keeps the rails of this installation, by name.
RAILS = "payout_rails"

PENDING = "pending"
SUCCESS = "success"
FAILED = "failed"
MISSING = "missing"


@dataclass(frozen=True, kw_only=True)
class Order:
    """An order to pay: our number, kept before the first call and the same on every repeat, to whom and how much."""

    out_bill_no: str
    account: str
    amount_minor: int
    remark: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a rail says of a number: ``pending``, ``success``, ``failed``, or ``missing`` where it knows none such."""

    state: str
    amount_minor: int | None = None
    reason: str = ""


class RailUnclear(Exception):  # noqa: N818 - not an error of ours
    """No answer, or none that can be read: whether it had an effect is not known."""


class Rail(Protocol):
    """A way to pay; it must pay a number at most once however often it is sent."""

    def send(self, order: Order) -> Answer:
        """Order a payment, or order it again; what it says is never final."""
        ...

    def query(self, out_bill_no: str) -> Answer:
        """Ask what came of a number."""
        ...
