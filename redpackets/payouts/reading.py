"""A payout as those who pay out see it: with the names of who made and decided it, and of whom it pays."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from redpackets.payouts import queries
from redpackets.payouts.models import PayoutBatch

_COLUMNS = tuple(column.key for column in PayoutBatch.__table__.columns)


def describe_batch(session: Session, batch: PayoutBatch) -> dict[str, Any]:
    """Describe one payout."""
    return describe_batches(session, [batch])[0]


def describe_batches(session: Session, batches: Sequence[PayoutBatch]) -> list[dict[str, Any]]:
    """Describe payouts, with all names in one query."""
    made_by = {batch.created_by_id for batch in batches}
    decided_by = {batch.decided_by_id for batch in batches if batch.decided_by_id}
    found = session.execute(queries.names_of(made_by | decided_by))
    names = {row.id: row.name for row in found}
    return [
        {name: getattr(batch, name) for name in _COLUMNS}
        | {
            "file_hash": batch.file_hash.hex() if batch.file_hash else None,
            "created_by_name": names[batch.created_by_id],
            "decided_by_name": names.get(batch.decided_by_id) if batch.decided_by_id else None,
        }
        for batch in batches
    ]


def describe_whole(session: Session, batch: PayoutBatch, state: str | None) -> dict[str, Any]:
    """Describe a payout with its parts and its first items, those of one state if one is asked for."""
    items = session.execute(queries.shown_items(batch.id, state)).all()
    return describe_batch(session, batch) | {
        "parts": session.execute(queries.parts_of(batch.id)).all(),
        "items": [vars(row.PayoutItem) | {"person_name": row.person_name} for row in items],
    }
