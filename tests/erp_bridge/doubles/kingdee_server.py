"""A Kingdee web service with forms in memory: signed requests, bare arrays, times to the millisecond."""

import base64
import hashlib
import hmac
import itertools
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from tests.erp_bridge.doubles.server import Asked, Said, WebServer

BASE = "/k3cloud"
PATH = f"{BASE}/Kingdee.BOS.WebApi.ServicesStub.DynamicFormService.ExecuteBillQuery.common.kdsvc"
APPLICATION = {"app_id": "204399_TestVeiledKeyTestVeiledKeyAAAAAA", "app_secret": "walnut-secret"}
ACCOUNT = {"account": "64a1", "user": "ash", "language": 2052, "organisation": 100}
LIMIT_MAX = 2_000
_CONDITION = re.compile(r"([\w.]+)(>=|<=|>|<|=)(?:'([^']*)'|([0-9]+))").fullmatch
_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    "=": lambda a, b: a == b,
}


class KingdeeServer(WebServer):
    """Keeps bills; a bill with entries is a row for each when fields of entries are asked for."""

    def __init__(self) -> None:
        self.forms: dict[str, list[dict[str, Any]]] = {}
        self.now = datetime.fromisoformat("2026-03-02 10:00:00.337")
        self.faults: list[Said] = []
        self.before_each: Callable[[], object] = lambda: None
        self._ids = itertools.count(100_001)
        super().__init__(self._answer)

    def settings(self, **more: Any) -> dict[str, Any]:
        quick = {"requests_per_second": 1_000, "requests_per_day": 1_000_000}
        return {"base_url": self.url + BASE, **APPLICATION, **ACCOUNT, **quick, **more}

    def save(self, form: str, key: str, **fields: Any) -> int:
        """Save a row of its own; gives its key."""
        number = fields.get(key) or next(self._ids)
        self.now += timedelta(seconds=1)
        row = {"FModifyDate": self.now, **fields, key: number}
        kept = self.forms.setdefault(form, [])
        kept[:] = [*(old for old in kept if old[key] != number), row]
        return int(number)

    def save_order(self, *nets: Any, number: int | None = None, **fields: Any) -> int:
        """Save a sales order with a line for each amount; saving again gives the bill a new time."""
        number = number or next(self._ids)
        self.now += timedelta(seconds=1)
        header = {
            "FID": number,
            "FModifyDate": self.now,
            "FBillNo": f"XSDD{number}",
            "FDate": "2026-03-02T00:00:00",
            "FCustId.FNumber": "C1",
            "FSalerId.FNumber": "0003",
            "FSaleDeptId.FNumber": "BM01",
            "FSettleCurrId.FNumber": "PRE001",
            "FExchangeRate": 1.0,
            "FDocumentStatus": "C",
            "FCloseStatus": "A",
            "FCancelStatus": "A",
        }
        line = {"FMaterialId.FNumber": "P1", "FQty": 1.0, "FMrpCloseStatus": "A"}
        rows = [
            {
                **header,
                **line,
                "FSaleOrderEntry_FEntryID": number * 1_000 + place,
                "FAmount_LC": net,
                **fields,
            }
            for place, net in enumerate(nets)
        ]
        kept = self.forms.setdefault("SAL_SaleOrder", [])
        kept[:] = [*(old for old in kept if old["FID"] != number), *rows]
        return number

    def delete_order(self, number: int) -> None:
        kept = self.forms["SAL_SaleOrder"]
        kept[:] = [row for row in kept if row["FID"] != number]

    def _answer(self, asked: Asked) -> Said:
        assert (asked.method, asked.path) == ("POST", PATH), "the bridge only runs queries"
        if self.faults:
            return self.faults.pop(0)
        if not _is_signed(asked.headers):
            return problem("签名校验失败")
        self.before_each()
        query = asked.json()["data"]
        assert 0 < query["Limit"] <= LIMIT_MAX
        fields = query["FieldKeys"].split(",")
        rows = self.forms.get(query["FormId"], [])
        found = _found(rows, query, fields)
        start = query["StartRow"]
        return Said([[_written(v) for v in r] for r in found[start : start + query["Limit"]]])


def problem(message: str) -> Said:
    """An error in the place of a row, under HTTP 200."""
    errors = [{"FieldName": None, "Message": message, "DIndex": 0}]
    status = {"ErrorCode": 500, "IsSuccess": False, "Errors": errors, "MsgCode": 9}
    return Said([[{"Result": {"ResponseStatus": status}}]])


def _found(
    rows: list[dict[str, Any]], query: dict[str, Any], fields: list[str]
) -> list[tuple[Any, ...]]:
    conditions = [part for part in query.get("FilterString", "").split(" and ") if part]
    kept = [row for row in rows if all(_holds(row, condition) for condition in conditions)]
    order = query["OrderString"].split(",")
    kept.sort(key=lambda row: [row.get(name) for name in order])
    found = [tuple(row.get(name) for name in fields) for row in kept]
    has_entries = any("_FEntryID" in name for name in fields)
    return found if has_entries else list(dict.fromkeys(found))


def _holds(row: dict[str, Any], condition: str) -> bool:
    match = _CONDITION(condition)
    assert match, condition
    value = row[match[1]]
    if isinstance(value, datetime):
        return _TESTS[match[2]](value, datetime.fromisoformat(match[3]))
    return _TESTS[match[2]](value, int(match[4]) if match[4] else match[3])


def _written(value: Any) -> Any:
    return value.isoformat(timespec="milliseconds") if isinstance(value, datetime) else value


def _is_signed(headers: dict[str, str]) -> bool:
    """Signed by somebody who has the secret, for this very path, not long ago."""
    account = ",".join(str(value) for value in ACCOUNT.values())
    if base64.b64decode(headers["x-kd-appdata"]).decode() != account:
        return False
    client, veiled = APPLICATION["app_id"].split("_")
    mask = b"0054f397c6234378b09ca7d3e5debce7"
    hidden = base64.b64decode(veiled)
    key = base64.b64encode(bytes(hidden[i] ^ mask[i] for i in range(len(hidden))))
    stamp = headers["x-api-timestamp"]
    moment = f"x-api-nonce:{headers['x-api-nonce']}\nx-api-timestamp:{stamp}\n"
    wanted = {
        "x-api-signature": (key, f"POST\n{quote(PATH, safe='')}\n\n{moment}"),
        "x-kd-signature": (APPLICATION["app_secret"].encode(), APPLICATION["app_id"] + account),
    }
    age = datetime.now(ZoneInfo("UTC")).timestamp() - int(stamp)
    return (
        headers["x-api-clientid"] == client
        and abs(age) < 300
        and all(
            headers[name]
            == base64.b64encode(
                hmac.new(k, text.encode(), hashlib.sha256).hexdigest().encode()
            ).decode()
            for name, (k, text) in wanted.items()
        )
    )
