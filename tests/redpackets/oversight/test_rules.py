"""Rings, names of patterns and safe cells, as arithmetic, against the plainest way to say the same."""

import csv
import io
from datetime import UTC, date, datetime
from itertools import permutations
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from redpackets.bands import Band
from redpackets.oversight.rules import Edge, days_around, quarter_of, ring, rings_among, steps_of
from redpackets.sheets import BYTE_ORDER_MARK, FORMULA_STARTS, csv_of, written_amount

PEOPLE = [UUID(int=number) for number in range(1, 7)]
MOMENT = datetime(2026, 11, 1, tzinfo=UTC)
PAIRS = st.sets(
    st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from(["CNY", "POINT"])).filter(
        lambda pair: pair[0] != pair[1]
    ),
    max_size=18,
)


def edge(giver: int, receiver: int, unit: str) -> Edge:
    return Edge(
        giver_id=PEOPLE[giver],
        receiver_id=PEOPLE[receiver],
        unit=unit,
        gift_count=3,
        amount_minor=100,
        first_at=MOMENT,
        last_at=MOMENT,
        packet_ids=[UUID(int=100 + giver * 10 + receiver)],
    )


@settings(max_examples=200, deadline=None)
@given(PAIRS)
def test_every_ring_is_found_once_and_nothing_else(pairs):
    found = [
        (edges[0].unit, tuple(e.giver_id.int - 1 for e in edges))
        for edges in rings_among(edge(*pair) for pair in pairs)
    ]
    wanted = {
        (unit, people)
        for unit in ("CNY", "POINT")
        for length in (2, 3, 4)
        for people in permutations(range(6), length)
        if people[0] == min(people)
        and all((people[i], people[(i + 1) % length], unit) in pairs for i in range(length))
    }
    assert sorted(found) == sorted(wanted)


def test_a_ring_has_one_name_wherever_one_begins_to_look():
    pairs = [(0, 1, "CNY"), (1, 2, "CNY"), (2, 0, "CNY")]
    names = {
        ring(next(rings_among(edge(*pair) for pair in order)), MOMENT.date()).pattern
        for order in permutations(pairs)
    }
    assert names == {f"{PEOPLE[0]}:{PEOPLE[1]}:{PEOPLE[2]}:CNY:2026-Q4"}


def test_a_policys_steps_are_where_it_asks_for_more_than_below():
    def band(unit: str, begins: int, approvals: int) -> Band:
        return Band(unit=unit, from_minor=begins, up_to_minor=None, approvals=approvals)

    bands = [band("CNY", 1, 0), band("CNY", 2_001, 1), band("CNY", 5_001, 1), band("CNY", 9_001, 2)]
    assert steps_of([*bands, band("POINT", 1, 1)]) == {"CNY": [2_000, 9_000]}


@given(st.dates())
def test_a_quarter_has_three_months(day):
    assert quarter_of(day) == quarter_of(day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1))


def test_days_that_have_not_come_are_left_out():
    days = days_around(date(2026, 11, 20), 7, until=date(2026, 11, 22))
    assert (days[0], days[-1], len(days)) == (date(2026, 11, 13), date(2026, 11, 22), 10)


@given(st.lists(st.lists(st.text(max_size=12), min_size=2, max_size=2), max_size=5))
def test_no_cell_is_a_formula_and_every_text_can_be_read_back(rows):
    written = csv_of([["name", "note"], *rows]).decode()
    assert written.startswith(BYTE_ORDER_MARK)
    read = list(csv.reader(io.StringIO(written.removeprefix(BYTE_ORDER_MARK), newline="")))[1:]
    for row, cells in zip(rows, read, strict=True):
        for value, cell in zip(row, cells, strict=True):
            assert not cell.lstrip(" ").startswith(FORMULA_STARTS)
            assert cell in {value, f"'{value}"}


def test_numbers_stay_numbers():
    assert csv_of([["amount"], [-5]]).decode().endswith("-5\r\n")


def test_amounts_are_written_as_people_write_them():
    assert [written_amount(1250, "CNY"), written_amount(7, "USD")] == ["12.50", "0.07"]
    assert [written_amount(1250, "JPY"), written_amount(1250, "POINT")] == ["1250", "1250"]
