"""Verbs of an operator: connect an ERP, check it, change it, read it now, try refused rows again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.crypto import SecretUnreadable
from app.core.errors import InvalidFields
from app.core.ids import new_id
from app.core.jobs import defer
from app.core.work import tenant_of
from erp_bridge import queries
from erp_bridge.canon import TABLES
from erp_bridge.connectors.base import CheckReport
from erp_bridge.connectors.pacing import Allowance
from erp_bridge.connectors.registry import CONNECTORS, SettingsError, read_settings
from erp_bridge.engine import SYNC
from erp_bridge.errors import RunUnknown, SourceNameTaken, SourceUnknown, SourceUnreachable
from erp_bridge.freshness import Freshness, freshness_of
from erp_bridge.mappings.loader import mapping_of, shipped_names
from erp_bridge.matching import DIRECTORY_STREAM as DIRECTORY
from erp_bridge.models import QuarantinedRow, Run, Source, Stream
from erp_bridge.opening import OpenSource, keep_settings, open_source, read_secrets
from erp_bridge.polling import pace_of, zone_of
from erp_bridge.rereading import Span

RUN_SOURCE = "erp_bridge.run_source"
RETRY_QUARANTINE = "erp_bridge.retry_quarantine"
RECONCILE_SECONDS = 300
#: The shortest interval of a source's streams; the longest, and the night, are in `polling`.
POLL_SECONDS = {
    "u8_sql": 2,
    "sql": 2,
    "files": 30,
    "odata": 10,
    "odoo": 10,
    "tryton": 10,
    "kingdee": 10,
    "u8_openapi": 10,
}


@dataclass(frozen=True, kw_only=True)
class SourceChange:
    """What an operator changes about a source; what is None stays."""

    name: str | None = None
    active: bool | None = None
    poll_seconds: int | None = None
    poll_seconds_max: int | None = None
    reconcile_seconds: int | None = None
    night_from: str | None = None
    night_until: str | None = None
    freshness_seconds: dict[str, int] | None = None
    config: dict[str, Any] | None = None
    directory: str | None = None


@dataclass(frozen=True, kw_only=True)
class StreamStatus:
    """A stream, how many of its rows wait in quarantine, and how fresh it is."""

    stream: Stream
    waiting: int
    freshness: Freshness


@dataclass(frozen=True, kw_only=True)
class RequestsToday:
    """What of the company's day was asked of an ERP, and what is left; no budget where nobody counts."""

    day: date
    per_day: int | None
    used: int
    left: int | None


def create_source(
    session: Session,
    *,
    name: str,
    connector: str,
    mapping: str,
    config: dict[str, Any],
    secret_key: str,
    now: datetime,
    poll_seconds: int | None = None,
) -> Source:
    """Connect an ERP; it is read from the next poll on."""
    _refuse_unknown(connector, mapping, config)
    if session.scalar(queries.source_by_name(name)) is not None:
        raise SourceNameTaken
    source = Source(
        tenant_id=tenant_of(session),
        id=new_id(),
        name=name,
        connector=connector,
        mapping=mapping,
        poll_seconds=poll_seconds or POLL_SECONDS[connector],
        reconcile_seconds=RECONCILE_SECONDS,
        created_at=now,
    )
    keep_settings(source, _checked_settings(connector, config), secret_key=secret_key)
    session.add(source)
    session.flush()
    return source


def find_source(session: Session, source_id: UUID) -> Source:
    """The source of this id."""
    source = session.scalar(queries.source_by_id(source_id))
    if source is None:
        raise SourceUnknown
    return source


def change_source(
    session: Session, *, source_id: UUID, change: SourceChange, secret_key: str
) -> Source:
    """Change a source; settings not named stay, secrets included."""
    source = find_source(session, source_id)
    if change.name is not None and change.name != source.name:
        if session.scalar(queries.source_by_name(change.name)) is not None:
            raise SourceNameTaken
        source.name = change.name
    for field in ("active", "poll_seconds", "reconcile_seconds"):
        value = getattr(change, field)
        if value is not None:
            setattr(source, field, value)
    if change.directory is not None and change.directory != source.directory:
        source.directory, source.directory_at = change.directory, None
    _change_pace(source, change)
    if change.config is not None:
        merged = _settings_of(source, change.config, secret_key=secret_key)
        settings = _checked_settings(source.connector, merged)
        keep_settings(source, settings, secret_key=secret_key)
    session.flush()
    return source


def open_for_check(
    session: Session, *, source_id: UUID, secret_key: str, allowance: Allowance | None = None
) -> OpenSource:
    """Open a source so that it can be checked outside the transaction."""
    source = find_source(session, source_id)
    try:
        return open_source(source, secret_key=secret_key, allowance=allowance)
    except SecretUnreadable as error:
        raise SourceUnreachable from error


def note_check(session: Session, *, source_id: UUID, report: CheckReport, now: datetime) -> None:
    """Remember how a check went."""
    source = find_source(session, source_id)
    source.checked_at, source.check_passed = now, report.passed


def start_run(
    session: Session,
    *,
    source_id: UUID,
    streams: Sequence[str] | None,
    reconcile: bool | None,
    release: bool,
    now: datetime,
    kind: str = SYNC,
    span: Span | None = None,
) -> Run:
    """Ask for a run now; a worker takes it up."""
    source = find_source(session, source_id)
    known = {stream.name for stream in mapping_of(source.mapping, source.config).streams}
    if streams is not None and not set(streams) <= known:
        raise InvalidFields({"streams": "not_a_choice"})
    run = Run(
        tenant_id=source.tenant_id,
        id=new_id(),
        source_id=source.id,
        started_at=now,
        kind=kind,
        first_day=span.first if span else None,
        last_day=span.last if span else None,
    )
    session.add(run)
    session.flush()
    defer(
        session,
        RUN_SOURCE,
        # What reads the past takes its time; polling goes on beside it, stream by stream.
        lock=f"erp_bridge.{source.id}" if kind == SYNC else f"erp_bridge.{source.id}.past",
        source_id=str(source.id),
        run_id=str(run.id),
        streams=None if streams is None else list(streams),
        reconcile=reconcile,
        release=release,
    )
    return run


def note_verified(session: Session, *, source_id: UUID, now: datetime) -> None:
    """Remember when the closed months of a source were last asked to be compared."""
    find_source(session, source_id).verified_at = now


def find_run(session: Session, run_id: UUID) -> Run:
    """The run of this id."""
    run = session.scalar(queries.run_by_id(run_id))
    if run is None:
        raise RunUnknown
    return run


def list_streams(session: Session, *, source_id: UUID, now: datetime) -> list[StreamStatus]:
    """The streams of a source: watermark, freshness, counts, quarantine."""
    source = find_source(session, source_id)
    waiting, zone = _waiting_counts(session, source_id), zone_of(session, source)
    return [
        StreamStatus(
            stream=row,
            waiting=waiting.get(row.name, 0),
            freshness=freshness_of(source, row, zone=zone, now=now),
        )
        for row in session.scalars(queries.streams_of(source_id))
    ]


def requests_today(session: Session, *, source_id: UUID, now: datetime) -> RequestsToday:
    """How many requests of the company's day a source has used, and how many are left."""
    source = find_source(session, source_id)
    day = now.astimezone(zone_of(session, source)).date()
    per_day = pace_of(source).requests_per_day
    used = session.scalar(queries.requests_used(source_id, day)) or 0
    left = None if per_day is None else max(0, per_day - used)
    return RequestsToday(day=day, per_day=per_day, used=used, left=left)


def count_unmatched(session: Session, *, source_id: UUID) -> int:
    """How much of the ERP's directory and documents names nobody we know."""
    return _waiting_counts(session, source_id).get(DIRECTORY, 0)


def progress_of(session: Session, run: Run) -> list[dict[str, Any]]:
    """How far a run has come that is not finished: what landed up to now."""
    landed = {row[0]: row[2:] for row in session.execute(queries.batches_of(run.id))}
    names = [*landed, *(name for name in run.progress if name not in landed)]
    return [_progress(name, landed.get(name), run.progress.get(name, 0)) for name in names]


def _progress(name: str, landed: tuple[int, ...] | None, read_up_to_now: int) -> dict[str, Any]:
    read, changed, deleted, refused = landed or (0, 0, 0, 0)
    return {
        "name": name,
        "state": "landed" if landed else "reading",
        "rows_read": max(int(read), read_up_to_now),
        "rows_changed": changed,
        "rows_deleted": deleted,
        "rows_refused": refused,
        "problem": None,
        "detail": None,
    }


def list_quarantine(
    session: Session, *, source_id: UUID, stream: str | None, after: UUID | None, limit: int
) -> Sequence[QuarantinedRow]:
    """What waits in quarantine, with the reason."""
    find_source(session, source_id)
    return session.scalars(
        queries.quarantined(source_id, stream=stream, after=after, limit=limit)
    ).all()


def ask_for_retry(session: Session, *, source_id: UUID, stream: str | None) -> int:
    """Ask for another try of what waits; gives how many rows that is."""
    find_source(session, source_id)
    counts = _waiting_counts(session, source_id)
    defer(
        session,
        RETRY_QUARANTINE,
        lock=f"erp_bridge.{source_id}",
        source_id=str(source_id),
        stream=stream,
    )
    return sum(count for name, count in counts.items() if stream in {None, name})


def _change_pace(source: Source, change: SourceChange) -> None:
    """The longest interval follows the shortest where only that is changed."""
    names = ("poll_seconds_max", "night_from", "night_until", "freshness_seconds")
    chosen = {name: value for name in names if (value := getattr(change, name)) is not None}
    pace = source.pace | chosen
    if chosen.get("poll_seconds_max", source.poll_seconds) < source.poll_seconds:
        raise InvalidFields({"poll_seconds_max": "out_of_range"})
    if pace.get("poll_seconds_max", source.poll_seconds) < source.poll_seconds:
        pace["poll_seconds_max"] = source.poll_seconds
    unmapped = set(change.freshness_seconds or ()) - TABLES.keys()
    if unmapped:
        raise InvalidFields({f"freshness_seconds.{name}": "not_a_choice" for name in unmapped})
    source.pace = pace


def _waiting_counts(session: Session, source_id: UUID) -> dict[str, int]:
    rows = session.execute(queries.waiting_counts(source_id)).all()
    return {row[0]: row[1] for row in rows}


def _refuse_unknown(connector: str, mapping: str, config: dict[str, Any]) -> None:
    errors = {}
    if connector not in CONNECTORS:
        errors["connector"] = "not_a_choice"
    if mapping not in shipped_names() and "mapping_text" not in config:
        errors["mapping"] = "not_a_choice"
    if errors:
        raise InvalidFields(errors)


def _checked_settings(connector: str, config: dict[str, Any]) -> dict[str, Any]:
    try:
        return read_settings(connector, config)
    except SettingsError as error:
        problems = {f"config.{name}": code for name, code in error.problems.items()}
        raise InvalidFields(problems) from error


def _settings_of(source: Source, changed: dict[str, Any], *, secret_key: str) -> dict[str, Any]:
    try:
        secrets = read_secrets(source, secret_key=secret_key)
    except SecretUnreadable:
        # Another key was in use: whoever enters all secrets anew gets the source back.
        secrets = {}
    return source.config | secrets | changed
