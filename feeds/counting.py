"""Counting what waits to be counted: about once a second for each item, however many readers acted."""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.core.events import record
from app.people.queries import scopes_of_persons
from feeds.events import ReachChanged
from feeds.models import PUBLISHED, Post, Recount
from feeds.talk import count_reactions

MARKS_MAX = 20_000


def count_marked(session: Session) -> None:
    """Take the marks that are there and count their items; a mark that is committed later waits for the next time."""
    taken = select(Recount.id).order_by(Recount.id).limit(MARKS_MAX)
    marks = session.execute(
        delete(Recount).where(Recount.id.in_(taken)).returning(Recount.what, Recount.post_id)
    )
    waiting: dict[str, set[UUID]] = defaultdict(set)
    for what, post_id in marks:
        waiting[what].add(post_id)
    if waiting["reactions"]:
        count_reactions(session, waiting["reactions"])
    if waiting["reach"]:
        tell_authors(session, waiting["reach"])


def tell_authors(session: Session, post_ids: Collection[UUID]) -> None:
    """Let the authors' open reports read the reach of these items anew."""
    wanted = select(Post.id, Post.author_id).where(Post.id.in_(post_ids), Post.state == PUBLISHED)
    authors = {row.id: row.author_id for row in session.execute(wanted)}
    scopes = {
        row.person_id: row.id for row in session.execute(scopes_of_persons(set(authors.values())))
    }
    for post_id, author_id in sorted(authors.items()):
        record(session, ReachChanged(post_id=post_id), ref=post_id, scope_ids=[scopes[author_id]])
