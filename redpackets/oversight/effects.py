"""What followed from a packet: how active its audience was before and after it, all of it together."""

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import NotAllowed, NotFound
from redpackets.errors import NotOpen
from redpackets.lifecycle import is_insider, knows_of
from redpackets.models import Packet
from redpackets.oversight import queries
from redpackets.oversight.errors import AudienceTooSmall
from redpackets.oversight.ports import AudienceActivity
from redpackets.oversight.rules import days_around

DAY_COUNT = 7
#: Of fewer people, what all did together says what each of them did.
MEMBERS_MIN = 5
COUNTS = ("posts", "comments", "reactions", "acknowledgements", "active")


def read_effect(
    session: Session,
    *,
    caller: Caller,
    packet_id: UUID,
    activity: AudienceActivity,
    now: datetime,
) -> dict[str, Any]:
    """Say how active a packet's audience was on each day of the weeks before and after it."""
    packet = session.get(Packet, (caller.tenant_id, packet_id))
    if packet is None or not knows_of(session, caller, packet_id):
        raise NotFound
    if not is_insider(session, caller, packet):
        raise NotAllowed
    if packet.opened_at is None:
        raise NotOpen(opens_at=packet.opens_at)
    members = session.scalars(queries.member_count(packet_id)).one()
    if members < MEMBERS_MIN:
        raise AudienceTooSmall(minimum=MEMBERS_MIN)
    days = _days(session, caller, packet, packet.opened_at, activity, now)
    return {"packet_id": packet_id, "members": members, "days": days}


def _days(
    session: Session,
    caller: Caller,
    packet: Packet,
    opened_at: datetime,
    activity: AudienceActivity,
    now: datetime,
) -> list[dict[str, Any]]:
    zone = ZoneInfo(caller.time_zone)
    opened_on = opened_at.astimezone(zone).date()
    days = days_around(opened_on, DAY_COUNT, until=now.astimezone(zone).date())
    counted = activity(
        session,
        queries.members_of(packet.id),
        since=datetime.combine(days[0], time.min, zone),
        until=datetime.combine(days[-1] + timedelta(days=1), time.min, zone),
        time_zone=caller.time_zone,
    )
    by_day = {found.day: found for found in counted}
    return [
        {"day": day, "offset": (day - opened_on).days}
        | {name: getattr(by_day.get(day), name, 0) for name in COUNTS}
        for day in days
    ]
