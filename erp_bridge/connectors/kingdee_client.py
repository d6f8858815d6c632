"""Kingdee's web service as it speaks: signed headers, bare arrays, and errors under HTTP 200."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import orjson

from erp_bridge.connectors.base import ConnectorError
from erp_bridge.connectors.http import Answer, Http, HttpError

QUERY_PATH = "/Kingdee.BOS.WebApi.ServicesStub.DynamicFormService.ExecuteBillQuery.common.kdsvc"
#: The vendor hides the second half of an application's id under this; it is the same everywhere.
_VEIL = b"0054f397c6234378b09ca7d3e5debce7"
_TEXT_ERROR = "response_error:"

_MEANINGS = (
    (re.compile("权限|授权|许可|not licensed", re.IGNORECASE), "erp.not_allowed"),
    (re.compile("会话|登录|签名|signature|应用", re.IGNORECASE), "erp.sign_in_refused"),
    (re.compile("字段|列名|标识.*不存在|field", re.IGNORECASE), "erp.missing_column"),
)


@dataclass(frozen=True, slots=True)
class Application:
    """A third-party application of a Kingdee account set, and the user it acts as."""

    app_id: str
    app_secret: str = field(repr=False)
    account: str
    user: str
    language: int
    organisation: int


@dataclass
class KingdeeClient:
    """Runs queries over forms."""

    http: Http
    application: Application

    def query(self, form: str, fields: Sequence[str], **more: Any) -> list[Sequence[Any]]:
        """Rows of a form, their values in the order of ``fields``."""
        asked = {"FormId": form, "FieldKeys": ",".join(fields), **more}
        timestamp = str(int(self.http.waiting.now().timestamp()))
        path = urlsplit(self.http.base_url.rstrip("/")).path + QUERY_PATH
        headers = signed_headers(self.application, path, timestamp)
        headers["Content-Type"] = "application/json"
        answer = self.http.ask(
            "POST", QUERY_PATH, headers=headers, content=orjson.dumps({"data": asked})
        )
        return _rows_in(answer)


def signed_headers(application: Application, path: str, timestamp: str) -> dict[str, str]:
    """The headers of a request: signed once for the gateway, once for the account set."""
    client, _, veiled = application.app_id.partition("_")
    signed = (
        f"POST\n{quote(path, safe='')}\n\nx-api-nonce:{timestamp}\nx-api-timestamp:{timestamp}\n"
    )
    account = (
        f"{application.account},{application.user},{application.language},"
        f"{application.organisation}"
    )
    return {
        "X-Api-ClientID": client,
        "X-Api-Auth-Version": "2.0",
        "x-api-timestamp": timestamp,
        "x-api-nonce": timestamp,
        "x-api-signheaders": "x-api-timestamp,x-api-nonce",
        "X-Api-Signature": _sign(signed, unveil(veiled)),
        "X-Kd-Appkey": application.app_id,
        "X-Kd-Appdata": base64.b64encode(account.encode()).decode(),
        "X-Kd-Signature": _sign(application.app_id + account, application.app_secret),
    }


def unveil(veiled: str) -> str:
    """The gateway's key, out of the second half of an application's id."""
    try:
        hidden = base64.b64decode(veiled, validate=True)
    except binascii.Error:
        return ""
    return base64.b64encode(bytes(a ^ b for a, b in zip(hidden, _VEIL, strict=False))).decode()


def _sign(text: str, key: str) -> str:
    digest = hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
    return base64.b64encode(digest.encode()).decode()


def _rows_in(answer: Answer) -> list[Sequence[Any]]:
    """The rows, unless what came is an error: as text, as an object, or in the place of a row."""
    text = answer.text()
    if text.lstrip('"').startswith(_TEXT_ERROR):
        raise _refused(text)
    rows = answer.json()
    problem = _problem_in(rows)
    if problem is not None:
        raise _refused(problem)
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise HttpError("erp.bad_answer", answer.path, answer.status)
    return rows


def _problem_in(found: Any) -> str | None:
    """What an error says, wherever it stands."""
    while isinstance(found, list) and found:
        found = found[0]
    if not isinstance(found, Mapping):
        return None
    for name in ("Result", "ResponseStatus"):
        found = found.get(name) if isinstance(found, Mapping) else None
    errors = found.get("Errors") if isinstance(found, Mapping) else None
    return " ".join(
        str(error.get("Message")) for error in errors or [] if isinstance(error, Mapping)
    )


def _refused(said: str) -> ConnectorError:
    """Kingdee has no codes; its words, which may quote the request, are kept to ourselves."""
    for meaning, code in _MEANINGS:
        if meaning.search(said):
            return ConnectorError(code, QUERY_PATH)
    return ConnectorError("erp.refused", QUERY_PATH)
