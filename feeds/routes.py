"""Routes of items: the feed, writing, talking, reacting, responding. Reach has its own file."""

from typing import Any
from uuid import UUID

import orjson
from flask import Response
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.composition import workspace
from app.core.http import (
    PageQuery,
    Routes,
    answer,
    answer_if_changed,
    answer_page,
    caller,
    needs,
    nothing,
    page_of,
    page_schema,
    raw_answer,
    signed_in,
    unit_of_work,
)
from app.core.paging import LIMIT_DEFAULT
from app.people.audiences import AudienceScope, describe_audience
from app.people.queries import people_in_scopes, people_matching
from app.people.schemas import PersonOut, PersonPage
from feeds import items, receipts, services, talk
from feeds.schemas import (
    AcknowledgementIn,
    AcknowledgementOut,
    CommentIn,
    CommentOut,
    FeedQuery,
    PostIn,
    PostOut,
    PostPatch,
    ReadersQuery,
    SearchQuery,
    SeenIn,
    WholePostOut,
)
from feeds.talk import NewComment

routes = Routes("feeds", __name__)
PostPage = page_schema(PostOut)


@routes.get("/feed")
@signed_in
@routes.takes_query(FeedQuery)
@routes.gives(200, PostPage)
def read_feed(query: dict[str, Any]) -> Response:
    """Read my feed, newest first, or by latest activity."""
    with unit_of_work() as session:
        found, next_cursor = items.read_page(
            session, caller=caller(session), order=query["order"], page=page_of(query)
        )
    return _answer_page(found, next_cursor)


@routes.get("/feed/pinned")
@signed_in
@routes.gives(200, PostPage)
def read_pinned() -> Response:
    """Read what I must still acknowledge, the one that ends first on top; a short list, without pages."""
    with unit_of_work() as session:
        found = items.read_pinned(session, caller=caller(session), now=workspace().now())
    return _answer_page(found, None)


@routes.get("/search")
@signed_in
@routes.takes_query(SearchQuery)
@routes.gives(200, PostPage)
def search(query: dict[str, Any]) -> Response:
    """Find items of my feed by words, Chinese or other, newest first."""
    with unit_of_work() as session:
        found, next_cursor = items.find_page(
            session, caller=caller(session), words=query["q"], page=page_of(query)
        )
    return _answer_page(found, next_cursor)


@routes.post("/posts")
@needs("feeds.post")
@routes.takes(PostIn)
@routes.gives(201, WholePostOut)
def publish_post(body: dict[str, Any]) -> Response:
    """Publish a post, or an announcement that must be acknowledged; sending it again changes nothing."""
    scopes = [AudienceScope(**scope) for scope in body.pop("audience")["scopes"]]
    with unit_of_work() as session:
        me = caller(session)
        post = services.NewPost(**body, scopes=scopes)
        post_id = services.publish_post(session, caller=me, post=post, now=workspace().now())
        return raw_answer(_whole(session, me, post_id), 201)


@routes.get("/posts/<uuid:post_id>")
@signed_in
@routes.gives(200, WholePostOut)
def read_post(post_id: UUID) -> Response:
    """Read one item, with whom it is for."""
    with unit_of_work() as session:
        me = caller(session)
        services.visible_post(session, me, post_id)
        return answer_if_changed(orjson.dumps(_whole(session, me, post_id)))


@routes.patch("/posts/<uuid:post_id>")
@signed_in
@routes.takes(PostPatch)
@routes.gives(200, WholePostOut)
def change_post(body: dict[str, Any], post_id: UUID) -> Response:
    """Change an item's text or end; with an old ``version`` it is 409, with the current item."""
    version = body.pop("version")
    with unit_of_work() as session:
        me = caller(session)
        services.change_post(
            session,
            caller=me,
            post_id=post_id,
            version=version,
            changes=body,
            now=workspace().now(),
        )
        return raw_answer(_whole(session, me, post_id))


@routes.delete("/posts/<uuid:post_id>")
@signed_in
@routes.gives(204)
def remove_post(post_id: UUID) -> Response:
    """Take an item back."""
    with unit_of_work() as session:
        now = workspace().now()
        services.remove_post(session, caller=caller(session), post_id=post_id, now=now)
    return nothing()


@routes.get("/posts/<uuid:post_id>/readers")
@signed_in
@routes.takes_query(ReadersQuery)
@routes.gives(200, PersonPage)
def list_readers(query: dict[str, Any], post_id: UUID) -> Response:
    """List a few of those who may see an item, by name: whom a comment can mention."""
    with unit_of_work() as session:
        post = services.visible_post(session, caller(session), post_id)
        wanted = people_matching(
            query["q"], after=None, limit=LIMIT_DEFAULT, among=people_in_scopes(post.scope_ids)
        )
        return answer_page(PersonOut, session.scalars(wanted).all(), None)


@routes.get("/posts/<uuid:post_id>/comments")
@signed_in
@routes.takes_query(PageQuery)
@routes.gives(200, page_schema(CommentOut))
def list_comments(query: dict[str, Any], post_id: UUID) -> Response:
    """List an item's comments, oldest first."""
    with unit_of_work() as session:
        found, next_cursor = talk.list_comments(
            session, caller=caller(session), post_id=post_id, page=page_of(query)
        )
    return _answer_page(found, next_cursor)


@routes.post("/posts/<uuid:post_id>/comments")
@signed_in
@routes.takes(CommentIn)
@routes.gives(201, CommentOut)
def add_comment(body: dict[str, Any], post_id: UUID) -> Response:
    """Comment on an item; sending it again changes nothing."""
    with unit_of_work() as session:
        added = talk.add_comment(
            session,
            caller=caller(session),
            post_id=post_id,
            comment=NewComment(**body),
            now=workspace().now(),
        )
    return raw_answer(added, 201)


@routes.put("/posts/<uuid:post_id>/reactions/<kind>")
@signed_in
@routes.gives(204)
def react(post_id: UUID, kind: str) -> Response:
    """React to an item: like, love, celebrate, support or laugh."""
    with unit_of_work() as session:
        now = workspace().now()
        talk.react(session, caller=caller(session), post_id=post_id, kind=kind, now=now)
    return nothing()


@routes.delete("/posts/<uuid:post_id>/reactions/<kind>")
@signed_in
@routes.gives(204)
def take_reaction_back(post_id: UUID, kind: str) -> Response:
    """Take my reaction back."""
    with unit_of_work() as session:
        talk.take_reaction_back(session, caller=caller(session), post_id=post_id, kind=kind)
    return nothing()


@routes.post("/posts/<uuid:post_id>/acknowledgement")
@signed_in
@routes.takes(AcknowledgementIn)
@routes.gives(200, AcknowledgementOut)
def acknowledge(body: dict[str, Any], post_id: UUID) -> Response:
    """Acknowledge an item, with an answer where it asks for one; the first response stands."""
    with unit_of_work() as session:
        receipt = receipts.acknowledge(
            session,
            caller=caller(session),
            post_id=post_id,
            answer=body["answer"],
            now=workspace().now(),
        )
        return answer(AcknowledgementOut, receipt)


@routes.post("/posts/seen")
@signed_in
@routes.takes(SeenIn)
@routes.gives(204)
def mark_seen(body: dict[str, Any]) -> Response:
    """Say which items were on my screen; only tracked ones are noted."""
    with unit_of_work() as session:
        now = workspace().now()
        receipts.mark_seen(session, caller=caller(session), post_ids=body["post_ids"], now=now)
    return nothing()


def _answer_page(found: list[items.Item], next_cursor: str | None) -> Response:
    return answer_if_changed(orjson.dumps({"items": found, "next_cursor": next_cursor}))


def _whole(session: Session, me: Caller, post_id: UUID) -> items.Item:
    audience = describe_audience(session, services.audience_ids_of(session, post_id))
    return items.read_item(session, me.person_id, post_id) | {"audience": audience}
