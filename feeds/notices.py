"""Facts of feeds as news for people who are not looking."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import Texts
from app.core.subscriptions import Handling
from app.core.work import tenant_of
from app.delivery.notices import HIGH, SCOPE_COUNT_MAX, Notice, notify
from app.people.models import Person
from app.people.queries import scopes_of_persons
from feeds import queries, reach_queries
from feeds.events import CommentAdded, Nudged, PostChanged, PostPublished
from feeds.markdown import plain_text
from feeds.models import Comment, Nudge, Post
from feeds.rules import ITEM_TYPES

ANNOUNCEMENT = "feeds.announcement"
NUDGE = "feeds.nudge"
MENTION = "feeds.mention"
KINDS = {
    ANNOUNCEMENT: Texts("公告", "Announcements"),
    NUDGE: Texts("催办提醒", "Reminders"),
    MENTION: Texts("提到我", "Mentions"),
}
EXCERPT_LENGTH = 140


def tell_audience(session: Session, fact: PostPublished, handling: Handling) -> None:
    """Tell an announcement to everybody it is for, but its author."""
    post = session.scalar(queries.published_post(fact.post_id))
    if post is None or not ITEM_TYPES[post.type].pushes:
        return
    author = _author_name(session, post)
    title = Texts(f"{author} 发布了公告", f"Announcement from {author}")
    notice = _notice(post, ANNOUNCEMENT, title, post.audience_ids, f"{ANNOUNCEMENT}:{post.id}")
    notify(session, notice, seq=handling.seq, now=handling.now)


def tell_mentioned(session: Session, fact: PostPublished | PostChanged, handling: Handling) -> None:
    """Tell those whom an item mentions, once; the audience of an announcement is told anyway."""
    post = session.scalar(queries.published_post(fact.post_id))
    if post is None or ITEM_TYPES[post.type].pushes:
        return
    _tell_mentioned(session, post, post, handling)


def tell_mentioned_in_talk(session: Session, fact: CommentAdded, handling: Handling) -> None:
    """Tell those whom a comment mentions."""
    post = session.scalar(queries.published_post(fact.post_id))
    comment = session.get(Comment, (tenant_of(session), fact.comment_id))
    if post is not None and comment is not None:
        _tell_mentioned(session, post, comment, handling)


def remind_missing(session: Session, fact: Nudged, handling: Handling) -> None:
    """Remind those who have not responded, in groups of a size that one notice can hold."""
    post = session.scalar(queries.published_post(fact.post_id))
    nudge = session.get(Nudge, (tenant_of(session), fact.nudge_id))
    if post is None or nudge is None:
        return
    missing = reach_queries.scopes_of_missing(post, nudge.unit_ids or None)
    scope_ids = sorted(session.scalars(missing))
    title = Texts(
        f"请回应 {_author_name(session, post)} 的公告",
        f"{_author_name(session, post)} is waiting for your response",
    )
    for start in range(0, len(scope_ids), SCOPE_COUNT_MAX):
        group = scope_ids[start : start + SCOPE_COUNT_MAX]
        notice = _notice(post, NUDGE, title, group, f"{NUDGE}:{nudge.id}:{start}")
        notify(session, notice, seq=None, now=handling.now)


def _tell_mentioned(session: Session, post: Post, text: Post | Comment, handling: Handling) -> None:
    """Tell each who is mentioned and still may see the item; who was told of this text is not told again."""
    if not text.mentioned_ids:
        return
    readers = session.execute(queries.readers_named(post.scope_ids, text.mentioned_ids))
    person_ids = {row.id for row in readers} - {text.author_id}
    author = session.scalars(select(Person.name).where(Person.id == text.author_id)).one()
    excerpt = plain_text(text.body_html)[:EXCERPT_LENGTH]
    for person_id, scope_id in session.execute(scopes_of_persons(person_ids)).all():
        notice = Notice(
            kind=MENTION,
            texts=(
                Texts(f"{author} 提到了你", f"{author} mentioned you"),
                Texts(excerpt, excerpt),
            ),
            link=f"/posts/{post.id}",
            scope_ids=[scope_id],
            collapse_key=f"feeds.post:{post.id}",
            source=f"{MENTION}:{text.id}:{person_id}",
        )
        notify(session, notice, seq=handling.seq, now=handling.now)


def _notice(post: Post, kind: str, title: Texts, scope_ids: list[UUID], source: str) -> Notice:
    excerpt = plain_text(post.body_html)[:EXCERPT_LENGTH]
    return Notice(
        kind=kind,
        texts=(title, Texts(excerpt, excerpt)),
        link=f"/posts/{post.id}",
        scope_ids=scope_ids,
        urgency=HIGH,
        collapse_key=f"feeds.post:{post.id}",
        source=source,
        except_person_id=post.author_id,
    )


def _author_name(session: Session, post: Post) -> str:
    return session.scalars(select(Person.name).where(Person.id == post.author_id)).one()
