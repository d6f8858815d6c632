"""Verbs of talking: comments and reactions.

Comments of one item take turns, so that each is told with its exact count; reactions never wait: they leave a mark
and are counted about once a second.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import InvalidFields, NotFound
from app.core.events import record
from app.core.ids import new_id
from app.core.paging import Page, slice_page
from app.core.work import tenant_of
from feeds import queries
from feeds.events import CommentAdded, Reacted, ReactionsChanged
from feeds.items import Item, comment_of
from feeds.models import ACTIVITY_SEQ, PUBLISHED, Comment, Post, PostAudience, Reaction, Recount
from feeds.rules import REACTIONS, RIDING_BYTES_MAX
from feeds.services import visible_post
from feeds.wording import worded


@dataclass(frozen=True, kw_only=True)
class NewComment:
    """What somebody says about an item, perhaps in reply to another comment."""

    client_id: UUID
    body: str
    reply_to: UUID | None = None


def add_comment(
    session: Session, *, caller: Caller, post_id: UUID, comment: NewComment, now: datetime
) -> Item:
    """Comment on an item; sending it again under its ``client_id`` changes nothing."""
    post = visible_post(session, caller, post_id)
    counter = session.scalars(queries.counter_locked([post_id])).one()
    written = _written(session, caller, post_id, comment)
    if written is not None:
        return written
    _check_reply(session, post_id, comment.reply_to)
    counter.comment_count += 1
    counter.activity_seq = session.scalars(select(ACTIVITY_SEQ.next_value())).one()
    comment_id = new_id()
    row = {
        "tenant_id": caller.tenant_id,
        "id": comment_id,
        "post_id": post_id,
        "author_id": caller.person_id,
        "client_id": comment.client_id,
        "reply_to": comment.reply_to,
        "seq": counter.activity_seq,
        "created_at": now,
    } | worded(session, comment.body, post.scope_ids)
    session.execute(insert(Comment), row)
    session.flush()
    _raise_in_activity(session, post_id, counter.activity_seq)
    said = session.execute(queries.comment_written(caller.person_id, comment.client_id)).one()
    added = comment_of(said)
    fact = CommentAdded(
        post_id=post_id,
        comment_id=comment_id,
        comment=added if len(orjson.dumps(added)) <= RIDING_BYTES_MAX else None,
        comment_count=counter.comment_count,
        activity_seq=counter.activity_seq,
    )
    record(session, fact, ref=post_id, version=post.version, scope_ids=post.scope_ids)
    return added


def list_comments(
    session: Session, *, caller: Caller, post_id: UUID, page: Page
) -> tuple[list[Item], str | None]:
    """Read a page of an item's comments, oldest first."""
    after = page.after(int)
    visible_post(session, caller, post_id)
    wanted = queries.comments_of(post_id, after=after[0] if after else 0, limit=page.limit + 1)
    rows, next_cursor = slice_page(session.execute(wanted).all(), page, lambda row: (row[0].seq,))
    return [comment_of(row) for row in rows], next_cursor


def react(session: Session, *, caller: Caller, post_id: UUID, kind: str, now: datetime) -> None:
    """Add the caller's reaction; it being there already is fine."""
    _visible_for_reaction(session, caller, post_id, kind)
    row = {
        "tenant_id": caller.tenant_id,
        "post_id": post_id,
        "person_id": caller.person_id,
        "kind": kind,
        "reacted_at": now,
    }
    added = session.scalar(
        upsert(Reaction).values(row).on_conflict_do_nothing().returning(Reaction.kind)
    )
    if added:
        _reacted(session, caller, post_id, kind, on=True)


def take_reaction_back(session: Session, *, caller: Caller, post_id: UUID, kind: str) -> None:
    """Take the caller's reaction back; it being gone already is fine."""
    _visible_for_reaction(session, caller, post_id, kind)
    taken = session.scalar(
        delete(Reaction)
        .where(
            Reaction.post_id == post_id,
            Reaction.person_id == caller.person_id,
            Reaction.kind == kind,
        )
        .returning(Reaction.kind)
    )
    if taken:
        _reacted(session, caller, post_id, kind, on=False)


def count_reactions(session: Session, post_ids: Collection[UUID]) -> None:
    """Count these items' reactions exactly, and tell of those that have changed."""
    counters = session.scalars(queries.counter_locked(post_ids)).all()
    counted: dict[UUID, dict[str, int]] = defaultdict(dict)
    for post_id, kind, count in session.execute(queries.reaction_counts(post_ids)):
        counted[post_id][kind] = count
    posts = {
        post.id: post
        for post in session.scalars(
            select(Post).where(Post.id.in_(post_ids), Post.state == PUBLISHED)
        )
    }
    for counter in counters:
        post, reactions = posts.get(counter.post_id), counted[counter.post_id]
        if post is not None and counter.reactions != reactions:
            counter.reactions = reactions
            _tell_count(session, post, reactions)


def _written(session: Session, caller: Caller, post_id: UUID, comment: NewComment) -> Item | None:
    said = session.execute(
        queries.comment_written(caller.person_id, comment.client_id)
    ).one_or_none()
    if said is None:
        return None
    if said[0].post_id != post_id:
        raise InvalidFields({"client_id": "repeated"})
    return comment_of(said)


def _check_reply(session: Session, post_id: UUID, reply_to: UUID | None) -> None:
    if reply_to is None:
        return
    parent = session.get(Comment, (tenant_of(session), reply_to))
    if parent is None or parent.post_id != post_id:
        raise InvalidFields({"reply_to": "invalid_id"})


def _raise_in_activity(session: Session, post_id: UUID, activity_seq: int) -> None:
    """Put the item on top of the order of activity, in each of its scopes."""
    session.execute(
        update(PostAudience)
        .where(PostAudience.post_id == post_id)
        .values(activity_seq=activity_seq)
        .execution_options(synchronize_session=False)
    )


def _visible_for_reaction(session: Session, caller: Caller, post_id: UUID, kind: str) -> None:
    visible_post(session, caller, post_id)
    if kind not in REACTIONS:
        raise NotFound


def _reacted(session: Session, caller: Caller, post_id: UUID, kind: str, *, on: bool) -> None:
    session.execute(
        insert(Recount).inline(),
        {"tenant_id": caller.tenant_id, "post_id": post_id, "what": "reactions"},
    )
    own = session.scalars(queries.personal_scope(caller.person_id)).all()
    record(session, Reacted(post_id=post_id, reaction=kind, on=on), ref=post_id, scope_ids=own)


def _tell_count(session: Session, post: Post, reactions: dict[str, Any]) -> None:
    fact = ReactionsChanged(post_id=post.id, reactions=reactions)
    record(session, fact, ref=post.id, version=post.version, scope_ids=post.scope_ids)
