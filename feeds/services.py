"""Verbs of items: publish, change, remove. Whatever is published goes through ``_publish``."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import InvalidFields, NotAllowed, NotFound, VersionConflict
from app.core.events import record
from app.core.ids import new_id
from app.core.work import tenant_of
from app.people import queries as people
from app.people.audiences import AudienceScope, resolve_audience
from app.people.services import require_at, write_audit
from feeds import items, queries
from feeds.events import PostChanged, PostPublished, PostRemoved
from feeds.files import attach
from feeds.mentions import readable
from feeds.models import REMOVED, Counter, Post, PostAudience
from feeds.rules import ITEM_TYPES, ItemType, must_be_acknowledged
from feeds.search import vector_of
from feeds.wording import worded

MODERATE = "feeds.moderate"


@dataclass(frozen=True, kw_only=True)
class NewPost:
    """What somebody writes: Markdown, for whom, and what it asks of its readers."""

    client_id: UUID
    type: str
    body: str
    scopes: list[AudienceScope]
    response: str | None = None
    on_behalf_of: UUID | None = None
    expires_at: datetime | None = None
    #: Pictures that the author has uploaded, in their order.
    attachments: list[UUID] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class NewItem:
    """What another package's fact puts into the feed; ``source`` lets it appear once."""

    type: str
    author_id: UUID
    audience_ids: Collection[UUID]
    body: str
    source: str
    subject_kind: str
    subject_id: UUID
    #: What readers see of the subject at once; the subject itself is asked of its package.
    subject: dict[str, Any]
    on_behalf_of: UUID | None = None


def publish_post(session: Session, *, caller: Caller, post: NewPost, now: datetime) -> UUID:
    """Publish what the caller wrote; sending it again under its ``client_id`` changes nothing."""
    written = session.scalar(queries.post_written(caller.person_id, post.client_id))
    if written is not None:
        return written
    kind = ITEM_TYPES[post.type]
    response = _response_of(kind, post.response)
    _check_end(post.expires_at, now)
    if post.on_behalf_of is not None:
        require_at(session, caller, "feeds.announce", post.on_behalf_of)
    audience_ids = _audience_of(session, caller, kind, post.scopes)
    row = {
        "type": kind.key,
        "author_id": caller.person_id,
        "on_behalf_of": post.on_behalf_of,
        "client_id": post.client_id,
        "body": post.body,
        "response": response,
        "audience_ids": audience_ids,
        "scope_ids": _with_author(session, caller.person_id, caller.scope_ids, audience_ids),
        "publish_at": now,
        "expires_at": post.expires_at,
    }
    made = _publish(session, row, post.attachments)
    # A twin of this request, running beside it, was first.
    return made or session.scalars(queries.post_written(caller.person_id, post.client_id)).one()


def publish_item(session: Session, item: NewItem, *, now: datetime) -> UUID | None:
    """Publish an item that another package's fact makes; None when it is there already."""
    author_scopes = session.scalars(people.scope_ids_of(item.author_id)).all()
    audience_ids = sorted(set(item.audience_ids))
    row = {
        "type": ITEM_TYPES[item.type].key,
        "author_id": item.author_id,
        "source": item.source,
        "on_behalf_of": item.on_behalf_of,
        "subject_kind": item.subject_kind,
        "subject_id": item.subject_id,
        "subject": item.subject,
        "body": item.body,
        "response": "none",
        "audience_ids": audience_ids,
        "scope_ids": _with_author(session, item.author_id, author_scopes, audience_ids),
        "publish_at": now,
    }
    return _publish(session, row)


def change_post(
    session: Session,
    *,
    caller: Caller,
    post_id: UUID,
    version: int,
    changes: dict[str, Any],
    now: datetime,
) -> None:
    """Change an item's text or end; who knows only an older version is told the current one."""
    post = visible_post(session, caller, post_id, lock=True)
    _require_hand(session, caller, post, now, act="feeds.change_post")
    if not ITEM_TYPES[post.type].by_people:
        raise NotAllowed
    if post.version != version:
        current = items.read_item(session, caller.person_id, post_id)
        raise VersionConflict(current_version=post.version, current=current)
    if "expires_at" in changes:
        _check_end(changes["expires_at"], now)
        post.expires_at = changes["expires_at"]
    if "body" in changes:
        for column, value in worded(session, changes["body"], post.scope_ids).items():
            setattr(post, column, value)
        post.words = vector_of(readable(post.body))
    post.version, post.edited_at = post.version + 1, now
    session.flush()
    # Held until the end, so that the counts that ride along are not older than what was told before.
    session.execute(queries.counter_locked([post_id]))
    item = items.read_item(session, caller.person_id, post_id)
    fact = PostChanged(post_id=post_id, post=items.shared_part(item))
    record(session, fact, ref=post_id, version=post.version, scope_ids=post.scope_ids)


def remove_post(session: Session, *, caller: Caller, post_id: UUID, now: datetime) -> None:
    """Take an item back: a tombstone stays, its text and its place in every feed go."""
    post = visible_post(session, caller, post_id, lock=True)
    _require_hand(session, caller, post, now, act="feeds.remove_post")
    post.state, post.removed_at, post.version = REMOVED, now, post.version + 1
    post.body = post.body_html = ""
    post.words = vector_of("")
    session.execute(delete(PostAudience).where(PostAudience.post_id == post_id))
    fact = PostRemoved(post_id=post_id)
    record(session, fact, ref=post_id, version=post.version, scope_ids=post.scope_ids)


def visible_post(session: Session, caller: Caller, post_id: UUID, *, lock: bool = False) -> Post:
    """Find an item that the caller may see; for all others there is no such thing."""
    post = session.scalar(queries.published_post(post_id))
    if post is None or caller.scope_ids.isdisjoint(post.scope_ids):
        raise NotFound
    if not lock:
        return post
    locked = queries.published_post(post_id, lock=True).execution_options(populate_existing=True)
    post = session.scalar(locked)
    if post is None:
        raise NotFound
    return post


def audience_ids_of(session: Session, post_id: UUID) -> list[UUID]:
    """Say whom an item is for, as it was picked."""
    return session.scalars(select(Post.audience_ids).where(Post.id == post_id)).one()


def _publish(
    session: Session, row: dict[str, Any], picture_ids: Sequence[UUID] = ()
) -> UUID | None:
    """Store an item once, with its lines in the index, and tell its scopes; None when a twin was first."""
    publish_seq, activity_seq = session.execute(queries.next_places()).one()
    whole = {
        "tenant_id": tenant_of(session),
        "id": new_id(),
        "words": vector_of(readable(row["body"])),
        "publish_seq": publish_seq,
    }
    whole |= row | worded(session, row["body"], row["scope_ids"])
    made: UUID | None = session.scalar(
        upsert(Post).values(whole).on_conflict_do_nothing().returning(Post.id)
    )
    if made is None:
        return None
    place = {"tenant_id": whole["tenant_id"], "post_id": made, "activity_seq": activity_seq}
    session.execute(insert(Counter), place | {"comment_count": 0, "reactions": {}})
    pins = must_be_acknowledged(row["response"])
    lines = [
        place | {"scope_id": scope_id, "publish_seq": publish_seq, "pins": pins}
        for scope_id in row["scope_ids"]
    ]
    session.execute(insert(PostAudience), lines)
    attach(session, author_id=row["author_id"], post_id=made, picture_ids=picture_ids)
    item = items.read_item(session, row["author_id"], made)
    fact = PostPublished(post_id=made, post=items.shared_part(item))
    record(session, fact, ref=made, version=1, scope_ids=row["scope_ids"])
    return made


def _audience_of(
    session: Session, caller: Caller, kind: ItemType, scopes: list[AudienceScope]
) -> list[UUID]:
    found = resolve_audience(
        session,
        caller=caller,
        scopes=scopes,
        permission=kind.permission,
        own_units=kind.own_units,
    )
    if not kind.own_units:
        _require_for_persons(session, caller, kind, scopes)
    return found


def _require_for_persons(
    session: Session, caller: Caller, kind: ItemType, scopes: list[AudienceScope]
) -> None:
    """A single person may be written to by anybody, but told officially only from above."""
    person_ids = {scope.id for scope in scopes if scope.kind == "person" and scope.id}
    for _, unit_id in session.execute(people.primary_units_of(person_ids)).all():
        require_at(session, caller, kind.permission, unit_id)


def _with_author(
    session: Session,
    author_id: UUID,
    author_scope_ids: Collection[UUID],
    audience_ids: list[UUID],
) -> list[UUID]:
    """Let the author see what was said to an audience that the author is not in."""
    if not set(author_scope_ids).isdisjoint(audience_ids):
        return audience_ids
    return sorted({*audience_ids, session.scalars(queries.personal_scope(author_id)).one()})


def _response_of(kind: ItemType, asked: str | None) -> str:
    if asked is None:
        return kind.responses[0]
    if asked not in kind.responses:
        raise InvalidFields({"response": "not_a_choice"})
    return asked


def _check_end(expires_at: datetime | None, now: datetime) -> None:
    if expires_at is not None and expires_at <= now:
        raise InvalidFields({"expires_at": "out_of_range"})


def _require_hand(session: Session, caller: Caller, post: Post, now: datetime, *, act: str) -> None:
    """Refuse unless the caller is the author, or moderates the author's unit; that is put on record."""
    if post.author_id == caller.person_id:
        return
    unit_id = session.scalar(queries.primary_unit(post.author_id))
    if unit_id is None:
        raise NotAllowed
    require_at(session, caller, MODERATE, unit_id)
    write_audit(session, actor_id=caller.person_id, action=act, subject=str(post.id), now=now)
