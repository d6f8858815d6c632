"""Facts of delivery, in the past tense."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from app.core.events import Fact


@dataclass(frozen=True, kw_only=True)
class NoticeTold(Fact):
    """News came for an audience; ``title`` and ``body`` in both languages, ``about`` the kind of notice.

    It is nothing new to ``except_person_id``, who made it happen: for that person it is not in the list.
    """

    kind: ClassVar[str] = "delivery.notice_told"

    notice_id: UUID
    number: int
    about: str
    title: dict[str, str]
    body: dict[str, str]
    link: str
    except_person_id: UUID | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class NoticesRead(Fact):
    """A person read notices: all up to ``through``, and these; that person's own devices hear of it.

    ``unread`` is what was left among the notices up to ``counted_to``, at this ``version`` of the read state.
    """

    kind: ClassVar[str] = "delivery.notices_read"

    through: int
    notice_ids: list[UUID]
    unread: int
    counted_to: int
    version: int
