"""Compiles expressions and conditions to plain functions over a row of known columns."""

from __future__ import annotations

import calendar
import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from operator import add, mul, sub
from typing import Any
from zoneinfo import ZoneInfo

from erp_bridge.canon import Kind
from erp_bridge.mappings import nodes
from erp_bridge.mappings.values import converter_to, day

Row = Sequence[Any]
Read = Callable[[Row], Any]
Holds = Callable[[Row], bool]
Find = Callable[[str], str | None]

#: Keys and dates come in runs, so a few thousand texts of a column serve a million rows.
REMEMBERED_MAX = 4_096
REMEMBERED_LENGTH_MAX = 60

OPERATORS = {"add": add, "subtract": sub, "multiply": mul}


class ColumnError(Exception):
    """The mapping names a column that the source does not have."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an expression may look at besides the row: positions, side tables, the calendar."""

    positions: Mapping[str, int]
    lookups: Mapping[str, Find]
    zone: ZoneInfo
    #: Whether what an expression gives is remembered by its column.
    remembers: bool = True
    #: What was compiled so far; the same expression twice in a mapping is worked out once.
    built: dict[tuple[Any, Any], Any] = field(default_factory=dict)

    def position(self, column: str) -> int:
        """Where a column stands in the row."""
        try:
            return self.positions[column]
        except KeyError:
            raise ColumnError(column) from None


def reader(expression: nodes.Expression, kind: Kind, around: Surroundings) -> Read:
    """A function that reads the expression's value from a row, as the kind wanted."""
    if isinstance(expression, nodes.Constant):
        constant = converter_to(kind, around.zone)(expression.value)
        return lambda _row: constant
    return _remembering(expression, kind, around, partial(_reader, expression, kind))


def _reader(expression: nodes.Expression, kind: Kind, around: Surroundings) -> Read:
    convert = converter_to(kind, around.zone)
    if isinstance(expression, nodes.Column):
        position = around.position(expression.name)
        return lambda row: convert(row[position])
    raw = unconverted(expression, around)
    return lambda row: convert(raw(row))


def unconverted(expression: nodes.Expression, around: Surroundings) -> Read:
    """A function that reads the expression's value as it comes: text, or what arithmetic and the calendar give."""
    if isinstance(expression, nodes.Column | nodes.Constant):
        return reader(expression, "text", around)
    build: Callable[[Any, Surroundings], Read] = _BUILDERS[type(expression)]
    return build(expression, around)


def _remembering(
    expression: Any, kind: Kind, around: Surroundings, build: Callable[[Surroundings], Read]
) -> Read:
    """What hangs on one column alone is worked out once for each text that an ERP writes there."""
    position = only_position(expression, around)
    if position is None:
        return build(around)
    if (expression, kind) in around.built:
        built: Read = around.built[expression, kind]
        return built
    # The parts have the same column; it is enough that the whole is remembered.
    evaluate = build(replace(around, remembers=False))
    known = Remembered(evaluate, len(around.positions))

    def read(row: Row) -> Any:
        try:
            return known[row[position]]
        except TypeError:  # it cannot be remembered, such as a list in an answer
            return evaluate(row)

    around.built[expression, kind] = read
    return read


def only_position(expression: Any, around: Surroundings) -> int | None:
    """Where the one column stands that an expression or condition hangs on, if it is one."""
    if not around.remembers:
        return None
    columns = set(nodes.columns_in([expression]))
    return around.position(columns.pop()) if len(columns) == 1 else None


class Remembered(dict[Any, Any]):
    """What an expression over one column gives, by what that column holds.

    Only texts and nothing are remembered, never two values that are equal and yet convert differently (``True``
    and 1), and never a refusal. A value that cannot be a key raises `TypeError`.
    """

    __slots__ = ("_evaluate", "_width")

    def __init__(self, evaluate: Read, width: int) -> None:
        super().__init__()
        self._evaluate = evaluate
        self._width = width

    def __missing__(self, value: Any) -> Any:
        # Whatever column the expression reads, it finds this value there, and it reads no other.
        found = self._evaluate((value,) * self._width)
        if value is None or (type(value) is str and len(value) <= REMEMBERED_LENGTH_MAX):
            if len(self) >= REMEMBERED_MAX:
                self.clear()
            self[value] = found
        return found


def condition(node: nodes.Condition, around: Surroundings) -> Holds:
    """A function that says whether the condition holds for a row."""
    return _remembering(node, "bool", around, partial(_condition, node))


def _condition(node: nodes.Condition, around: Surroundings) -> Holds:
    if isinstance(node, nodes.Not):
        inner = condition(node.condition, around)
        return lambda row: not inner(row)
    if isinstance(node, nodes.AllOf):
        every = [condition(part, around) for part in node.conditions]
        return lambda row: all(holds(row) for holds in every)
    if isinstance(node, nodes.AnyOf):
        some = [condition(part, around) for part in node.conditions]
        return lambda row: any(holds(row) for holds in some)
    if isinstance(node, nodes.Same):
        reads = [reader(part, "text", around) for part in node.parts]
        return lambda row: len(found := {read(row) for read in reads}) == 1 and None not in found
    return _test_of_value(node, around)


def _test_of_value(
    node: nodes.Present | nodes.OneOf | nodes.Matches, around: Surroundings
) -> Holds:
    read = reader(node.of, "text", around)
    if isinstance(node, nodes.OneOf):
        values = node.values
        return lambda row: read(row) in values
    if isinstance(node, nodes.Matches):
        match = re.compile(node.pattern).match
        return lambda row: match(read(row) or "") is not None
    return lambda row: read(row) is not None


def _lookup(node: nodes.Lookup, around: Surroundings) -> Read:
    find, by = around.lookups[node.table], reader(node.by, "text", around)

    def read(row: Row) -> str | None:
        key = by(row)
        return None if key is None else find(key)

    return read


def _join(node: nodes.Join, around: Surroundings) -> Read:
    parts = [reader(part, "text", around) for part in node.parts]
    separator = node.separator
    return lambda row: separator.join(found for part in parts if (found := part(row)))


def _first(node: nodes.First, around: Surroundings) -> Read:
    parts = [reader(part, "text", around) for part in node.parts]
    return lambda row: next((found for part in parts if (found := part(row)) is not None), None)


def _arithmetic(node: nodes.Arithmetic, around: Surroundings) -> Read:
    first, *rest = [reader(part, "decimal", around) for part in node.parts]
    operate = OPERATORS[node.operator]

    def read(row: Row) -> Decimal | None:
        result: Decimal | None = first(row)
        for part in rest:
            value = part(row)
            if result is None or value is None:
                return None
            result = operate(result, value)
        return result

    return read


def _day_before(node: nodes.DayBefore, around: Surroundings) -> Read:
    of = reader(node.of, "date", around)

    def read(row: Row) -> date | None:
        found: date | None = of(row)
        return found and found - timedelta(days=1)

    return read


def _months_after(node: nodes.MonthsAfter, around: Surroundings) -> Read:
    of, months = reader(node.of, "date", around), node.months

    def read(row: Row) -> date | None:
        found: date | None = of(row)
        return found and months_after(found, months)

    return read


def months_after(start: date, months: int) -> date:
    """The same day ``months`` later, or the last day of that month when it is shorter."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(start.day, last))


def _parent_code(node: nodes.ParentCode, around: Surroundings) -> Read:
    of, width = reader(node.of, "text", around), node.width

    def read(row: Row) -> str | None:
        code = of(row)
        return code[:-width] or None if code else None

    return read


def _translate(node: nodes.Translate, around: Surroundings) -> Read:
    of, table = reader(node.of, "text", around), dict(node.table)
    otherwise = unconverted(node.otherwise, around) if node.otherwise else None

    def read(row: Row) -> Any:
        word = of(row)
        found = table.get(word or "")
        return otherwise(row) if found is None and otherwise else found

    return read


def _choose(node: nodes.Choose, around: Surroundings) -> Read:
    cases = [
        (condition(case.when, around) if case.when else None, unconverted(case.give, around))
        for case in node.cases
    ]

    def read(row: Row) -> Any:
        for holds, give in cases:
            if holds is None or holds(row):
                return give(row)
        return None

    return read


_BUILDERS: dict[type, Callable[[Any, Surroundings], Read]] = {
    nodes.Lookup: _lookup,
    nodes.Join: _join,
    nodes.First: _first,
    nodes.Arithmetic: _arithmetic,
    nodes.DayBefore: _day_before,
    nodes.MonthsAfter: _months_after,
    nodes.ParentCode: _parent_code,
    nodes.Translate: _translate,
    nodes.Choose: _choose,
}


def find_in(pairs: Mapping[str, str]) -> Find:
    """A lookup over pairs of texts."""
    return pairs.get


def find_next(values: Sequence[str], zone: ZoneInfo) -> Find:
    """A lookup that gives the next larger day among those of a column."""
    days = sorted({found for value in values if (found := day(value, zone))})

    def find(value: str) -> str | None:
        wanted = day(value, zone)
        assert wanted is not None
        position = bisect_right(days, wanted)
        return days[position].isoformat() if position < len(days) else None

    return find
