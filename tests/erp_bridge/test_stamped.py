"""Reading by a stamp of whole seconds: nothing is lost, whoever edits while it is read."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erp_bridge.connectors.base import ConnectorError
from erp_bridge.connectors.stamped import (
    BEGINNING,
    Record,
    Watermark,
    Window,
    read_stamped,
    shifted,
)

START = "2026-03-02 10:00:00"
OVERLAP = 5
LATEST = "2099-01-01 00:00:00"


@dataclass
class Table:
    """A table of an ERP; ``edits`` happen one before each page, each (key, seconds later, value)."""

    rows: dict[int, Record] = field(default_factory=dict)
    edits: list[tuple[int, int, int]] = field(default_factory=list)
    now: str = START
    limit: int = 3

    def write(self, key: int, later: int, value: int) -> None:
        self.now = shifted(self.now, later)
        self.rows[key] = {"id": key, "changed": self.now, "value": value}

    def ask(self, window: Window) -> list[Record]:
        if self.edits:
            self.write(*self.edits.pop(0))
        found = [
            row
            for row in self.rows.values()
            if row["changed"] >= window.since
            and (window.before is None or row["changed"] < window.before)
            and (window.after_key is None or row["id"] > window.after_key)
        ]
        in_order = sorted(
            found, key=lambda row: ("" if window.before else row["changed"], row["id"])
        )
        return [dict(row) for row in in_order[: self.limit]]

    def read(self, cursor: dict[str, Any], copy: dict[int, Record]) -> dict[str, Any]:
        """One reading into a copy; gives the cursor."""
        watermark = Watermark("m", "changed", "id")
        watermark.restore(cursor)
        since = shifted(watermark.after, -OVERLAP)
        for rows in read_stamped(self.ask, watermark, since=since, limit=self.limit):
            copy.update({row["id"]: row for row in watermark.take(rows, OVERLAP, LATEST)})
        return watermark.cursor()


deeds = st.tuples(st.integers(1, 8), st.integers(0, 3), st.integers(0, 9))


@settings(max_examples=150, deadline=None)
@given(st.lists(deeds, max_size=15), st.lists(st.lists(deeds, max_size=6), max_size=4))
def test_after_the_editors_stop_the_copy_is_the_table(
    before: list[tuple[int, int, int]], during: list[list[tuple[int, int, int]]]
) -> None:
    table, copy, cursor = Table(), {}, {}
    for deed in before:
        table.write(*deed)
    for edits in during:
        table.edits = list(edits)
        cursor = table.read(cursor, copy)
    table.edits = []
    table.read(cursor, copy)
    assert copy == table.rows


def test_pages_by_offset_lose_what_moved_and_ours_do_not() -> None:
    def table() -> Table:
        made = Table()
        for key in range(1, 8):
            made.write(key, 1, 0)
        # Between the first page and the second, the first row moves to the end.
        made.edits = [(7, 0, 0), (1, 1, 1)]
        return made

    naive, seen, offset = table(), set(), 0
    while (
        page := naive.ask(Window(BEGINNING))
        and sorted(naive.rows.values(), key=lambda row: row["changed"])[offset : offset + 3]
    ):
        seen |= {row["id"] for row in page}
        offset += 3
    assert seen == {1, 2, 3, 5, 6, 7}
    copy: dict[int, Record] = {}
    table().read({}, copy)
    assert copy.keys() == {1, 2, 3, 4, 5, 6, 7}


def test_a_second_fuller_than_a_page_is_read_whole() -> None:
    table, copy = Table(), {}
    for key in range(1, 30):
        table.write(key, 0, 0)
    table.write(30, 1, 0)
    table.read({}, copy)
    assert copy == table.rows


def test_what_was_committed_late_is_found_and_nothing_else_comes_twice() -> None:
    table, copy = Table(), {}
    table.write(1, 10, 0)
    cursor = table.read({}, copy)
    table.rows[2] = {"id": 2, "changed": shifted(table.now, -3), "value": 0}
    again: dict[int, Record] = {}
    table.read(cursor, again)
    assert list(again) == [2]


def test_an_edit_within_the_same_second_is_found() -> None:
    table, copy = Table(), {}
    table.write(1, 10, 0)
    cursor = table.read({}, copy)
    table.write(1, 0, 1)
    table.read(cursor, copy)
    assert copy[1]["value"] == 1


def test_a_stamp_from_the_future_does_not_carry_the_reading_with_it() -> None:
    watermark = Watermark("m", "changed", "id")
    row = {"id": 1, "changed": "2031-01-01 00:00:00", "value": 0}
    watermark.take([row], OVERLAP, latest=START)
    assert watermark.after == START


def test_another_mapping_begins_again() -> None:
    watermark = Watermark("other", "changed", "id")
    watermark.restore({"identity": "m", "after": START, "seen": {}})
    assert watermark.after == BEGINNING


def test_stamps_that_cannot_be_read_are_an_error() -> None:
    with pytest.raises(ConnectorError, match=r"erp\.bad_stamp"):
        Watermark("m", "changed", "id").second_of({"changed": "yesterday"})
    table = Table(rows={key: {"id": key, "changed": ""} for key in range(5)})
    watermark = Watermark("m", "changed", "id")
    with pytest.raises(ConnectorError, match=r"erp\.bad_stamp"):
        list(read_stamped(lambda _: [*table.rows.values()][:3], watermark, since=START, limit=3))
