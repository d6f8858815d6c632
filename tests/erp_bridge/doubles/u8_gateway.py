"""U8's OpenAPI gateway over a U8-shaped book set: the real paths, the verdict in the body, absent keys, offset pages.

Some lists say their counts as text and some as numbers; amounts are text. What goes wrong is put into ``faults``.
"""

import itertools
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.erp_bridge.doubles.server import Asked, Said, WebServer
from tests.erp_bridge.doubles.u8_workflow import U8Workflow

SECRET = "walnut-secret"
ACCOUNT = {"from_account": "ours", "to_account": "chestnut", "app_key": "opa123"}
Fault = Callable[[Asked], Said]

_STATE = "CASE WHEN ccloser IS NOT NULL THEN 'Closed' WHEN cverifier IS NOT NULL THEN 'Approved' ELSE 'Opening' END"
_PLACE = "row_number() OVER (ORDER BY autoid)"
ARCHIVES = {
    "department": "SELECT cdepcode code, cdepname name, cdepperson manager FROM u8.department",
    "person": "SELECT cpersoncode code, cpersonname name, cdepcode cdept_num, cpersonprop property,"
    " cpersondefine1 define1 FROM u8.person",
    "customer": "SELECT ccuscode code, ccusname name, cdccode domain_code, ccuspperson spec_operator,"
    " icuscreline::text credit_amount, pubufts AS timestamp FROM u8.customer",
    "inventory": "SELECT cinvcode code, cinvname name, cinvccode sort_code, iinvscost ref_sale_price FROM u8.inventory",
    "inventoryclass": "SELECT cinvccode code, cinvcname name FROM u8.inventoryclass",
    "districtclass": "SELECT cdccode code, cdcname name FROM u8.districtclass",
    "warehouse": "SELECT cwhcode code, cwhname name FROM u8.warehouse",
    "currentstock": "SELECT cwhcode whcode, cinvcode invcode, nullif(cbatch, '') batch, nullif(cfree1, '') free1,"
    " iquantity::text qty, favaquantity::text availqty, foutquantity::text outqty, finquantity::text inqty"
    " FROM u8.currentstock",
}
HEADERS = {
    "saleorder": f"SELECT csocode code, ddate::text date, ccuscode custcode, cdepcode deptcode, cpersoncode personcode,"
    f" {_STATE} state, cverifier verifier, ccloser closer, cexch_name, iexchrate::text, ufts AS timestamp,"
    " (SELECT sum(inatsum)::text FROM u8.so_sodetails d WHERE d.id = m.id) natsum, id AS row_id FROM u8.so_somain m",
    "saleinvoice": "SELECT csbvcode invoiceno, ddate::text date, ccuscode customercode, cdepcode departmentcode,"
    " cpersoncode personcode, CASE WHEN cverifier IS NOT NULL THEN 'Approved' ELSE 'Opening' END state,"
    " sbvid AS row_id FROM u8.salebillvouch",
    "purchaserequisition": f"SELECT ccode code, ddate::text date, cpersoncode personcode, cdepcode departmentcode,"
    f" {_STATE} state, cverifier verifier, ccloser closer, id AS row_id FROM u8.pu_appvouch",
}
ENTRIES = {
    "saleorder": f"SELECT {_PLACE}::text rowno, cinvcode inventorycode, iquantity::text quantity, inatmoney::text natmoney,"
    " inattax::text nattax, inatsum::text natsum, cdefine26::text define26, dpredate::text dpredate, cscloser closer"
    " FROM u8.so_sodetails WHERE id = %s ORDER BY autoid",
    "saleinvoice": "SELECT cinvcode inventorycode, iquantity::text quantity, inatmoney::text money, inattax::text tax,"
    " inatsum::text sum, cdefine26::text define26 FROM u8.salebillvouchs WHERE sbvid = %s ORDER BY autoid",
    "purchaserequisition": f"SELECT {_PLACE} ivouchrowno, cinvcode inventorycode, fquantity quantity, fmoney money"
    " FROM u8.pu_appvouchs WHERE id = %s ORDER BY autoid",
}
CODES = {"saleinvoice": "invoiceno"}


class U8Gateway(WebServer):
    """The gateway, on loopback; ``settings`` open a source on it. Without a book it has what is ``kept``."""

    def __init__(self, book_url: str | None) -> None:
        self.kept: dict[str, list[dict[str, Any]]] = {}
        self._book = book_url and psycopg.connect(book_url, autocommit=True, row_factory=dict_row)
        self.workflow = U8Workflow(self.kept)
        self._turn = threading.Lock()
        self._numbers = itertools.count(1)
        self.tokens: set[str] = set()
        #: What goes wrong, one a request to an object, then no more.
        self.faults: list[Fault] = []
        #: What happens to decisions instead of only carrying them out, one each, then no more.
        self.acts: list[Callable[[Callable[[], Said]], Said]] = []
        #: Done before each object is given.
        self.before_get: Callable[[], object] = lambda: None
        #: Done once, after a first page was answered that others follow.
        self.between_pages: Callable[[], object] | None = None
        super().__init__(self._answer)

    def close(self) -> None:
        super().close()
        if self._book:
            self._book.close()

    def settings(self, **more: Any) -> dict[str, Any]:
        quick = {"requests_per_second": 1_000, "requests_per_day": 1_000_000}
        eager = {"archive_seconds": 0, "stock_seconds": 0, "recheck_days": 400}
        known = {"base_url": self.url, "app_secret": SECRET, "since": "2026-01-01"}
        return {**ACCOUNT, **known, **quick, **eager, **more}

    def asked_for(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == path]

    def _answer(self, asked: Asked) -> Said:
        if asked.path == "/system/token":
            return self._give_token(asked)
        if self.faults:
            return self.faults.pop(0)(asked)
        if asked.query.get("token") not in self.tokens:
            return error("20010", f"token失效 {asked.query.get('token')}")
        if any(asked.query.get(name) != value for name, value in ACCOUNT.items()):
            return error("20009", "没有权限")
        assert asked.query["ds_sequence"] == "1"
        with self._turn:
            return self._serve(asked)

    def _serve(self, asked: Asked) -> Said:
        if asked.path == "/system/tradeid":
            return self.workflow.give_number()
        _, _, name, verb = asked.path.split("/")
        if verb in {"tasks", "history", "audit", "verify"}:
            assert asked.method == ("POST" if verb in {"audit", "verify"} else "GET")
            carry_out = partial(self.workflow.answer, name, verb, asked)
            is_act = asked.method == "POST" and self.acts
            return self.acts.pop(0)(carry_out) if is_act else carry_out()
        assert asked.method == "GET", "the bridge writes nothing else"
        return self._list(name, asked) if verb == "batch_get" else self._get(name, asked)

    def _give_token(self, asked: Asked) -> Said:
        if asked.query.get("app_secret") != SECRET:
            return error("10003", f"app_secret错误 {asked.query.get('app_secret')}")
        token = f"almond-token-{next(self._numbers)}"
        self.tokens.add(token)
        return Said({"errcode": "0", "token": {"id": token, "appkey": "opa123", "expiresIn": 7200}})

    def _get(self, name: str, asked: Asked) -> Said:
        self.before_get()
        code = CODES.get(name, "code")
        found = [row for row in self._rows(name) if row[code] == asked.query["id"]]
        if not found:
            return error("20002", "没有找到数据")
        header = found[0]
        if name in ENTRIES and self._book:
            rows = self._ask_book(ENTRIES[name], header.pop("row_id"))
            header["entry"] = [_present(row) for row in rows]
        return Said({"errcode": "0", "errmsg": "", name: _present(header)})

    def _list(self, name: str, asked: Asked) -> Said:
        rows = [row for row in self._rows(name.removesuffix("list")) if _fits(row, asked.query)]
        size, number = int(asked.query.get("rows_per_page", 20)), int(asked.query["page_index"])
        page = rows[(number - 1) * size : number * size]
        if self.between_pages and number * size < len(rows):
            self.between_pages, happening = None, self.between_pages
            happening()
        if not page:
            return error("20002", "没有找到数据")
        counts = {"page_index": number, "rows_per_page": size, "row_count": len(rows)}
        counts["page_count"] = -(-len(rows) // size)
        said = {key: str(value) for key, value in counts.items()} if "sale" in name else counts
        for row in page:
            row.pop("row_id", None)
        return Said({"errcode": "0", **said, name: [_present(row) for row in page]})

    def _rows(self, name: str) -> list[dict[str, Any]]:
        if not self._book:
            return sorted(map(dict, self.kept.get(name, [])), key=lambda row: str(row["code"]))
        return self._ask_book(f"{ARCHIVES.get(name) or HEADERS[name]} ORDER BY 1, 2")

    def _ask_book(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        assert self._book
        return list(self._book.execute(statement, values).fetchall())


def error(code: str, message: str) -> Said:
    return Said({"errcode": code, "errmsg": message})


def too_often(_asked: Asked) -> Said:
    return error("20037", "调用频率超过限制")


def token_expired(asked: Asked) -> Said:
    return error("20010", f"token失效 {asked.query['token']}")


def broken(_asked: Asked) -> Said:
    return Said(b"<html>Bad Gateway</html>", 500)


def html(_asked: Asked) -> Said:
    return Said(b"<html>The agent is not running</html>")


def truncated(_asked: Asked) -> Said:
    return Said(b'{"errcode": "0", "wareh', headers={"Content-Length": "500"}, chunks=[b'{"err'])


def slow(_asked: Asked) -> Said:
    def drip() -> Any:
        for _ in range(100):
            time.sleep(0.05)
            yield b" "

    return Said(headers={"Content-Length": "100"}, chunks=drip())


def _present(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None and name[0] != "_"}


def _fits(row: dict[str, Any], query: dict[str, str]) -> bool:
    if "state" in query and row.get("state") != query["state"]:
        return False
    if "timestamp_begin" in query and row["timestamp"] < int(query["timestamp_begin"]):
        return False
    ranges = {name.rpartition("_")[0] for name in query if name.endswith(("_begin", "_end"))}
    return all(
        query.get(f"{name}_begin", "") <= str(row[name]) <= query.get(f"{name}_end", "\uffff")
        for name in ranges - {"timestamp"}
    )
