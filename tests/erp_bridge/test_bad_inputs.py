"""What ERPs say that they should not: each is refused, overcome or kept as it is, and nothing is lost quietly."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.exc import DBAPIError

from erp_bridge import merge
from erp_bridge.connectors.base import ConnectorError
from erp_bridge.connectors.watermark import StampReader, micros_of
from erp_bridge.mappings.converter import RowError, build_converter
from erp_bridge.mappings.loader import parse_mapping
from erp_bridge.mappings.values import UnfitValueError, text
from tests.builders.company import Company
from tests.erp_bridge.bridge import Bridge, DropFolder, connect
from tests.erp_bridge.u8_book import U8Book

SHANGHAI = ZoneInfo("Asia/Shanghai")
NETS = "SELECT coalesce(sum(net), 0), count(*) FROM erp_sales_order_line WHERE deleted_at IS NULL"
DISK_FULL = "DO $$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100'; END $$"
CURRENCIES = """
mapping: currencies
time_zone: Asia/Shanghai
currency: CNY
root_unit: "1"
streams:
  - name: orders
    into: sales_order
    from: {table: orders, stamp: stamp, key: [id]}
    key: [id]
    fields:
      code: id
      ordered_on: day
      customer_key: id
      currency: currency
      rate: rate
      state: {constant: open}
"""


def test_a_currency_without_a_rate_is_refused_and_a_rate_of_nothing_stays_what_it_is() -> None:
    columns = ("id", "day", "currency", "rate", "stamp")
    stream = parse_mapping(CURRENCIES).stream("orders")
    converter = build_converter(stream, columns, lookups={}, zone=SHANGHAI)
    with pytest.raises(RowError) as refused:
        converter.convert(["1", "2026-03-02", "USD", "", "1"])
    assert (refused.value.field, refused.value.code) == ("rate", "required")
    kept = converter.convert(["1", "2026-03-02", "USD", "0", "1"])
    assert Decimal(kept.cells[converter.fields.index("rate")]) == 0


def test_amounts_at_home_do_not_follow_from_a_rate_of_nothing(u8: Bridge, book: U8Book) -> None:
    order = book.order()
    book.write("UPDATE u8.so_somain SET cexch_name = '美元', iexchrate = 0 WHERE id = %s", order)
    book.line(order, 70)
    u8.sync()
    assert u8.one("SELECT currency, rate FROM erp_sales_order") == ("USD", Decimal(0))
    assert u8.one(NETS) == (Decimal(70), 1)


def test_managers_in_a_circle_are_listed_and_stop_nobody(files: Bridge, folder: DropFolder) -> None:
    folder.people(
        (1, "ash", "Owner", ""),
        (2, "beech", "Head", 3),
        (3, "cedar", "Head", 2),
        (4, "elm", "", 2),
        (5, "fir", "", 1),
    )
    report = files.sync()
    assert report.state == "done"
    listed = files.rows("SELECT code, source_key FROM erp_quarantine ORDER BY 2")
    assert listed == [("unit_circle", "2"), ("unit_circle", "3")]
    logins = files.rows("SELECT login FROM people_person ORDER BY 1")
    assert [login for (login,) in logins] == ["ash", "beech", "cedar", "elm", "fir"]


def test_one_order_number_in_two_book_sets_is_two_orders(
    company: Company, files: Bridge, folder: DropFolder, tmp_path: Path
) -> None:
    (tmp_path / "2025").mkdir()
    last_year = DropFolder(tmp_path / "2025")
    second = connect(
        company, "files", "adventureworks", name="Last year", folder=str(last_year.path)
    )
    for bridge, drops, day, net in (
        (files, folder, "2026-03-02", 5),
        (second, last_year, "2025-03-02", 7),
    ):
        drops.orders((10, day, ""))
        drops.lines((10, 1, net))
        bridge.sync()
    assert files.rows("SELECT ordered_on::text, net::int FROM erp_sales_order_line ORDER BY 1") == [
        ("2025-03-02", 7),
        ("2026-03-02", 5),
    ]


def test_blanks_at_the_end_of_a_key_are_nothing(files: Bridge, folder: DropFolder) -> None:
    folder.orders(("10 ", "2026-03-02", " 7"))
    folder.lines(("10", 1, 5))
    files.sync()
    joined = "SELECT order_key, ordered_on::text, salesperson_key FROM erp_sales_order_line"
    assert files.one(joined) == ("10", "2026-03-02", "7")


def test_a_key_in_another_case_is_another_key_and_waits_with_the_right_suggestion(
    u8: Bridge, book: U8Book, company: Company
) -> None:
    book.office()
    book.person("k1", "kiri", "0102", "客户经理")
    book.line(book.order("K1"), 5)
    u8.sync()
    operator = company.phone("Hazel", role="operator")
    (match,) = operator.get(f"/erp/sources/{u8.source_id}/matches").json["items"]
    assert (match["source_key"], match["reason"]) == ("K1", "unknown_salesperson")
    assert (match["suggestions"][0]["name"], match["suggestions"][0]["reasons"]) == (
        "Kiri",
        ["code"],
    )


def test_a_long_memo_is_kept_and_an_endless_one_refused() -> None:
    assert text("栗" * 5_000) == "栗" * 5_000
    with pytest.raises(UnfitValueError) as refused:
        text("x" * 10_001)
    assert refused.value.code == "text.too_long"


def test_a_renamed_custom_field_fails_its_stream_alone_until_it_is_back(
    u8: Bridge, book: U8Book
) -> None:
    book.line(book.order(), 5)
    u8.sync()
    book.write("ALTER TABLE u8.so_sodetails RENAME cdefine26 TO cdefine27")
    book.line(book.order(), 6)
    u8.sync()
    assert u8.stream("sales_order_lines") == ("failed", "erp.missing_column")
    assert u8.stream("sales_orders") == ("live", None)
    assert u8.one(NETS) == (Decimal(5), 1)
    book.write("ALTER TABLE u8.so_sodetails RENAME cdefine27 TO cdefine26")
    u8.sync()
    assert u8.one(NETS) == (Decimal(11), 2)


def test_a_column_of_another_type_pauses_the_stream_and_keeps_the_good_figures(
    u8: Bridge, book: U8Book
) -> None:
    order = book.order()
    line = book.line(order, 5)
    u8.sync()
    book.write("ALTER TABLE u8.so_sodetails ALTER inatmoney TYPE text")
    for _ in range(14):
        book.line(order, 1)
    book.write("UPDATE u8.so_sodetails SET inatmoney = 'about ten' WHERE autoid <> %s", line)
    u8.sync()
    assert u8.stream("sales_order_lines")[0] in {"live", "paused"}
    assert u8.one("SELECT count(*) FROM erp_quarantine WHERE code = 'number.format'") > 0
    assert u8.one(NETS) == (Decimal(5), 1)


def test_a_full_disk_lands_nothing_by_half_and_the_next_reading_goes_on(
    u8: Bridge, book: U8Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.line(book.order(), 5)
    with monkeypatch.context() as spoilt:
        spoilt.setattr(merge, "insert_new", lambda _table: DISK_FULL)
        with pytest.raises(DBAPIError):
            u8.sync()
    assert u8.one("SELECT state, problem FROM erp_run") == ("failed", "interrupted")
    assert u8.one("SELECT count(*) FROM erp_batch") == 0
    assert u8.one(NETS) == (0, 0)
    u8.sync()
    assert u8.one(NETS) == (Decimal(5), 1)


def test_one_moment_is_one_moment_however_it_is_written() -> None:
    stamps = StampReader(SHANGHAI)
    meant = micros_of(datetime(2026, 3, 2, 2, 0, 0, 123_456, tzinfo=UTC))
    for written in (
        "2026-03-02T10:00:00.123456+08:00",
        "2026-03-02T02:00:00.123456Z",
        "2026-03-02 10:00:00.123456",
        datetime(2026, 3, 2, 10, 0, 0, 123_456, tzinfo=SHANGHAI),
    ):
        assert stamps.micros(written) == meant
    # A day's stamp stands for all of it: whatever was written that day is not yet past.
    assert stamps.micros("2026-03-02") > stamps.micros("2026-03-02 23:59:59")
    with pytest.raises(ConnectorError, match=r"erp\.stamp_unreadable"):
        stamps.micros("last week")
