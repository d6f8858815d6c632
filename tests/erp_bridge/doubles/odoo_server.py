"""An Odoo with models in memory, speaking JSON-2: a bearer key, relations as pairs, false for whatever is empty."""

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.erp_bridge.doubles.server import Asked, Said, WebServer

KEY = "walnut-key"
DATABASE = "chestnut"
LOG = {"write_date": "datetime", "active": "boolean", "display_name": "char", "name": "char"}
MODELS: dict[str, dict[str, str]] = {
    "hr.department": {"parent_id": "many2one", "manager_id": "many2one"},
    "hr.employee": {
        "work_email": "char",
        "job_title": "char",
        "department_id": "many2one",
        "parent_id": "many2one",
        "user_id": "many2one",
    },
    "res.partner": {"customer_rank": "integer", "user_id": "many2one", "state_id": "many2one"},
    "product.product": {
        "default_code": "char",
        "categ_id": "many2one",
        "standard_price": "float",
        "lst_price": "float",
    },
    "stock.warehouse": {},
    "sale.order": {
        "date_order": "datetime",
        "partner_id": "many2one",
        "user_id": "many2one",
        "currency_id": "many2one",
        "currency_rate": "float",
        "locked": "boolean",
        "state": "selection",
    },
    "sale.order.line": {
        "order_id": "many2one",
        "product_id": "many2one",
        "display_type": "selection",
        "state": "selection",
        "product_uom_qty": "float",
        "price_subtotal": "monetary",
        "price_tax": "float",
        "price_total": "monetary",
        "qty_delivered": "float",
        "qty_invoiced": "float",
    },
    "account.move": {
        "move_type": "selection",
        "state": "selection",
        "invoice_date": "date",
        "invoice_date_due": "date",
        "partner_id": "many2one",
        "invoice_user_id": "many2one",
        "amount_total_signed": "monetary",
        "amount_residual_signed": "monetary",
    },
    "account.move.line": {
        "move_id": "many2one",
        "move_type": "selection",
        "parent_state": "selection",
        "display_type": "selection",
        "product_id": "many2one",
        "quantity": "float",
        "price_subtotal": "monetary",
        "price_total": "monetary",
    },
    "purchase.order": {
        "user_id": "many2one",
        "amount_total": "monetary",
        "state": "selection",
        "date_order": "datetime",
    },
}
_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": lambda a, b: a >= b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    "=": lambda a, b: a == b,
}


class OdooServer(WebServer):
    """Keeps records; writing one stamps it, unlinking it leaves nothing behind."""

    def __init__(self) -> None:
        self.records: dict[str, dict[int, dict[str, Any]]] = {model: {} for model in MODELS}
        self.hidden: set[str] = set()
        #: What the key's user may do beside reading.
        self.rights: set[str] = set()
        self.tells_rights = True
        self.now = datetime.fromisoformat("2026-03-02 10:00:00.337112")
        self.before_each: Callable[[], object] = lambda: None
        self._ids = itertools.count(1)
        super().__init__(self._answer)

    def settings(self, **more: Any) -> dict[str, Any]:
        quick = {"requests_per_second": 1_000, "requests_per_day": 1_000_000}
        return {"base_url": self.url, "database": DATABASE, "api_key": KEY, **quick, **more}

    def write(self, model: str, record: int | None = None, **values: Any) -> int:
        """Create or change a record; gives its id."""
        self.now += timedelta(seconds=1)
        record = record or next(self._ids)
        before = self.records[model].get(record, {"active": True})
        self.records[model][record] = {**before, **values, "id": record, "write_date": self.now}
        return record

    def unlink(self, model: str, record: int) -> None:
        del self.records[model][record]

    def _answer(self, asked: Asked) -> Said:
        _, _, _, model, method = asked.path.split("/")
        assert asked.method == "POST"
        if asked.headers.get("authorization") != f"bearer {KEY}":
            return _error(401, "werkzeug.exceptions.Unauthorized", "Invalid apikey")
        if asked.headers.get("x-odoo-database") != DATABASE:
            return _error(404, "werkzeug.exceptions.NotFound", "no such database")
        if model in self.hidden:
            return _error(403, "odoo.exceptions.AccessError", f"You may not read {model}.")
        answers: dict[str, Callable[[], Any]] = {
            "context_get": lambda: {"lang": "zh_CN", "tz": "Asia/Shanghai"},
            "fields_get": lambda: {n: {"type": kind} for n, kind in self.types(model).items()},
            "has_access": lambda: asked.json()["operation"] in self.rights,
            "search_read": lambda: self._search(model, asked.json()),
        }
        assert method in answers, "the bridge writes nothing"
        if method == "has_access" and not self.tells_rights:
            return _error(404, "werkzeug.exceptions.NotFound", "no such method")
        self.before_each()
        return Said(answers[method]())

    def types(self, model: str) -> dict[str, str]:
        return {"id": "integer", **LOG, **MODELS[model]}

    def _search(self, model: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        rows = list(self.records[model].values())
        if body.get("context", {}).get("active_test", True):
            rows = [row for row in rows if row["active"]]
        for name, operator, wanted in body["domain"]:
            value = datetime.fromisoformat(wanted) if name == "write_date" else wanted
            rows = [row for row in rows if _TESTS[operator](row[name], value)]
        rows.sort(key=lambda row: [row[name] for name in body["order"].split(", ")])
        types = self.types(model)
        return [
            {name: _written(row.get(name, False), types[name]) for name in {"id", *body["fields"]}}
            for row in rows[: body["limit"]]
        ]


def _written(value: Any, kind: str) -> Any:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if kind == "many2one" and value is not False:
        return value if isinstance(value, list) else [value, f"Name of {value}"]
    return False if value is None else value


def _error(status: int, name: str, message: str) -> Said:
    return Said({"name": name, "message": message, "arguments": [message], "context": {}}, status)
