"""What delivery does in a caller's transaction."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.work import tenant_of
from app.delivery.models import Preference

#: A device never says that it has what the log does not have, and never takes back what it said.
_ACKNOWLEDGE = text("""
    INSERT INTO delivery_device_cursor (tenant_id, device_id, person_id, seq, acked_at)
    SELECT d.tenant_id, d.id, d.person_id, LEAST(CAST(:seq AS bigint), h.seq), :now
      FROM people_device d
      JOIN core_event_head h ON h.tenant_id = d.tenant_id
     WHERE d.tenant_id = :tenant_id AND d.id = :device_id AND d.person_id = :person_id
    ON CONFLICT (tenant_id, device_id) DO UPDATE
       SET seq = LEAST(
               GREATEST(delivery_device_cursor.seq, excluded.seq),
               (SELECT h.seq FROM core_event_head h WHERE h.tenant_id = excluded.tenant_id)),
           person_id = excluded.person_id,
           acked_at = excluded.acked_at
 RETURNING seq
""")


def acknowledge(
    session: Session, *, device_id: UUID, person_id: UUID, seq: int, now: datetime
) -> int | None:
    """Note that a device holds everything up to ``seq``; returns how far it is known to be."""
    held: int | None = session.execute(
        _ACKNOWLEDGE,
        {
            "tenant_id": tenant_of(session),
            "device_id": device_id,
            "person_id": person_id,
            "seq": seq,
            "now": now,
        },
    ).scalar()
    return held


def decide_preferences(
    session: Session,
    *,
    caller: Caller,
    kinds: dict[str, bool],
    quiet_from: int | None,
    quiet_to: int | None,
    now: datetime,
) -> None:
    """Keep which kinds of notices a person wants, and in which minutes of the day only urgent ones."""
    decided: dict[str, Any] = {
        "muted_kinds": sorted(kind for kind, wanted in kinds.items() if not wanted),
        "quiet_from": quiet_from,
        "quiet_to": quiet_to,
        "decided_at": now,
    }
    key = {"tenant_id": caller.tenant_id, "person_id": caller.person_id}
    session.execute(
        insert(Preference)
        .values(key | decided)
        .on_conflict_do_update(index_elements=["tenant_id", "person_id"], set_=decided)
    )
