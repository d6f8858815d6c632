"""OData as it is written: literals, the two shapes of an answer, version 2's dates."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from erp_bridge.connectors.base import ConnectorError

Version = Literal["v2", "v4"]
_DATE = re.compile(r"/Date\((-?[0-9]{1,16})([+-][0-9]{1,4})?\)/").fullmatch
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}").fullmatch
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Answered:
    """Rows of a set, and whether the service says that it has more."""

    rows: Sequence[Mapping[str, Any]]
    has_more: bool


def literal(value: Any, edm: str, version: Version) -> str:
    """A value as a filter writes it; what a text holds can never end it."""
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    if edm == "Edm.String":
        return "'" + text.replace("'", "''") + "'"
    if edm in {"Edm.DateTime", "Edm.DateTimeOffset"}:
        return _moment(text, edm, version)
    if edm == "Edm.Guid":
        return f"guid'{_plain(text)}'" if version == "v2" else _plain(text)
    if version == "v2" and edm in {"Edm.Decimal", "Edm.Int64"}:
        return _plain(text) + ("M" if edm == "Edm.Decimal" else "L")
    return _plain(text)


def _moment(text: str, edm: str, version: Version) -> str:
    moment = _plain(text).replace("+00:00", "Z")
    if version == "v4":
        return moment
    return f"{'datetime' if edm == 'Edm.DateTime' else 'datetimeoffset'}'{moment}'"


def _plain(text: str) -> str:
    if not re.fullmatch(r"[0-9A-Za-z:.+-]{1,64}", text):
        raise ConnectorError("erp.bad_answer", "a key that is no such value")
    return text


def name(text: str) -> str:
    """The name of a set or property; nothing else may stand where a name stands."""
    if not _NAME(text):
        raise ConnectorError("erp.missing_column", text[:80])
    return text


def answered(body: Any, path: str) -> Answered:
    """The rows of an answer in either version's shape."""
    found, more = None, None
    if isinstance(body, dict) and isinstance(body.get("value"), list):
        found, more = body["value"], body.get("@odata.nextLink")
    elif isinstance(body, dict) and "d" in body:
        inner = body["d"]
        found = inner.get("results") if isinstance(inner, dict) else inner
        more = inner.get("__next") if isinstance(inner, dict) else None
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise ConnectorError("erp.bad_answer", path)
    return Answered(found, bool(more))


def cell(value: Any, edm: str) -> Any:
    """A value as the mapping reads it; version 2 writes moments as milliseconds since 1970."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if not isinstance(value, str) or not (found := _DATE(value)):
        return value
    try:
        moment = _EPOCH + timedelta(milliseconds=int(found[1]))
    except OverflowError:
        return value
    return moment.replace(tzinfo=None) if edm == "Edm.DateTime" else moment
