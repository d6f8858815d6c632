"""The grammar of expressions and conditions, as marshmallow fields that build nodes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from marshmallow import ValidationError, fields

from erp_bridge.mappings import nodes

DEPTH_MAX = 12
PARTS_MAX = 50
PATTERN_LENGTH_MAX = 200
#: An escaped sign or a class of signs, which repeat as one; back references are none.
_ONE_SIGN = re.compile(r"\\[^0-9]|\[\^?\]?[^\]]*\]")

Body = dict[str, Any]
Found = TypeVar("Found")


class ExpressionField(fields.Field[nodes.Expression]):
    """A column by its name, or one operator with what it works on."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> nodes.Expression:
        return read_expression(value)


class ConditionField(fields.Field[nodes.Condition]):
    """One condition, or several put together."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> nodes.Condition:
        return read_condition(value)


def read_expression(value: Any, depth: int = 0) -> nodes.Expression:
    """Read an expression; the error names the part that is wrong."""
    if isinstance(value, str):
        return nodes.Column(_name(value))
    operator, body = _operator(value, _EXPRESSIONS, depth)
    return _EXPRESSIONS[operator](body, depth + 1)


def read_condition(value: Any, depth: int = 0) -> nodes.Condition:
    """Read a condition; the error names the part that is wrong."""
    operator, body = _operator(value, _CONDITIONS, depth)
    return _CONDITIONS[operator](body, depth + 1)


def _operator(value: Any, known: dict[str, Any], depth: int) -> tuple[str, Body]:
    if depth > DEPTH_MAX:
        raise ValidationError("This is nested too deeply.")
    if not isinstance(value, dict) or not value:
        raise ValidationError("Expected an operator.")
    operator = next((key for key in value if key in known), None)
    if operator is None:
        names = ", ".join(sorted(known))
        raise ValidationError({str(next(iter(value))): [f"Unknown; known are: {names}."]})
    _refuse_unknown(value, {operator} | _OPTIONS.get(operator, set()))
    return operator, value


def _refuse_unknown(value: Body, known: set[str]) -> None:
    for key in value:
        if key not in known:
            raise ValidationError({str(key): ["Unknown field."]})


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValidationError("Expected a name.")
    return value


def _scalar(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValidationError("Expected a text; put it in quotes.")
    return str(value)


def _at(path: str, read: Callable[[], Found]) -> Found:
    try:
        return read()
    except ValidationError as error:
        raise ValidationError({path: error.messages}) from error


def _inner(body: Body, key: str, depth: int) -> nodes.Expression:
    return _at(key, lambda: read_expression(body[key], depth))


def _items(body: Body, key: str) -> list[Any]:
    items = body[key]
    if not isinstance(items, list) or not 1 <= len(items) <= PARTS_MAX:
        raise ValidationError({key: [f"Expected a list of 1 to {PARTS_MAX}."]})
    return items


def _parts(body: Body, key: str, depth: int) -> tuple[nodes.Expression, ...]:
    def part(index: int, value: Any) -> nodes.Expression:
        return _at(key, lambda: _at(str(index), lambda: read_expression(value, depth)))

    return tuple(part(index, value) for index, value in enumerate(_items(body, key)))


def _conditions(body: Body, key: str, depth: int) -> tuple[nodes.Condition, ...]:
    def part(index: int, value: Any) -> nodes.Condition:
        return _at(key, lambda: _at(str(index), lambda: read_condition(value, depth)))

    return tuple(part(index, value) for index, value in enumerate(_items(body, key)))


def _needed(body: Body, key: str) -> Any:
    if key not in body:
        raise ValidationError({key: ["Missing."]})
    return body[key]


def _whole_number(body: Body, key: str) -> int:
    value = _needed(body, key)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 120:
        raise ValidationError({key: ["Expected a whole number from 1 to 120."]})
    return value


def _column(body: Body, depth: int) -> nodes.Expression:
    return nodes.Column(_at("column", lambda: _name(body["column"])))


def _constant(body: Body, depth: int) -> nodes.Expression:
    return nodes.Constant(_at("constant", lambda: _scalar(body["constant"])))


def _lookup(body: Body, depth: int) -> nodes.Expression:
    _needed(body, "by")
    table = _at("lookup", lambda: _name(body["lookup"]))
    return nodes.Lookup(table, _inner(body, "by", depth))


def _join(body: Body, depth: int) -> nodes.Expression:
    separator = _at("with", lambda: _scalar(body.get("with", "")))
    return nodes.Join(_parts(body, "join", depth), separator)


def _first(body: Body, depth: int) -> nodes.Expression:
    return nodes.First(_parts(body, "first", depth))


def _add(body: Body, depth: int) -> nodes.Expression:
    return nodes.Arithmetic("add", _parts(body, "add", depth))


def _subtract(body: Body, depth: int) -> nodes.Expression:
    return nodes.Arithmetic("subtract", _parts(body, "subtract", depth))


def _multiply(body: Body, depth: int) -> nodes.Expression:
    return nodes.Arithmetic("multiply", _parts(body, "multiply", depth))


def _day_before(body: Body, depth: int) -> nodes.Expression:
    return nodes.DayBefore(_inner(body, "day_before", depth))


def _months_after(body: Body, depth: int) -> nodes.Expression:
    return nodes.MonthsAfter(_inner(body, "months_after", depth), _whole_number(body, "months"))


def _parent_code(body: Body, depth: int) -> nodes.Expression:
    return nodes.ParentCode(_inner(body, "parent_code", depth), _whole_number(body, "width"))


def _translate(body: Body, depth: int) -> nodes.Expression:
    table = _needed(body, "table")
    if not isinstance(table, dict) or not table:
        raise ValidationError({"table": ["Expected a table of values."]})
    pairs = tuple((str(key), _word(str(key), value)) for key, value in table.items())
    otherwise = _inner(body, "otherwise", depth) if "otherwise" in body else None
    return nodes.Translate(_inner(body, "translate", depth), pairs, otherwise)


def _word(key: str, value: Any) -> str:
    return _at("table", lambda: _at(key, lambda: _scalar(value)))


def _choose(body: Body, depth: int) -> nodes.Expression:
    def case(index: int, value: Any) -> nodes.Case:
        return _at("choose", lambda: _at(str(index), lambda: _case(value, depth)))

    return nodes.Choose(tuple(case(i, value) for i, value in enumerate(_items(body, "choose"))))


def _case(value: Any, depth: int) -> nodes.Case:
    if not isinstance(value, dict):
        raise ValidationError("Expected a case with give, and when it applies.")
    _refuse_unknown(value, {"when", "give"})
    _needed(value, "give")
    give = _inner(value, "give", depth)
    if "when" not in value:
        return nodes.Case(None, give)
    return nodes.Case(_at("when", lambda: read_condition(value["when"], depth)), give)


def _present(body: Body, depth: int) -> nodes.Condition:
    return nodes.Present(_inner(body, "present", depth))


def _absent(body: Body, depth: int) -> nodes.Condition:
    return nodes.Not(nodes.Present(_inner(body, "absent", depth)))


def _equals(body: Body, depth: int) -> nodes.Condition:
    value = _at("value", lambda: _scalar(_needed(body, "value")))
    return nodes.OneOf(_inner(body, "equals", depth), frozenset({value}))


def _one_of(body: Body, depth: int) -> nodes.Condition:
    _needed(body, "values")
    values = _at("values", lambda: frozenset(map(_scalar, _items(body, "values"))))
    return nodes.OneOf(_inner(body, "one_of", depth), values)


def _matches(body: Body, depth: int) -> nodes.Condition:
    pattern = _at("pattern", lambda: _scalar(_needed(body, "pattern")))
    if len(pattern) > PATTERN_LENGTH_MAX:
        raise ValidationError({"pattern": ["This pattern is too long."]})
    if _may_run_away(pattern):
        raise ValidationError({"pattern": ["One repetition of a single sign, and no look around."]})
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValidationError({"pattern": [f"Not a regular expression: {error}."]}) from error
    return nodes.Matches(_inner(body, "matches", depth), pattern)


def _may_run_away(pattern: str) -> bool:
    """Whether a text could be made up that keeps this pattern busy for minutes; companies write patterns too."""
    bare = _ONE_SIGN.sub("x", pattern.removeprefix("(?i)"))
    return (
        "\\" in bare
        or "(?" in bare
        or ")*" in bare
        or ")+" in bare
        or "){" in bare
        or _count(bare) > 1
    )


def _count(bare: str) -> int:
    return sum(bare.count(sign) for sign in "*+{")


def _same(body: Body, depth: int) -> nodes.Condition:
    return nodes.Same(_parts(body, "same", depth))


def _not(body: Body, depth: int) -> nodes.Condition:
    return nodes.Not(_at("not", lambda: read_condition(body["not"], depth)))


def _all(body: Body, depth: int) -> nodes.Condition:
    return nodes.AllOf(_conditions(body, "all", depth))


def _any(body: Body, depth: int) -> nodes.Condition:
    return nodes.AnyOf(_conditions(body, "any", depth))


_EXPRESSIONS: dict[str, Callable[[Body, int], nodes.Expression]] = {
    "column": _column,
    "constant": _constant,
    "lookup": _lookup,
    "join": _join,
    "first": _first,
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "day_before": _day_before,
    "months_after": _months_after,
    "parent_code": _parent_code,
    "translate": _translate,
    "choose": _choose,
}
_CONDITIONS: dict[str, Callable[[Body, int], nodes.Condition]] = {
    "present": _present,
    "absent": _absent,
    "equals": _equals,
    "one_of": _one_of,
    "matches": _matches,
    "same": _same,
    "not": _not,
    "all": _all,
    "any": _any,
}
_OPTIONS: dict[str, set[str]] = {
    "lookup": {"by"},
    "join": {"with"},
    "months_after": {"months"},
    "parent_code": {"width"},
    "translate": {"table", "otherwise"},
    "equals": {"value"},
    "one_of": {"values"},
    "matches": {"pattern"},
}
