"""OData, both versions, against a service that drifts: nothing is lost where the service's own paging loses."""

import random
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from erp_bridge.connectors.base import Connector, ConnectorError
from erp_bridge.connectors.http import open_http
from erp_bridge.connectors.odata_metadata import read_metadata
from erp_bridge.connectors.odata_wire import literal
from erp_bridge.connectors.registry import SettingsError, open_connector, read_settings
from erp_bridge.mappings.loader import parse_mapping, shipped_mapping
from tests.builders.clock import MovableClock
from tests.builders.company import Company
from tests.erp_bridge.bridge import connect
from tests.erp_bridge.doubles.odata import Books, ODataDouble
from tests.erp_bridge.doubles.seeds import SEEDS
from tests.erp_bridge.test_contract import ConnectorContract

MAPPING = """
mapping: small_odata
time_zone: Asia/Shanghai
currency: CNY
root_unit: "1"
streams:
  - name: orders
    into: sales_order
    from: {table: A_SalesOrder, stamp: Changed, stamp_kind: timestamp, key: [SalesOrder]}
    key: [SalesOrder]
    fields:
      code: SalesOrder
      ordered_on: Date
      customer_key: SoldTo
      currency: {constant: CNY}
      rate: {constant: "1"}
      state: {constant: open}
  - name: items
    into: sales_order_line
    from: {table: A_SalesOrderItem, stamp: Changed, stamp_kind: timestamp, key: [SalesOrder, Item]}
    key: [SalesOrder, Item]
    fields: {order_key: SalesOrder, quantity: {constant: "1"}, net: Net}
  - name: places
    into: warehouse
    from: {table: A_Place, stamp_kind: none, key: [Code]}
    key: [Code]
    fields: {name: Name}
"""

pytestmark = pytest.mark.usefixtures("permitted_loopback")


@pytest.fixture(params=["v2", "v4"])
def double(request: pytest.FixtureRequest) -> Iterator[ODataDouble]:
    double = ODataDouble(Books(), request.param, page_cap=4)
    yield double
    double.server.close()


def config(double: ODataDouble, **changed: Any) -> dict[str, Any]:
    return {
        "base_url": double.server.url + "/erp",
        "version": double.version,
        "user": "bridge",
        "password": "rowan",
        "requests_per_second": 100,
        "rows_per_page": 3,
    } | changed


@pytest.fixture
def connector(double: ODataDouble) -> Iterator[Connector]:
    opened = opening(double)
    yield opened
    opened.close()


def opening(double: ODataDouble, **changed: Any) -> Connector:
    settings = read_settings("odata", config(double, **changed))
    return open_connector("odata", settings, parse_mapping(MAPPING))


def read(
    connector: Connector, stream: str, cursor: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Everything after the cursor, which moves."""
    cursor = {} if cursor is None else cursor
    bound = connector.bound(MovableClock()())
    found = []
    for page in connector.read(stream, dict(cursor), bound.until):
        found += [dict(zip(page.columns, row, strict=True)) for row in page.rows]
        cursor.clear()
        cursor.update(page.cursor)
    return found


def numbers(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(row["SalesOrder"] for row in rows)


class TestOData(ConnectorContract):
    stream, key = "orders", "SalesOrder"
    proves_read_only = False

    @pytest.fixture
    def connector(self, double: ODataDouble) -> Iterator[Connector]:
        for number in "12345":
            double.books.order(number)
        opened = opening(double)
        yield opened
        opened.close()


class TestODataWithoutStamps(ConnectorContract):
    stream, key = "places", "Code"
    proves_read_only = False

    @pytest.fixture
    def connector(self, double: ODataDouble) -> Iterator[Connector]:
        double.books.places += [{"Code": code, "Name": f"It's {code}"} for code in "A'BCD"]
        opened = opening(double)
        yield opened
        opened.close()


def follow_next_links(double: ODataDouble) -> list[str]:
    """How a naive client reads: page by page, by the link that the service gives."""
    http = open_http(read_settings("odata", config(double)), account="naive")
    sign_in = {"Authorization": "Basic YnJpZGdlOnJvd2Fu"}
    seen: list[str] = []
    query: dict[str, str] | None = {"$orderby": "Changed asc"}
    while query is not None:
        body = http.get("/A_SalesOrder", query, headers=sign_in).json()
        inner = body if double.version == "v4" else body["d"]
        seen += [
            row["SalesOrder"] for row in inner["value" if double.version == "v4" else "results"]
        ]
        link = inner.get("@odata.nextLink") or inner.get("__next")
        query = {"$orderby": "Changed asc", "$skiptoken": link.partition("=")[2]} if link else None
    http.close()
    return seen


def test_edits_between_pages_lose_rows_by_the_next_link_and_none_by_the_keyset(
    double: ODataDouble, connector: Connector
) -> None:
    for number in range(20):
        double.books.order(f"{number:02}")
    double.books.tick(600)
    everything = {f"{number:02}" for number in range(20)}
    edits = iter(["00", "01", "02"])
    double.between = lambda: double.books.edit_order(next(edits, "none"), Note="edited")
    lost = everything - set(follow_next_links(double))
    assert len(lost) == 3
    edits = iter(["03", "04", "06"])
    assert set(numbers(read(connector, "orders"))) == everything


def test_a_line_edit_leaves_the_order_untouched_and_is_found_by_the_lines_own_stamp(
    double: ODataDouble, connector: Connector
) -> None:
    double.books.order("1", "10.00", "20.00")
    orders: dict[str, Any] = {}
    items: dict[str, Any] = {}
    read(connector, "orders", orders)
    read(connector, "items", items)
    double.books.edit_item("1", 2, "25.50")
    assert read(connector, "orders", orders) == []
    assert [row["Net"] for row in read(connector, "items", items)] == ["25.50"]


def test_a_late_commit_is_found(double: ODataDouble, connector: Connector) -> None:
    began = double.books.tick()
    double.books.order("soon")
    cursor: dict[str, Any] = {}
    read(connector, "orders", cursor)
    double.books.order("late")
    double.books.orders[-1]["Changed"] = began
    assert numbers(read(connector, "orders", cursor)) == ["late"]


def test_many_rows_of_one_moment_are_read_once_each(
    double: ODataDouble, connector: Connector
) -> None:
    double.books.tick()
    for number in range(11):
        double.books.order(f"{number:02}")
        # Finer than the millisecond that version 2 shows, and not in the order of the numbers.
        double.books.orders[-1]["Changed"] = double.books.clock.replace(
            second=7, microsecond=123_000 + 7 * ((number * 5) % 11)
        )
    double.books.order("99")
    double.books.tick(600)
    cursor: dict[str, Any] = {}
    found = numbers(read(connector, "orders", cursor))
    assert found == [f"{number:02}" for number in range(11)] + ["99"]
    assert read(connector, "orders", cursor) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_after_a_random_editor_stops_the_copy_equals_the_books(
    double: ODataDouble, connector: Connector, seed: int
) -> None:
    dice, cursor, copy = random.Random(seed), {}, {}
    books = double.books

    def somebody() -> None:
        if dice.random() < 0.5:
            books.edit_order(str(dice.randint(0, 40)), Note=str(dice.random()))

    double.between = somebody
    for step in range(40):
        books.order(str(step))
        if dice.random() < 0.3:
            books.orders[-1]["Changed"] -= timedelta(seconds=dice.randint(0, 60))
        if step % 8 == 0:
            copy |= {row["SalesOrder"]: row for row in read(connector, "orders", cursor)}
    double.between = lambda: None
    copy |= {row["SalesOrder"]: row for row in read(connector, "orders", cursor)}
    assert sorted(copy) == sorted(row["SalesOrder"] for row in books.orders)
    micros = {row["SalesOrder"]: round(row["Changed"].timestamp() * 1e6) for row in books.orders}
    assert {number: row["Changed"] for number, row in copy.items()} == micros


def test_keys_tell_of_deletions(double: ODataDouble, connector: Connector) -> None:
    for number in "1234567":
        double.books.order(number, "1")
    double.books.items.pop(2)
    pages = list(connector.ids("items"))
    assert [list(row) for page in pages for row in page.rows] == [
        [number, 1] for number in "124567"
    ]
    assert {page.columns for page in pages} == {("SalesOrder", "Item")}


def test_a_token_that_ends_in_the_middle_is_renewed(double: ODataDouble) -> None:
    for number in "1234567":
        double.books.order(number)
    double.token_lasts = 3
    oauth = {
        "auth": "oauth2",
        "token_url": double.server.url + "/oauth/token",
        "client_id": "bridge",
        "client_secret": "rowan",
        "user": None,
    }
    opened = opening(double, **oauth)
    assert numbers(read(opened, "orders")) == list("1234567")
    opened.close()
    wrong = opening(double, **oauth | {"client_secret": "walnut"})
    findings = wrong.check().findings
    assert [(f.check, f.detail) for f in findings] == [("sign_in", "erp.sign_in_refused")]
    wrong.close()


@pytest.mark.parametrize(
    ("status", "code"),
    [(403, "erp.not_allowed"), (404, "erp.not_found"), (412, "erp.refused")],
)
def test_a_refusal_has_a_code_and_tells_no_secret(
    double: ODataDouble, connector: Connector, status: int, code: str
) -> None:
    connector.bound(MovableClock()())
    double.refuse = status
    with pytest.raises(ConnectorError, match=code) as refused:
        list(connector.read("orders", {}, 0))
    assert "rowan" not in str(refused.value)
    assert "$filter" not in str(refused.value)


def test_a_wrong_password_fails_the_check(double: ODataDouble) -> None:
    opened = opening(double, password="walnut")
    assert [f.detail for f in opened.check().findings] == ["erp.sign_in_refused"]
    opened.close()


def test_a_field_that_is_gone_or_hidden_is_told_and_not_read_as_empty(
    double: ODataDouble, connector: Connector
) -> None:
    double.books.order("1")
    connector.bound(MovableClock()())
    double.hidden = {"SoldTo"}
    with pytest.raises(ConnectorError, match=r"erp\.missing_column: A_SalesOrder: SoldTo"):
        list(connector.read("orders", {}, 0))
    fresh = opening(double)
    failed = [f.check for f in fresh.check().findings if not f.passed]
    assert failed == ["orders"]
    fresh.close()


def test_a_key_cannot_leave_its_quotes(double: ODataDouble, connector: Connector) -> None:
    double.books.order("1")
    assert connector.get("orders", ["1' or SalesOrder ne '"]) is None
    with pytest.raises(ConnectorError):
        literal("1 or true", "Edm.Int32", "v4")


def test_blanks_of_a_filter_are_written_so_that_every_server_reads_them(
    double: ODataDouble, connector: Connector
) -> None:
    connector.get("orders", ["a+b c"])
    assert "+" not in double.server.asked[-1].raw_query
    assert double.server.asked[-1].query["$filter"] == "SalesOrder eq 'a+b c'"


@pytest.mark.parametrize("body", [b"<a", b"<!DOCTYPE x><a/>", b"\xff\xfe", b""])
def test_metadata_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(ConnectorError, match=r"erp\.bad_answer"):
        read_metadata(body)


def test_settings_say_what_a_way_of_signing_in_needs() -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings("odata", {"base_url": "https://erp.example.com/odata", "auth": "oauth2"})
    assert refused.value.problems == dict.fromkeys(
        ("token_url", "client_id", "client_secret"), "required"
    )


def test_orders_land_through_the_bridge(company: Company, double: ODataDouble) -> None:
    double.books.order("1", "10.50", "20")
    text = MAPPING.replace("small_odata", "own_odata")
    bridge = connect(company, "odata", "own_odata", **config(double), mapping_text=text)
    bridge.sync()
    double.books.edit_item("1", 2, "30.25")
    bridge.sync()
    net = bridge.one("SELECT sum(net), count(*) FROM erp_sales_order_line")
    assert net == (Decimal("40.75"), 2)
    assert "rowan" not in str(bridge.rows("SELECT config::text FROM erp_source"))


def test_the_shipped_mapping_reads_orders_and_items_apart() -> None:
    origins = {stream.name: stream.origin for stream in shipped_mapping("s4_odata").streams}
    assert origins["sales_orders"].stamp == "LastChangeDateTime"
    assert {"sales_orders", "sales_order_lines", "customers", "products"} <= origins.keys()
