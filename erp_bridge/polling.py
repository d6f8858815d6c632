"""When each stream of a source is read next: what is due now, and the plan that every reading leaves behind."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.core.jobs import defer
from app.core.work import Database
from app.people.models import Tenant
from erp_bridge import queries, rules
from erp_bridge.allowances import DayAllowance
from erp_bridge.mappings.loader import mapping_of
from erp_bridge.models import Source, Stream
from erp_bridge.rules import Pace, Purse, Rhythm

#: The longest that a stream is left alone while nothing happens; databases and folders are cheap to ask.
SLOW_SECONDS = {"files": 30, "sql": 10, "u8_sql": 10}
SLOW_SECONDS_OTHERS = 120
NIGHT_FROM, NIGHT_UNTIL = "22:00", "06:00"
#: What a source may be asked before its next reading is also asked, so that streams keep together.
TOGETHER_SHARE = 0.5
#: However many hints come, a stream is not read twice within this.
HINT_SECONDS = 2
POLL_SOURCE = "erp_bridge.poll_source"
NOTE_HINTS = "erp_bridge.note_hints"
FILES = "files"
BUDGET = "requests_per_day"


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What a reading of a source came to: which streams it asked for, and what became of them."""

    #: None: all of them.
    names: Collection[str] | None
    #: Rows changed by stream, for those that were read well.
    changes: Mapping[str, int]
    #: Streams that somebody else was reading.
    busy: Collection[str]
    requests: int
    began: datetime


class CameTo(Protocol):
    """What a stream's reading came to."""

    @property
    def state(self) -> str: ...
    @property
    def rows_changed(self) -> int: ...
    @property
    def rows_deleted(self) -> int: ...


def looked_at(
    outcomes: Mapping[str, CameTo],
    *,
    names: Collection[str] | None,
    requests: int,
    began: datetime,
) -> Looked:
    """What the schedule needs to know of a run."""
    return Looked(
        names=names,
        changes={
            name: outcome.rows_changed + outcome.rows_deleted
            for name, outcome in outcomes.items()
            if outcome.state in {"unchanged", "landed"}
        },
        busy=[name for name, outcome in outcomes.items() if outcome.state == "busy"],
        requests=requests,
        began=began,
    )


def pace_of(source: Source) -> Pace:
    """How a source is asked: as the company chose, and as suits its connector where it chose nothing."""
    chosen = source.pace
    slow = chosen.get("poll_seconds_max") or default_slow(source.connector)
    return Pace(
        fast=source.poll_seconds,
        slow=max(slow, source.poll_seconds),
        night_from=time.fromisoformat(chosen.get("night_from", NIGHT_FROM)),
        night_until=time.fromisoformat(chosen.get("night_until", NIGHT_UNTIL)),
        requests_per_day=source.config.get(BUDGET),
    )


def default_slow(connector: str) -> int:
    """The longest interval of a connector's streams unless the company chose another."""
    return SLOW_SECONDS.get(connector, SLOW_SECONDS_OTHERS)


def zone_of(session: Session, source: Source) -> ZoneInfo:
    """The zone in which the company has its days and nights."""
    return ZoneInfo(session.get_one(Tenant, source.tenant_id).time_zone)


def due_streams(
    session: Session, source: Source, *, now: datetime, watched: Collection[str]
) -> list[str] | None:
    """The streams to read now, with those that would be due in a moment; None: all, as none was ever read."""
    if source.polled_at is None:
        return None
    soon = now + timedelta(seconds=source.poll_seconds * TOGETHER_SHARE)
    due = queries.streams_due(now, watched, hint_seconds=HINT_SECONDS)
    if not session.scalars(due.where(Stream.source_id == source.id)).first():
        return []
    along = queries.streams_due(soon, watched, hint_seconds=0)
    return list(session.scalars(along.where(Stream.source_id == source.id)))


def ask_for_reading(
    session: Session, source_id: UUID, *, names: Sequence[str] = (), now: datetime | None = None
) -> None:
    """Ask for a reading of what is due, unless one waits already; readings of a source go one after another.

    ``names``: streams that are due at once, because there is something new in them.
    """
    lock, source = f"erp_bridge.{source_id}", str(source_id)
    held = note_hints(session, source_id, names, now=now) if now else []
    if held:
        defer(session, NOTE_HINTS, lock=lock, source_id=source, streams=held)
    defer(session, POLL_SOURCE, lock=lock, once=True, source_id=source)


def note_hints(
    session: Session, source_id: UUID, names: Sequence[str], *, now: datetime
) -> list[str]:
    """Note that streams have news; gives those that a reader holds now, to be noted when it is done."""
    free = {row.name: row for row in session.scalars(queries.free_streams(source_id))}
    for name in names:
        if name in free:
            free[name].hinted_at = now
    return [name for name in names if name not in free]


def requests_left(session: Session, source: Source, *, now: datetime) -> int | None:
    """How many requests of the company's day are left; None where nobody counts."""
    budget: int | None = source.config.get(BUDGET)
    if budget is None:
        return None
    day = now.astimezone(zone_of(session, source)).date()
    used = session.scalar(queries.requests_used(source.id, day)) or 0
    return max(0, budget - used)


def allowance_of(
    session: Session, source: Source, *, database: Database, now: Callable[[], datetime]
) -> DayAllowance | None:
    """Who counts a source's requests of the day; None where nobody does."""
    per_day: int | None = source.config.get(BUDGET)
    if per_day is None:
        return None
    zone = zone_of(session, source)
    return DayAllowance(database, source, per_day=per_day, zone=zone, now=now)


def plan_next(session: Session, source: Source, looked: Looked, *, now: datetime) -> None:
    """Note what a reading found and say when each of its streams is due again, by the rules and what is left."""
    free = session.scalars(queries.free_streams(source.id)).all()
    # What another reader holds, that reader plans.
    asked = [row for row in free if looked.names is None or row.name in looked.names]
    streams = session.scalars(queries.streams_of(source.id)).all()
    rests = _rests_of(source)
    cost = looked.requests / max(len(asked), 1)
    for row in asked:
        row.polled_at = looked.began
        row.target_seconds = rules.target_of(
            row.table_name, source.pace.get("freshness_seconds", {}), rest=rests.get(row.name)
        )
        row.request_cost = rules.next_cost(row.request_cost, cost)
        if looked.changes.get(row.name):
            row.changed_at = now
    zone, pace = zone_of(session, source), pace_of(source)
    purse = Purse(
        requests=requests_left(session, source, now=now), seconds=rules.seconds_left(now, zone)
    )
    for is_watched in (False, True):
        rhythms = [_rhythm(row, looked, now, is_watched=is_watched) for row in streams]
        found = rules.intervals(pace, rhythms, purse, night=pace.is_night(now.astimezone(zone)))
        for row, interval in zip(streams, found, strict=True):
            if row in asked:
                at = _moment(row, interval, looked, rules.midnight_after(now, zone), source)
                row.eager_at, row.due_at = (at, row.due_at) if is_watched else (row.eager_at, at)


def _rhythm(row: Stream, looked: Looked, now: datetime, *, is_watched: bool) -> Rhythm:
    quiet = (now - row.changed_at).total_seconds() if row.changed_at else None
    is_well = row.name in looked.changes or row.name in looked.busy
    return Rhythm(
        target=row.target_seconds or rules.CALM_FIGURES,
        cost=row.request_cost,
        quiet_for=quiet if is_well else None,
        # What cannot be read is not asked for more often because somebody waits for it.
        is_watched=is_watched and is_well,
    )


def _moment(
    row: Stream, interval: float | None, looked: Looked, midnight: datetime, source: Source
) -> datetime:
    if row.name in looked.busy:
        return looked.began + timedelta(seconds=source.poll_seconds)
    if interval is None or not _is_mapped(row, source):
        return midnight
    return looked.began + timedelta(seconds=interval)


def _is_mapped(row: Stream, source: Source) -> bool:
    """Whether the mapping still has this stream; what was read by an earlier one stays as it was."""
    mapped = mapping_of(source.mapping, source.config).streams
    return row.name in {rules.WAITING_STREAM, *(stream.name for stream in mapped)}


def _rests_of(source: Source) -> dict[str, float]:
    """How long tables without a stamp rest between two readings of all of them."""
    if source.connector == FILES:
        return {}
    return {
        stream.name: stream.origin.every_seconds
        for stream in mapping_of(source.mapping, source.config).streams
        if stream.origin.stamp is None
    }
