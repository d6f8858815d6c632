"""How fresh each stream's figures are, and the facts that a source turned red or is well again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.core.events import record
from erp_bridge import queries, rules
from erp_bridge.events import SourceTurned
from erp_bridge.models import Source, Stream
from erp_bridge.polling import FILES, pace_of, zone_of

WELL = "well"


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """How old a stream's figures are, how old they may be at this hour, and what that makes them."""

    state: str
    age_seconds: int
    allowed_seconds: int


def freshness_of(source: Source, stream: Stream, *, zone: ZoneInfo, now: datetime) -> Freshness:
    """Judge one stream at this moment."""
    pace = pace_of(source)
    target = stream.target_seconds or rules.target_of(
        stream.table_name, source.pace.get("freshness_seconds", {}), rest=None
    )
    allowed = rules.allowed_age(pace, target, night=pace.is_night(now.astimezone(zone)))
    age = max(0.0, (now - (_true_at(source, stream) or source.created_at)).total_seconds())
    return Freshness(
        state=rules.freshness(age, allowed), age_seconds=int(age), allowed_seconds=int(allowed)
    )


def judge(session: Session, *, now: datetime) -> None:
    """Judge every stream of the company and note the sources that turned; once, whoever judges too."""
    for source in session.scalars(queries.sources_judged()):
        streams = session.scalars(queries.streams_of(source.id)).all()
        if not source.active:
            _forget(source, streams)
            continue
        zone = zone_of(session, source)
        for stream in session.scalars(queries.free_streams(source.id)):
            stream.freshness = freshness_of(source, stream, zone=zone, now=now).state
        _turn(session, source, streams, now=now)


def _true_at(source: Source, stream: Stream) -> datetime | None:
    """When the figures were known to be true; of a folder, when it was last found to hold nothing newer."""
    if source.connector == FILES and stream.state in {"new", "live"}:
        return stream.polled_at
    return stream.as_of


def _turn(session: Session, source: Source, streams: Sequence[Stream], *, now: datetime) -> None:
    red = tuple(stream.name for stream in streams if stream.freshness == rules.RED)
    if red and source.red_since is None:
        _note(
            session,
            source,
            now,
            SourceTurned(source_id=source.id, state=rules.RED, since=now, streams=red),
        )
    elif source.red_since and all(stream.freshness == rules.FRESH for stream in streams):
        # Well is more than no longer red: a source at the edge is not told of again and again.
        fact = SourceTurned(source_id=source.id, state=WELL, since=source.red_since)
        _note(session, source, None, fact)


def _note(session: Session, source: Source, since: datetime | None, fact: SourceTurned) -> None:
    before = Source.red_since.is_(None) if since else Source.red_since.is_not(None)
    turned = session.execute(
        update(Source).where(Source.id == source.id, before).values(red_since=since)
    )
    if turned.rowcount:  # type: ignore[attr-defined]  # an UPDATE tells how many rows it changed
        record(session, fact, ref=source.id)


def _forget(source: Source, streams: Sequence[Stream]) -> None:
    """What is not read is not judged."""
    source.red_since = None
    for stream in streams:
        stream.freshness = None
