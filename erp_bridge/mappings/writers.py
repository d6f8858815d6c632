"""Expressions as cells of COPY, for one row or for a whole block of rows at a time.

By the block is several times faster: what hangs on one column is looked up among what was converted before, without
a step of Python for each row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any, Protocol

from erp_bridge.canon import Field
from erp_bridge.mappings import nodes
from erp_bridge.mappings.compiler import (
    OPERATORS,
    Read,
    Remembered,
    Row,
    Surroundings,
    condition,
    only_position,
    reader,
    unconverted,
)
from erp_bridge.mappings.values import UnfitValueError, cell, converter_to, number_cells

REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of one width, and the same by column."""

    rows: Sequence[Row]
    columns: Sequence[Sequence[Any]]


class Write(Protocol):
    """Gives a field as a cell; `UnfitValueError` when it cannot be one."""

    def __call__(self, row: Row) -> str:
        """The cell of a row."""
        ...

    def column(self, block: Block) -> Iterable[str]:
        """The cells of a block's rows; `TypeError` when they can only be had one by one."""
        ...


def writer(expression: nodes.Expression, field: Field, around: Surroundings) -> Write:
    """The expression's value as a cell of this kind; refuses the lack of a required one."""
    convert = converter_to(field.kind, around.zone)

    def convert_to_cell(raw: Any) -> str:
        value = convert(raw)
        if value is None and field.required:
            raise UnfitValueError(REQUIRED, raw)
        return cell(value)

    if isinstance(expression, nodes.Column):
        position = around.position(expression.name)
        cells = _OfOneColumn(position, lambda row: convert_to_cell(row[position]), around)
        # A key is often a field as well.
        shared: Write = around.built.setdefault((expression, field), cells)
        return shared
    return _writer(expression, convert_to_cell, around)


def _writer(
    expression: nodes.Expression, convert: Callable[[Any], str], around: Surroundings
) -> Write:
    if isinstance(expression, nodes.Choose):
        cases = [
            (_held(case.when, around) if case.when else None, _writer(case.give, convert, around))
            for case in expression.cases
        ]
        return _OfChoice(cases, _constant(None, convert))
    if isinstance(expression, nodes.Constant):
        return _constant(expression.value, convert)
    position = only_position(expression, around)
    if position is None:
        return _of_columns(expression, convert, around)
    raw = unconverted(expression, replace(around, remembers=False))
    return _OfOneColumn(position, lambda row: convert(raw(row)), around)


def _held(node: nodes.Condition, around: Surroundings) -> Write:
    position = only_position(node, around)
    if position is None:
        return _OfRow(condition(node, around))
    holds = condition(node, replace(around, remembers=False))
    shared: Write = around.built.setdefault((node, "held"), _OfOneColumn(position, holds, around))
    return shared


def _of_columns(
    expression: nodes.Expression, convert: Callable[[Any], str], around: Surroundings
) -> Write:
    raw = unconverted(expression, around)
    if isinstance(expression, nodes.Arithmetic):
        parts = [_number(part, around) for part in expression.parts]
        return _OfNumbers(lambda row: convert(raw(row)), OPERATORS[expression.operator], parts)
    return _OfRow(lambda row: convert(raw(row)))


def _number(expression: nodes.Expression, around: Surroundings) -> Write:
    read = reader(expression, "decimal", around)
    position = only_position(expression, around)
    return _OfRow(read) if position is None else _OfOneColumn(position, read, around)


def _constant(value: str | None, convert: Callable[[Any], str]) -> Write:
    try:
        return _Same(convert(value))
    except UnfitValueError:
        # Every row that comes to it is refused with this reason.
        return _OfRow(lambda _row: convert(value))


@dataclass(frozen=True, slots=True)
class _Same:
    """The same cell for every row."""

    value: str

    def __call__(self, row: Row) -> str:
        return self.value

    def column(self, block: Block) -> Iterable[str]:
        return repeat(self.value, len(block.rows))


@dataclass(frozen=True, slots=True)
class _OfRow:
    """What hangs on several columns is worked out row by row."""

    evaluate: Read

    def __call__(self, row: Row) -> str:
        written: str = self.evaluate(row)
        return written

    def column(self, block: Block) -> Iterable[str]:
        return map(self.evaluate, block.rows)


class _OfOneColumn:
    """What hangs on one column is worked out once for each text of it."""

    __slots__ = ("_evaluate", "_known", "_position")

    def __init__(self, position: int, evaluate: Read, around: Surroundings) -> None:
        self._position = position
        self._evaluate = evaluate
        self._known = Remembered(evaluate, len(around.positions))

    def __call__(self, row: Row) -> str:
        try:
            written: str = self._known[row[self._position]]
        except TypeError:
            written = self._evaluate(row)
        return written

    def column(self, block: Block) -> Iterable[str]:
        return map(self._known.__getitem__, block.columns[self._position])


@dataclass(frozen=True, slots=True)
class _OfNumbers:
    """What is added, subtracted or multiplied of several columns."""

    evaluate: Read
    operate: Callable[[Any, Any], Any]
    parts: Sequence[Write]

    def __call__(self, row: Row) -> str:
        written: str = self.evaluate(row)
        return written

    def column(self, block: Block) -> Iterable[str]:
        first, *rest = (part.column(block) for part in self.parts)
        numbers: Iterable[Any] = first
        for part in rest:
            numbers = map(self.operate, numbers, part)
        try:
            return number_cells(list(numbers))
        except TypeError:  # one is missing
            return map(self.evaluate, block.rows)


@dataclass(frozen=True, slots=True)
class _OfChoice:
    """The cell of the first case that holds; each case is converted for itself, by its own column."""

    cases: Sequence[tuple[Write | None, Write]]
    otherwise: Write

    def __call__(self, row: Row) -> str:
        for holds, give in self.cases:
            if holds is None or holds(row):
                return give(row)
        return self.otherwise(row)

    def column(self, block: Block) -> Iterable[str]:
        """Cases that do not apply are converted as well; one that cannot be makes the block go row by row."""
        chosen: Iterable[str] | None = None
        for holds, give in reversed(self.cases):
            given = give.column(block)
            if holds is None:
                chosen = given
            else:
                rest = self.otherwise.column(block) if chosen is None else chosen
                held = holds.column(block)
                chosen = [a if h else b for h, a, b in zip(held, given, rest, strict=True)]
        return self.otherwise.column(block) if chosen is None else chosen
