"""Rows converted by the block land exactly as they do one by one, or else the block goes one by one."""

import io
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from erp_bridge.landing import Stage
from erp_bridge.mappings.compiler import find_in
from erp_bridge.mappings.converter import Converter, build_converter
from erp_bridge.mappings.loader import parse_mapping
from erp_bridge.mappings.values import ABSENT
from erp_bridge.quarantine import converted, stage_rows

COLUMNS = ("order", "line", "quantity", "price", "memo", "day", "more")
MAPPING = """
mapping: odd
time_zone: Asia/Shanghai
currency: CNY
root_unit: "1"
lookups:
  parent: {file: units.csv, match: id, give: parent}
streams:
  - name: lines
    into: sales_order_line
    from: {file: lines.csv}
    key: [order, line]
    stamp: day
    where: {not: {equals: memo, value: leave out}}
    fields:
      order_key: order
      ordered_on: {months_after: day, months: 1}
      customer_key: {join: [memo, order], with: "/"}
      salesperson_key: {lookup: parent, by: memo}
      product_key: {first: [memo, line]}
      quantity: quantity
      net: {multiply: [quantity, price]}
      cost:
        choose:
          - {when: {present: {lookup: parent, by: memo}}, give: price}
          - {when: {one_of: line, values: ["1"]}, give: {constant: "1.5"}}
      state: {translate: memo, table: {"1": open}, otherwise: {constant: shut}}
"""

ORDINARY = st.sampled_from(["1", "2", "7", "12.5", "-0", "2026-01-31"])
ODD = st.sampled_from(
    [
        *(None, "", " ", "a\tb\\c\nd\re", "\\N", "\x00", "\ud800", "leave out", "1,234.5", "1e3"),
        *("9" * 13, "x" * 300, True, False, 1, 1.0, 2.5, float("nan"), Decimal("1.0"), [7, "CNY"]),
        *(Decimal("Infinity"), date(2026, 1, 31), datetime(2026, 1, 31, 23, tzinfo=UTC)),
    ]
)
CELLS = st.one_of(ORDINARY, ORDINARY, ORDINARY, ODD)
WORDS = st.sampled_from(
    ["1", "2", "7", "12.5", "a\tb", "c\\d", "leave out", "文字", 3, Decimal("4.50")]
)
NUMBERS = st.sampled_from(["1", "-0", "12.5", "1,234.5", "1e3", 2, 2.5, Decimal("0.0000005")])
DAYS = st.sampled_from(["", None, "2026-01-31", "20260131", date(2026, 1, 31)])
FITTING = st.lists(st.tuples(WORDS, WORDS, NUMBERS, NUMBERS, WORDS, DAYS), min_size=1, max_size=12)
ROWS = st.lists(st.lists(CELLS, min_size=6, max_size=7), max_size=8)


class Written(io.StringIO):
    """A COPY that keeps what it is given, by the rows' order."""

    def lines(self) -> list[str]:
        # Only a newline ends a row; text may hold what else Python takes for the end of a line.
        return sorted(self.getvalue().split("\n"), key=lambda line: int(line.split("\t")[0] or -1))


def an_odd_converter(columns: Sequence[str] = COLUMNS[:6]) -> Converter:
    lookups = {"parent": find_in({"1": "2", "7": "\t"})}
    stream = parse_mapping(MAPPING).streams[0]
    return build_converter(stream, columns, lookups=lookups, zone=ZoneInfo("Asia/Shanghai"))


def staged(converter: Converter, columns: Sequence[str], rows: list[Any]) -> tuple[Any, ...]:
    copy = Written()
    stage = Stage(copy, (ABSENT,) * len(converter.fields))  # type: ignore[arg-type]
    refused = list(stage_rows(stage, converter, columns, rows, lambda _count: None))
    stage.flush()
    return copy.lines(), (stage.rows, stage.left_out, stage.refused), why(refused)


def staged_one_by_one(
    converter: Converter, columns: Sequence[str], rows: list[Any]
) -> tuple[Any, ...]:
    copy = Written()
    stage = Stage(copy, (ABSENT,) * len(converter.fields))  # type: ignore[arg-type]
    refused = []
    for item in converted(converter, columns, iter(rows)):
        if hasattr(item, "error"):
            refused.append(item)
            if item.error.key is not None:
                stage.put_refused(item.error.key)
        else:
            stage.put(item)
    stage.flush()
    return copy.lines(), (stage.rows, stage.left_out, stage.refused), why(refused)


def why(refused: list[Any]) -> list[tuple[Any, ...]]:
    return [(item.error.code, item.error.field, item.error.key) for item in refused]


@given(ROWS)
def test_odd_rows_land_by_the_block_as_they_do_one_by_one(rows: list[Any]) -> None:
    columns = COLUMNS[:6]
    one_by_one = staged_one_by_one(an_odd_converter(), columns, rows)
    assert staged(an_odd_converter(), columns, rows) == one_by_one


@given(FITTING)
def test_fitting_rows_land_by_the_block_as_they_do_one_by_one(rows: list[Any]) -> None:
    assert an_odd_converter().convert_blocks(rows)
    one_by_one = staged_one_by_one(an_odd_converter(), COLUMNS[:6], rows)
    assert staged(an_odd_converter(), COLUMNS[:6], rows) == one_by_one


@given(FITTING)
def test_what_a_source_has_come_to_say_as_well_lands_by_the_block_too(rows: list[Any]) -> None:
    wider = [(*row, "more\nyet") for row in rows]
    one_by_one = staged_one_by_one(an_odd_converter(COLUMNS), COLUMNS, wider)
    assert staged(an_odd_converter(COLUMNS), COLUMNS, wider) == one_by_one


def test_rows_that_fit_are_converted_together() -> None:
    rows = [
        ["1", str(line), "2", "3.5", "leave out" if line == 2 else "m", "", ""] for line in range(4)
    ]
    wanted, left_out = an_odd_converter(COLUMNS).convert_blocks(rows)

    assert (list(wanted.places), list(wanted.keys)) == ([0, 1, 3], ["1:0", "1:1", "1:3"])
    assert (list(left_out.places), list(left_out.keys), left_out.cells) == ([2], ["1:2"], ())


def test_what_was_converted_once_is_forgotten_before_it_fills_the_memory() -> None:
    converter = an_odd_converter()
    rows = [[f"{order}", "1", "2", "3", "m", "2026-01-31"] for order in range(9_000)]
    blocks = [
        converter.convert_blocks(rows[start : start + 1_000]) for start in range(0, 9_000, 1_000)
    ]

    keys = [key for (block,) in blocks for key in block.keys]
    assert keys == [f"{order}:1" for order in range(9_000)]
    assert all(len(part._known) <= 4_096 for part in converter.key_cells)  # type: ignore[attr-defined]
