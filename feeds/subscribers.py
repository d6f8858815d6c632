"""What feeds does on facts: its own publications, and what other packages want seen in the feed."""

from sqlalchemy.orm import Session

from app.core.subscriptions import Handling, Subscriptions
from feeds import queries, reach_queries
from feeds.counting import tell_authors
from feeds.events import PostPublished
from feeds.rules import NONE
from feeds.services import NewItem, publish_item
from redpackets.events import PacketOpened
from roledata.events import FigureShared


def subscribe_to_others(heard: Subscriptions) -> None:
    """Hear of what other packages want seen in the feed."""
    heard.add(PacketOpened, "feeds.show_packet", show_packet)
    heard.add(FigureShared, "feeds.show_figure", show_figure)


def keep_targets(session: Session, fact: PostPublished, handling: Handling) -> None:
    """Keep the number of the publication, and of a tracked item whom it was for."""
    post = session.scalar(queries.published_post(fact.post_id, lock=True))
    if post is None or post.event_seq is not None:
        return
    post.event_seq = handling.seq
    if post.response != NONE:
        session.execute(reach_queries.snapshot(post))
        tell_authors(session, [post.id])


def show_packet(session: Session, fact: PacketOpened, handling: Handling) -> None:
    """Show a red packet in the feed of those it is for; how much is in it is not said."""
    item = NewItem(
        type="packet",
        author_id=fact.sender_id,
        on_behalf_of=fact.on_behalf_of,
        audience_ids=fact.scope_ids,
        body=fact.greeting,
        source=f"redpackets.packet:{fact.packet_id}" + (f":{fact.part}" if fact.part else ""),
        subject_kind="packet",
        subject_id=fact.packet_id,
        subject={
            "packet_kind": fact.packet_kind,
            "share_count": fact.share_count,
            "unit": fact.unit,
            "opened_at": fact.opened_at.isoformat(),
            "expires_at": fact.expires_at.isoformat(),
        },
    )
    publish_item(session, item, now=handling.now)


def show_figure(session: Session, fact: FigureShared, handling: Handling) -> None:
    """Show a figure, as it was when it was shared, to those it was shared with."""
    item = NewItem(
        type="figure",
        author_id=fact.author_id,
        audience_ids=fact.scope_ids,
        body=fact.text,
        source=f"roledata.figure:{fact.share_id}",
        subject_kind="figure",
        subject_id=fact.share_id,
        subject={"card": fact.card, "figure": fact.figure},
    )
    publish_item(session, item, now=handling.now)
