"""Verbs of pictures: upload, attach to an item, read, drop. A picture is seen by who sees its item."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import InvalidFields, NotFound
from app.core.ids import new_id
from app.core.work import tenant_of
from feeds import queries
from feeds.errors import TooManyPicturesWaiting
from feeds.file_store import FileStore
from feeds.models import Picture
from feeds.pictures import Prepared
from feeds.rules import PICTURE_WAITS_HOURS, PICTURES_WAITING_MAX

DROP_COUNT = 200


def may_upload(session: Session, *, caller: Caller, client_id: UUID) -> Picture | None:
    """Refuse who uploads without posting; give the picture that was already uploaded under this id."""
    uploaded = session.scalar(queries.picture_uploaded(caller.person_id, client_id))
    waiting = session.scalar(queries.pictures_waiting(caller.person_id)) or 0
    if uploaded is None and waiting >= PICTURES_WAITING_MAX:
        raise TooManyPicturesWaiting(retry_after=3_600)
    return uploaded


def upload(
    session: Session,
    *,
    caller: Caller,
    client_id: UUID,
    picture: Prepared,
    store: FileStore,
    now: datetime,
) -> Picture:
    """Keep a picture for an item to come; its bytes are there before its row is."""
    file_id = new_id()
    row = {
        "tenant_id": caller.tenant_id,
        "id": file_id,
        "author_id": caller.person_id,
        "client_id": client_id,
        "width": picture.width,
        "height": picture.height,
        "bytes": len(picture.sizes["full"]),
        "uploaded_at": now,
    }
    store.put(caller.tenant_id, file_id, picture.sizes)
    made = session.scalar(
        upsert(Picture).values(row).on_conflict_do_nothing().returning(Picture.id)
    )
    if made is None:
        # A twin of this request, running beside it, was first.
        store.drop(caller.tenant_id, file_id)
    return session.scalars(queries.picture_uploaded(caller.person_id, client_id)).one()


def attach(
    session: Session, *, author_id: UUID, post_id: UUID, picture_ids: Sequence[UUID]
) -> None:
    """Hang the author's pictures on an item, in this order."""
    if not picture_ids:
        return
    if len(set(picture_ids)) != len(picture_ids):
        raise InvalidFields({"attachments": "repeated"})
    waiting = session.scalars(queries.pictures_to_attach(author_id, picture_ids)).all()
    if len(waiting) != len(picture_ids):
        raise InvalidFields({"attachments": "invalid_id"})
    for position, picture_id in enumerate(picture_ids):
        session.execute(
            update(Picture)
            .where(Picture.id == picture_id)
            .values(post_id=post_id, position=position)
        )


def visible_picture(session: Session, *, caller: Caller, file_id: UUID) -> Picture:
    """Find a picture whose item the caller may see, or that the caller has just uploaded; there are no others."""
    picture = session.get(Picture, (tenant_of(session), file_id))
    if picture is None:
        raise NotFound
    if picture.post_id is None:
        if picture.author_id != caller.person_id:
            raise NotFound
        return picture
    post = session.scalar(queries.published_post(picture.post_id))
    if post is None or caller.scope_ids.isdisjoint(post.scope_ids):
        raise NotFound
    return picture


def drop_forgotten(session: Session, *, store: FileStore, now: datetime) -> int:
    """Drop pictures that nobody posted and those of items taken back; says how many."""
    before = now - timedelta(hours=PICTURE_WAITS_HOURS)
    found = session.scalars(queries.pictures_to_drop(before, DROP_COUNT)).all()
    for picture in found:
        # The bytes first: a row without them is dropped again, bytes without a row never are.
        store.drop(picture.tenant_id, picture.id)
        session.delete(picture)
    return len(found)
