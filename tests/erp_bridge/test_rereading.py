"""Stories of an operator who reads the past again: some days, closed months, or everything just to see."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.builders.company import Company, Phone
from tests.erp_bridge.bridge import Bridge, DropFolder, connect
from tests.erp_bridge.doubles.u8_gateway import U8Gateway
from tests.erp_bridge.u8_book import U8Book

JANUARY, MARCH = date(2026, 1, 15), date(2026, 3, 2)
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"kind": "backfill"}, "from", "required"),
    ({"kind": "backfill", "from": "2026-01-01"}, "to", "required"),
    ({"kind": "backfill", "from": "2026-02-01", "to": "2026-01-01"}, "to", "time_order"),
    ({"kind": "backfill", "from": "0001-01-01", "to": "2026-01-01"}, "from", "out_of_range"),
    ({"kind": "backfill", "from": "2026-02-30", "to": "2026-03-01"}, "from", "invalid_date"),
    ({"kind": "sync", "from": "2026-01-01", "to": "2026-01-02"}, "from", "unknown_field"),
    ({"kind": "everything"}, "kind", "not_a_choice"),
]
NETS = "SELECT ordered_on::text, net::int FROM erp_sales_order_line WHERE deleted_at IS NULL ORDER BY 1, 2"


@pytest.fixture
def operator(company: Company) -> Phone:
    return company.phone("Hazel", role="operator")


@pytest.fixture
def past(u8: Bridge, book: U8Book) -> Bridge:
    """An order of January and one of March have been read."""
    for day, net in ((JANUARY, 100), (MARCH, 7)):
        book.line(book.order(day=day), net)
    u8.sync()
    return u8


def silently(book: U8Book, statement: str) -> None:
    """Write in the ERP's database past its stamps, as repair scripts do."""
    with book.connection.transaction():
        book.write("SET LOCAL session_replication_role = replica")
        book.write(statement)


def run(bridge: Bridge, operator: Phone, **order: Any) -> dict[str, Any]:
    """Ask for a run over HTTP and wait for it; gives the run."""
    bridge.before_sync()
    started = operator.post(f"/erp/sources/{bridge.source_id}/runs", order)
    assert started.status_code == 202, started.json
    bridge.company.settle()
    ended: dict[str, Any] = operator.get(f"/erp/runs/{started.json['id']}").json
    return ended


def outcome(ended: dict[str, Any], stream: str) -> dict[str, Any]:
    found: dict[str, Any] = next(item for item in ended["streams"] if item["name"] == stream)
    return found


def test_a_silent_change_is_not_seen_by_polling_and_found_by_a_backfill(
    past: Bridge, book: U8Book, operator: Phone
) -> None:
    silently(book, "UPDATE u8.so_sodetails SET inatmoney = inatmoney + 1")
    past.sync()
    assert past.rows(NETS) == [("2026-01-15", 100), ("2026-03-02", 7)]
    ended = run(past, operator, kind="backfill", **{"from": "2026-01-01", "to": "2026-01-31"})
    assert (ended["state"], ended["kind"], ended["from"]) == ("done", "backfill", "2026-01-01")
    lines = outcome(ended, "sales_order_lines")
    assert (lines["state"], lines["rows_read"], lines["rows_changed"]) == ("landed", 2, 1)
    # Only the days that were asked for: March is as it was.
    assert past.rows(NETS) == [("2026-01-15", 101), ("2026-03-02", 7)]


def test_a_backfill_leaves_cursors_where_they_are_and_is_told_like_any_batch(
    past: Bridge, book: U8Book, operator: Phone
) -> None:
    cursors = "SELECT name, cursor::text, revision FROM erp_stream ORDER BY 1"
    before = past.rows(cursors)
    silently(book, "UPDATE u8.so_sodetails SET inatmoney = 5 WHERE inatmoney = 100")
    ended = run(past, operator, kind="backfill", **{"from": "2026-01-01", "to": "2026-12-31"})
    assert past.rows(cursors) == before
    batch = past.one(
        "SELECT stream, rows_changed FROM erp_batch WHERE run_id = :run", run=ended["id"]
    )
    assert batch == ("sales_order_lines", 1)
    ash = past.company.phone("Ash", role="owner")
    assert ash.get("/cards/sales?period=2026-01").json["value"] == 500


def test_a_backfill_of_one_stream_reads_no_other(past: Bridge, operator: Phone) -> None:
    days = {"from": "2026-01-01", "to": "2026-01-31"}
    ended = run(past, operator, kind="backfill", streams=["sales_orders"], **days)
    assert [item["name"] for item in ended["streams"]] == ["sales_orders"]


def test_a_row_that_silently_moved_to_another_month_is_found_from_either_side(
    past: Bridge, book: U8Book, operator: Phone
) -> None:
    silently(book, "UPDATE u8.so_somain SET ddate = '2026-02-10' WHERE ddate = '2026-01-15'")
    run(past, operator, kind="backfill", **{"from": "2026-01-01", "to": "2026-01-31"})
    assert past.rows(NETS) == [("2026-02-10", 100), ("2026-03-02", 7)]


def test_a_dry_run_says_what_would_change_and_changes_nothing(
    past: Bridge, book: U8Book, operator: Phone
) -> None:
    order = book.one("SELECT id FROM u8.so_somain WHERE ddate = '2026-01-15'")
    book.line(order, 40)
    book.write("UPDATE u8.so_sodetails SET inatmoney = 8.25 WHERE inatmoney = 7")
    book.write("DELETE FROM u8.so_sodetails WHERE inatmoney = 100")
    everything = (
        "SELECT (SELECT jsonb_agg(l ORDER BY source_key) FROM erp_sales_order_line l)::text,"
        " (SELECT jsonb_agg(s ORDER BY name) FROM erp_stream s)::text,"
        " (SELECT count(*) FROM erp_fact_version), (SELECT count(*) FROM erp_batch),"
        " (SELECT count(*) FROM erp_quarantine), (SELECT count(*) FROM erp_dirty_day)"
    )
    past.company.settle()
    before = past.one(everything)
    ended = run(past, operator, kind="dry_run")
    assert past.one(everything) == before
    lines = outcome(ended, "sales_order_lines")
    found = lines["findings"]["difference"]
    assert (lines["state"], lines["rows_read"], lines["rows_changed"]) == ("compared", 2, 0)
    assert (found["inserts"], found["updates"], found["deletes"]) == (1, 1, 1)
    examples = {example["change"]: example for example in found["examples"]}
    assert examples["update"]["before"] == {"net": "7.000000"}
    assert examples["update"]["after"] == {"net": "8.250000"}
    assert examples["insert"]["after"]["net"] == "40.000000"
    assert (examples["delete"]["before"]["net"], examples["delete"]["after"]) == (
        "100.000000",
        None,
    )
    past.sync(reconcile=True)
    past.sync(reconcile=True)
    assert past.rows(NETS) == [("2026-01-15", 40), ("2026-03-02", 8)]


def test_a_dry_run_of_dropped_files_compares_with_what_they_would_leave(
    files: Bridge, folder: DropFolder, operator: Phone
) -> None:
    folder.orders((10, "2014-01-31", ""))
    folder.lines((10, 1, "1"), (10, 2, "2"))
    files.sync()
    folder.lines((10, 1, "3"))
    found = outcome(run(files, operator, kind="dry_run", streams=["order_lines"]), "order_lines")
    difference = found["findings"]["difference"]
    assert (difference["inserts"], difference["updates"], difference["deletes"]) == (0, 1, 1)
    assert files.one("SELECT sum(net) FROM erp_sales_order_line WHERE deleted_at IS NULL") == 3


def test_closed_months_are_compared_and_a_silent_change_in_one_is_read_again(
    past: Bridge, book: U8Book, operator: Phone
) -> None:
    silently(book, "UPDATE u8.so_sodetails SET inatmoney = 90 WHERE inatmoney = 100")
    ended = run(past, operator, kind="verify")
    lines = outcome(ended, "sales_order_lines")
    (month,) = lines["findings"]["months"]
    assert month["month"] == "2026-01"
    assert (month["ours"]["rows"], month["ours"]["amount"]) == (1, "100.000000")
    assert (month["erp"]["rows"], month["erp"]["amount"]) == (1, "90.000000")
    assert lines["rows_changed"] == 1
    assert past.rows(NETS) == [("2026-01-15", 90), ("2026-03-02", 7)]
    again = outcome(run(past, operator, kind="verify"), "sales_order_lines")
    assert (again["findings"]["months"], again["rows_changed"]) == ([], 0)


def test_a_row_that_silently_left_a_closed_month_goes_after_it_was_missed_twice(
    past: Bridge, book: U8Book, operator: Phone
) -> None:
    book.line(book.order(day=JANUARY), 1)
    past.sync()
    silently(book, "DELETE FROM u8.so_sodetails WHERE inatmoney = 100")
    lines = outcome(run(past, operator, kind="verify"), "sales_order_lines")
    (month,) = lines["findings"]["months"]
    assert (month["ours"]["rows"], month["erp"]["rows"]) == (2, 1)
    run(past, operator, kind="verify")
    assert past.rows(NETS) == [("2026-01-15", 1), ("2026-03-02", 7)]


def test_closed_months_are_compared_by_themselves_once_a_week_at_night(
    past: Bridge, book: U8Book, company: Company
) -> None:
    verify = company.space.jobs.timers["erp_bridge.verify_sources"][1]
    runs = "SELECT count(*) FROM erp_run WHERE kind = 'verify'"

    def look(days: int, hour: int) -> int:
        """So many days later, at an hour in Shanghai: how many comparisons there have been by then."""
        now = company.clock()
        midnight = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=days + 1)
        company.clock.move(seconds=(midnight + timedelta(hours=hour - 8) - now).total_seconds())
        verify(company.bench())
        company.settle()
        return int(past.one(runs))

    assert look(days=1, hour=2) == 0
    assert look(days=8, hour=14) == 0
    silently(book, "UPDATE u8.so_sodetails SET inatmoney = 90 WHERE inatmoney = 100")
    assert look(days=0, hour=2) == 1
    assert look(days=1, hour=2) == 1
    assert ("2026-01-15", 90) in past.rows(NETS)
    assert look(days=7, hour=3) == 2


def test_an_erp_restored_from_yesterdays_backup_is_believed(
    past: Bridge, book: U8Book, operator: Phone
) -> None:
    book.write("UPDATE u8.so_sodetails SET inatmoney = 120 WHERE inatmoney = 100")
    past.sync()
    silently(book, "UPDATE u8.so_sodetails SET inatmoney = 100, dufts = 3 WHERE inatmoney = 120")
    past.sync()
    assert past.rows(NETS)[0] == ("2026-01-15", 120)
    run(past, operator, kind="verify")
    assert past.rows(NETS)[0] == ("2026-01-15", 100)


def test_what_cannot_be_read_fails_its_stream_and_keeps_the_figures(
    past: Bridge, book: U8Book, operator: Phone
) -> None:
    book.write(f"REVOKE SELECT ON u8.so_sodetails FROM {book.reader}")
    ended = run(past, operator, kind="backfill", **{"from": "2026-01-01", "to": "2026-12-31"})
    lines = outcome(ended, "sales_order_lines")
    assert (lines["state"], lines["problem"]) == ("failed", "erp.not_allowed")
    assert outcome(ended, "sales_orders")["problem"] is None
    assert past.rows(NETS) == [("2026-01-15", 100), ("2026-03-02", 7)]
    assert past.stream("sales_order_lines") == ("live", None)


def test_days_that_do_not_fit_are_refused_by_their_field(u8: Bridge, operator: Phone) -> None:
    for order, field, code in REFUSED:
        reply = operator.post(f"/erp/sources/{u8.source_id}/runs", order)
        assert reply.status_code == 422
        assert reply.json["errors"][field]["code"] == code, order


def test_an_erp_that_went_back_fails_its_streams_until_somebody_has_looked(
    past: Bridge, book: U8Book
) -> None:
    book.write(
        "CREATE OR REPLACE FUNCTION u8.min_active_rowversion() RETURNS bigint LANGUAGE sql AS 'SELECT 9::bigint'"
    )
    silently(book, "UPDATE u8.so_sodetails SET inatmoney = inatmoney - 5, dufts = 3")
    silently(book, "UPDATE u8.so_somain SET ufts = 3")
    past.sync()
    assert past.stream("sales_order_lines") == ("failed", "erp.went_back")
    past.sync()
    assert past.rows(NETS) == [("2026-01-15", 100), ("2026-03-02", 7)]
    past.sync(release=True)
    assert past.stream("sales_order_lines") == ("live", None)
    assert past.rows(NETS) == [("2026-01-15", 95), ("2026-03-02", 2)]
    silently(book, "UPDATE u8.so_sodetails SET inatmoney = 1, dufts = 4 WHERE inatmoney = 2")
    past.sync()
    assert past.rows(NETS) == [("2026-01-15", 95), ("2026-03-02", 1)]


def test_what_no_list_of_a_gateway_shows_is_found_by_a_backfill(
    company: Company, gateway: U8Gateway, book: U8Book, operator: Phone
) -> None:
    line = book.line(book.order(day=JANUARY), 100)
    bridge = connect(company, "u8_openapi", "u8_openapi", **gateway.settings(reread_seconds=3_600))
    bridge.sync()
    book.write("UPDATE u8.so_sodetails SET iquantity = 3 WHERE autoid = %s", line)
    quantity = "SELECT quantity FROM erp_sales_order_line"
    bridge.sync()
    assert bridge.one(quantity) == 1
    run(bridge, operator, kind="backfill", **{"from": "2026-01-01", "to": "2026-01-31"})
    assert bridge.one(quantity) == 3


def test_a_person_can_watch_how_far_a_run_has_come(
    past: Bridge, book: U8Book, operator: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("erp_bridge.engine.NOTED_EVERY_SECONDS", 0)
    order = book.order()
    for net in range(15):
        book.line(order, net)
    seen: list[dict[str, Any]] = []

    def look(stream: str, rows: int) -> None:
        (run_id,) = past.rows("SELECT id FROM erp_run WHERE state = 'running'")[0]
        seen.extend(operator.get(f"/erp/runs/{run_id}").json["streams"])

    past.sync(kind="dry_run", progress=look)
    lines = [item for item in seen if item["name"] == "sales_order_lines"]
    assert {item["state"] for item in lines} == {"reading"}
    # Pages are of seven rows: the last one was being read when somebody looked last.
    assert lines[-1]["rows_read"] == 14
