"""Stories of files that are dropped: good ones, broken ones, the same one twice."""

import gzip
import os
from decimal import Decimal

import pytest

from tests.erp_bridge.bridge import LINES, PRODUCTS, Bridge, DropFolder

NETS = "SELECT sum(net), count(*) FROM erp_sales_order_line WHERE deleted_at IS NULL"


def test_a_dropped_file_becomes_facts(files: Bridge, folder: DropFolder) -> None:
    folder.people((1, "rowan", "Chief", ""), (2, "maple", "Sales Representative", 1))
    folder.orders((10, "2014-01-31", 2))
    folder.lines((10, 1, "5.50"), (10, 2, "4.50"))
    report = files.sync()
    assert report.streams["order_lines"].rows_changed == 2
    assert files.one(NETS) == (Decimal(10), 2)
    line = files.one(
        "SELECT ordered_on::text, salesperson_key, org_unit_key, state, cost FROM erp_sales_order_line LIMIT 1"
    )
    assert line == ("2014-01-31", "2", "1", "shipped", Decimal(6))


def test_the_same_file_twice_changes_nothing_and_is_recorded(
    files: Bridge, folder: DropFolder
) -> None:
    folder.orders((10, "2014-01-31", ""))
    files.sync()
    batches = files.one("SELECT count(*) FROM erp_batch")
    os.utime(folder.path / "orders.csv", (1_800_000_000, 1_800_000_000))
    report = files.sync()
    assert report.streams["orders"].rows_changed == 0
    assert files.one("SELECT count(*) FROM erp_batch") == batches
    assert files.one("SELECT seen_count FROM erp_file WHERE stream = 'orders'") == 2


def test_a_changed_row_replaces_its_version_and_dirties_old_and_new_days(
    files: Bridge, folder: DropFolder
) -> None:
    folder.orders((10, "2014-01-31", 2))
    folder.lines((10, 1, "5.50"), (10, 2, "4.50"))
    files.sync()
    files.rows("DELETE FROM erp_dirty_day RETURNING id")
    folder.orders((10, "2014-02-28", 2))
    report = files.sync()
    assert report.streams["orders"].rows_changed == 1
    days = files.rows("SELECT DISTINCT day::text FROM erp_dirty_day ORDER BY 1")
    assert days == [("2014-01-31",), ("2014-02-28",)]
    kept = files.rows(
        "SELECT row ->> 'ordered_on' FROM erp_fact_version WHERE table_name = 'erp_sales_order_line'"
    )
    assert kept == [("2014-01-31",)] * 2


def test_landing_is_told_once_per_window_that_changed_something(
    files: Bridge, folder: DropFolder
) -> None:
    folder.orders((10, "2014-01-31", ""))
    files.sync()
    files.sync()
    told = "SELECT count(*) FROM erp_batch WHERE rows_changed > 0 AND stream = 'orders'"
    assert files.one(told) == 1


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda body: body[:60], "file.truncated"),
        (lambda body: body[:20] + b"\xff\xff\xff\xff" + body[24:], "file.corrupt"),
        (lambda _body: b"no gzip at all", "file.corrupt"),
        (lambda _body: gzip.compress(b'order_id,line_id\n"1,'), "file."),
        (lambda _body: gzip.compress(b"order_id\n1\n"), "file.missing_column"),
        (lambda _body: gzip.compress(b""), "file.empty"),
        (lambda body: gzip.compress(gzip.decompress(body)[:-12]), "file.truncated"),
        (
            lambda body: gzip.compress(gzip.decompress(body).replace(b"2,5,0", b"2,\xff,0")),
            "file.encoding",
        ),
    ],
)
def test_a_broken_file_is_refused_and_nothing_of_it_lands(
    files: Bridge,
    folder: DropFolder,
    spoil,
    problem: str,  # type: ignore[no-untyped-def]
) -> None:
    folder.orders((10, "2014-01-31", ""))
    good = folder.drop(
        "order_lines.csv.gz", LINES, [(10, i, 7, 2, 5, 0, i, 3, 1) for i in range(40)]
    )
    files.sync()
    before = files.one(NETS)
    newer = folder.drop(
        "order_lines.csv.gz", LINES, [(10, i, 7, 2, 5, 0, i + 1, 3, 1) for i in range(40)]
    )
    newer.write_bytes(spoil(newer.read_bytes()))
    files.sync()
    state, found = files.stream("order_lines")
    assert state == "failed"
    assert found is not None
    assert found.startswith(problem)
    assert files.one(NETS) == before
    good.unlink()


def test_a_good_file_after_a_broken_one_heals_the_stream(files: Bridge, folder: DropFolder) -> None:
    folder.drop_bytes("orders.csv", b"order_id\n1\n")
    files.sync()
    assert files.stream("orders")[0] == "failed"
    folder.orders((10, "2014-01-31", ""))
    files.sync()
    assert files.stream("orders") == ("live", None)


def test_bad_rows_go_to_quarantine_and_the_others_land(files: Bridge, folder: DropFolder) -> None:
    folder.orders((10, "2014-01-31", ""))
    folder.lines(
        (10, 1, "1,234.50"),
        (10, 2, "NaN"),
        (10, 3, "1.2E3"),
        (10, 4, "-0"),
        (10, 5, ""),
        (10, 6, "9" * 30),
    )
    report = files.sync()
    assert report.streams["order_lines"].rows_refused == 3
    assert files.one(NETS) == (Decimal("2434.50"), 3)
    refused = files.rows(
        "SELECT source_key, field, code FROM erp_quarantine WHERE state = 'waiting' ORDER BY 1"
    )
    assert refused == [
        ("10:2", "net", "number.format"),
        ("10:5", "net", "required"),
        ("10:6", "net", "number.range"),
    ]


def test_a_row_put_right_in_the_next_file_leaves_quarantine(
    files: Bridge, folder: DropFolder
) -> None:
    folder.orders((10, "2014-01-31", ""))
    folder.lines((10, 1, "1"), (10, 2, "NaN"))
    files.sync()
    folder.lines((10, 1, "1"), (10, 2, "2"))
    files.sync()
    assert (
        files.one("SELECT state FROM erp_quarantine WHERE stream = 'order_lines'") == "superseded"
    )
    assert files.one(NETS) == (Decimal(3), 2)


def test_a_refused_row_keeps_its_last_good_version(files: Bridge, folder: DropFolder) -> None:
    folder.orders((10, "2014-01-31", ""))
    folder.lines((10, 1, "1"), (10, 2, "2"))
    files.sync()
    folder.lines((10, 1, "1"), (10, 2, "two"))
    files.sync()
    assert files.one(NETS) == (Decimal(3), 2)


def test_a_released_row_lands(files: Bridge, folder: DropFolder) -> None:
    folder.orders((10, "2014-01-31", ""))
    folder.lines((10, 1, "1"), (10, 2, "NaN"))
    files.sync()
    # What was wrong is put right where it waits, as a new mapping would read it.
    files.rows(
        "UPDATE erp_quarantine SET row = jsonb_set(row, '{values,6}', '\"2\"') WHERE stream = 'order_lines' RETURNING 1"
    )
    assert files.retry("order_lines") == 1
    assert files.one(NETS) == (Decimal(3), 2)
    assert files.one("SELECT state FROM erp_quarantine WHERE stream = 'order_lines'") == "released"


def test_too_many_bad_rows_pause_the_stream_and_keep_the_good_figures(
    files: Bridge, folder: DropFolder
) -> None:
    folder.orders((10, "2014-01-31", ""))
    folder.lines(*[(10, i, "1") for i in range(300)])
    files.sync()
    folder.lines(*[(10, i, "x" if i < 30 else "2") for i in range(300)])
    files.sync()
    assert files.stream("order_lines") == ("paused", "too_many_refused")
    assert files.one(NETS) == (Decimal(300), 300)
    assert files.one("SELECT count(*) FROM erp_quarantine WHERE state = 'waiting'") == 30
    assert files.sync().streams["order_lines"].state == "paused"
    folder.lines(*[(10, i, "2") for i in range(300)])
    files.sync()
    assert files.stream("order_lines") == ("live", None)
    assert files.one(NETS) == (Decimal(600), 300)


def test_a_row_gone_from_a_full_file_is_deleted_softly(files: Bridge, folder: DropFolder) -> None:
    folder.orders((10, "2014-01-31", ""))
    folder.lines(*[(10, i, "1") for i in range(100)])
    files.sync()
    folder.lines(*[(10, i, "1") for i in range(1, 100)])
    assert files.sync().streams["order_lines"].rows_deleted == 1
    assert files.one(NETS) == (Decimal(99), 99)
    assert files.one("SELECT count(*) FROM erp_sales_order_line") == 100
    folder.lines(*[(10, i, "1") for i in range(100)])
    files.sync()
    assert files.one(NETS) == (Decimal(100), 100)


def test_a_file_that_lost_much_stops_the_stream_until_somebody_has_looked(
    files: Bridge, folder: DropFolder
) -> None:
    folder.orders((10, "2014-01-31", ""))
    folder.lines(*[(10, i, "1") for i in range(100)])
    files.sync()
    folder.lines(*[(10, i, "1") for i in range(50)])
    files.sync()
    assert files.stream("order_lines") == ("stopped", "too_many_gone")
    assert files.one(NETS) == (Decimal(100), 100)
    files.sync(release=True)
    assert files.stream("order_lines") == ("live", None)
    assert files.one(NETS) == (Decimal(50), 50)


def test_the_last_of_a_row_said_twice_counts(files: Bridge, folder: DropFolder) -> None:
    folder.orders((10, "2014-01-31", ""))
    folder.lines((10, 1, "1"), (10, 1, "7"))
    files.sync()
    assert files.one(NETS) == (Decimal(7), 1)


def test_nul_and_emoji_in_names(files: Bridge, folder: DropFolder) -> None:
    folder.drop("products.csv", PRODUCTS, [(7, "A\x00B", "Nut 🌰 栗", "", "", 1, 2)])
    files.sync()
    assert files.rows("SELECT code, name FROM erp_product") == [("AB", "Nut 🌰 栗")]


def test_a_new_column_is_kept_beside_the_fact(files: Bridge, folder: DropFolder) -> None:
    folder.drop(
        "products.csv", f"{PRODUCTS},colour", [(7, "A", "Nut", "", "", 1, 2, 0, 0, "", "", "red")]
    )
    files.sync()
    assert files.one("SELECT raw FROM erp_product") == {"colour": "red"}


def test_an_order_before_its_salesperson_finds_its_unit_later(
    files: Bridge, folder: DropFolder
) -> None:
    folder.people(
        (1, "rowan", "Chief", ""), (2, "maple", "Sales Manager", 1), (3, "larch", "Clerk", 2)
    )
    folder.orders((10, "2014-01-31", 4))
    folder.lines((10, 1, "5"))
    files.sync()
    assert files.one("SELECT org_unit_key FROM erp_sales_order_line") == "1"
    unknown = "SELECT source_key FROM erp_quarantine WHERE code = 'unknown_salesperson'"
    assert files.rows(unknown) == [("4",)]
    folder.people(
        (1, "rowan", "Chief", ""),
        (2, "maple", "Sales Manager", 1),
        (3, "larch", "Clerk", 2),
        (4, "elm", "Rep", 2),
    )
    files.sync()
    assert files.one("SELECT org_unit_key FROM erp_sales_order_line") == "2"
    assert files.rows(unknown) == []


def test_lines_before_their_order_wait_for_its_date(files: Bridge, folder: DropFolder) -> None:
    folder.orders((9, "2014-01-01", ""))
    folder.lines((10, 1, "5"))
    files.sync()
    assert files.one("SELECT ordered_on FROM erp_sales_order_line") is None
    folder.orders((9, "2014-01-01", ""), (10, "2014-01-31", ""))
    files.sync()
    assert files.one("SELECT ordered_on::text FROM erp_sales_order_line") == "2014-01-31"


def test_two_streams_fill_one_table_without_deleting_each_other(
    files: Bridge, folder: DropFolder
) -> None:
    folder.people((1, "rowan", "Chief", ""), (2, "maple", "Clerk", 1))
    folder.drop(
        "departments.csv", "department_id,name,group_name", [(i, f"D{i}", "G") for i in range(9)]
    )
    files.sync()
    folder.people((1, "rowan", "Chief", ""), (2, "maple", "Clerk", 1), (3, "larch", "Clerk", 2))
    files.sync()
    counts = files.rows(
        "SELECT stream, count(*) FROM erp_org_unit WHERE deleted_at IS NULL GROUP BY 1 ORDER BY 1"
    )
    assert counts == [("departments", 9), ("teams", 2)]
