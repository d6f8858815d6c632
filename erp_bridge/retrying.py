"""Trying refused rows again, after the mapping or the directory was put right."""

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import groupby
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.ids import new_id
from app.core.work import Database
from erp_bridge import queries
from erp_bridge.connectors.base import Bound
from erp_bridge.directory import sync_directory
from erp_bridge.landing import Landing, merge_stage, staging
from erp_bridge.leases import lease, lease_connection, wait_for_turn
from erp_bridge.mappings.converter import Converted, Converter, RowError
from erp_bridge.models import Batch, QuarantinedRow, Source, Stream
from erp_bridge.opening import OpenSource, open_source
from erp_bridge.polling import allowance_of
from erp_bridge.streams import Reading, record_landing
from erp_bridge.unmatched import note_unmatched

ROWS_PER_RETRY_MAX = 10_000


def retry_quarantine(
    database: Database,
    tenant_id: UUID,
    source_id: UUID,
    *,
    secret_key: str,
    stream: str | None = None,
    now: Callable[[], datetime] = clock.now,
) -> int:
    """Convert what waits with the mapping of today and land what fits; gives how many rows did.

    Paused streams go on from where they stopped at their next reading.
    """
    with database.transaction(tenant_id) as session:
        source = session.scalars(select(Source).where(Source.id == source_id)).one()
        allowance = allowance_of(session, source, database=database, now=now)
        opened = open_source(source, secret_key=secret_key, allowance=allowance)
    reading = Reading(
        database, opened, new_id(), now, Bound(None, now()), lambda _name, _rows: None
    )
    names = [item.name for item in opened.mapping.streams if stream in {None, item.name}]
    released = 0
    try:
        with lease_connection(database) as connection:
            for name in names:
                with lease(connection, tenant_id, source_id, name) as held:
                    if held:
                        released += _retry_stream(reading, name)
        with database.transaction(tenant_id) as session:
            _retry_directory(session, opened, now())
    finally:
        opened.connector.close()
        if allowance is not None:
            allowance.settle()
    return released


def _retry_stream(reading: Reading, name: str) -> int:
    landing = reading.landing(name)
    with reading.database.transaction(landing.tenant_id) as session:
        _unpause(session, landing.source_id, name)
        waiting = session.scalars(
            queries.quarantined(
                landing.source_id, stream=name, after=None, limit=ROWS_PER_RETRY_MAX
            )
        ).all()
        released: list[UUID] = []
        for _, rows in groupby(waiting, key=lambda row: row.row["columns"]):
            released += _land_again(session, reading, landing, name, list(rows))
        _settle(session, landing, released)
        _record(session, landing, name, len(released))
    return len(released)


def _unpause(session: Session, source_id: UUID, name: str) -> None:
    session.execute(
        update(Stream)
        .where(Stream.source_id == source_id, Stream.name == name, Stream.state == "paused")
        .values(state="live", problem=None, problem_detail=None, problem_input=None)
    )


def _land_again(
    session: Session, reading: Reading, landing: Landing, name: str, rows: list[QuarantinedRow]
) -> list[UUID]:
    converter = reading.source.converter(name, rows[0].row["columns"])
    good = list(_converted(converter, rows))
    with staging(session, converter.table, converter.fields) as stage:
        for _, row in good:
            stage.put(row)
    merge_stage(
        session,
        landing,
        converter.table,
        converter.fields,
        stamp_is_number=_stamp_is_number(reading, name),
    )
    session.connection().exec_driver_sql("DROP TABLE erp_stage, erp_changed")
    return [row_id for row_id, _ in good]


def _stamp_is_number(reading: Reading, name: str) -> bool:
    return reading.source.mapping.stream(name).origin.stamp is not None


def _converted(
    converter: Converter, rows: list[QuarantinedRow]
) -> Iterator[tuple[UUID, Converted]]:
    for row in rows:
        values = row.row["values"]
        if len(values) != len(row.row["columns"]):
            continue
        try:
            yield row.id, converter.convert(values)
        except RowError:
            continue


def _settle(session: Session, landing: Landing, released: list[UUID]) -> None:
    session.execute(
        update(QuarantinedRow)
        .where(QuarantinedRow.id.in_(released))
        .values(state="released", settled_at=landing.now)
    )


def _record(session: Session, landing: Landing, name: str, count: int) -> None:
    if not count:
        return
    session.add(
        Batch(
            tenant_id=landing.tenant_id,
            id=landing.batch_id,
            source_id=landing.source_id,
            run_id=None,
            stream=name,
            landed_at=landing.now,
            as_of=landing.now,
            rows_read=count,
            rows_changed=count,
            rows_deleted=0,
            rows_refused=0,
        )
    )
    record_landing(session, landing, name, count, landing.now)


def _retry_directory(session: Session, source: OpenSource, now: datetime) -> None:
    wait_for_turn(session, source.tenant_id, source.source_id, "directory")
    sync_directory(session, source=source, now=now)
    note_unmatched(session, source=source, now=now)
