"""What a reader gets of an item: rows to plain JSON values, the same in pages, answers and events."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import BadCursor, NotFound
from app.core.paging import Page, slice_page
from app.core.work import tenant_of
from feeds import queries
from feeds.models import Comment
from feeds.rules import RIDING_BYTES_MAX
from feeds.search import query_of

Item = dict[str, Any]
SEQ_MAX = 2**63 - 1
ORDERS = tuple(queries.MERGED)


def read_page(
    session: Session, *, caller: Caller, order: str, page: Page
) -> tuple[list[Item], str | None]:
    """Read a page of the caller's feed and the cursor of the next one."""
    merged = session.execute(
        queries.MERGED[order],
        {
            "tenant_id": caller.tenant_id,
            "scope_ids": list(caller.scope_ids),
            "before": _before(order, page),
            "count": page.limit + 1,
        },
    ).all()
    lines, next_cursor = slice_page(merged, page, lambda line: (order, line.seq))
    return read_items(session, caller.person_id, [line.post_id for line in lines]), next_cursor


def read_pinned(session: Session, *, caller: Caller, now: datetime) -> list[Item]:
    """Read what the caller must still acknowledge."""
    place = {
        "tenant_id": caller.tenant_id,
        "scope_ids": list(caller.scope_ids),
        "person_id": caller.person_id,
        "now": now,
    }
    lines = session.execute(queries.PINNED, place)
    return read_items(session, caller.person_id, [line.post_id for line in lines])


def find_page(
    session: Session, *, caller: Caller, words: str, page: Page
) -> tuple[list[Item], str | None]:
    """Find a page of items that have these words, newest first."""
    before, wanted = _before("found", page), query_of(words)
    if wanted is None:
        return [], None
    place = {
        "tenant_id": caller.tenant_id,
        "scope_ids": list(caller.scope_ids),
        "words": wanted,
        "before": before,
        "count": page.limit + 1,
    }
    found = session.execute(queries.FOUND, place).all()
    lines, next_cursor = slice_page(found, page, lambda line: ("found", line.publish_seq))
    return read_items(session, caller.person_id, [line.id for line in lines]), next_cursor


def read_item(session: Session, person_id: UUID, post_id: UUID) -> Item:
    """Read one item as this person gets it."""
    found = read_items(session, person_id, [post_id])
    if not found:
        raise NotFound
    return found[0]


def read_items(session: Session, person_id: UUID, post_ids: Sequence[UUID]) -> list[Item]:
    """Read items by id, in one statement, in the order of the ids."""
    place = {
        "tenant_id": tenant_of(session),
        "person_id": person_id,
        "post_ids": list(post_ids),
    }
    found = {row.id: row for row in session.execute(queries.ITEMS, place)}
    return [_item_of(found[post_id]) for post_id in post_ids if post_id in found]


def shared_part(item: Item) -> Item | None:
    """Give what all readers have in common, if it is small enough to ride in an event."""
    shared = {key: value for key, value in item.items() if key != "mine"}
    return shared if len(orjson.dumps(shared)) <= RIDING_BYTES_MAX else None


def comment_of(row: Row[Comment, str, str]) -> Item:
    """Write a comment and its author."""
    comment, name, title = row[0], row[1], row[2]
    return {
        "id": str(comment.id),
        "post_id": str(comment.post_id),
        "client_id": str(comment.client_id),
        "seq": comment.seq,
        "author": {"id": str(comment.author_id), "name": name, "title": title},
        "reply_to": _text(comment.reply_to),
        "body": comment.body,
        "body_html": comment.body_html,
        "created_at": moment(comment.created_at),
    }


def moment(value: datetime | None) -> str | None:
    """Write a time in UTC."""
    return value.astimezone(UTC).isoformat() if value else None


def _before(order: str, page: Page) -> int:
    after = page.after(str, int)
    if after is None:
        return SEQ_MAX
    if after[0] != order:
        raise BadCursor
    before: int = after[1]
    return before


def _item_of(row: Row[Any]) -> Item:
    return {
        "id": str(row.id),
        "type": row.type,
        "version": row.version,
        "author": {
            "id": str(row.author_id),
            "name": row.author_name,
            "title": row.author_title,
        },
        "on_behalf_of": _named(row.unit_id, row.unit_name),
        "subject": _subject(row),
        "body": row.body,
        "body_html": row.body_html,
        "response": row.response,
        "published_at": moment(row.publish_at),
        "expires_at": moment(row.expires_at),
        "edited_at": moment(row.edited_at),
        "publish_seq": row.publish_seq,
        "activity_seq": row.activity_seq,
        "comment_count": row.comment_count,
        "reactions": row.reactions,
        "attachments": list(row.attachments),
        "mine": {
            "seen_at": moment(row.seen_at),
            "acknowledged_at": moment(row.acknowledged_at),
            "answer": row.answer,
            "reactions": list(row.my_reactions),
        },
    }


def _named(unit_id: UUID | None, name: str | None) -> Item | None:
    return {"id": str(unit_id), "name": name} if unit_id else None


def _subject(row: Row[Any]) -> Item | None:
    if row.subject_kind is None:
        return None
    return {"kind": row.subject_kind, "id": str(row.subject_id), "data": row.subject}


def _text(value: UUID | None) -> str | None:
    return str(value) if value else None
