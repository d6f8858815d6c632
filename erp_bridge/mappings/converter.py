"""One stream's row converter: an ERP row in, a row for the canonical table out.

Measured at a few microseconds a row: everything that can be decided once is decided when the
converter is built, and nothing is caught or explained unless a row is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from erp_bridge.canon import NEEDED_TEXT, TABLES, TEXT, CanonTable
from erp_bridge.mappings import nodes
from erp_bridge.mappings.compiler import (
    Find,
    Holds,
    Read,
    Row,
    Surroundings,
    condition,
    reader,
)
from erp_bridge.mappings.values import ABSENT, UnfitValueError, escaped
from erp_bridge.mappings.writers import REQUIRED, Block, Write, writer

KEY_LENGTH_MAX = 200
KEY_SEPARATOR = ":"


class RowError(Exception):
    """A row that cannot be converted; it goes to quarantine with this reason."""

    def __init__(self, code: str, field: str, key: str | None, value: object = None) -> None:
        super().__init__(f"{field}: {code}")
        self.code = code
        self.field = field
        self.key = key
        self.value = value


class Converted(NamedTuple):
    """A row in canonical form; one the mapping's ``where`` leaves out carries its key only.

    ``cells`` are its fields as COPY's text format has them.
    """

    key: str
    stamp: str | None
    wanted: bool
    cells: Sequence[str]
    extra: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class ConvertedBlock:
    """Rows in canonical form, column by column; all of them are wanted, or all are left out.

    Everything is as COPY's text format has it; ``places`` say which of the rows these are.
    """

    places: Sequence[int]
    wanted: bool
    keys: Iterable[str]
    stamps: Iterable[str]
    extras: Iterable[str]
    cells: Sequence[Iterable[str]]


@dataclass(frozen=True, slots=True)
class Converter:
    """Converts the rows of one stream whose columns are known."""

    table: CanonTable
    fields: tuple[str, ...]
    key: tuple[Read, ...]
    key_cells: tuple[Write, ...]
    stamp: Read | None
    stamp_cell: Write | None
    where: Holds | None
    writers: tuple[Write, ...]
    new_columns: tuple[tuple[str, int], ...]

    def convert(self, row: Row) -> Converted:
        """Bring one row to canonical form, or refuse it with a reason."""
        key = self.key_of(row)
        try:
            stamp = self.stamp(row) if self.stamp else None
            if self.where and not self.where(row):
                return Converted(key, stamp, wanted=False, cells=(), extra=None)
            cells = [write(row) for write in self.writers]
        except UnfitValueError as refused:
            raise self._explained(row, key, refused.code) from None
        extra = self._extra(row) if self.new_columns else None
        return Converted(key, stamp, wanted=True, cells=cells, extra=extra)

    def convert_blocks(self, rows: Sequence[Row]) -> list[ConvertedBlock]:
        """Bring rows as wide as the columns to canonical form, several times faster than one by one.

        Raises `UnfitValueError` or `TypeError` when that cannot be done with every one of them; then each has to be
        converted for itself, and its refusal explained.
        """
        if self.where is None:
            return [self._block(range(len(rows)), rows, wanted=True)]
        blocks = []
        holds = [bool(held) for held in map(self.where, rows)]
        for wanted in (True, False):
            places = [place for place, held in enumerate(holds) if held is wanted]
            if places:
                blocks.append(self._block(places, [rows[p] for p in places], wanted=wanted))
        return blocks

    def _block(self, places: Sequence[int], rows: Sequence[Row], *, wanted: bool) -> ConvertedBlock:
        block = Block(rows, list(zip(*rows, strict=True)))
        parts = zip(*(part.column(block) for part in self.key_cells), strict=True)
        keys = list(map(KEY_SEPARATOR.join, parts))
        # Longer as a cell than as it is, if anything.
        if max(map(len, keys)) > KEY_LENGTH_MAX:
            raise UnfitValueError("text.too_long", None)
        return ConvertedBlock(
            places=places,
            wanted=wanted,
            keys=keys,
            stamps=self.stamp_cell.column(block) if self.stamp_cell else repeat(ABSENT),
            extras=map(self._extra_cell, rows) if wanted and self.new_columns else repeat(ABSENT),
            cells=[list(write.column(block)) for write in self.writers] if wanted else (),
        )

    def _extra_cell(self, row: Row) -> str:
        return escaped(json.dumps(self._extra(row)))

    def key_of(self, row: Row) -> str:
        """The row's key in the ERP, as we keep it."""
        try:
            parts = [read(row) for read in self.key]
        except UnfitValueError as refused:
            raise RowError(refused.code, "key", None, refused.value) from None
        if None in parts:
            raise RowError(REQUIRED, "key", None)
        key = KEY_SEPARATOR.join(parts)
        if len(key) > KEY_LENGTH_MAX:
            raise RowError("text.too_long", "key", None, key[:80])
        return key

    def _extra(self, row: Row) -> dict[str, Any]:
        return {name: row[position] for name, position in self.new_columns}

    def _explained(self, row: Row, key: str, code: str) -> RowError:
        """What is wrong with the row; a value that is unfit says more than one that lacks."""
        missing: RowError | None = None
        for name, write in zip(self.fields, self.writers, strict=True):
            try:
                write(row)
            except UnfitValueError as refused:
                if refused.code != REQUIRED:
                    return RowError(refused.code, name, key, refused.value)
                missing = missing or RowError(REQUIRED, name, key)
        return missing if missing and code == REQUIRED else RowError("condition", "where", key)


def build_converter(
    stream: nodes.StreamMapping,
    columns: Sequence[str],
    *,
    lookups: Mapping[str, Find],
    zone: ZoneInfo,
) -> Converter:
    """Compile a stream's mapping for rows with these columns; `ColumnError` if one lacks."""
    around = Surroundings({name: i for i, name in enumerate(columns)}, lookups, zone)
    table = TABLES[stream.into]
    known = columns_named(stream) | stream.ignored | {stream.origin.stamp, *stream.origin.key}
    names = tuple(name for name, _ in stream.fields)
    stamp = stream.stamp or (nodes.Column(stream.origin.stamp) if stream.origin.stamp else None)
    return Converter(
        table=table,
        fields=names,
        key=tuple(reader(part, "text", around) for part in stream.key),
        key_cells=tuple(writer(part, NEEDED_TEXT, around) for part in stream.key),
        stamp=reader(stamp, "text", around) if stamp else None,
        stamp_cell=writer(stamp, TEXT, around) if stamp else None,
        where=condition(stream.where, around) if stream.where else None,
        writers=tuple(writer(what, table.fields[name], around) for name, what in stream.fields),
        new_columns=tuple((name, i) for i, name in enumerate(columns) if name not in known),
    )


def columns_named(stream: nodes.StreamMapping) -> frozenset[str]:
    """Every column of the source that a stream's mapping reads."""
    roots: list[Any] = [*stream.key, *(what for _, what in stream.fields)]
    roots += [root for root in (stream.stamp, stream.where) if root is not None]
    return frozenset(nodes.columns_in(roots))


def key_columns(stream: nodes.StreamMapping) -> tuple[str, ...]:
    """The columns that make up a row's key, in the order of the key."""
    return tuple(name for part in stream.key for name in nodes.columns_in([part]))


def lookups_named(stream: nodes.StreamMapping) -> frozenset[str]:
    """Every side table that a stream's mapping asks."""
    roots: list[Any] = [*stream.key, *(what for _, what in stream.fields)]
    roots += [root for root in (stream.stamp, stream.where) if root is not None]
    return frozenset(node.table for node in nodes.walk(roots) if isinstance(node, nodes.Lookup))
