"""Mappings: a closed grammar whose errors name their place, and converters compiled from it."""

from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from erp_bridge.mappings.compiler import ColumnError, find_in, find_next, months_after
from erp_bridge.mappings.converter import Converter, RowError, build_converter, columns_named
from erp_bridge.mappings.loader import MappingError, parse_mapping, shipped_mapping, shipped_names

ZONE = ZoneInfo("Asia/Shanghai")
SMALL = """
mapping: small
time_zone: Asia/Shanghai
currency: CNY
root_unit: "1"
lookups:
  parent: {file: units.csv, match: id, give: parent}
  next_day: {file: days.csv, next_of: day}
streams:
  - name: lines
    into: sales_order_line
    from: {file: lines.csv}
    key: [order_id, line_id]
    where: {present: quantity}
    fields:
      order_key: order_id
      quantity: quantity
      net: %s
"""


def converter(net: str = "amount", columns: tuple[str, ...] = ()) -> Converter:
    stream = parse_mapping(SMALL % net).streams[0]
    lookups = {"parent": find_in({"2": "1"}), "next_day": find_next(["2025-01-31"], ZONE)}
    names = columns or ("order_id", "line_id", "quantity", "amount", "other", "day")
    return build_converter(stream, names, lookups=lookups, zone=ZONE)


def net_of(expression: str, **row: Any) -> Any:
    filled = {
        "order_id": "7",
        "line_id": "1",
        "quantity": "2",
        "amount": "",
        "other": "",
        "day": "",
    }
    return Decimal(converter(expression).convert(list((filled | row).values())).cells[2])


def problems_of(document: str) -> dict[str, str]:
    with pytest.raises(MappingError) as refused:
        parse_mapping(document)
    return refused.value.problems


def test_every_shipped_mapping_is_valid() -> None:
    assert {shipped_mapping(name).name for name in shipped_names()} >= {"adventureworks", "u8"}


def test_a_row_becomes_a_fact() -> None:
    converted = converter().convert(["7", "1", "2", "1,234.50", "", ""])
    assert (converted.key, converted.wanted) == ("7:1", True)
    assert converted.cells == ["7", "2", "1234.500000"]


def test_arithmetic_is_exact_and_nothing_comes_of_nothing() -> None:
    assert net_of("{multiply: [amount, other]}", amount="0.1", other="3") == Decimal("0.3")
    assert net_of("{subtract: [amount, other]}", amount="1", other="0.9") == Decimal("0.1")
    with pytest.raises(RowError):
        net_of("{add: [amount, other]}", amount="1")


def test_values_are_looked_up_translated_and_chosen() -> None:
    assert net_of("{lookup: parent, by: amount}", amount="2") == Decimal(1)
    assert net_of('{translate: other, table: {a: "5"}}', other="a") == Decimal(5)
    choice = '{choose: [{when: {equals: other, value: x}, give: amount}, {give: {constant: "9"}}]}'
    assert net_of(choice, amount="4", other="x") == Decimal(4)
    assert net_of(choice, amount="4", other="y") == Decimal(9)
    assert net_of('{first: [other, {constant: "3"}]}') == Decimal(3)


def test_conditions_are_put_together() -> None:
    both = "{all: [{present: amount}, {not: {one_of: other, values: [x, y]}}]}"
    net = '{choose: [{when: %s, give: {constant: "1"}}, {give: {constant: "0"}}]}' % both  # noqa: UP031
    assert net_of(net, amount="5", other="z") == 1
    assert net_of(net, amount="5", other="x") == 0
    assert net_of(net.replace("all", "any"), amount="", other="z") == 1


def test_a_graded_code_names_its_parent() -> None:
    stream = shipped_mapping("u8").stream("departments")
    columns = ("pubufts", *sorted(columns_named(stream)))
    built = build_converter(stream, columns, lookups={}, zone=ZONE)
    rows = {"cdepcode": "010203", "cdepname": "Chestnuts", "cdepperson": "1", "pubufts": 5}
    cells = built.convert([rows[column] for column in columns]).cells
    assert cells[1] == "0102"


def test_a_quota_holds_until_the_day_before_the_next_one() -> None:
    following = find_next(["2025-01-31", "2025-04-30", ""], ZONE)
    assert following("2025-01-31") == "2025-04-30"
    assert following("2025-04-30") is None
    assert months_after(date(2025, 11, 30), 3) == date(2026, 2, 28)


def test_a_row_left_out_by_where_keeps_its_key() -> None:
    converted = converter().convert(["7", "1", "", "5", "", ""])
    assert (converted.key, converted.wanted, converted.cells) == ("7:1", False, ())


@pytest.mark.parametrize(
    ("row", "field", "code"),
    [
        (["7", "1", "2", "NaN", "", ""], "net", "number.format"),
        (["7", "1", "2", "", "", ""], "net", "required"),
        (["7", "", "2", "5", "", ""], "key", "required"),
        (["7" * 300, "1", "2", "5", "", ""], "key", "text.too_long"),
    ],
)
def test_a_row_that_cannot_be_converted_says_which_field_and_why(
    row: list[str], field: str, code: str
) -> None:
    with pytest.raises(RowError) as refused:
        converter().convert(row)
    assert (refused.value.field, refused.value.code) == (field, code)


def test_a_new_column_is_kept_and_a_missing_one_refused() -> None:
    columns = ("order_id", "line_id", "quantity", "amount", "colour")
    assert converter(columns=columns).convert(["7", "1", "2", "5", "red"]).extra == {
        "colour": "red"
    }
    with pytest.raises(ColumnError):
        converter(columns=columns[:3])


def test_a_key_said_twice_is_refused() -> None:
    document = SMALL % "amount" + "      net: quantity\n"
    assert "twice" in problems_of(document)["mapping"]


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ("{divide: [amount, other]}", "streams.0.fields.net.value.divide"),
        ("{subtract: [amount, {constnt: 5}]}", "streams.0.fields.net.value.subtract.1.constnt"),
        ("{subtract: []}", "streams.0.fields.net.value.subtract"),
        ("{constant: 1.5}", "streams.0.fields.net.value.constant"),
        ("{lookup: parent}", "streams.0.fields.net.value.by"),
        ("{lookup: nowhere, by: amount}", "streams.0"),
        ("{column: amount, typ: text}", "streams.0.fields.net.value.typ"),
        ("amount\n      colour: other", "streams.0.fields.colour"),
        ("{translate: other, table: {a: [1]}}", "streams.0.fields.net.value.table.a"),
        ("amount\n    limit: 5", "streams.0.limit"),
    ],
)
def test_an_error_names_its_place(wrong: str, path: str) -> None:
    assert path in problems_of(SMALL % wrong)


def test_a_required_field_must_be_mapped() -> None:
    document = (SMALL % "amount").replace("      order_key: order_id\n", "")
    assert "streams.0.fields.order_key" in problems_of(document)


@pytest.mark.parametrize(
    "pattern", ["(a+)+b", "(a|a)*b", "a*a*b", r"(a)\\1", "(?=a)b", "(a{1,9}){9}"]
)
def test_a_pattern_that_could_run_for_minutes_is_refused(pattern: str) -> None:
    net = '{choose: [{when: {matches: other, pattern: "%s"}, give: amount}]}'
    assert any("pattern" in path for path in problems_of(SMALL % (net % pattern)))


@pytest.mark.parametrize("pattern", [".*(x|y)$", "6(001|051)", r"[0-9+*]{4}", r"\\(a\\)b?"])
def test_plain_patterns_are_taken(pattern: str) -> None:
    net = '{choose: [{when: {matches: other, pattern: "%s"}, give: amount}]}'
    assert parse_mapping(SMALL % (net % pattern))


@pytest.mark.parametrize(
    "document", ["", "[]", "mapping: [", "mapping: x\nstreams: 5", "&a [*a]", "a: " + "x" * 300_000]
)
def test_what_is_no_mapping_is_refused_without_a_crash(document: str) -> None:
    assert problems_of(document)
