"""What a person was told: the list, what of it is unread, and reading.

The list is read from the notices themselves. A count says up to which notice and at which version of the person's read
state it holds, so that a device can tell an older count from a newer one and add what it heard since.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.events import record
from app.core.paging import Page, slice_page
from app.delivery import queries
from app.delivery.events import NoticesRead
from app.people.queries import scopes_of_persons

#: Nobody reads a larger number; it is shown as "99+".
UNREAD_MAX = 100
NUMBER_MAX = 2**63 - 1

Item = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Unread:
    """How many are unread (at most ``UNREAD_MAX``) among the notices up to ``counted_to``, at a version."""

    unread: int
    counted_to: int
    through: int
    version: int


def read_page(
    session: Session, *, caller: Caller, page: Page, language: str
) -> tuple[list[Item], str | None]:
    """Read a page of what the caller was told, newest first, in a language."""
    after = page.after(int)
    place = _place(caller, page.limit + 1) | {"before": after[0] if after else NUMBER_MAX}
    found = session.execute(queries.NOTICES, place).all()
    rows, next_cursor = slice_page(found, page, lambda row: (row.number,))
    return [_item_of(row, language) for row in rows], next_cursor


def count_unread(session: Session, *, caller: Caller) -> Unread:
    """Count what the caller has not read."""
    counted = session.execute(queries.UNREAD, _place(caller, UNREAD_MAX)).mappings().one()
    return Unread(**counted)


def mark_read(session: Session, *, caller: Caller, through: int, notice_ids: list[UUID]) -> Unread:
    """Note what the caller has read and tell the caller's devices; reading it again changes nothing that is seen."""
    place = _place(caller, UNREAD_MAX) | {"through": through, "notice_ids": notice_ids}
    # The reader's own row first: two devices of one person take turns, and versions follow the turns.
    session.execute(queries.READ_THROUGH, place)
    session.execute(queries.READ_THESE, place)
    session.execute(queries.FORGET_COVERED, place)
    left = count_unread(session, caller=caller)
    own = [row.id for row in session.execute(scopes_of_persons([caller.person_id]))]
    fact = NoticesRead(
        through=left.through,
        notice_ids=notice_ids,
        unread=left.unread,
        counted_to=left.counted_to,
        version=left.version,
    )
    record(session, fact, scope_ids=own)
    return left


def _place(caller: Caller, count: int) -> dict[str, Any]:
    return {
        "tenant_id": caller.tenant_id,
        "person_id": caller.person_id,
        "scope_ids": list(caller.scope_ids),
        "count": count,
    }


def _item_of(row: Any, language: str) -> Item:
    language = "en" if language == "en" else "zh"
    return {
        "id": row.id,
        "number": row.number,
        "kind": row.kind,
        "title": row.texts["title"][language],
        "body": row.texts["body"][language],
        "link": row.link,
        "created_at": row.created_at,
        "read": row.read,
    }
