"""Single documents, read by their keys because somebody said that they changed; no cursor moves by it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.core.work import Database
from erp_bridge.connectors.base import Bound, ConnectorError, Page, StreamSpec
from erp_bridge.landing import Landing, find_leaving, merge_stage, retire_leaving, staging
from erp_bridge.leases import lease, lease_connection, wait_for_turn
from erp_bridge.models import Batch, Source
from erp_bridge.opening import open_source
from erp_bridge.polling import allowance_of, note_hints
from erp_bridge.quarantine import RefusedRow, converted, keep_refused, supersede_staged
from erp_bridge.streams import Reading, record_landing
from erp_bridge.unmatched import note_unmatched

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Named:
    """A document: the stream it belongs to, and its key there."""

    stream: str
    key: Sequence[str]


def fetch_documents(
    database: Database,
    tenant_id: UUID,
    source_id: UUID,
    *,
    documents: Sequence[Named],
    secret_key: str,
    now: Callable[[], datetime],
) -> int:
    """Read these documents and land what changed of them; gives how many rows did.

    Where one cannot be had, its stream is asked for instead.
    """
    with database.transaction(tenant_id) as session:
        source = session.scalars(select(Source).where(Source.id == source_id)).one()
        allowance = allowance_of(session, source, database=database, now=now)
    changed, had = 0, set[str]()
    try:
        opening = closing(open_source(source, secret_key=secret_key, allowance=allowance))
        with opening as opened, lease_connection(database) as connection:
            reading = Reading(
                database, opened, new_id(), now, Bound(None, now()), lambda _name, _rows: None
            )
            specs = {spec.name: spec for spec in opened.connector.streams()}
            for named in documents:
                spec = specs.get(named.stream)
                if spec is not None and len(spec.key) == len(named.key):
                    found = _fetch(reading, connection, spec, named.key)
                    changed += found or 0
                    had |= {named.stream} if found is not None else set()
    except ConnectorError as error:
        log.info("document_not_fetched", source_id=str(source_id), problem=error.code)
    finally:
        if allowance is not None:
            allowance.settle()
        _ask_for_streams(database, source, {named.stream for named in documents} - had, now())
    return changed


def _ask_for_streams(
    database: Database, source: Source, names: Collection[str], now: datetime
) -> None:
    with database.transaction(source.tenant_id) as session:
        note_hints(session, source.id, sorted(names), now=now)


def _fetch(
    reading: Reading, connection: Connection, spec: StreamSpec, key: Sequence[str]
) -> int | None:
    """How many rows changed; None when the document could not be had."""
    source = reading.source
    with lease(connection, source.tenant_id, source.source_id, spec.name) as held:
        # Whoever reads the stream now will meet the document, too.
        page = source.connector.get(spec.name, key) if held else None
        return _land(reading, spec, page) if page is not None else None


def _land(reading: Reading, spec: StreamSpec, page: Page) -> int:
    """Merge the rows as any other page's: what is older than what we have changes nothing."""
    landing = reading.landing(spec.name)
    converter = reading.source.converter(spec.name, page.columns)
    with reading.database.transaction(landing.tenant_id) as session:
        refused: list[RefusedRow] = []
        with staging(session, converter.table, converter.fields) as stage:
            for item in converted(converter, page.columns, iter(page.rows)):
                if isinstance(item, RefusedRow):
                    refused.append(item)
                    stage.put_refused(item.error.key or "")
                else:
                    stage.put(item)
        supersede_staged(session, source_id=landing.source_id, stream=spec.name, now=landing.now)
        is_number = spec.grain == "row"
        changed = merge_stage(
            session, landing, converter.table, converter.fields, stamp_is_number=is_number
        )
        deleted = 0
        if stage.left_out and find_leaving(session, landing, converter.table, present=None):
            deleted = retire_leaving(session, landing, converter.table)
        keep_refused(
            session,
            refused,
            source_id=landing.source_id,
            stream=spec.name,
            run_id=None,
            now=landing.now,
        )
        _record(session, reading, landing, changed, deleted, len(refused))
    return changed + deleted


def _record(
    session: Session, reading: Reading, landing: Landing, changed: int, deleted: int, refused: int
) -> None:
    if not changed + deleted + refused:
        return
    session.add(
        Batch(
            tenant_id=landing.tenant_id,
            id=landing.batch_id,
            source_id=landing.source_id,
            run_id=None,
            stream=landing.stream,
            landed_at=landing.now,
            as_of=reading.bound.as_of,
            rows_read=changed + deleted + refused,
            rows_changed=changed,
            rows_deleted=deleted,
            rows_refused=refused,
        )
    )
    record_landing(session, landing, landing.stream, changed + deleted, reading.bound.as_of)
    wait_for_turn(session, landing.tenant_id, landing.source_id, "directory")
    note_unmatched(session, source=reading.source, now=landing.now)
