"""What follows from a share that was taken, once that is committed: the audience hears what is left."""

from datetime import timedelta

from sqlalchemy.orm import Session

from app.core.jobs import defer
from app.core.subscriptions import Handling
from redpackets import queries, services
from redpackets.events import ShareTaken
from redpackets.lifecycle import TELL_JOB

#: Packets of more shares tell what is left once in a while, not at each taking.
TOLD_EACH_MAX = 50
TOLD_EVERY = timedelta(seconds=1)


def on_share_taken(session: Session, fact: ShareTaken, handling: Handling) -> None:
    """Tell the audience what is left; for a large packet several takings are told together."""
    share_count = session.scalar(queries.share_count(fact.packet_id))
    if share_count is not None and share_count > TOLD_EACH_MAX:
        # The share is committed, so a job that waits already will see it.
        defer(
            session,
            TELL_JOB,
            at=handling.now + TOLD_EVERY,
            lock=f"{TELL_JOB}:{fact.packet_id}",
            once=True,
            packet_id=str(fact.packet_id),
        )
        return
    services.tell_remaining(session, packet_id=fact.packet_id, now=handling.now)
