"""Deletes leave no trace in an ERP's stamps: the keys are compared instead, now and then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from erp_bridge import merge
from erp_bridge.canon import TABLES
from erp_bridge.connectors.base import ConnectorError, StreamSpec
from erp_bridge.landing import (
    Landing,
    count_in,
    find_leaving,
    relax_limits,
    retire_leaving,
    stage_keys,
)
from erp_bridge.models import Batch, Stream
from erp_bridge.quarantine import RefusedRow, converted
from erp_bridge.streams import (
    HaltError,
    Outcome,
    Reading,
    halt_stream,
    record_landing,
    refuse_mass_deletion,
    stream_row,
)

MISSES_TO_BE_GONE = 2


def is_due(stream: Stream, reading: Reading, every_seconds: int) -> bool:
    """Whether enough time has passed since the keys were last compared."""
    last = stream.reconciled_at
    return last is None or reading.clock() - last >= timedelta(seconds=every_seconds)


def reconcile_stream(reading: Reading, spec: StreamSpec) -> None:
    """Compare the keys we hold with those the ERP has; what is missed twice in a row is gone."""
    outcome = reading.outcomes.setdefault(spec.name, Outcome())
    landing = reading.landing(spec.name)
    try:
        with reading.database.transaction(landing.tenant_id) as session:
            deleted = _reconcile(session, reading, landing, spec)
    except ConnectorError as error:
        halt_stream(reading, spec, None, HaltError("failed", error.code, error.detail, []), outcome)
    except HaltError as halt:
        halt_stream(reading, spec, None, halt, outcome)
    else:
        outcome.rows_deleted += deleted
        outcome.state = "landed" if deleted else outcome.state


def _reconcile(session: Session, reading: Reading, landing: Landing, spec: StreamSpec) -> int:
    relax_limits(session)
    row = session.scalars(stream_row(landing.source_id, spec.name).with_for_update()).one()
    row.reconciled_at = landing.now
    table = TABLES[reading.source.mapping.stream(spec.name).into]
    stage_keys(session, _keys(reading, spec))
    gone = find_leaving(session, landing, table, present=merge.PRESENT)
    refuse_mass_deletion(session, reading, landing, table, gone)
    _keep_only_second_misses(session, landing, spec)
    deleted = retire_leaving(session, landing, table)
    if deleted:
        _record(session, reading, landing, spec, deleted)
    return deleted


def _keep_only_second_misses(session: Session, landing: Landing, spec: StreamSpec) -> None:
    """A first miss may be a moment's blindness; it is noted and the row is kept."""
    parameters = {
        "tenant": landing.tenant_id,
        "source": landing.source_id,
        "stream": spec.name,
        "now": landing.now,
        "misses": MISSES_TO_BE_GONE,
    }
    session.execute(text(merge.forget_found()), parameters)
    if count_in(session, merge.LEAVING):
        session.execute(text(merge.count_misses()), parameters)
        session.execute(text(merge.spare_first_misses()), parameters)


def _record(
    session: Session, reading: Reading, landing: Landing, spec: StreamSpec, deleted: int
) -> None:
    as_of = reading.bound.as_of
    session.add(
        Batch(
            tenant_id=landing.tenant_id,
            id=landing.batch_id,
            source_id=landing.source_id,
            run_id=reading.run_id,
            stream=spec.name,
            landed_at=landing.now,
            as_of=as_of,
            rows_read=0,
            rows_changed=0,
            rows_deleted=deleted,
            rows_refused=0,
        )
    )
    record_landing(session, landing, spec.name, deleted, as_of)


def _keys(reading: Reading, spec: StreamSpec) -> Iterator[str]:
    """The keys the ERP has; a row that cannot be converted has its key all the same."""
    for page in reading.source.connector.ids(spec.name):
        converter = reading.source.key_converter(spec.name, page.columns)
        for item in converted(converter, page.columns, iter(page.rows)):
            if isinstance(item, RefusedRow):
                if item.error.key is not None:
                    yield item.error.key
            elif item.wanted:
                yield item.key
