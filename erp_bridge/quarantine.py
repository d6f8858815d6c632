"""Quarantine: rows that could not be converted wait here with their reason, and can be tried again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text, update
from sqlalchemy.orm import Session

from app.core.ids import new_id
from erp_bridge import merge
from erp_bridge.landing import Stage
from erp_bridge.mappings.converter import Converted, ConvertedBlock, Converter, RowError
from erp_bridge.mappings.values import UnfitValueError
from erp_bridge.models import QuarantinedRow

REFUSED_SHARE_MAX = 0.01
REFUSED_ROWS_MAX = 1_000
#: A small file may have a few bad rows without being a bad file.
REFUSED_ROWS_TOLERATED = 10
CELL_LENGTH_KEPT = 2_000
CHANGES_PER_INSERT = 200
ROWS_PER_BLOCK = 500


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that could not be converted, as it came."""

    error: RowError
    columns: Sequence[str]
    row: Sequence[Any]


def too_many_refused(refused: int, rows: int) -> bool:
    """Whether so much is wrong that it is the mapping or the file, not the rows."""
    if refused > REFUSED_ROWS_MAX:
        return True
    return refused > REFUSED_ROWS_TOLERATED and refused > rows * REFUSED_SHARE_MAX


def converted(
    converter: Converter, columns: Sequence[str], rows: Iterator[Sequence[Any]]
) -> Iterator[Converted | RefusedRow]:
    """Convert row by row; what is refused comes out as such and stops nothing."""
    width = len(columns)
    for row in rows:
        if len(row) != width:
            yield RefusedRow(RowError("row.width", "row", None, len(row)), columns, row)
            continue
        try:
            yield converter.convert(row)
        except RowError as error:
            yield RefusedRow(error, columns, row)


def stage_rows(
    stage: Stage,
    converter: Converter,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    progress: Callable[[int], None],
) -> Iterator[RefusedRow]:
    """Convert and stage rows; gives those that were refused, whose keys are staged if they have one."""
    waiting = iter(rows)
    while block := list(islice(waiting, ROWS_PER_BLOCK)):
        blocks = _converted_together(converter, columns, block)
        if blocks is None:
            yield from _stage_one_by_one(stage, converter, columns, block)
        else:
            stage.put_blocks(blocks)
        progress(len(block))


def _stage_one_by_one(
    stage: Stage, converter: Converter, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> Iterator[RefusedRow]:
    for item in converted(converter, columns, iter(rows)):
        if isinstance(item, Converted):
            stage.put(item)
            continue
        if item.error.key is not None:
            stage.put_refused(item.error.key)
        yield item


def _converted_together(
    converter: Converter, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> list[ConvertedBlock] | None:
    """Rows by the block; nothing when one of them has to be looked at for itself."""
    width = len(columns)
    if any(len(row) != width for row in rows):
        return None
    try:
        return converter.convert_blocks(rows)
    except (UnfitValueError, TypeError):
        return None


def keep_refused(
    session: Session,
    refused: Sequence[RefusedRow],
    *,
    source_id: UUID,
    stream: str,
    run_id: UUID | None,
    now: datetime,
) -> None:
    """Put refused rows into quarantine."""
    tenant_id = session.info["tenant_id"]
    for start in range(0, len(refused), CHANGES_PER_INSERT):
        session.execute(
            insert(QuarantinedRow),
            [
                _kept(item)
                | {
                    "tenant_id": tenant_id,
                    "id": new_id(),
                    "source_id": source_id,
                    "stream": stream,
                    "run_id": run_id,
                    "refused_at": now,
                }
                for item in refused[start : start + CHANGES_PER_INSERT]
            ],
        )


def supersede_staged(session: Session, *, source_id: UUID, stream: str, now: datetime) -> None:
    """What waits under a key that is on the stage is settled by the row that came now."""
    parameters = {
        "tenant": session.info["tenant_id"],
        "source": source_id,
        "stream": stream,
        "now": now,
    }
    session.execute(text(merge.supersede_staged()), parameters)


def supersede_all(session: Session, *, source_id: UUID, stream: str, now: datetime) -> None:
    """A full snapshot settles everything that waited before it."""
    session.execute(
        update(QuarantinedRow)
        .where(
            QuarantinedRow.source_id == source_id,
            QuarantinedRow.stream == stream,
            QuarantinedRow.state == "waiting",
        )
        .values(state="superseded", settled_at=now)
    )


def _kept(item: RefusedRow) -> dict[str, Any]:
    error = item.error
    return {
        "source_key": error.key,
        "code": error.code,
        "field": error.field,
        "value": None if error.value is None else _cell(str(error.value)),
        "row": {"columns": list(item.columns), "values": [_cell(value) for value in item.row]},
    }


def _cell(value: Any) -> Any:
    if value is None:
        return None
    written = str(value).replace("\x00", "")[:CELL_LENGTH_KEPT]
    return written.encode("utf-8", "replace").decode()
