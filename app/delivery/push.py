"""Push: what is sent to a device's provider, and the one interface behind which every provider stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol
from uuid import UUID

from app.delivery.models import NoticeRow

CHANNELS = "push_channels"
BATCH_SIZE = 100
LIVES_HOURS = 24


@dataclass(frozen=True, kw_only=True)
class Push:
    """One notification to one device."""

    token: str
    title: str
    body: str
    data: Mapping[str, str]
    collapse_key: str
    is_urgent: bool
    lives_seconds: int


class Outcome(Enum):
    """What a provider made of a push."""

    ACCEPTED = "accepted"
    #: The token is nobody's any more.
    GONE = "gone"
    AGAIN = "again"
    REFUSED = "refused"


@dataclass(frozen=True)
class Answer:
    """A provider's answer; ``error`` is its own word for why, ``retry_after`` its own wish in seconds."""

    outcome: Outcome
    error: str | None = None
    retry_after: float | None = None


class Channel(Protocol):
    """A provider: FCM, and whatever reaches phones where FCM does not."""

    def send(self, pushes: Sequence[Push]) -> list[Answer]:
        """Send at most ``BATCH_SIZE`` pushes and say what became of each, in order; never raises."""


def push_of(notice: NoticeRow, *, tenant_id: UUID, token: str, language: str) -> Push:
    """Write a notice for one device, in the language of its owner."""
    return Push(
        token=token,
        title=notice.texts["title"][language],
        body=notice.texts["body"][language],
        data=_data_of(notice),
        # A phone may know several companies; news of one must not swallow another's.
        collapse_key=f"{tenant_id.hex[-12:]}.{notice.collapse_key}"[:64],
        is_urgent=notice.urgency == "high",
        lives_seconds=LIVES_HOURS * 3600,
    )


def _data_of(notice: NoticeRow) -> dict[str, str]:
    data: dict[str, Any] = {
        "link": notice.link,
        "kind": notice.kind,
        "notice_id": notice.id,
        "seq": "" if notice.seq is None else notice.seq,
    }
    return {name: str(value) for name, value in data.items()}
