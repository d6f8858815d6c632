"""Tryton's REST as it is written: typed values in JSON, domains in base64, dotted fields that come nested."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import orjson

from erp_bridge.connectors.base import ConnectorError, Row

#: A field that does not exist is an error page of the server, with its name on it.
_UNKNOWN = re.compile(r"<p>&#39;([A-Za-z0-9_.]{1,127})&#39;</p>").search
_GONE = object()


def encoded(value: Any) -> str:
    """A domain, an order or a context as a query or header carries it."""
    return base64.urlsafe_b64encode(orjson.dumps(_typed(value))).decode()


def _typed(value: Any) -> Any:
    if isinstance(value, datetime):
        moment = value.astimezone(UTC)
        parts = ("year", "month", "day", "hour", "minute", "second", "microsecond")
        return {"__class__": "datetime"} | {part: getattr(moment, part) for part in parts}
    if isinstance(value, date):
        return {
            "__class__": "date",
            "year": value.year,
            "month": value.month,
            "day": value.day,
        }
    if isinstance(value, dict):
        return {key: _typed(inner) for key, inner in value.items()}
    return [_typed(inner) for inner in value] if isinstance(value, list | tuple) else value


def rows_of(answer: Any, columns: Sequence[str], path: str) -> list[Row]:
    """The rows of an answer; a field that the account may not read is simply not there, and that is told."""
    if not isinstance(answer, list) or not all(isinstance(row, dict) for row in answer):
        raise ConnectorError("erp.bad_answer", path)
    return [[_field(row, column, path) for column in columns] for row in answer]


def _field(row: Mapping[str, Any], column: str, path: str) -> Any:
    found: Any = row
    for part in column.split("."):
        found = found.get(part, _GONE) if isinstance(found, dict) else None
        if found is _GONE:
            model = path.rpartition("/")[2]
            raise ConnectorError("erp.missing_column", f"{model}: {column}")
        if found is None:
            return None
    return _cell(found, path)


def _cell(value: Any, path: str) -> Any:
    if not isinstance(value, dict):
        return value
    kind = value.get("__class__")
    try:
        if kind is None:
            return value["id"]
        return _READERS[kind](value)
    except (KeyError, ValueError, TypeError) as error:
        raise ConnectorError("erp.bad_answer", path) from error


def _datetime(value: Mapping[str, Any]) -> datetime:
    return datetime.combine(_date(value), _time(value), UTC)


def _date(value: Mapping[str, Any]) -> date:
    return date(value["year"], value["month"], value["day"])


def _time(value: Mapping[str, Any]) -> time:
    return time(value["hour"], value["minute"], value["second"], value["microsecond"])


_READERS: dict[str, Any] = {
    "datetime": _datetime,
    "date": _date,
    "time": _time,
    "timedelta": lambda value: timedelta(seconds=value["seconds"]),
    "Decimal": lambda value: Decimal(value["decimal"]),
    "bytes": lambda value: value["base64"],
}


def unknown_field(page: str) -> str | None:
    """The field that an error page names."""
    found = _UNKNOWN(page)
    return found[1] if found else None
