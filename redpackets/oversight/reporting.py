"""The report: what was given, taken and given back in a time, by part of the organisation or otherwise."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import InvalidFields, NotAllowed, NotFound
from app.people.models import OrgUnit
from app.people.queries import is_at_or_below
from redpackets.budgets import units_showing
from redpackets.oversight import queries

DAYS_MAX = 400


@dataclass(frozen=True, kw_only=True)
class ReportAsked:
    """A report of packets opened from one day to another, both included, by ``queries.REPORTED_BY``."""

    first_on: date
    last_on: date
    by: str
    unit_id: UUID | None


def read_report(session: Session, *, caller: Caller, asked: ReportAsked) -> list[dict[str, Any]]:
    """Report what the caller oversees: parts of the organisation by permission, and budgets of their own."""
    if asked.last_on < asked.first_on:
        raise InvalidFields({"to": "time_order"})
    if asked.last_on - asked.first_on >= timedelta(days=DAYS_MAX):
        raise InvalidFields({"to": "time_too_far"})
    held_at = units_showing(caller)
    _require_oversight(session, caller, held_at, asked.unit_id)
    zone = ZoneInfo(caller.time_zone)
    tops = held_at - set(session.scalars(queries.inside_of(held_at)))
    place = {
        "since": datetime.combine(asked.first_on, time.min, zone),
        "until": datetime.combine(asked.last_on + timedelta(days=1), time.min, zone),
        "zone": caller.time_zone,
        "person_id": caller.person_id,
        "held_at": list(held_at),
        "tops": list(tops),
        "unit_id": asked.unit_id,
    }
    statement = queries.report(asked.by, at_unit=asked.unit_id is not None)
    return [_row(dict(row)) for row in session.execute(statement, place).mappings()]


def _require_oversight(
    session: Session, caller: Caller, held_at: frozenset[UUID], unit_id: UUID | None
) -> None:
    owns = session.scalar(queries.budgets_owned(caller.person_id)) is not None
    if not held_at and not owns:
        raise NotAllowed
    if unit_id is None:
        return
    if session.get(OrgUnit, (caller.tenant_id, unit_id)) is None:
        raise NotFound
    if not owns and not session.scalar(is_at_or_below(unit_id, held_at)):
        raise NotAllowed


def _row(counted: dict[str, Any]) -> dict[str, Any]:
    """Add what follows from the counts: the average of a receiver, and how much of the audience took a share."""
    receivers, audience = counted["receivers"], counted["audience"]
    return counted | {
        "average_minor": counted["claimed_minor"] // receivers if receivers else None,
        "reached": round(counted["claims"] / audience, 4) if audience else None,
    }
