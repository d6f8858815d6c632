"""Notices: how a package brings news to people who are not looking.

A package turns a fact of its own, once that is numbered, into a ``Notice``; delivery decides whom, when and by
which channel: who is connected and has the event is not pushed to.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.errors import Texts
from app.core.events import record
from app.core.ids import new_id
from app.core.jobs import defer
from app.core.work import tenant_of
from app.delivery.events import NoticeTold
from app.delivery.models import NoticeAudience, NoticeHead, NoticeRow

PUSH_NOTICE = "delivery.push_notice"
NORMAL = "normal"
HIGH = "high"
TITLE_LENGTH_MAX = 120
BODY_LENGTH_MAX = 500
SCOPE_COUNT_MAX = 1_000


@dataclass(frozen=True, kw_only=True)
class Notice:
    """News for the people in ``scope_ids``: what it says in both languages, and where a tap leads.

    ``texts``: title and body. ``urgency`` high passes quiet hours. Of several notices of one ``collapse_key`` a
    phone shows the latest. ``source`` names the happening, so that the same one is told once.
    """

    kind: str
    texts: tuple[Texts, Texts]
    link: str
    scope_ids: tuple[UUID, ...] | list[UUID]
    collapse_key: str
    source: str
    urgency: str = NORMAL
    #: Whoever made it happen knows already.
    except_person_id: UUID | None = None


def notify(session: Session, notice: Notice, *, seq: int | None, now: datetime) -> None:
    """Keep the notice and ask for its pushes, in the caller's transaction; telling it again changes nothing.

    ``seq``: the number of the event that brings the same news over the stream, where there is one.
    """
    assert notice.urgency in {NORMAL, HIGH}
    assert len(notice.scope_ids) <= SCOPE_COUNT_MAX
    row = _row_of(session, notice, seq, now)
    made = session.scalar(
        insert(NoticeRow)
        .values(row)
        .on_conflict_do_nothing(index_elements=["tenant_id", "source"])
        .returning(NoticeRow.id)
    )
    if made is None:
        return
    place = {"tenant_id": row["tenant_id"], "number": row["number"]}
    lines = [place | {"scope_id": scope_id} for scope_id in row["scope_ids"]]
    if lines:
        session.execute(plain_insert(NoticeAudience), lines)
        record(session, _told(row, now), ref=made, scope_ids=row["scope_ids"])
    defer(session, PUSH_NOTICE, notice_id=str(made))


def _row_of(session: Session, notice: Notice, seq: int | None, now: datetime) -> dict[str, Any]:
    title, body = notice.texts
    return {
        "tenant_id": tenant_of(session),
        "id": new_id(),
        "number": _next_number(session),
        "kind": notice.kind,
        "texts": {
            "title": {"zh": title.zh[:TITLE_LENGTH_MAX], "en": title.en[:TITLE_LENGTH_MAX]},
            "body": {"zh": body.zh[:BODY_LENGTH_MAX], "en": body.en[:BODY_LENGTH_MAX]},
        },
        "link": notice.link,
        "collapse_key": notice.collapse_key,
        "urgency": notice.urgency,
        "scope_ids": sorted(set(notice.scope_ids)),
        "seq": seq,
        "source": notice.source,
        "except_person_id": notice.except_person_id,
        "created_at": now,
    }


def _next_number(session: Session) -> int:
    """Take the next number, and the turn with it until the commit: no smaller one appears later."""
    first = {"tenant_id": tenant_of(session), "number": 1}
    number: int = session.scalars(
        insert(NoticeHead)
        .values(first)
        .on_conflict_do_update(index_elements=["tenant_id"], set_={"number": NoticeHead.number + 1})
        .returning(NoticeHead.number)
    ).one()
    return number


def _told(row: dict[str, Any], now: datetime) -> NoticeTold:
    return NoticeTold(
        notice_id=row["id"],
        number=row["number"],
        about=row["kind"],
        title=row["texts"]["title"],
        body=row["texts"]["body"],
        link=row["link"],
        except_person_id=row["except_person_id"],
        created_at=now.astimezone(UTC),
    )
