"""Stories of an Odoo that is read through its JSON-2 API."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from erp_bridge.connectors.base import ConnectorError
from erp_bridge.connectors.egress import permit_hosts
from erp_bridge.connectors.odoo import OdooConnector
from erp_bridge.connectors.registry import SettingsError, open_connector, read_settings
from erp_bridge.mappings.loader import shipped_mapping
from tests.builders.clock import MovableClock
from tests.builders.company import Company
from tests.erp_bridge.bridge import connect
from tests.erp_bridge.doubles.odoo_server import OdooServer

Open = Callable[..., OdooConnector]
ORDERS = ("sales_orders", "sales_order_lines")
LINES = "SELECT net::int FROM erp_sales_order_line WHERE deleted_at IS NULL ORDER BY 1"


@pytest.fixture
def opened(odoo: OdooServer) -> Iterator[Open]:
    running: list[OdooConnector] = []

    def start(**more: Any) -> OdooConnector:
        settings = read_settings("odoo", odoo.settings(**more))
        made = open_connector("odoo", settings, shipped_mapping("odoo"))
        assert isinstance(made, OdooConnector)
        made._http.waiting.sleep = lambda _seconds: None
        running.append(made)
        return made

    yield start
    for connector in running:
        connector.close()


def read(connector: OdooConnector, stream: str) -> list[dict[str, Any]]:
    until = connector.bound(MovableClock()()).until
    pages = connector.read(stream, {}, until)
    return [dict(zip(page.columns, row, strict=True)) for page in pages for row in page.rows]


def order(odoo: OdooServer, *nets: Any, **values: Any) -> list[int]:
    """An order with a line for each amount; gives its id and theirs."""
    usual = {"name": "S1", "date_order": "2026-03-02 20:30:00", "partner_id": 9, "state": "sale"}
    made = odoo.write("sale.order", currency_id=[7, "CNY"], user_id=5, **(usual | values))
    line = {"order_id": made, "product_id": 3, "product_uom_qty": 1.0, "state": "sale"}
    return [made, *(odoo.write("sale.order.line", price_subtotal=net, **line) for net in nets)]


def test_records_land_are_edited_archived_and_unlinked(company: Company, odoo: OdooServer) -> None:
    employee = odoo.write("hr.employee", name="Ash", work_email="ash@x", user_id=5)
    product = odoo.write("product.product", display_name="Chestnuts", categ_id=[4, "Nuts"])
    sale, first, second = order(odoo, 100.1, 30)
    bridge = connect(company, "odoo", "odoo", **odoo.settings(rows_per_page=2))
    report = bridge.sync()
    assert (report.state, {o.problem for o in report.streams.values()}) == ("done", {None})
    landed = bridge.one(
        "SELECT l.order_key, l.net, o.salesperson_key, o.currency, o.state, l.ordered_on::text"
        "  FROM erp_sales_order_line l JOIN erp_sales_order o ON o.source_key = l.order_key WHERE l.net > 100"
    )
    # Half past eight in the evening in UTC is the next day in Shanghai.
    seller = str(employee)
    assert landed == (str(sale), Decimal("100.1"), seller, "CNY", "approved", "2026-03-03")
    assert bridge.one("SELECT code, category FROM erp_product") == (str(product), "Nuts")
    assert bridge.sync(streams=ORDERS).rows_changed == 0
    odoo.write("sale.order.line", first, price_subtotal=50)
    odoo.write("product.product", product, active=False)
    odoo.unlink("sale.order.line", second)
    for _ in range(2):
        bridge.sync(streams=[*ORDERS, "products"], reconcile=True)
    assert bridge.rows(LINES) == [(50,)]
    assert bridge.one("SELECT deleted_at FROM erp_product") is None
    odoo.write("sale.order", sale, state="cancel")
    bridge.sync(streams=ORDERS)
    assert bridge.rows("SELECT code FROM erp_sales_order WHERE deleted_at IS NULL") == []


def test_false_is_nothing_except_where_it_means_no(odoo: OdooServer, opened: Open) -> None:
    odoo.write("hr.employee", name="Ash", active=False, department_id=[2, "Sales"])
    (ash,) = read(opened(), "persons")
    assert (ash["active"], ash["job_title"], ash["department_id"]) == (False, None, 2)


def test_records_written_while_they_are_read_are_not_lost(odoo: OdooServer, opened: Open) -> None:
    places = [odoo.write("stock.warehouse", name="Place") for _ in range(9)]

    def write_the_first_again() -> None:
        if len(odoo.asked) == 3:
            odoo.write("stock.warehouse", places[0], name="Moved")

    odoo.before_each = write_the_first_again
    rows = read(opened(rows_per_page=3), "warehouses")
    assert {row["id"] for row in rows} == set(places)
    assert rows[-1]["name"] == "Moved"


def test_a_check_proves_that_nothing_can_be_written(odoo: OdooServer, opened: Open) -> None:
    assert opened().check().passed
    odoo.rights = {"write"}
    failed = [finding for finding in opened().check().findings if not finding.passed]
    assert [found.check for found in failed] == ["read_only"]
    assert failed[0].detail.startswith("account.move: write")


def test_a_check_names_the_streams_whose_rights_are_lost(odoo: OdooServer, opened: Open) -> None:
    odoo.hidden = {"product.product"}
    failed = {found.check: found.detail for found in opened().check().findings if not found.passed}
    assert failed == {"products": "erp.not_allowed: /json/2/product.product/fields_get"}
    (finding,) = opened(api_key="hazel-key").check().findings
    assert (finding.check, finding.passed, finding.detail) == (
        "sign_in",
        False,
        "erp.sign_in_refused",
    )


def test_a_field_that_is_no_more_is_named(
    odoo: OdooServer, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(odoo, "types", lambda _: {"id": "integer", "write_date": "datetime"})
    with pytest.raises(ConnectorError, match=r"erp\.missing_column: stock\.warehouse: name"):
        read(opened(), "warehouses")


def test_an_operator_connects_it_within_what_the_installation_permits(
    company: Company, odoo: OdooServer
) -> None:
    operator = company.phone("Hazel", role="operator")
    body = {"name": "Odoo", "connector": "odoo", "mapping": "odoo", "config": odoo.settings()}
    made = operator.post("/erp/sources", body)
    assert (made.status_code, made.json["secrets"]) == (201, ["api_key"])
    path = f"/erp/sources/{made.json['id']}"
    assert operator.post(f"{path}/check").json["passed"]
    operator.post(f"{path}/runs")
    company.settle()
    streams = operator.get(f"{path}/streams")
    assert {stream["state"] for stream in streams.json["items"]} == {"live"}
    assert "walnut" not in made.text + streams.text + operator.get(path).text
    permit_hosts("")
    refused = operator.post(f"{path}/check").json
    (found,) = refused["findings"]
    assert (found["check"], found["passed"]) == ("sign_in", False)
    assert found["detail"] == "erp.host_refused"


def test_settings_that_cannot_work_are_named() -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings("odoo", {"base_url": "odoo", "rows_per_page": 1, "colour": "red"})
    assert refused.value.problems == {
        "base_url": "invalid",
        "api_key": "required",
        "rows_per_page": "invalid",
        "colour": "unknown_field",
    }
