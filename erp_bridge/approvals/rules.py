"""Pure rules of approvals: what became of a decision, when to look again, amounts in minor units."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from erp_bridge.connectors.approving import STATE_OF, Ruling, WaitingTask

REASON_LENGTH_MAX = 500
ANSWER_LENGTH_MAX = 500
#: What cannot be sent is tried for so long, then given up: it never left us.
QUEUED_FOR = timedelta(hours=1)
#: A decision of which the ERP shows nothing may still arrive for so long; then it is over, and not sent again.
MAY_ARRIVE_FOR = timedelta(minutes=15)
#: Longer than any answer is waited for: whoever sent it and has not said what came of it is dead.
SENDING_LASTS_MAX = timedelta(seconds=150)
#: While it is asked for how a sending ends, nobody else need look.
FIRST_LOOK = timedelta(seconds=5)
LOOK_MAX = timedelta(minutes=2)

NOT_ARRIVED = "erp_bridge.not_arrived"
DECIDED_ELSEWHERE = "erp_bridge.decided_elsewhere"
DOCUMENT_GONE = "erp_bridge.document_gone"
NOT_ATTRIBUTED = "erp_bridge.not_attributed"
NEVER_SENT = "erp_bridge.never_sent"
INTERRUPTED = "erp_bridge.interrupted"
NOT_SEEN_YET = "erp_bridge.not_seen_yet"

_WHOLE_CURRENCIES = frozenset({"JPY", "KRW", "VND", "ISK", "CLP"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a decision is after the ERP was asked: confirmed, refused or unknown, and why."""

    state: str
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A decision as it was sent: by whom, what, and what the document's history said of them before."""

    approver: str
    verdict: str
    steps_before: int
    sent_at: datetime


def outcome_of(
    sent: Sent, *, ruling: Ruling | None, after: WaitingTask | None, is_read: bool, now: datetime
) -> Outcome:
    """Judge by what the ERP shows; what it said (``ruling``, None when it said nothing) only refuses or helps out.

    ``after`` is the document read again, None when the ERP has it no more; ``is_read`` is false when it could not be
    read. A step of the approver that was not there before is ours.
    """
    ours = after.steps_of(sent.approver)[sent.steps_before :] if after else []
    if ours:
        is_ours = ours[0].did == sent.verdict
        return Outcome("confirmed") if is_ours else Outcome("refused", DECIDED_ELSEWHERE)
    if ruling is not None and not ruling.is_done:
        return Outcome("refused", ruling.code)
    if not is_read:
        return _in_doubt(sent, now, may_end=False)
    if after is not None and after.state == "pending":
        return _in_doubt(sent, now, may_end=True)
    if ruling is not None and (after is None or after.state in ("gone", STATE_OF[sent.verdict])):
        # It said yes, and the document waits no longer. Not every ERP shows who decided; one that shows somebody
        # else has taken the decision, but not as the approver's own.
        is_another = after is not None and after.state != "gone" and after.history
        return Outcome("confirmed", NOT_ATTRIBUTED if is_another else None)
    return Outcome("refused", DOCUMENT_GONE if after is None else DECIDED_ELSEWHERE)


def look_after(attempts: int) -> timedelta:
    """How long to wait before the ERP is asked again what became of a decision."""
    return min(FIRST_LOOK * float(2 ** min(attempts, 10)), LOOK_MAX)


def minor_of(amount: Decimal | None, currency: str) -> int | None:
    """An amount in the currency's minor units, half up (away from zero)."""
    if amount is None:
        return None
    scale = 1 if currency in _WHOLE_CURRENCIES else 100
    return int((amount * scale).quantize(Decimal(1), ROUND_HALF_UP))


def overlaps(
    taken: Sequence[tuple[datetime, datetime | None]], begin: datetime, end: datetime | None
) -> bool:
    """Whether a time from ``begin`` to ``end`` (None: for good) shares a moment with one that is taken."""
    return any(
        (end is None or other_begin < end) and (other_end is None or begin < other_end)
        for other_begin, other_end in taken
    )


def _in_doubt(sent: Sent, now: datetime, *, may_end: bool) -> Outcome:
    if may_end and now >= sent.sent_at + MAY_ARRIVE_FOR:
        return Outcome("refused", NOT_ARRIVED)
    return Outcome("unknown", NOT_SEEN_YET)
