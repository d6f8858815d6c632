"""A Tryton's REST interface in the shapes that a real 8.2 was seen to answer, over records in memory."""

import base64
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs

import orjson

from tests.erp_bridge.doubles.server import Asked, Said, WebServer

Record = dict[str, Any]
START = datetime(2026, 3, 2, 8, 0, 0, 784_045, tzinfo=UTC)
KEY = "aspen-aspen-aspen-aspen"
#: Of a user who may decide, as one of these employees; what is done as another is done as nobody.
APPROVER_KEY = "maple-maple-maple-maple"
EMPLOYEES_OF_APPROVER = {1, 2}
BUTTONS = {
    ("purchase.requisition", "approve"): ("waiting", "processing", "approved_by"),
    ("purchase.requisition", "reject"): ("waiting", "rejected", "rejected_by"),
    ("sale.sale", "confirm"): ("quotation", "processing", "confirmed_by"),
}
PARTS = ("year", "month", "day", "hour", "minute", "second", "microsecond")


class TrytonDouble:
    """Keeps records; an edit stamps the record itself and nothing above it."""

    def __init__(self) -> None:
        self.clock = START
        self.models: dict[str, list[Record]] = {}
        #: Fields that the user may not read: they are simply not answered.
        self.hidden: set[str] = set()
        #: Fields that no record has.
        self.unknown: set[str] = set()
        self.stock: dict[int, dict[int, float]] = {}
        #: (model, verb) that the user may do beside reading; None: the user may not even ask.
        self.rights: set[tuple[str, str]] | None = set()
        self.server = WebServer(self.answer)

    def tick(self, seconds: float = 1) -> datetime:
        self.clock += timedelta(seconds=seconds)
        return self.clock

    def add(self, model: str, **values: Any) -> int:
        records = self.models.setdefault(model, [])
        number = max((record["id"] for record in records), default=0) + 1
        records.append({"id": number, "create_date": self.tick(), "write_date": None} | values)
        return number

    def edit(self, model: str, number: int, **values: Any) -> None:
        for record in self.models[model]:
            if record["id"] == number:
                record.update(values, write_date=self.tick())

    def remove(self, model: str, number: int) -> None:
        self.models[model] = [one for one in self.models[model] if one["id"] != number]

    def sale(self, number: str | None, *amounts: str, state: str = "quotation") -> int:
        sale = self.add(
            "sale.sale",
            number=number,
            sale_date=date(2026, 3, 2),
            party=7,
            confirmed_by=None,
            quoted_by=2,
            currency={"id": 1, "code": "CNY"},
            state=state,
        )
        for amount in amounts:
            self.add(
                "sale.line",
                sale=sale,
                type="line",
                product={"id": 3, "cost_price": Decimal(60)},
                quantity=2.0,
                amount=Decimal(amount),
            )
        return sale

    def requisition(self, *amounts: str, state: str = "waiting") -> int:
        """Employee 8 asks for something; their supervisor is employee 1."""
        asked = self.add(
            "purchase.requisition",
            number="7",
            state=state,
            employee={"id": 8, "supervisor": 1},
            description="办公采购",
            supply_date=date(2026, 3, 9),
            total_amount=sum(map(Decimal, amounts), Decimal(0)),
            currency={"id": 1, "code": "CNY"},
            approved_by=None,
            rejected_by=None,
        )
        for amount in amounts:
            self.add(
                "purchase.requisition.line",
                requisition=asked,
                product=3,
                quantity=2.0,
                amount=Decimal(amount),
                description=None,
            )
        return asked

    def answer(self, asked: Asked) -> Said:
        if asked.method == "POST" and not asked.path.endswith("/get_access"):
            return self._press(asked)
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            return Said(b"<h1>Unauthorized</h1>", 401)
        model = asked.path.partition("/rest/model/")[2].partition("/")[0]
        if model == "ir.model.access":
            return self._access(asked)
        assert asked.method == "GET", "the bridge writes nothing"
        said = Said([{"id": 1}]) if model == "company.company" else self._search(model, asked)
        said.headers["Date"] = format_datetime(self.clock, usegmt=True)
        return said

    def _access(self, asked: Asked) -> Said:
        assert (asked.method, asked.path.rpartition("/")[2]) == ("POST", "get_access")
        if self.rights is None:
            return Said(b"<h1>Forbidden</h1>", 403)
        verbs = ("read", "write", "create", "delete")
        return Said(
            {
                model: {verb: verb == "read" or (model, verb) in self.rights for verb in verbs}
                for model in asked.json()["models"]
            }
        )

    def _press(self, asked: Asked) -> Said:
        """Somebody presses a button of a document, with their own key."""
        key = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if key not in (KEY, APPROVER_KEY):
            return Said(b"<h1>Unauthorized</h1>", 401)
        model, number, button = asked.path.partition("/rest/model/")[2].split("/")
        if key == KEY:
            return _no(f'Calling button "{button} on "{model}" is not allowed.')
        document = next((r for r in self.models[model] if str(r["id"]) == number), None)
        if document is None:
            return Said(b"<h1>Not Found</h1>", 404)
        before, after, by = BUTTONS[model, button]
        if document["state"] != before:
            return _no(f'You can not call "{button}" on "{number}" of "{model}".')
        employee = _read(asked.headers["x-tryton-context"]).get("employee")
        theirs = employee if employee in EMPLOYEES_OF_APPROVER else None
        self.edit(model, int(number), **{"state": after, by: theirs})
        return Said({"__name__": model, "id": int(number), "rec_name": number})

    def _search(self, model: str, asked: Asked) -> Said:
        query = parse_qs(asked.raw_query)
        context = _read(asked.headers["x-tryton-context"])
        fields = query["f"]
        if lost := self.unknown.intersection(part for f in fields for part in f.split(".")):
            page = f"<h1>Internal Server Error</h1><p>&#39;{lost.pop()}&#39;</p>"
            return Said(page.encode(), 500, {"Content-Type": "text/html; charset=utf-8"})
        found = [r for r in self._records(model, context) if holds(_read(query["d"][0]), r)]
        for name, direction in reversed(_read(query["o"][0])):
            assert direction == "ASC"
            found.sort(key=lambda record: (record[name] is None, record[name]))
        first, last = map(int, asked.headers["range"].removeprefix("records=").split("-"))
        shown = [write_values(self._shown(record, fields)) for record in found[first:last]]
        return Said(shown)

    def _records(self, model: str, context: dict[str, Any]) -> list[Record]:
        assert context["company"] == 1
        assert context["active_test"] is False
        records = self.models.get(model, [])
        if "locations" not in context:
            return records
        on_hand = self.stock[context["locations"][0]]
        return [
            record
            | {
                "type": "goods",
                "quantity": on_hand.get(record["id"], 0.0),
                "forecast_quantity": 0.0,
            }
            for record in records
        ]

    def _shown(self, record: Record, fields: list[str]) -> Record:
        shown: Record = {"id": record["id"]}
        for field in fields:
            _put(shown, record, field.split("."), self.hidden)
        return shown


def _no(message: str) -> Said:
    return Said({"status": 400, "message": message, "description": ""}, 400)


def _put(into: Record, record: Record, path: list[str], hidden: set[str]) -> None:
    """Answer one field; what lies behind a reference comes nested in it."""
    name, *rest = path
    if name in hidden:
        return
    value = record.get(name)
    if not rest or value is None:
        into.setdefault(name, value["id"] if isinstance(value, dict) else value)
        return
    inner = into.get(name)
    inner = into[name] = inner if isinstance(inner, dict) else {"id": value["id"]}
    _put(inner, value, rest, hidden)


def holds(domain: Any, record: Record) -> bool:
    """Evaluate a domain: clauses that all hold, or at least one after ``OR``."""
    if domain and domain[0] == "OR":
        return any(holds(part, record) for part in domain[1:])
    if len(domain) == 3 and isinstance(domain[0], str):
        name, operator, wanted = domain
        value = record.get(name)
        if operator == "in":
            return value in wanted
        if operator in {"=", "!="}:
            return (value == wanted) is (operator == "=")
        return value is not None and {">": value > wanted, ">=": value >= wanted}[operator]
    return all(holds(part, record) for part in domain)


def _read(encoded: str) -> Any:
    return _typed(orjson.loads(base64.urlsafe_b64decode(encoded)))


def _typed(value: Any) -> Any:
    if isinstance(value, list):
        return [_typed(inner) for inner in value]
    if isinstance(value, dict) and value.get("__class__") == "datetime":
        return datetime(*(value[part] for part in PARTS), tzinfo=UTC)
    return value


def write_values(value: Any) -> Any:
    """A value as it goes out: moments, days and exact numbers in Tryton's own way."""
    if isinstance(value, datetime):
        return {"__class__": "datetime"} | {part: getattr(value, part) for part in PARTS}
    if isinstance(value, date):
        return {"__class__": "date"} | {part: getattr(value, part) for part in PARTS[:3]}
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, dict):
        return {name: write_values(inner) for name, inner in value.items()}
    return value
