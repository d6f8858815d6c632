"""Stories of a Kingdee that is read through its web service."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from erp_bridge.connectors.base import ConnectorError
from erp_bridge.connectors.kingdee import KingdeeConnector
from erp_bridge.connectors.kingdee_client import Application, signed_headers
from erp_bridge.connectors.registry import SettingsError, open_connector, read_settings
from erp_bridge.connectors.stamped import overlap_of
from erp_bridge.mappings.loader import shipped_mapping
from erp_bridge.mappings.nodes import Column
from tests.builders.clock import MovableClock
from tests.builders.company import Company
from tests.erp_bridge.bridge import Bridge, connect
from tests.erp_bridge.doubles.kingdee_server import KingdeeServer, problem
from tests.erp_bridge.doubles.server import Said

STREAMS = ("sales_orders", "sales_order_lines")
LINES = "SELECT net::int, state FROM erp_sales_order_line WHERE deleted_at IS NULL ORDER BY 1"
Open = Callable[..., KingdeeConnector]


@pytest.fixture
def opened(kingdee: KingdeeServer) -> Iterator[Open]:
    running: list[KingdeeConnector] = []

    def start(**more: Any) -> KingdeeConnector:
        settings = read_settings("kingdee", kingdee.settings(**more))
        made = open_connector("kingdee", settings, shipped_mapping("kingdee"))
        assert isinstance(made, KingdeeConnector)
        made._http.waiting.sleep = lambda _seconds: None
        running.append(made)
        return made

    yield start
    for connector in running:
        connector.close()


def read(connector: KingdeeConnector, stream: str = "sales_order_lines") -> list[Any]:
    until = connector.bound(MovableClock()()).until
    place = None
    keys = []
    for page in connector.read(stream, {}, until):
        place = page.columns.index(connector._mapping.stream(stream).origin.key[0])
        keys += [row[place] for row in page.rows]
    return keys


def source(company: Company, kingdee: KingdeeServer, **more: Any) -> Bridge:
    return connect(company, "kingdee", "kingdee", **kingdee.settings(**more))


def test_bills_land_are_edited_and_deleted(company: Company, kingdee: KingdeeServer) -> None:
    order = kingdee.save_order(100.1, 30)
    kingdee.save_order(7, FDocumentStatus="A")
    bridge = source(company, kingdee, rows_per_page=2)
    report = bridge.sync()
    assert (report.state, {o.problem for o in report.streams.values()}) == ("done", {None})
    landed = bridge.one(
        "SELECT l.order_key, l.net, l.salesperson_key, l.org_unit_key, l.ordered_on::text, o.currency, o.state"
        " FROM erp_sales_order_line l JOIN erp_sales_order o ON o.source_key = l.order_key WHERE l.net > 100"
    )
    assert landed == (
        str(order),
        Decimal("100.1"),
        "0003",
        "BM01",
        "2026-03-02",
        "CNY",
        "approved",
    )
    assert bridge.sync(streams=STREAMS).rows_changed == 0
    kingdee.save_order(50, 30, number=order, FCloseStatus="B")
    bridge.sync(streams=STREAMS)
    assert bridge.rows(LINES) == [(7, "open"), (30, "closed"), (50, "closed")]
    kingdee.delete_order(order)
    for _ in range(2):
        bridge.sync(streams=STREAMS, reconcile=True)
    assert bridge.rows(LINES) == [(7, "open")]


def test_a_bill_that_is_cancelled_leaves(company: Company, kingdee: KingdeeServer) -> None:
    order = kingdee.save_order(5)
    bridge = source(company, kingdee)
    bridge.sync(streams=STREAMS)
    kingdee.save_order(5, number=order, FCancelStatus="B")
    bridge.sync(streams=STREAMS)
    assert bridge.rows(LINES) == []


def test_bills_saved_while_they_are_read_are_not_lost(kingdee: KingdeeServer, opened: Open) -> None:
    orders = [kingdee.save_order(net) for net in range(9)]

    def save_the_first_again() -> None:
        if len(kingdee.asked) == 2:
            kingdee.save_order(99, number=orders[0])

    kingdee.before_each = save_the_first_again
    assert set(read(opened(rows_per_page=3))) == {order * 1_000 for order in orders}


def test_a_bill_with_more_lines_than_a_page_is_read_whole(
    kingdee: KingdeeServer, opened: Open
) -> None:
    order = kingdee.save_order(*range(20))
    later = kingdee.save_order(1)
    keys = read(opened(rows_per_page=3))
    assert sorted(set(keys)) == [*(order * 1_000 + place for place in range(20)), later * 1_000]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (problem("会话信息已丢失，请重新登录 walnut"), "erp.sign_in_refused"),
        (problem("没有查看权限 walnut"), "erp.not_allowed"),
        (problem("字段 FWalnut 不存在"), "erp.missing_column"),
        (problem("未将对象引用设置到对象的实例 walnut"), "erp.refused"),
        (Said({"Result": {"ResponseStatus": {"IsSuccess": False}}}), "erp.refused"),
        (Said(b"response_error: bill query is not licensed, walnut"), "erp.not_allowed"),
        (Said(b'"response_error: walnut"'), "erp.refused"),
        (Said(b"<html>walnut</html>"), "erp.bad_answer"),
        (Said(b"[1, 2]"), "erp.bad_answer"),
        (Said(b"[[1, 2]]"), "erp.bad_answer"),
        (Said(b"", 503), "erp.unavailable"),
    ],
)
def test_errors_come_in_many_shapes_and_have_a_code(
    kingdee: KingdeeServer, opened: Open, said: Said, code: str
) -> None:
    kingdee.faults = [said] * 4
    with pytest.raises(ConnectorError) as refused:
        read(opened())
    assert refused.value.code == code
    assert "walnut" not in str(refused.value)


def test_a_wrong_secret_is_refused(kingdee: KingdeeServer, opened: Open) -> None:
    kingdee.save_order(5)
    assert opened().check().passed
    (finding,) = opened(app_secret="hazel").check().findings
    assert (finding.check, finding.passed, finding.detail) == (
        "sign_in",
        False,
        "erp.sign_in_refused",
    )


def test_a_field_that_is_no_more_fails_the_check_of_its_stream(
    kingdee: KingdeeServer, opened: Open
) -> None:
    # The first query passes, the second is refused.
    kingdee.before_each = lambda: kingdee.faults.extend(
        [problem("字段 FName 不存在")][len(kingdee.asked) - 1 :]
    )
    failed = [finding for finding in opened().check().findings if not finding.passed]
    assert [(found.check, found.detail) for found in failed] == [("persons", "erp.missing_column")]


def test_a_mapping_names_fields_and_nothing_else(kingdee: KingdeeServer) -> None:
    mapping = shipped_mapping("kingdee")
    (places,) = [stream for stream in mapping.streams if stream.name == "warehouses"]
    sly = replace(places, fields=(("name", Column("FName,FPassword")),))
    settings = read_settings("kingdee", kingdee.settings())
    connector = open_connector("kingdee", settings, replace(mapping, streams=(sly,)))
    with pytest.raises(ConnectorError, match=r"mapping\.bad_column: warehouses"):
        list(connector.read("warehouses", {}, 0))
    connector.close()
    assert kingdee.asked == []


def test_requests_are_signed_as_the_vendors_own_client_signs_them() -> None:
    application = Application("77_QUJDREVGR0hJSktMTU5PUFFSU1RVVldY", "hazel", "a1", "ash", 2052, 0)
    headers = signed_headers(application, "/k3cloud/Some.Service.common.kdsvc", "1700000000")
    assert headers["X-Kd-Appdata"] == "YTEsYXNoLDIwNTIsMA=="
    assert headers["X-Api-ClientID"] == "77"
    assert headers["X-Api-Signature"] == API_SIGNATURE
    assert headers["X-Kd-Signature"] == KD_SIGNATURE


API_SIGNATURE = (
    "YmVmZDNkM2ZjODRjNjQxMWIyZmNkNTAzMzJkZDYxMTA5YjEyYzRlMzgwZDUyMmUxMWE5YmVmMzc4Njc0ZmU3Mg=="
)
KD_SIGNATURE = (
    "OTQ3NWE3NGExYTY2NTYyYzY5ZmZlYmYxODQwY2FjNzU3NGI4YzEyNzBhZDRkMWRiMzFkOWVkMjJhM2JhYWQ1Nw=="
)


def test_where_the_clocks_go_back_the_reading_looks_back_an_hour() -> None:
    assert overlap_of(ZoneInfo("Asia/Shanghai")) == 120
    assert overlap_of(ZoneInfo("Europe/Berlin")) == 3_720


def test_settings_that_cannot_work_are_named() -> None:
    given = {"base_url": "https://k3.example/k3cloud", "app_id": "no underscore", "user": "ash"}
    with pytest.raises(SettingsError) as refused:
        read_settings("kingdee", given | {"rows_per_page": 5_000})
    assert refused.value.problems == {
        "app_id": "invalid",
        "app_secret": "required",
        "account": "required",
        "rows_per_page": "invalid",
    }
