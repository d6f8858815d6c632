"""Stories of a U8 behind its OpenAPI gateway: edits that no stamp shows, deletions, codes used again."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from erp_bridge.connectors import u8_documents
from tests.builders.company import Company
from tests.erp_bridge.bridge import Bridge, connect
from tests.erp_bridge.doubles.u8_gateway import U8Gateway
from tests.erp_bridge.u8_book import DAY, U8Book

LINES = "SELECT source_key, net::int, state FROM erp_sales_order_line WHERE deleted_at IS NULL ORDER BY 2"
ORDERS = "SELECT state FROM erp_sales_order WHERE deleted_at IS NULL ORDER BY code"
GET = "/api/saleorder/get"
ORDER_STREAMS = ("sales_orders", "sales_order_lines")


def source(company: Company, gateway: U8Gateway, **more: Any) -> Bridge:
    return connect(company, "u8_openapi", "u8_openapi", **gateway.settings(**more))


def test_documents_land_with_everything_a_line_repeats_of_its_order(
    company: Company, gateway: U8Gateway, book: U8Book
) -> None:
    book.office()
    order = book.order()
    book.line(order, 100)
    code = book.one("SELECT csocode FROM u8.so_somain")
    bridge = source(company, gateway)
    report = bridge.sync()
    assert (report.state, {o.state for o in report.streams.values()}) == (
        "done",
        {"landed", "unchanged"},
    )
    landed = bridge.one(
        "SELECT source_key, order_key, ordered_on, customer_key, salesperson_key, org_unit_key, net, state"
        " FROM erp_sales_order_line"
    )
    assert landed == (f"{code}:1", code, DAY, "C1", "3", "0102", Decimal(100), "open")
    assert bridge.one("SELECT login FROM erp_employee WHERE source_key = '3'") == "cedar"
    assert bridge.one("SELECT currency, rate FROM erp_sales_order") == ("CNY", 1)


def test_nothing_changed_is_a_few_lists_and_no_document(
    company: Company, gateway: U8Gateway, book: U8Book
) -> None:
    for _ in range(5):
        book.line(book.order(), 100)
    bridge = source(company, gateway)
    bridge.sync(streams=ORDER_STREAMS)
    gateway.asked.clear()
    report = bridge.sync(streams=ORDER_STREAMS)
    assert report.rows_changed == 0
    # What is recent, and what is open in each of three states; headers and lines share them.
    assert [asked.path for asked in gateway.asked] == ["/api/saleorderlist/batch_get"] * 4


def test_an_operator_sees_how_many_documents_are_followed_not_which(
    company: Company, gateway: U8Gateway, book: U8Book
) -> None:
    for net in (1, 2):
        book.line(book.order(), net)
    bridge = source(company, gateway)
    bridge.sync(streams=ORDER_STREAMS)
    operator = company.phone("Hazel", role="operator")
    shown = operator.get(f"/erp/sources/{bridge.source_id}/streams").json["items"]
    cursors = {stream["name"]: stream["cursor"] for stream in shown}
    assert [cursors[name]["documents"] for name in ORDER_STREAMS] == [2, 2]


def test_an_edit_that_the_list_shows_is_read_at_once_and_only_its_document(
    company: Company, gateway: U8Gateway, book: U8Book
) -> None:
    line, *_ = [book.line(book.order(), net) for net in (1, 2, 3)]
    bridge = source(company, gateway)
    bridge.sync(streams=ORDER_STREAMS)
    gateway.asked.clear()
    # Amounts of a line move the total that the list shows, though not the stamp of its header.
    book.write("UPDATE u8.so_sodetails SET inatmoney = 9, inatsum = 9 WHERE autoid = %s", line)
    bridge.sync(streams=ORDER_STREAMS)
    assert [net for _, net, _ in bridge.rows(LINES)] == [2, 3, 9]
    assert len(gateway.asked_for(GET)) == 1


def test_an_edit_that_no_list_shows_is_found_by_the_next_full_reading(
    company: Company, gateway: U8Gateway, book: U8Book
) -> None:
    line = book.line(book.order(), 1)
    bridge = source(company, gateway, reread_seconds=600)
    bridge.sync(streams=ORDER_STREAMS)
    book.write("UPDATE u8.so_sodetails SET cscloser = 'Ash' WHERE autoid = %s", line)
    bridge.sync(streams=ORDER_STREAMS)
    assert [state for *_, state in bridge.rows(LINES)] == ["open"]
    company.clock.move(minutes=11)
    bridge.sync(streams=ORDER_STREAMS)
    assert [state for *_, state in bridge.rows(LINES)] == ["closed"]


def test_an_old_document_is_followed_while_it_is_open_and_once_more_when_it_closes(
    company: Company, gateway: U8Gateway, book: U8Book
) -> None:
    order = book.order()
    book.line(order, 5)
    bridge = source(company, gateway, recheck_days=0)
    bridge.sync(streams=ORDER_STREAMS)
    assert bridge.rows(ORDERS) == [("open",)]
    book.write("UPDATE u8.so_somain SET ccloser = 'Ash' WHERE id = %s", order)
    book.write("UPDATE u8.so_sodetails SET inatmoney = 6, cscloser = 'Ash' WHERE id = %s", order)
    bridge.sync(streams=ORDER_STREAMS)
    assert bridge.rows(ORDERS) == [("closed",)]
    assert [row[1:] for row in bridge.rows(LINES)] == [(6, "closed")]
    gateway.asked.clear()
    bridge.sync(streams=ORDER_STREAMS)
    assert gateway.asked_for(GET) == []


def test_a_long_past_is_loaded_in_several_runs_and_holds_up_nothing_new(
    company: Company, gateway: U8Gateway, book: U8Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(u8_documents, "PAST_SECONDS_MAX", -1)
    for days in (0, 40, 80):
        order = book.order(day=DAY + timedelta(days=days))
        book.line(order, days)
    book.write("UPDATE u8.so_somain SET ccloser = 'Ash'")
    book.line(book.order(day=datetime.now(UTC).date()), 99)
    bridge = source(company, gateway, recheck_days=1)
    seen = []
    for _ in range(3):
        bridge.sync(streams=ORDER_STREAMS)
        seen.append([row[1] for row in bridge.rows(LINES)])
    assert seen == [[0, 99], [0, 40, 99], [0, 40, 80, 99]]


def test_a_newer_stamp_brings_back_an_old_closed_document(
    company: Company, gateway: U8Gateway, book: U8Book
) -> None:
    order = book.order()
    book.line(order, 5)
    book.write("UPDATE u8.so_somain SET ccloser = 'Ash' WHERE id = %s", order)
    book.order()
    bridge = source(company, gateway, recheck_days=0)
    bridge.sync(streams=ORDER_STREAMS)
    company.clock.move(minutes=3)
    book.write("UPDATE u8.so_sodetails SET inatmoney = 7 WHERE id = %s", order)
    book.write("UPDATE u8.so_somain SET cmemo = 'reopened and closed' WHERE id = %s", order)
    bridge.sync(streams=ORDER_STREAMS)
    assert [row[1] for row in bridge.rows(LINES)] == [7]


def test_a_deleted_line_and_a_deleted_document_go_at_once(
    company: Company, gateway: U8Gateway, book: U8Book
) -> None:
    order, other = book.order(), book.order()
    lines = [book.line(order, net) for net in (1, 2, 3)]
    book.line(other, 10)
    bridge = source(company, gateway)
    bridge.sync(streams=ORDER_STREAMS)
    book.write("DELETE FROM u8.so_sodetails WHERE autoid = %s", lines[1])
    bridge.sync(streams=ORDER_STREAMS)
    assert [row[1] for row in bridge.rows(LINES)] == [1, 3, 10]
    book.write("DELETE FROM u8.so_sodetails WHERE id = %s", other)
    book.write("DELETE FROM u8.so_somain WHERE id = %s", other)
    bridge.sync(streams=ORDER_STREAMS)
    assert [row[1] for row in bridge.rows(LINES)] == [1, 3]
    assert len(bridge.rows(ORDERS)) == 1


def test_a_code_used_again_after_a_deletion_is_the_new_document(
    company: Company, gateway: U8Gateway, book: U8Book
) -> None:
    order = book.order()
    book.line(order, 1)
    bridge = source(company, gateway)
    bridge.sync(streams=ORDER_STREAMS)
    code = book.one("SELECT csocode FROM u8.so_somain")
    book.write("DELETE FROM u8.so_somain")
    again = book.order(salesperson="2")
    book.write("UPDATE u8.so_somain SET csocode = %s", code)
    book.line(again, 8)
    bridge.sync(streams=ORDER_STREAMS)
    assert [row[1] for row in bridge.rows(LINES)] == [8]
    assert bridge.rows("SELECT salesperson_key FROM erp_sales_order") == [("2",)]


def test_an_archives_row_that_is_gone_goes_after_it_was_missed_twice(
    company: Company, gateway: U8Gateway, book: U8Book
) -> None:
    for code in ("000", "001", "002"):
        book.write("INSERT INTO u8.warehouse (cwhcode, cwhname) VALUES (%s, 'Place')", code)
    bridge = source(company, gateway)
    bridge.sync(streams=["warehouses"])
    book.write("DELETE FROM u8.warehouse WHERE cwhcode = '001'")
    live = "SELECT count(*) FROM erp_warehouse WHERE deleted_at IS NULL"
    bridge.sync(reconcile=True, streams=["warehouses"])
    assert bridge.one(live) == 3
    bridge.sync(reconcile=True, streams=["warehouses"])
    assert bridge.one(live) == 2


def test_stock_without_a_batch_has_a_key_all_the_same(
    company: Company, gateway: U8Gateway, book: U8Book
) -> None:
    stock = "INSERT INTO u8.currentstock (cwhcode, cinvcode, cbatch, iquantity) VALUES ('W1', 'P1', %s, %s)"
    book.write(stock, "", 5)
    book.write(stock, "B7", 2)
    bridge = source(company, gateway)
    bridge.sync(streams=["stock"])
    landed = bridge.rows("SELECT source_key, on_hand::int FROM erp_stock_level ORDER BY 1")
    assert landed == [("W1:P1:-:-", 5), ("W1:P1:B7:-", 2)]


def test_requisitions_are_worth_what_their_lines_add_up_to(
    company: Company, gateway: U8Gateway, book: U8Book
) -> None:
    task = book.one(
        "INSERT INTO u8.pu_appvouch (ccode, ddate, cpersoncode, cdepcode, iverifystateex)"
        " VALUES ('PR1', %s, '3', '0102', 1) RETURNING id",
        DAY,
    )
    for money in (30, 12):
        book.write(
            "INSERT INTO u8.pu_appvouchs (id, cinvcode, fquantity, funitprice, fmoney) VALUES (%s, 'P1', 1, 1, %s)",
            task,
            money,
        )
    bridge = source(company, gateway)
    bridge.sync(streams=["requisitions", "requisition_lines"])
    shown = bridge.one("SELECT state, applicant_key, amount FROM erp_approval_task")
    assert shown == ("pending", "3", Decimal(42))


def test_a_spent_day_stops_the_reading_where_it_is(
    company: Company, gateway: U8Gateway, book: U8Book
) -> None:
    for net in range(30):
        book.line(book.order(), net)
    bridge = source(company, gateway, requests_per_day=25)
    report = bridge.sync(streams=ORDER_STREAMS)
    assert report.streams["sales_order_lines"].problem == "erp.budget_spent"
    assert len(gateway.asked) <= 25
