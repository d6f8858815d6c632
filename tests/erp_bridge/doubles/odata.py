"""An OData service, version 2 or 4, over tables in memory: filters, order, a page cap, a drifting next link."""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from uuid import uuid4

from tests.erp_bridge.doubles.server import Asked, Said, WebServer

Row = dict[str, Any]
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ORDERS = {
    "SalesOrder": "Edm.String",
    "SoldTo": "Edm.String",
    "Date": "Edm.Date",
    "Note": "Edm.String",
    "Changed": "Edm.DateTimeOffset",
}
ITEMS = {
    "SalesOrder": "Edm.String",
    "Item": "Edm.Int32",
    "Net": "Edm.Decimal",
    "Changed": "Edm.DateTimeOffset",
}
PLACES = {"Code": "Edm.String", "Name": "Edm.String"}
TOKENS = re.compile(r"\s*(?:(\(|\))|((?:datetimeoffset|datetime|guid)?'(?:[^']|'')*')|([^\s()]+))")


@dataclass
class Books:
    """What the ERP holds, and how its clock runs; every change is stamped as a transaction of its own."""

    clock: datetime = START
    orders: list[Row] = field(default_factory=list)
    items: list[Row] = field(default_factory=list)
    places: list[Row] = field(default_factory=list)

    def tick(self, seconds: float = 1) -> datetime:
        self.clock += timedelta(seconds=seconds)
        return self.clock

    def order(self, number: str, *nets: str) -> None:
        at = self.tick()
        self.orders.append(
            {
                "SalesOrder": number,
                "SoldTo": "C1",
                "Date": "2026-03-02",
                "Note": "",
                "Changed": at,
            }
        )
        for item, net in enumerate(nets, 1):
            self.items.append({"SalesOrder": number, "Item": item, "Net": net, "Changed": at})

    def edit_order(self, number: str, **change: Any) -> None:
        for row in self.orders:
            if row["SalesOrder"] == number:
                row.update(change, Changed=self.tick())

    def edit_item(self, number: str, item: int, net: str) -> None:
        """A line alone: the order's own stamp does not move."""
        for row in self.items:
            if (row["SalesOrder"], row["Item"]) == (number, item):
                row.update(Net=net, Changed=self.tick())


class ODataDouble:
    """Speaks for the books."""

    def __init__(self, books: Books, version: str, *, page_cap: int = 500) -> None:
        self.books = books
        self.version = version
        self.page_cap = page_cap
        self.refuse: int | None = None
        self.hidden: set[str] = set()
        self.tokens: set[str] = set()
        #: What every set says that cannot be done with it.
        self.closed: set[str] = set()
        self.token_lasts = 1_000
        #: Called after every page of rows: somebody edits between two pages.
        self.between: Callable[[], None] = lambda: None
        self.server = WebServer(self.answer)

    @property
    def sets(self) -> dict[str, tuple[dict[str, str], tuple[str, ...], list[Row]]]:
        return {
            "A_SalesOrder": (ORDERS, ("SalesOrder",), self.books.orders),
            "A_SalesOrderItem": (ITEMS, ("SalesOrder", "Item"), self.books.items),
            "A_Place": (PLACES, ("Code",), self.books.places),
        }

    def answer(self, asked: Asked) -> Said:
        if asked.path == "/oauth/token":
            return self._token(asked)
        if self.refuse is not None:
            return Said(b"refused", self.refuse)
        if not self._signed_in(asked):
            return Said(b"", 401)
        entity = asked.path.rpartition("/")[2]
        if entity == "$metadata":
            said = Said(self._metadata().encode(), headers={"Content-Type": "application/xml"})
        elif entity == "":
            said = Said({})
        elif entity in self.sets:
            said = self._page(entity, asked)
            self.between()
        else:
            said = Said(b"{}", 404)
        said.headers["Date"] = format_datetime(self.books.clock, usegmt=True)
        return said

    def _token(self, asked: Asked) -> Said:
        if b"client_secret=rowan" not in asked.body:
            return Said({"error": "invalid_client"}, 400)
        token = uuid4().hex
        self.tokens = {token}
        return Said({"access_token": token, "expires_in": 3600})

    def _signed_in(self, asked: Asked) -> bool:
        given = asked.headers.get("authorization", "")
        if given.startswith("Bearer "):
            self.token_lasts -= 1
            if self.token_lasts == 0:
                self.tokens = set()
            return given[7:] in self.tokens
        return given == "Basic " + base64.b64encode(b"bridge:rowan").decode()

    def _page(self, entity: str, asked: Asked) -> Said:
        types, _, rows = self.sets[entity]
        query = asked.query
        found = [row for row in rows if matches(query.get("$filter", ""), row)]
        for part in reversed(query.get("$orderby", "").split(",")):
            name = part.removesuffix(" asc")
            found = sorted(found, key=lambda row: row[name]) if name else found
        start = int(query.get("$skiptoken", 0))
        end = start + min(int(query.get("$top", 10**9)), self.page_cap)
        names = query.get("$select", ",".join(types)).split(",")
        shown = [
            {name: self._written(types[name], row[name]) for name in names if name in types}
            for row in found[start:end]
        ]
        wanted = len(found) if "$top" not in query else min(len(found), start + int(query["$top"]))
        more = f"{asked.path}?$skiptoken={end}" if end < wanted else None
        return Said(self._wrapped([self._shown(row) for row in shown], more))

    def _shown(self, row: Row) -> Row:
        return {name: value for name, value in row.items() if name not in self.hidden}

    def _wrapped(self, rows: list[Row], more: str | None) -> Any:
        if self.version == "v4":
            return {"value": rows} | ({"@odata.nextLink": more} if more else {})
        return {"d": {"results": rows} | ({"__next": more} if more else {})}

    def _written(self, edm: str, value: Any) -> Any:
        if self.version == "v4" or not isinstance(value, datetime):
            return (
                value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
            )
        milliseconds = (value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
        return f"/Date({milliseconds}+0000)/"

    def _set(self, name: str) -> str:
        about = f'<EntitySet Name="{name}" EntityType="erp.{name}Type"'
        if self.version == "v2":
            names = {"Insert": "creatable", "Update": "updatable", "Delete": "deletable"}
            said = "".join(f' sap:{names[write]}="false"' for write in sorted(self.closed))
            return f'{about} xmlns:sap="http://www.sap.com/Protocols/SAPData"{said}/>'
        said = "".join(
            f'<Annotation Term="Org.OData.Capabilities.V1.{write}Restrictions"><Record>'
            f'<PropertyValue Property="{write.removesuffix("e")}able" Bool="false"/></Record></Annotation>'
            for write in sorted(self.closed)
        )
        return f"{about}>{said}</EntitySet>"

    def _metadata(self) -> str:
        kinds, sets = "", ""
        for name, (types, key, _) in self.sets.items():
            refs = "".join(f'<PropertyRef Name="{part}"/>' for part in key)
            properties = "".join(
                f'<Property Name="{prop}" Type="{edm}"/>'
                for prop, edm in types.items()
                if prop not in self.hidden
            )
            kinds += f'<EntityType Name="{name}Type"><Key>{refs}</Key>{properties}</EntityType>'
            sets += self._set(name)
        space = "http://docs.oasis-open.org/odata/ns/edm"
        return (
            f'<Edmx Version="4.0"><DataServices><Schema Namespace="erp" xmlns="{space}">{kinds}'
            f'<EntityContainer Name="c">{sets}</EntityContainer></Schema></DataServices></Edmx>'
        )


def matches(where: str, row: Row) -> bool:
    """Evaluate a filter of comparisons, ``and``, ``or`` and brackets."""
    if not where:
        return True
    tokens = [next(filter(None, groups)) for groups in TOKENS.findall(where)]
    held = _either(tokens, row)
    assert not tokens, f"this is no filter: {where}"
    return held


def _either(tokens: list[str], row: Row) -> bool:
    held = _both(tokens, row)
    while tokens and tokens[0] == "or":
        tokens.pop(0)
        held = _both(tokens, row) or held
    return held


def _both(tokens: list[str], row: Row) -> bool:
    held = _one(tokens, row)
    while tokens and tokens[0] == "and":
        tokens.pop(0)
        held = _one(tokens, row) and held
    return held


def _one(tokens: list[str], row: Row) -> bool:
    first = tokens.pop(0)
    if first == "(":
        held = _either(tokens, row)
        assert tokens.pop(0) == ")"
        return held
    operator, written = tokens.pop(0), tokens.pop(0)
    value, wanted = row[first], _value(written)
    assert type(value) is type(wanted), f"{first} {operator} {written}"
    return {
        "eq": value == wanted,
        "gt": value > wanted,
        "ge": value >= wanted,
        "lt": value < wanted,
    }[operator]


def _value(written: str) -> Any:
    for kind in ("datetimeoffset", "datetime"):
        if written.startswith(kind + "'"):
            return datetime.fromisoformat(written[len(kind) + 1 : -1])
    if written.startswith("'"):
        return written[1:-1].replace("''", "'")
    return int(written) if written.isdigit() else datetime.fromisoformat(written)
