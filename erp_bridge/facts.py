"""The read side: what other packages ask of the bridge's facts beside the tables themselves."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    Table,
    and_,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy import cast as as_type

from erp_bridge.models import Batch, DirtyDay, FactVersion, Source, Stream

#: What a kept version does not hold, since no figure asks for it.
NOT_KEPT = frozenset({"hash", "raw", "own_fields"})
version = cast("Table", FactVersion.__table__)


def freshness(tables: Collection[str]) -> Select[Any]:
    """(source, name of the source, oldest as_of, is anything of it not live) for figures made of these tables.

    Tables are named as in `canon` (``sales_order_line``). A figure is as fresh as its stalest stream; no row means
    that no source fills them.
    """
    return (
        select(
            Stream.source_id,
            Source.name,
            func.min(Stream.as_of).label("as_of"),
            func.bool_or(Stream.state != "live").label("is_halted"),
        )
        .join(Source, (Source.tenant_id == Stream.tenant_id) & (Source.id == Stream.source_id))
        .where(Stream.table_name.in_(tables))
        .group_by(Stream.source_id, Source.name)
    )


def dirty_days(*, after: int, limit: int) -> Select[DirtyDay]:
    """Days whose figures are stale, in the order in which they became so."""
    return select(DirtyDay).where(DirtyDay.id > after).order_by(DirtyDay.id).limit(limit)


def versions_closed_by(batch_id: UUID, table: str) -> Select[FactVersion]:
    """The versions of a table's rows that a batch replaced."""
    return (
        select(FactVersion)
        .where(FactVersion.batch_closed == batch_id, FactVersion.table_name == f"erp_{table}")
        .order_by(FactVersion.source_key)
    )


def batches_of_stream(source_id: UUID, stream: str, *, limit: int) -> Select[Batch]:
    """A stream's latest batches, newest first."""
    return (
        select(Batch)
        .where(Batch.source_id == source_id, Batch.stream == stream)
        .order_by(Batch.landed_at.desc())
        .limit(limit)
    )


def rows_known_at(table: Table, moment: ColumnElement[datetime]) -> Subquery:
    """A table of facts as it was known at a moment, with its own columns.

    A row was known from when the batch that brought it landed, until another batch replaced it. What had been
    deleted by then is in it, marked as such, like in the table itself.
    """
    columns = [column for column in table.columns if column.name not in NOT_KEPT]
    named = {"tenant_id", "source_id", "source_key"}
    kept = [
        version.c[column.name].label(column.name)
        if column.name in named
        else as_type(version.c.row[column.name].astext, column.type).label(column.name)
        for column in columns
    ]
    still = select(*columns).join(Batch, _is_batch(table.c.batch_id, table.c.tenant_id))
    replaced = select(*kept).join(Batch, _is_batch(version.c.batch_opened, version.c.tenant_id))
    return union_all(
        still.where(Batch.landed_at <= moment),
        replaced.where(
            version.c.table_name == table.name,
            Batch.landed_at <= moment,
            version.c.batch_closed.in_(select(_later.c.id).where(_later.c.landed_at > moment)),
        ),
    ).subquery(f"known_{table.name}")


def landed_by(moment: datetime) -> Select[Any]:
    """(table, source, as of, last batch) of every stream that had been read by a moment, the oldest first.

    Readings that find nothing leave no batch: the figures may have been fresher than ``as_of`` says, never older.
    """
    own = _last_batch(moment, Batch.stream == Stream.name).lateral("own")
    of_source = _last_batch(moment).lateral("of_source")
    as_of = func.coalesce(own.c.as_of, of_source.c.as_of).label("as_of")
    return (
        select(Stream.table_name, Source.name.label("source"), as_of, own.c.id.label("batch_id"))
        .join(Source, and_(Source.tenant_id == Stream.tenant_id, Source.id == Stream.source_id))
        .join(of_source, literal_column("true"))
        .outerjoin(own, literal_column("true"))
        .where(or_(own.c.id.is_not(None), Stream.first_read_at <= moment))
        .order_by(as_of, Source.name, Stream.name)
    )


def _last_batch(moment: datetime, *which: ColumnElement[bool]) -> Select[datetime, UUID]:
    return (
        select(Batch.as_of, Batch.id)
        .where(
            Batch.tenant_id == Stream.tenant_id,
            Batch.source_id == Stream.source_id,
            Batch.landed_at <= moment,
            *which,
        )
        .order_by(Batch.landed_at.desc(), Batch.id.desc())
        .limit(1)
    )


_later = cast("Table", Batch.__table__).alias("later")


def _is_batch(batch_id: Any, tenant_id: Any) -> ColumnElement[bool]:
    return and_(Batch.id == batch_id, Batch.tenant_id == tenant_id)
