"""Tryton in its recorded shapes: born and edited records, lines of their own, fields that are silently away."""

import random
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from erp_bridge.connectors.base import Connector, ConnectorError
from erp_bridge.connectors.registry import open_connector, read_settings
from erp_bridge.mappings.loader import shipped_mapping
from tests.builders.clock import MovableClock
from tests.builders.company import Company
from tests.erp_bridge.bridge import connect
from tests.erp_bridge.doubles.seeds import SEEDS
from tests.erp_bridge.doubles.tryton import KEY, TrytonDouble
from tests.erp_bridge.test_contract import ConnectorContract

pytestmark = pytest.mark.usefixtures("permitted_loopback")


@pytest.fixture
def double() -> Iterator[TrytonDouble]:
    double = TrytonDouble()
    with double.server:
        yield double


def config(double: TrytonDouble, **changed: Any) -> dict[str, Any]:
    return {
        "base_url": double.server.url,
        "database": "erp",
        "company": 1,
        "key": KEY,
        "requests_per_second": 100,
        "rows_per_page": 2,
    } | changed


def opening(double: TrytonDouble, **changed: Any) -> Connector:
    settings = read_settings("tryton", config(double, **changed))
    return open_connector("tryton", settings, shipped_mapping("tryton"))


@pytest.fixture
def connector(double: TrytonDouble) -> Iterator[Connector]:
    opened = opening(double)
    yield opened
    opened.close()


def read(connector: Connector, stream: str, cursor: dict[str, Any]) -> list[dict[str, Any]]:
    """Everything after the cursor, which moves."""
    bound, found = connector.bound(MovableClock()()), []
    for page in connector.read(stream, dict(cursor), bound.until):
        found += [dict(zip(page.columns, row, strict=True)) for row in page.rows]
        cursor.clear()
        cursor.update(page.cursor)
    return found


class TestTryton(ConnectorContract):
    stream, key = "sales_orders", "id"

    @pytest.fixture
    def connector(self, double: TrytonDouble) -> Iterator[Connector]:
        for number in range(5):
            sale = double.sale(str(number))
            if number % 2:
                double.edit("sale.sale", sale, state="processing")
        opened = opening(double)
        yield opened
        opened.close()


def test_a_record_edited_for_the_first_time_is_found_by_its_edit(
    double: TrytonDouble, connector: Connector
) -> None:
    double.sale("1")
    double.tick(3_600)
    cursor: dict[str, Any] = {}
    assert len(read(connector, "sales_orders", cursor)) == 1
    double.edit("sale.sale", 1, state="processing")
    assert [row["state"] for row in read(connector, "sales_orders", cursor)] == ["processing"]
    assert read(connector, "sales_orders", cursor) == []


def test_a_line_edit_leaves_the_order_untouched_and_is_found(
    double: TrytonDouble, connector: Connector
) -> None:
    double.sale("1", "10", "20")
    sales: dict[str, Any] = {}
    lines: dict[str, Any] = {}
    read(connector, "sales_orders", sales)
    read(connector, "sales_order_lines", lines)
    double.edit("sale.line", 2, amount=Decimal("25.50"))
    assert read(connector, "sales_orders", sales) == []
    found = read(connector, "sales_order_lines", lines)
    assert [(row["id"], row["amount"]) for row in found] == [(2, Decimal("25.50"))]


@pytest.mark.parametrize("seed", SEEDS)
def test_after_a_random_editor_stops_the_copy_equals_the_records(
    double: TrytonDouble, connector: Connector, seed: int
) -> None:
    dice, cursor = random.Random(seed), {}
    copy: dict[int, Any] = {}
    for step in range(60):
        deed = dice.random()
        if deed < 0.4 or step == 0:
            double.sale(str(step))
            # A transaction that took its time: its stamp is when it began.
            double.models["sale.sale"][-1]["create_date"] -= timedelta(seconds=dice.randint(0, 90))
        elif deed < 0.8:
            number = dice.choice(double.models["sale.sale"])["id"]
            double.edit("sale.sale", number, state=f"state {step}")
        else:
            copy |= {r["id"]: r["state"] for r in read(connector, "sales_orders", cursor)}
    copy |= {r["id"]: r["state"] for r in read(connector, "sales_orders", cursor)}
    assert copy == {record["id"]: record["state"] for record in double.models["sale.sale"]}


def test_stock_is_read_of_every_warehouse_and_again_after_a_pause(
    double: TrytonDouble, connector: Connector
) -> None:
    for code in "ABC":
        double.add("product.product", code=code)
    for kind in ("warehouse", "storage", "warehouse"):
        double.add("stock.location", name="Place", type=kind)
    double.stock = {1: {1: 5.0, 2: 6.0}, 3: {3: 7.0}}
    cursor: dict[str, Any] = {}
    found = read(connector, "stock", cursor)
    assert {(r["warehouse"], r["id"]): r["quantity"] for r in found if r["quantity"]} == {
        (1, 1): 5.0,
        (1, 2): 6.0,
        (3, 3): 7.0,
    }
    assert len(found) == 6
    assert read(connector, "stock", cursor) == []
    double.tick(121)
    assert len(read(connector, "stock", cursor)) == 6
    page = connector.get("stock", ["3", "3"])
    assert page is not None
    assert [row[page.columns.index("quantity")] for row in page.rows] == [7.0]


def test_a_field_that_the_user_may_not_read_is_told_and_not_read_as_empty(
    double: TrytonDouble, connector: Connector
) -> None:
    double.sale("1", "10")
    double.hidden = {"cost_price"}
    with pytest.raises(ConnectorError, match=r"missing_column: sale\.line: product\.cost_price"):
        read(connector, "sales_order_lines", {})
    failed = [f.check for f in connector.check().findings if not f.passed]
    assert failed == ["sales_order_lines"]


def test_a_field_that_does_not_exist_is_told_from_the_error_page(
    double: TrytonDouble, connector: Connector
) -> None:
    double.sale("1")
    double.unknown = {"quoted_by"}
    with pytest.raises(ConnectorError, match=r"erp\.missing_column: sale\.sale: quoted_by"):
        read(connector, "sales_orders", {})


def test_a_wrong_key_fails_the_check_and_is_told_to_nobody(double: TrytonDouble) -> None:
    opened = opening(double, key="walnut-walnut-walnut")
    findings = opened.check().findings
    assert [(f.check, f.passed, f.detail) for f in findings] == [
        ("sign_in", False, "erp.sign_in_refused")
    ]
    opened.close()


def test_sales_land_through_the_bridge_and_a_deleted_one_goes(
    company: Company, double: TrytonDouble
) -> None:
    double.add(
        "company.employee",
        supervisor=None,
        active=True,
        party={"id": 1, "name": "Aspen", "code": "E1"},
    )
    double.add(
        "company.employee",
        supervisor=1,
        active=True,
        party={"id": 2, "name": "Birch", "code": "E2"},
    )
    double.sale("1", "10.50", "20")
    double.sale(None, "99", state="draft")
    bridge = connect(company, "tryton", "tryton", **config(double))
    report = bridge.sync()
    assert {outcome.problem for outcome in report.streams.values()} == {None}
    nets = (
        "SELECT sum(net), sum(cost), min(salesperson_key), min(org_unit_key) FROM erp_sales_order_line"
        " WHERE ordered_on IS NOT NULL AND deleted_at IS NULL"
    )
    assert bridge.one(nets) == (Decimal("30.50"), Decimal(240), "2", "1")
    assert bridge.rows("SELECT login FROM people_person ORDER BY login") == [("E1",), ("E2",)]
    double.remove("sale.line", 2)
    bridge.sync(reconcile=True)
    bridge.sync(reconcile=True)
    assert bridge.one(nets)[0] == Decimal("10.50")
    assert KEY not in str(bridge.rows("SELECT config::text FROM erp_source"))
