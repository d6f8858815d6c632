"""A real Tryton 8.2: the figures equal what Tryton itself computes, and people work in it while it is read.

../shared/erp-real/run_tryton.sh DIR PORT
WORKSPACE_TRYTON_URL=http://127.0.0.1:PORT WORKSPACE_TRYTON_KEYS=DIR/api_keys.json pytest <this file>
"""

import base64
import json
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from erp_bridge.connectors.base import Connector
from erp_bridge.connectors.registry import open_connector, read_settings
from erp_bridge.mappings.loader import shipped_mapping
from tests.builders.company import Company
from tests.erp_bridge.bridge import Bridge, connect
from tests.erp_bridge.test_contract import ConnectorContract

URL = os.environ.get("WORKSPACE_TRYTON_URL", "")
BRIDGE = ("bridge", "bridge-Pass-2026")
ADMIN = ("admin", "admin-Pass-2026")
CONTEXT = {"company": 1, "active_test": False}

pytestmark = [
    pytest.mark.usefixtures("permitted_loopback"),
    pytest.mark.skipif(
        not URL,
        reason="no Tryton: start one with run_tryton.sh and set WORKSPACE_TRYTON_URL and WORKSPACE_TRYTON_KEYS",
    ),
]


class Office:
    """Somebody in Tryton's own client, which speaks JSON-RPC with a session: not the way the bridge reads."""

    def __init__(self, login: str, password: str) -> None:
        self._http = httpx.Client(base_url=URL, timeout=60)
        user, session, *_ = self._call("common.db.login", login, {"password": password}, "en")
        written = base64.b64encode(f"{login}:{user}:{session}".encode()).decode()
        self._http.headers["Authorization"] = f"Session {written}"

    def _call(self, method: str, *params: Any) -> Any:
        asked = {"id": 1, "method": method, "params": list(params)}
        answer = self._http.post("/erp/rpc/", json=asked).json(object_hook=_exact)
        assert "error" not in answer, answer
        return answer["result"] if isinstance(answer, dict) else answer

    def all(
        self, model: str, domain: list[Any], *fields: str, **context: Any
    ) -> list[dict[str, Any]]:
        method = f"model.{model}.search_read"
        rows: list[dict[str, Any]] = self._call(
            method, domain, 0, 10_000, [["id", "ASC"]], list(fields), CONTEXT | context
        )
        return rows

    def do(self, model: str, method: str, *params: Any) -> Any:
        return self._call(f"model.{model}.{method}", *params, CONTEXT)

    def close(self) -> None:
        self._http.close()


def _exact(value: dict[str, Any]) -> Any:
    return Decimal(value["decimal"]) if value.get("__class__") == "Decimal" else value


@pytest.fixture
def office() -> Iterator[Office]:
    office = Office(*ADMIN)
    yield office
    office.close()


def config(rows_per_page: int = 7) -> dict[str, Any]:
    keys = json.loads(Path(os.environ["WORKSPACE_TRYTON_KEYS"]).read_text())
    return {
        "base_url": URL,
        "database": "erp",
        "company": keys["company"],
        "key": keys["keys"]["bridge"],
        "requests_per_second": 100,
        "rows_per_page": rows_per_page,
    }


SHARED: dict[int, Bridge] = {}


@pytest.fixture
def live(company: Company) -> Bridge:
    """The whole company, read once for this test process."""
    key = id(company.space)
    if key not in SHARED:
        bridge = connect(company, "tryton", "tryton", **config(rows_per_page=40))
        report = bridge.sync()
        assert {outcome.problem for outcome in report.streams.values()} == {None}
        assert bridge.rows("SELECT stream, code, field, value FROM erp_quarantine") == []
        SHARED[key] = bridge
    return SHARED[key]


class TestTrytonLive(ConnectorContract):
    stream, key = "sales_orders", "id"

    @pytest.fixture
    def connector(self) -> Iterator[Connector]:
        opened = open_connector(
            "tryton", read_settings("tryton", config()), shipped_mapping("tryton")
        )
        yield opened
        opened.close()

    def test_it_reads_every_row_once(self, connector: Connector) -> None:
        keys, _ = self._read(connector, {})
        office = Office(*ADMIN)
        assert sorted(keys) == sorted(str(row["id"]) for row in office.all("sale.sale", [], "id"))
        office.close()

    def test_one_document_can_be_had_by_its_key(self, connector: Connector) -> None:
        wanted = self._read(connector, {})[0][0]
        page = connector.get(self.stream, [wanted])
        assert page is not None
        assert [str(row[page.columns.index("id")]) for row in page.rows] == [wanted]
        assert connector.get(self.stream, ["404404"]) is None


def test_orders_and_their_lines_equal_trytons_own(live: Bridge, office: Office) -> None:
    sales = office.all(
        "sale.sale", [["number", "!=", None]], "untaxed_amount", "confirmed_by", "quoted_by"
    )
    facts = (
        "SELECT o.source_key, o.salesperson_key, sum(l.net) FROM erp_sales_order o"
        " JOIN erp_sales_order_line l ON l.order_key = o.source_key AND l.source_id = o.source_id"
        " WHERE l.deleted_at IS NULL AND o.deleted_at IS NULL GROUP BY 1, 2"
    )
    expected = {}
    for sale in sales:
        seller = sale["confirmed_by"] or sale["quoted_by"]
        expected[str(sale["id"])] = (str(seller) if seller else None, sale["untaxed_amount"])
    assert {key: (seller, net) for key, seller, net in live.rows(facts)} == expected
    assert len(expected) >= 30


def test_invoices_equal_trytons_own(live: Bridge, office: Office) -> None:
    posted = [["type", "=", "out"], ["state", "in", ["posted", "paid"]]]
    invoices = office.all("account.invoice", posted, "untaxed_amount")
    facts = (
        "SELECT i.source_key, sum(l.net) FROM erp_invoice i JOIN erp_invoice_line l"
        " ON l.invoice_key = i.source_key AND l.source_id = i.source_id"
        " WHERE l.deleted_at IS NULL AND i.deleted_at IS NULL GROUP BY 1"
    )
    assert dict(live.rows(facts)) == {str(row["id"]): row["untaxed_amount"] for row in invoices}


def test_what_customers_owe_equals_trytons_own(live: Bridge, office: Office) -> None:
    owed = {
        str(party["id"]): party["receivable"]
        for party in office.all("party.party", [], "receivable")
        if party["receivable"]
    }
    facts = "SELECT customer_key, sum(open_amount) FROM erp_receivable_item WHERE deleted_at IS NULL GROUP BY 1"
    assert {key: amount for key, amount in live.rows(facts) if amount} == owed
    assert owed


def test_stock_equals_what_the_moves_add_up_to(live: Bridge, office: Office) -> None:
    parents = {place["id"]: place["parent"] for place in office.all("stock.location", [], "parent")}
    warehouses = {
        row["id"] for row in office.all("stock.location", [["type", "=", "warehouse"]], "id")
    }

    def warehouse_of(place: int | None) -> int | None:
        while place is not None and place not in warehouses:
            place = parents[place]
        return place

    moved: dict[tuple[str, str], Decimal] = {}
    fields = ("product", "from_location", "to_location", "quantity")
    for move in office.all("stock.move", [["state", "=", "done"]], *fields):
        for sign, place in ((-1, move["from_location"]), (1, move["to_location"])):
            key = (str(warehouse_of(place)), str(move["product"]))
            moved[key] = moved.get(key, Decimal(0)) + sign * Decimal(str(move["quantity"]))
    expected = {key: amount for key, amount in moved.items() if key[0] != "None" and amount}
    facts = "SELECT warehouse_key, product_key, on_hand FROM erp_stock_level WHERE on_hand <> 0"
    assert {(w, p): on_hand for w, p, on_hand in live.rows(facts)} == expected
    assert len(expected) >= 20


def test_the_ledger_equals_the_balances_of_the_accounts(live: Bridge, office: Office) -> None:
    accounts = office.all(
        # An account above others shows their balances as its own.
        "account.account",
        [["type", "!=", None], ["childs", "=", None]],
        "balance",
        "type.revenue",
        "type.expense",
    )
    expected: dict[str, Decimal] = {}
    for account in accounts:
        kind = account["type."]
        name = "revenue" if kind["revenue"] else "expense" if kind["expense"] else None
        if name:
            expected[name] = expected.get(name, Decimal(0)) + account["balance"]
    facts = "SELECT account_type, sum(debit - credit) FROM erp_ledger_entry WHERE deleted_at IS NULL GROUP BY 1"
    assert dict(live.rows(facts)) == {name: total for name, total in expected.items() if total}


def test_requisitions_that_wait_are_pending_with_their_amount(live: Bridge, office: Office) -> None:
    waiting = office.all("purchase.requisition", [["state", "=", "waiting"]], "total_amount")
    facts = "SELECT source_key, amount, approver_key FROM erp_approval_task WHERE state = 'pending'"
    assert {key: (amount, boss) for key, amount, boss in live.rows(facts)} == {
        str(row["id"]): (row["total_amount"], "1") for row in waiting
    }


def test_the_whole_staff_is_in_the_directory(live: Bridge, office: Office) -> None:
    staff = office.all("company.employee", [], "id")
    assert live.one("SELECT count(*) FROM erp_employee WHERE person_id IS NOT NULL") == len(staff)
    assert live.one("SELECT count(*) FROM people_org_unit WHERE tree = 'admin'") >= 3


def test_people_work_while_it_is_read(live: Bridge, office: Office) -> None:
    """A line alone is edited, a draft is copied and deleted again: the copy follows."""
    draft = office.all("sale.sale", [["state", "=", "draft"]], "id")[0]["id"]
    (copied,) = office.do("sale.sale", "copy", [draft])
    live.sync()
    net = "SELECT sum(net) FROM erp_sales_order_line WHERE order_key = :sale AND deleted_at IS NULL"
    before = live.one(net, sale=str(copied))
    line = office.all("sale.line", [["sale", "=", copied]], "id", "quantity")[0]
    office.do("sale.line", "write", [line["id"]], {"quantity": line["quantity"] + 1})
    report = live.sync()
    assert report.streams["sales_orders"].rows_read == 0
    assert live.one(net, sale=str(copied)) > before
    own = office.all("sale.sale", [["id", "=", copied]], "untaxed_amount")[0]["untaxed_amount"]
    assert live.one(net, sale=str(copied)) == own
    office.do("sale.sale", "delete", [copied])
    live.sync(reconcile=True)
    live.sync(reconcile=True)
    assert live.one(net, sale=str(copied)) is None


def test_reading_it_again_changes_nothing(live: Bridge) -> None:
    assert live.sync().rows_changed == 0
    live.rows("UPDATE erp_stream SET cursor = '{}' RETURNING 1")
    assert live.sync().rows_changed == 0
