"""What role data does when others' facts happen."""

from sqlalchemy.orm import Session

from app.core.jobs import defer
from app.core.subscriptions import Handling
from app.people.events import AccessChanged
from erp_bridge.events import BatchLanded, DirectorySynced
from roledata import telling
from roledata.jobs import REFRESH


def on_batch_landed(session: Session, fact: BatchLanded, handling: Handling) -> None:
    """Facts changed: note whom the live cards concern, and ask for one refresh of all that waits."""
    if fact.rows_changed:
        telling.note_live(
            session, source_id=fact.source_id, stream=fact.stream, batch_id=fact.batch_id
        )
        _ask_for_refresh(session)


def on_directory_synced(session: Session, fact: DirectorySynced, handling: Handling) -> None:
    """Units or persons changed: figures follow to where people sit now."""
    _ask_for_refresh(session)


def on_access_changed(session: Session, fact: AccessChanged, handling: Handling) -> None:
    """Somebody may have moved: the refresh looks, and does nothing if nobody did."""
    _ask_for_refresh(session)


def _ask_for_refresh(session: Session) -> None:
    """Ask once for however many batches wait: what they changed is committed before this fact is heard."""
    defer(session, REFRESH, lock=REFRESH, once=True)
