"""What is kept of a text: as it was written, as it is shown, and whom it mentions."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import InvalidFields
from feeds import queries
from feeds.markdown import mentioned_in, render
from feeds.mentions import MENTION_COUNT_MAX


def worded(session: Session, body: str, readers: Collection[UUID]) -> dict[str, Any]:
    """Word a text for the people of some scopes: only they can be mentioned, others stay words."""
    mentioned = mentioned_in(body)
    if len(mentioned) > MENTION_COUNT_MAX:
        raise InvalidFields({"body": "too_many_items"})
    found = session.execute(queries.readers_named(readers, mentioned)) if mentioned else ()
    names = {row.id: row.name for row in found}
    return {
        "body": body,
        "body_html": render(body, names),
        "mentioned_ids": [person_id for person_id in mentioned if person_id in names],
    }
