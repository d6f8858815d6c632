"""Stories of a U8 that people work in while it is read: edits, late commits, deletions."""

import threading
from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest

from erp_bridge.connectors.base import CheckReport
from erp_bridge.connectors.registry import open_connector, read_settings
from erp_bridge.leases import lease, lease_connection
from erp_bridge.mappings.loader import shipped_mapping
from tests.builders.company import Company
from tests.erp_bridge.bridge import Bridge, connect
from tests.erp_bridge.u8_book import DAY, U8Book

NETS = "SELECT sum(net), count(*) FROM erp_sales_order_line WHERE deleted_at IS NULL"


def test_documents_land_with_everything_a_line_repeats_of_its_order(
    u8: Bridge, book: U8Book
) -> None:
    book.office()
    line = book.line(book.order(), 100)
    u8.sync()
    landed = u8.one(
        "SELECT source_key, ordered_on, customer_key, salesperson_key, org_unit_key, state FROM erp_sales_order_line"
    )
    assert landed == (str(line), DAY, "C1", "3", "0102", "open")


def test_editing_only_a_line_is_noticed(u8: Bridge, book: U8Book) -> None:
    line = book.line(book.order(), 100)
    u8.sync()
    book.write("UPDATE u8.so_sodetails SET inatmoney = 70 WHERE autoid = %s", line)
    report = u8.sync()
    assert u8.one(NETS) == (Decimal(70), 1)
    assert report.streams["sales_orders"].rows_read == 0


def test_approving_an_order_shows_on_its_lines_but_a_closed_line_stays_closed(
    u8: Bridge, book: U8Book
) -> None:
    order = book.order()
    book.line(order, 1)
    closed = book.line(order, 2)
    book.write("UPDATE u8.so_sodetails SET cscloser = 'Ash' WHERE autoid = %s", closed)
    u8.sync()
    book.write("UPDATE u8.so_somain SET cverifier = 'Ash', istatus = 1 WHERE id = %s", order)
    u8.sync()
    states = u8.rows("SELECT net::int, state FROM erp_sales_order_line ORDER BY 1")
    assert states == [(1, "approved"), (2, "closed")]


def test_a_transaction_open_across_a_poll_is_not_lost(u8: Bridge, book: U8Book) -> None:
    order = book.order()
    with psycopg.connect(book.url) as slow:
        book.line(order, 100, connection=slow)
        # Younger than the open transaction, and committed before it: its stamp is higher.
        book.line(order, 10)
        u8.sync()
        slow.commit()
    u8.sync()
    assert u8.one(NETS) == (Decimal(110), 2)


def test_rows_of_one_stamp_are_not_lost_at_the_border_of_a_page(u8: Bridge, book: U8Book) -> None:
    order = book.order()
    with book.connection.transaction():
        for net in range(40):
            book.line(order, net)
    u8.sync()
    assert u8.one(NETS) == (Decimal(sum(range(40))), 40)
    assert u8.one("SELECT count(*) FROM erp_batch WHERE stream = 'sales_order_lines'") == 6


def test_a_deleted_row_goes_after_it_was_missed_twice(u8: Bridge, book: U8Book) -> None:
    order = book.order()
    kept, gone = book.line(order, 1), book.line(order, 2)
    u8.sync()
    book.write("DELETE FROM u8.so_sodetails WHERE autoid = %s", gone)
    u8.sync(reconcile=True)
    assert u8.one(NETS) == (Decimal(3), 2)
    u8.sync(reconcile=True)
    assert u8.rows("SELECT source_key FROM erp_sales_order_line WHERE deleted_at IS NULL") == [
        (str(kept),)
    ]


def test_a_row_missed_once_and_seen_again_stays(u8: Bridge, book: U8Book) -> None:
    line = book.line(book.order(), 5)
    u8.sync()
    for _ in range(3):
        book.write("ALTER TABLE u8.so_sodetails RENAME TO away")
        book.write("CREATE TABLE u8.so_sodetails (LIKE u8.away INCLUDING ALL)")
        book.write(f"GRANT SELECT ON u8.so_sodetails TO {book.reader}")
        u8.sync(reconcile=True)
        book.write("DROP TABLE u8.so_sodetails")
        book.write("ALTER TABLE u8.away RENAME TO so_sodetails")
        u8.sync(reconcile=True)
    assert u8.rows("SELECT source_key, deleted_at FROM erp_sales_order_line") == [(str(line), None)]


def test_a_row_deleted_and_created_again_under_its_key_is_there(u8: Bridge, book: U8Book) -> None:
    order = book.order()
    line = book.line(order, 5)
    u8.sync()
    book.write("DELETE FROM u8.so_sodetails WHERE autoid = %s", line)
    u8.sync(reconcile=True)
    u8.sync(reconcile=True)
    again = book.line(order, 8)
    book.write("UPDATE u8.so_sodetails SET autoid = %s WHERE autoid = %s", line, again)
    u8.sync()
    assert u8.one(NETS) == (Decimal(8), 1)


def test_much_gone_at_once_stops_the_stream(u8: Bridge, book: U8Book) -> None:
    order = book.order()
    for net in range(30):
        book.line(order, net)
    u8.sync()
    book.write("DELETE FROM u8.so_sodetails WHERE inatmoney < 20")
    u8.sync(reconcile=True)
    u8.sync(reconcile=True)
    assert u8.stream("sales_order_lines") == ("stopped", "too_many_gone")
    assert u8.one(NETS) == (Decimal(sum(range(30))), 30)
    u8.sync(release=True, reconcile=True)
    u8.sync(release=True, reconcile=True)
    assert u8.one(NETS) == (Decimal(sum(range(20, 30))), 10)


def test_reconciliation_comes_by_itself_when_it_is_due(
    u8: Bridge, book: U8Book, company: Company
) -> None:
    line = book.line(book.order(), 5)
    u8.sync()
    book.write("DELETE FROM u8.so_sodetails WHERE autoid = %s", line)
    for _ in range(2):
        company.clock.move(minutes=6)
        u8.sync()
    assert u8.one(NETS) == (None, 0)


def test_freshness_moves_with_every_reading(u8: Bridge, book: U8Book, company: Company) -> None:
    u8.sync()
    before = u8.one("SELECT as_of FROM erp_stream WHERE name = 'stock'")
    company.clock.move(seconds=30)
    u8.sync()
    after = u8.one("SELECT as_of FROM erp_stream WHERE name = 'stock'")
    assert after - before >= timedelta(seconds=30)


def test_two_workers_on_one_stream_land_everything_once(u8: Bridge, book: U8Book) -> None:
    order = book.order()
    for net in range(60):
        book.line(order, net)
    workers = [threading.Thread(target=u8.sync) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    u8.sync()
    assert u8.one(NETS) == (Decimal(sum(range(60))), 60)
    assert (
        u8.one("SELECT sum(rows_changed) FROM erp_batch WHERE stream = 'sales_order_lines'") == 60
    )


def test_a_stream_that_is_being_read_is_left_to_its_reader(u8: Bridge, company: Company) -> None:
    with (
        lease_connection(company.space.database) as connection,
        lease(connection, company.tenant_id, u8.source_id, "stock") as held,
    ):
        assert held
        report = u8.sync()
    assert report.streams["stock"].state == "busy"
    assert report.streams["quotas"].state == "unchanged"


def test_an_older_version_never_overwrites_a_newer_one(u8: Bridge, book: U8Book) -> None:
    line = book.line(book.order(), 5)
    u8.sync()
    u8.rows("UPDATE erp_sales_order_line SET stamp = '99999999', net = 7 RETURNING 1")
    u8.rows("UPDATE erp_stream SET cursor = '{}' RETURNING 1")
    book.write("UPDATE u8.so_sodetails SET inatmoney = 6 WHERE autoid = %s", line)
    u8.sync()
    assert u8.one(NETS) == (Decimal(7), 1)


def test_reading_everything_again_changes_nothing(u8: Bridge, book: U8Book) -> None:
    book.office()
    book.line(book.order(), 5)
    u8.sync()
    u8.rows("UPDATE erp_stream SET cursor = '{}' RETURNING 1")
    report = u8.sync()
    assert report.rows_changed == 0
    assert report.streams["sales_order_lines"].rows_read == 1


def test_a_requisition_is_worth_what_its_lines_add_up_to(u8: Bridge, book: U8Book) -> None:
    task = book.one(
        "INSERT INTO u8.pu_appvouch (ccode, ddate, cpersoncode, cdepcode, ccurrentauditor, iverifystateex)"
        " VALUES ('PR1', %s, '3', '0102', '2', 1) RETURNING id",
        DAY,
    )
    for money in (30, 12):
        book.write(
            "INSERT INTO u8.pu_appvouchs (id, cinvcode, fquantity, funitprice, fmoney) VALUES (%s, 'P1', 1, 1, %s)",
            task,
            money,
        )
    u8.sync()
    assert u8.one("SELECT state, approver_key, amount FROM erp_approval_task") == (
        "pending",
        "2",
        Decimal(42),
    )
    book.write("UPDATE u8.pu_appvouchs SET fmoney = 13 WHERE fmoney = 12")
    u8.sync()
    assert u8.one("SELECT amount FROM erp_approval_task") == Decimal(43)


def test_what_is_booked_against_an_invoice_settles_it(u8: Bridge, book: U8Book) -> None:
    entry = (
        "INSERT INTO u8.ar_detail (cdwcode, cvouchtype, cvouchid, ccovouchtype, ccovouchid, dvouchdate, idamount,"
        " icamount) VALUES ('C1', %s, %s, '26', %s, %s, %s, %s)"
    )
    book.write(entry, "26", "INV1", "INV1", DAY, 100, 0)
    u8.sync()
    assert u8.one("SELECT amount, open_amount FROM erp_receivable_item") == (
        Decimal(100),
        Decimal(100),
    )
    book.write(entry, "48", "REC1", "INV1", DAY, 0, 60)
    book.write(entry, "26", "RET1", "INV1", DAY, -15, 0)
    u8.sync()
    assert u8.one("SELECT amount, open_amount FROM erp_receivable_item") == (
        Decimal(100),
        Decimal(25),
    )


def test_a_void_voucher_leaves_the_ledger(u8: Bridge, book: U8Book) -> None:
    voucher = book.one(
        "INSERT INTO u8.gl_accvouch (iyear, iperiod, ino_id, inid, dbill_date, ccode, md, cdept_id)"
        " VALUES (2026, 3, 1, 1, %s, '6601', 50, '0102') RETURNING i_id",
        DAY,
    )
    u8.sync()
    assert u8.one("SELECT account_type, debit FROM erp_ledger_entry") == ("expense", Decimal(50))
    book.write("UPDATE u8.gl_accvouch SET iflag = 1 WHERE i_id = %s", voucher)
    u8.sync()
    assert u8.one("SELECT count(*) FROM erp_ledger_entry WHERE deleted_at IS NULL") == 0


def test_a_lost_right_fails_one_stream_and_not_the_others(u8: Bridge, book: U8Book) -> None:
    book.line(book.order(), 5)
    book.write(f"REVOKE SELECT ON u8.currentstock FROM {book.reader}")
    u8.sync()
    assert u8.stream("stock") == ("failed", "erp.not_allowed")
    assert u8.one(NETS) == (Decimal(5), 1)
    book.write(f"GRANT SELECT ON u8.currentstock TO {book.reader}")
    u8.sync()
    assert u8.stream("stock") == ("live", None)


def test_an_account_that_may_write_is_not_fit(book: U8Book) -> None:
    book.write(f"GRANT UPDATE ON u8.so_somain TO {book.reader}")
    assert _check(book).passed is False
    book.write(f"REVOKE UPDATE ON u8.so_somain FROM {book.reader}")
    assert _check(book).passed is True


def test_an_erp_that_is_away_fails_the_run_and_says_nothing_of_secrets(company: Company) -> None:
    away = connect(
        company,
        "u8_sql",
        "u8",
        host="127.0.0.1",
        port=1,
        database="x",
        user="ash",
        password="chestnut-secret",
    )
    report = away.sync()
    assert (report.state, report.problem) == ("failed", "erp.unavailable")
    assert "chestnut-secret" not in str(away.rows("SELECT problem, streams::text FROM erp_run"))
    assert "chestnut-secret" not in str(away.rows("SELECT config::text, secrets FROM erp_source"))


@pytest.mark.parametrize("name", ["renamed", "moved"])
def test_a_renamed_or_moved_unit_keeps_its_place_in_the_directory(
    u8: Bridge, book: U8Book, name: str
) -> None:
    book.office()
    u8.sync()
    before = u8.one("SELECT unit_id FROM erp_org_unit WHERE source_key = '0102'")
    book.write("UPDATE u8.department SET cdepname = %s WHERE cdepcode = '0102'", name)
    u8.sync()
    assert u8.one("SELECT id, name FROM people_org_unit WHERE code = '0102'") == (before, name)


def _check(book: U8Book) -> CheckReport:
    settings = read_settings("u8_sql", {"url": book.reader_url})
    connector = open_connector("u8_sql", settings, shipped_mapping("u8"))
    try:
        return connector.check()
    finally:
        connector.close()


def test_what_was_sold_is_a_cost_and_no_expense(u8: Bridge, book: U8Book) -> None:
    for line, account in enumerate(("6401", "6403", "6601", "6001", "1002"), start=1):
        book.write(
            "INSERT INTO u8.gl_accvouch (iyear, iperiod, ino_id, inid, dbill_date, ccode, md, cdept_id)"
            " VALUES (2026, 3, 1, %s, %s, %s, 50, '0102')",
            line,
            DAY,
            account,
        )
    u8.sync()
    assert u8.rows("SELECT account_code, account_type FROM erp_ledger_entry ORDER BY 1") == [
        ("1002", "cash"),
        ("6001", "revenue"),
        ("6401", "cost"),
        ("6403", "expense"),
        ("6601", "expense"),
    ]
