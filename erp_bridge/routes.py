"""Routes of the bridge, for operators: sources, checks, runs, streams, quarantine."""

from pathlib import Path
from typing import IO, Any
from uuid import UUID

from flask import Response, request
from sqlalchemy.orm import Session
from werkzeug.exceptions import RequestEntityTooLarge

from app.core.callers import Caller
from app.core.composition import workspace
from app.core.errors import BodyTooLarge, InvalidFields
from app.core.http import (
    PageQuery,
    Routes,
    answer,
    answer_page,
    caller,
    needs,
    page_of,
    page_schema,
    unit_of_work,
)
from app.core.paging import slice_page
from app.core.settings import Settings
from app.people.services import write_audit
from erp_bridge import queries, schemas, services
from erp_bridge.connectors import dropping
from erp_bridge.connectors.registry import secret_settings
from erp_bridge.errors import DropFolderFull, NotADropFolder
from erp_bridge.hooks import set_key
from erp_bridge.models import Run, Source
from erp_bridge.operators import PERMISSION, require_operator
from erp_bridge.polling import allowance_of, pace_of
from erp_bridge.rereading import VERIFY, Span, closed_months

routes = Routes("erp", __name__)
SourcePage = page_schema(schemas.SourceOut)
QuarantinePage = page_schema(schemas.QuarantinedOut)
DROP_FOLDER = "drop"
DATABASES = {"sql", "u8_sql"}


@routes.get("/erp/sources")
@needs(PERMISSION)
@routes.takes_query(PageQuery)
@routes.gives(200, SourcePage)
def list_sources(query: dict[str, Any]) -> Response:
    """List the connected ERPs."""
    page = page_of(query)
    after = page.after(UUID)
    with unit_of_work() as session:
        _operator(session)
        found = session.scalars(
            queries.sources(after=after[0] if after else None, limit=page.limit + 1)
        ).all()
        kept, next_cursor = slice_page(found, page, lambda source: (source.id,))
        shown = [_shown(session, source) for source in kept]
    return answer_page(schemas.SourceOut, shown, next_cursor)


@routes.post("/erp/sources")
@needs(PERMISSION)
@routes.takes(schemas.SourceIn)
@routes.gives(201, schemas.SourceOut)
def create_source(body: dict[str, Any]) -> Response:
    """Connect an ERP; its secrets are written and never read back."""
    space = workspace()
    with unit_of_work() as session:
        me = _operator(session)
        source = services.create_source(
            session,
            name=body["name"],
            connector=body["connector"],
            mapping=body["mapping"],
            config=_confined(me, body["connector"], body["config"]),
            secret_key=space.settings.secret_key,
            now=space.now(),
            poll_seconds=_poll_seconds(body["connector"], space.settings),
        )
        services.change_source(
            session,
            source_id=source.id,
            change=services.SourceChange(directory=body["directory"]),
            secret_key=space.settings.secret_key,
        )
        _audit(session, me, "erp.create_source", source)
        shown = _shown(session, source)
    return answer(schemas.SourceOut, shown, 201)


@routes.get("/erp/sources/<uuid:source_id>")
@needs(PERMISSION)
@routes.gives(200, schemas.SourceOut)
def read_source(source_id: UUID) -> Response:
    """Read one connected ERP."""
    with unit_of_work() as session:
        _operator(session)
        shown = _shown(session, services.find_source(session, source_id))
    return answer(schemas.SourceOut, shown)


@routes.patch("/erp/sources/<uuid:source_id>")
@needs(PERMISSION)
@routes.takes(schemas.SourcePatch)
@routes.gives(200, schemas.SourceOut)
def change_source(body: dict[str, Any], source_id: UUID) -> Response:
    """Change a connected ERP; settings not named stay."""
    with unit_of_work() as session:
        me = _operator(session)
        source = services.find_source(session, source_id)
        if "config" in body:
            body["config"] = _confined(me, source.connector, body["config"])
        _change_hook(session, me, source, body)
        services.change_source(
            session,
            source_id=source_id,
            change=services.SourceChange(**body),
            secret_key=workspace().settings.secret_key,
        )
        _audit(session, me, "erp.change_source", source)
        shown = _shown(session, source)
    return answer(schemas.SourceOut, shown)


@routes.post("/erp/sources/<uuid:source_id>/check")
@needs(PERMISSION)
@routes.gives(200, schemas.CheckOut)
def check_source(source_id: UUID) -> Response:
    """Sign in to the ERP, read a row of every stream, and prove that nothing can be written there."""
    space = workspace()
    with unit_of_work() as session:
        _operator(session)
        source = services.find_source(session, source_id)
        allowance = allowance_of(session, source, database=space.database, now=space.now)
        opened = services.open_for_check(
            session,
            source_id=source_id,
            secret_key=space.settings.secret_key,
            allowance=allowance,
        )
    # The ERP may be slow: no transaction of ours is open while it is asked.
    report = opened.checked()
    if allowance is not None:
        allowance.settle()
    with unit_of_work() as session:
        services.note_check(session, source_id=source_id, report=report, now=space.now())
    return answer(schemas.CheckOut, report)


@routes.post("/erp/sources/<uuid:source_id>/files")
@needs(PERMISSION)
@routes.gives(201, schemas.DroppedOut)
def drop_file(source_id: UUID) -> Response:
    """Put a CSV, gzipped CSV or xlsx (multipart, ``file``) into the source's drop folder."""
    with unit_of_work() as session:
        me = _operator(session)
        source = services.find_source(session, source_id)
        folder = _own_folder(me, source)
    # A slow upload holds no transaction open.
    file, name = _uploaded()
    try:
        document = dropping.drop_file(folder, name, file)
    except dropping.FolderFullError as error:
        raise DropFolderFull from error
    with unit_of_work() as session:
        _audit(session, me, "erp.drop_file", services.find_source(session, source_id))
    return answer(schemas.DroppedOut, document, 201)


@routes.post("/erp/sources/<uuid:source_id>/runs")
@needs(PERMISSION)
@routes.takes(schemas.RunIn)
@routes.gives(202, schemas.RunOut)
def start_run(body: dict[str, Any], source_id: UUID) -> Response:
    """Read the ERP now; the answer's id shows how it goes."""
    space = workspace()
    with unit_of_work() as session:
        me = _operator(session)
        first, last = body.pop("first_day"), body.pop("last_day")
        span = Span(first, last) if first else None
        if body["kind"] == VERIFY and span is None:
            span = closed_months(space.now(), me.time_zone)
        run = services.start_run(session, source_id=source_id, now=space.now(), span=span, **body)
        _audit(session, me, "erp.start_run", services.find_source(session, source_id))
        shown = _run_shown(session, run)
    return answer(schemas.RunOut, shown, 202)


@routes.get("/erp/runs/<uuid:run_id>")
@needs(PERMISSION)
@routes.gives(200, schemas.RunOut)
def read_run(run_id: UUID) -> Response:
    """Read how a run goes or went."""
    with unit_of_work() as session:
        _operator(session)
        shown = _run_shown(session, services.find_run(session, run_id))
    return answer(schemas.RunOut, shown)


@routes.get("/erp/sources/<uuid:source_id>/streams")
@needs(PERMISSION)
@routes.gives(200, schemas.StreamsOut)
def list_streams(source_id: UUID) -> Response:
    """Read every stream's watermark, freshness, counts and troubles."""
    with unit_of_work() as session:
        _operator(session)
        now = workspace().now()
        found = services.list_streams(session, source_id=source_id, now=now)
        shown = {
            "items": [_stream_shown(status) for status in found],
            "unmatched": services.count_unmatched(session, source_id=source_id),
            "requests": services.requests_today(session, source_id=source_id, now=now),
        }
    return answer(schemas.StreamsOut, shown)


@routes.get("/erp/sources/<uuid:source_id>/quarantine")
@needs(PERMISSION)
@routes.takes_query(schemas.QuarantineQuery)
@routes.gives(200, QuarantinePage)
def list_quarantine(query: dict[str, Any], source_id: UUID) -> Response:
    """List the rows that were refused or do not match, with the reason."""
    page = page_of(query)
    after = page.after(UUID)
    with unit_of_work() as session:
        _operator(session)
        found = services.list_quarantine(
            session,
            source_id=source_id,
            stream=query["stream"],
            after=after[0] if after else None,
            limit=page.limit + 1,
        )
        kept, next_cursor = slice_page(found, page, lambda row: (row.id,))
    return answer_page(schemas.QuarantinedOut, kept, next_cursor)


@routes.post("/erp/sources/<uuid:source_id>/quarantine/retry")
@needs(PERMISSION)
@routes.takes(schemas.RetryIn)
@routes.gives(202, schemas.RetryOut)
def retry_quarantine(body: dict[str, Any], source_id: UUID) -> Response:
    """Try the refused rows again and let paused streams go on."""
    with unit_of_work() as session:
        me = _operator(session)
        waiting = services.ask_for_retry(session, source_id=source_id, stream=body["stream"])
        _audit(session, me, "erp.retry_quarantine", services.find_source(session, source_id))
    return answer(schemas.RetryOut, {"waiting": waiting}, 202)


def _operator(session: Session) -> Caller:
    me = caller(session)
    require_operator(session, me)
    return me


def _own_folder(me: Caller, source: Source) -> Path:
    """The source's folder, which must be one of the company's own."""
    folder = Path(str(source.config.get("folder", "")))
    if source.connector != "files" or folder.parent != _drop_folders(me):
        raise NotADropFolder
    return folder


def _uploaded() -> tuple[IO[bytes], str]:
    request.max_content_length = dropping.UPLOAD_BYTES_MAX
    try:
        file = request.files.get("file")
    except RequestEntityTooLarge as error:
        raise BodyTooLarge from error
    if file is None:
        raise InvalidFields({"file": "required"})
    name = dropping.fit_name(file.filename or "")
    if name is None:
        raise InvalidFields({"file": "invalid"})
    return file.stream, name


def _drop_folders(me: Caller) -> Path:
    return workspace().settings.data_dir / DROP_FOLDER / str(me.tenant_id)


def _confined(me: Caller, connector: str, config: dict[str, Any]) -> dict[str, Any]:
    """Over HTTP, a drop folder is one of the company's own; only the command line may name others."""
    folder = config.get("folder")
    if connector != "files" or folder is None:
        return config
    if not isinstance(folder, str) or Path(folder).name != folder or folder in {"", ".", ".."}:
        raise InvalidFields({"config.folder": "invalid"})
    place = _drop_folders(me) / folder
    place.mkdir(parents=True, exist_ok=True)
    return config | {"folder": str(place)}


def _poll_seconds(connector: str, settings: Settings) -> int | None:
    """Databases are asked as often as the installation says; all else at its own, slower pace."""
    return settings.erp_poll_seconds if connector in DATABASES else None


def _audit(session: Session, me: Caller, action: str, source: Source) -> None:
    now = workspace().now()
    write_audit(session, actor_id=me.person_id, action=action, subject=str(source.id), now=now)


def _change_hook(session: Session, me: Caller, source: Source, body: dict[str, Any]) -> None:
    if "hook_secret" not in body:
        return
    key = body.pop("hook_secret")
    secret_key, now = workspace().settings.secret_key, workspace().now()
    set_key(session, source=source, key=key, secret_key=secret_key, now=now)
    _audit(session, me, "erp.change_hook_secret", source)


def _shown(session: Session, source: Source) -> dict[str, Any]:
    session.flush()
    hook = session.scalar(queries.hook_of(source.id))
    secrets = sorted(secret_settings(source.connector)) if source.secrets else []
    pace = pace_of(source)
    told = {
        "secrets": secrets + (["hook_secret"] if hook else []),
        "poll_seconds_max": int(pace.slow),
        "night_from": f"{pace.night_from:%H:%M}",
        "night_until": f"{pace.night_until:%H:%M}",
        "freshness_seconds": source.pace.get("freshness_seconds", {}),
        "hooked_at": hook.heard_at if hook else None,
    }
    names = schemas.SourceOut().fields.keys() - told.keys()
    return {name: getattr(source, name) for name in names} | told


def _stream_shown(status: services.StreamStatus) -> dict[str, Any]:
    stream = status.stream
    names = ("name", "state", "as_of", "synced_at", "reconciled_at", "rows_landed")
    paced = ("polled_at", "hinted_at")
    waits = stream.due_at - stream.polled_at if stream.due_at and stream.polled_at else None
    return {name: getattr(stream, name) for name in (*names, *paced)} | {
        "freshness": status.freshness.state,
        "age_seconds": status.freshness.age_seconds,
        "allowed_seconds": status.freshness.allowed_seconds,
        "next_poll_at": stream.due_at,
        "interval_seconds": waits.total_seconds() if waits else None,
        "cursor": _cursor_shown(stream.cursor),
        "table": stream.table_name,
        "quarantined": status.waiting,
        "problem": stream.problem,
        "detail": stream.problem_detail,
    }


def _cursor_shown(cursor: dict[str, Any]) -> dict[str, Any]:
    """A cursor may remember many documents; how many is enough for a person."""
    return {
        name: len(value) if name in {"documents", "seen"} else value
        for name, value in cursor.items()
    }


def _run_shown(session: Session, run: Run) -> dict[str, Any]:
    facts = ("id", "source_id", "kind", "state", "problem")
    names = (*facts, "first_day", "last_day", "started_at", "finished_at")
    streams = [{"name": name} | counts for name, counts in run.streams.items()]
    return {name: getattr(run, name) for name in names} | {
        "streams": streams or services.progress_of(session, run)
    }
