"""Verbs of readers: seeing and acknowledging tracked items.

Nothing here touches a row that two readers share, so 10,000 may acknowledge at once.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import InvalidFields
from app.core.events import record
from feeds import queries
from feeds.errors import NothingToAcknowledge
from feeds.events import Acknowledged, Seen
from feeds.models import Post, Receipt, Recount
from feeds.rules import ANSWER, must_be_acknowledged
from feeds.services import visible_post

#: So many ids fit into one event.
SEEN_IN_ONE_EVENT = 40


def mark_seen(
    session: Session, *, caller: Caller, post_ids: Collection[UUID], now: datetime
) -> None:
    """Note that the caller saw these items; those that are untracked, unknown or noted already are passed over."""
    tracked = session.scalars(queries.trackable_posts(post_ids, caller.scope_ids)).all()
    if not tracked:
        return
    rows = [_receipt(caller, post_id, now) for post_id in sorted(tracked)]
    noted = session.scalars(
        upsert(Receipt).values(rows).on_conflict_do_nothing().returning(Receipt.post_id)
    ).all()
    if not noted:
        return
    _mark_reach(session, caller, noted)
    own = session.scalars(queries.personal_scope(caller.person_id)).all()
    for start in range(0, len(noted), SEEN_IN_ONE_EVENT):
        group = list(noted[start : start + SEEN_IN_ONE_EVENT])
        record(session, Seen(post_ids=group, seen_at=now), scope_ids=own)


def acknowledge(
    session: Session, *, caller: Caller, post_id: UUID, answer: str | None, now: datetime
) -> Receipt:
    """Acknowledge an item, with an answer where it asks for one; the first response stands."""
    post = visible_post(session, caller, post_id)
    _check_answer(post, answer)
    row = _receipt(caller, post_id, now) | {"acknowledged_at": now, "answer": answer}
    changed = upsert(Receipt).values(row)
    receipt: Receipt | None = session.scalar(
        changed.on_conflict_do_update(
            index_elements=["tenant_id", "post_id", "person_id"],
            set_={"acknowledged_at": now, "answer": answer},
            where=Receipt.acknowledged_at.is_(None),
        ).returning(Receipt)
    )
    if receipt is None:
        return session.scalars(queries.receipt_of(post_id, caller.person_id)).one()
    _mark_reach(session, caller, [post_id])
    fact = Acknowledged(
        post_id=post_id,
        person_id=caller.person_id,
        seen_at=receipt.seen_at,
        acknowledged_at=now,
        answer=answer,
    )
    own = session.scalars(queries.personal_scope(caller.person_id)).all()
    record(session, fact, ref=post_id, version=post.version, scope_ids=own)
    return receipt


def _check_answer(post: Post, answer: str | None) -> None:
    if not must_be_acknowledged(post.response):
        raise NothingToAcknowledge
    if post.response == ANSWER and answer is None:
        raise InvalidFields({"answer": "required"})
    if post.response != ANSWER and answer is not None:
        raise InvalidFields({"answer": "unknown_field"})


def _receipt(caller: Caller, post_id: UUID, now: datetime) -> dict[str, object]:
    return {
        "tenant_id": caller.tenant_id,
        "post_id": post_id,
        "person_id": caller.person_id,
        "unit_id": caller.unit_ids[0] if caller.unit_ids else None,
        "seen_at": now,
    }


def _mark_reach(session: Session, caller: Caller, post_ids: Sequence[UUID]) -> None:
    marks = [
        {"tenant_id": caller.tenant_id, "post_id": post_id, "what": "reach"} for post_id in post_ids
    ]
    session.execute(insert(Recount).inline(), marks)
