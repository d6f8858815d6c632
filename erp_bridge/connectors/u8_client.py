"""Yonyou U8+ OpenAPI as it speaks: the token and the data source in the query, the verdict in the body.

The gateway answers HTTP 200 to everything; ``errcode`` says "0", or why not. Numbers come as text, keys without
a value are absent, and lists are paged by offset: a list that moves while it is read is read again.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from erp_bridge.connectors.base import ConnectorError
from erp_bridge.connectors.http import Http, HttpError
from erp_bridge.connectors.pacing import TRIES_MAX

TOKEN_SECONDS = 2 * 60 * 60
#: A token is not used to its end: a long page may outlast it.
TOKEN_MARGIN_SECONDS = 5 * 60
LISTED_ROWS_MAX = 200_000
LISTING_TRIES_MAX = 4

OK, NOTHING_FOUND = "0", "20002"
_TOO_OFTEN = re.compile(r"频率|频繁|次数|流量|frequen|too many|rate limit", re.IGNORECASE)
_TOKEN_REFUSED = re.compile(
    r"token.{0,12}(失效|过期|无效|错误|不存在|expired|invalid)|(expired|invalid).{0,12}token",
    re.IGNORECASE,
)
_PLAIN_CODE = re.compile(r"-?[0-9A-Za-z_.]{1,20}").fullmatch

Record = dict[str, Any]


@dataclass
class _Token:
    """An account's token; it outlives the connector, which lives for one run only."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    value: str = ""
    until: float = 0.0


_TOKENS: dict[tuple[str, ...], _Token] = {}
_TOKENS_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class Account:
    """Who asks whom, and which book set; all of it travels in the query."""

    from_account: str
    to_account: str
    app_key: str
    app_secret: str = field(repr=False)
    ds_sequence: str


@dataclass
class U8Client:
    """Asks the gateway: one object, or a whole list."""

    http: Http
    account: Account
    rows_per_page: int
    monotonic: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        account = self.account
        name = (self.http.base_url, account.from_account, account.app_key, account.app_secret)
        with _TOKENS_LOCK:
            self._token = _TOKENS.setdefault(name, _Token())

    def ask(self, path: str, query: Mapping[str, str]) -> Record | None:
        """One answer; None when there is nothing. A refused token is renewed once, haste waited out."""
        return self._ask(path, lambda address: self._call(path, {**query, **address}))

    def act_once(self, path: str, query: Mapping[str, str], content: bytes) -> Record:
        """Write once. Only what the gateway turned away at its door, token or haste, is said again.

        Raises as reading does; an error without a plain no leaves open whether it was done.
        """

        def post(address: Mapping[str, str]) -> Record:
            answer = self.http.ask(
                "POST",
                path,
                query={**query, **address},
                headers={"Content-Type": "application/json"},
                content=content,
                is_read=False,
            )
            return _record_of(answer.json(), path)

        body = self._ask(path, post)
        if body is None:
            raise ConnectorError("erp.not_found", path)
        return body

    def _ask(self, path: str, call: Callable[[Mapping[str, str]], Record]) -> Record | None:
        renewed = False
        for tries in range(TRIES_MAX + 1):
            token = self.token()
            body = call(self._address(token))
            if "errcode" not in body:
                raise HttpError("erp.bad_answer", path)
            code = str(body["errcode"])
            if code == OK:
                return body
            if code == NOTHING_FOUND:
                return None
            said = str(body.get("errmsg", ""))
            if _TOKEN_REFUSED.search(said) and not renewed:
                renewed = True
                self._forget(token)
            elif _TOO_OFTEN.search(said):
                self._wait(tries, path)
            else:
                raise _refused(path, code, said)
        raise ConnectorError("erp.busy", path)

    def rows_of(
        self, path: str, rows_under: str, key: Sequence[str], query: Mapping[str, str]
    ) -> dict[tuple[str, ...], Record]:
        """Every row of a list by its key; read again while it moves, refused when it never rests."""
        for _ in range(LISTING_TRIES_MAX):
            rows, counts = self._pages(path, rows_under, query)
            found = {tuple(str(row.get(name) or "") for name in key): row for row in rows}
            if any(not any(named) for named in found):
                raise ConnectorError("erp.missing_column", f"{path} {', '.join(key)}")
            if counts <= {len(found)}:
                return found
        raise ConnectorError("erp.list_moves", path)

    def token(self) -> str:
        """The account's token, fetched anew before it runs out."""
        with self._token.lock:
            if self.monotonic() >= self._token.until:
                self._token.value = self._fetch_token()
                self._token.until = self.monotonic() + TOKEN_SECONDS - TOKEN_MARGIN_SECONDS
            return self._token.value

    def _pages(
        self, path: str, rows_under: str, query: Mapping[str, str]
    ) -> tuple[list[Record], set[int]]:
        """All rows, and every number of rows that the pages claimed there are."""
        rows: list[Record] = []
        counts: set[int] = set()
        for number in range(1, LISTED_ROWS_MAX // self.rows_per_page + 2):
            paging = {"page_index": str(number), "rows_per_page": str(self.rows_per_page)}
            body = self.ask(path, {**query, **paging})
            page = records_in(path, body.get(rows_under)) if body else []
            rows += page
            if body and _whole(body.get("row_count")) is not None:
                counts.add(_whole(body.get("row_count")) or 0)
            # How many pages there are is said as text, as number, or wrongly: a short page is the last.
            if len(page) < self.rows_per_page:
                return rows, counts
        raise ConnectorError("erp.too_many_rows", path)

    def _fetch_token(self) -> str:
        account = self.account
        query = {
            "from_account": account.from_account,
            "app_key": account.app_key,
            "app_secret": account.app_secret,
        }
        body = self._call("/system/token", query)
        token = body.get("token")
        if str(body.get("errcode", OK)) != OK or not isinstance(token, dict) or not token.get("id"):
            raise ConnectorError("erp.sign_in_refused", "/system/token")
        return str(token["id"])

    def _forget(self, token: str) -> None:
        with self._token.lock:
            if self._token.value == token:
                self._token.until = 0.0

    def _address(self, token: str) -> dict[str, str]:
        account = self.account
        return {
            "from_account": account.from_account,
            "to_account": account.to_account,
            "app_key": account.app_key,
            "ds_sequence": account.ds_sequence,
            "token": token,
        }

    def _call(self, path: str, query: Mapping[str, str]) -> Record:
        return _record_of(self.http.get(path, query).json(), path)

    def _wait(self, tries: int, path: str) -> None:
        pause = self.http.waiting.before_retry(tries, None)
        if tries >= TRIES_MAX or pause is None:
            raise ConnectorError("erp.busy", path)
        self.http.waiting.sleep(pause)


def _record_of(body: Any, path: str) -> Record:
    if not isinstance(body, dict):
        raise HttpError("erp.bad_answer", path)
    return body


def _refused(path: str, code: str, said: str) -> ConnectorError:
    """The gateway's own words may quote the query; only its code is kept."""
    shown = code if _PLAIN_CODE(code) else "?"
    if _TOKEN_REFUSED.search(said):
        return ConnectorError("erp.sign_in_refused", path)
    if "登录" in said or "登陆" in said:
        # Whoever decides must have signed in to the open platform once, and let it act for them.
        return ConnectorError("erp.login_needed", path)
    if "权限" in said or "授权" in said:
        return ConnectorError("erp.not_allowed", f"{path} errcode {shown}")
    return ConnectorError("erp.refused", f"{path} errcode {shown}")


def records_in(path: str, rows: Any) -> list[Record]:
    """The rows of an answer; a single one may come without its list."""
    rows = [rows] if isinstance(rows, dict) else rows or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise HttpError("erp.bad_answer", path)
    return rows


def _whole(value: Any) -> int | None:
    written = str(value).strip()
    return int(written) if written.isdigit() and len(written) < 10 else None
