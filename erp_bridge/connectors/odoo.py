"""Odoo 19 and later through its JSON-2 API: models read by the time they were last written, in UTC.

Lines are models of their own with a time of their own. A deleted record leaves no trace: its id is missed.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
from marshmallow import Schema, fields
from marshmallow.validate import Length, Range

from erp_bridge.connectors.base import (
    NOT_PROVABLE,
    Bound,
    CheckReport,
    ConnectorError,
    Cursor,
    Limits,
    Page,
    Row,
    StreamSpec,
)
from erp_bridge.connectors.http import HttpError, HttpSettings, open_http
from erp_bridge.connectors.presenting import checked
from erp_bridge.connectors.stamped import (
    BEGINNING,
    OVERLAP_SECONDS,
    Record,
    Watermark,
    Window,
    is_whole,
    read_stamped,
    shifted,
    stamp_of,
    whole_key,
)
from erp_bridge.mappings.converter import columns_named
from erp_bridge.mappings.nodes import Mapping, StreamMapping

#: Column of our own making: when a row was asked for, in milliseconds. What is read later is never older.
READ_AT = "read_at"
#: A relation comes as the other record's id and name; ``….name`` asks for the second.
NAME_OF = ".name"
WRITES = ("create", "write", "unlink")
LOOKUP_ROWS_MAX = 100_000
#: What fields a model has, and of what kind, is asked for now and then and not in every reading.
TYPES_KEPT_SECONDS = 900
TYPES_KEPT_MAX = 1_000
_TYPES: dict[tuple[str, str], tuple[float, dict[str, str]]] = {}


class OdooSettings(HttpSettings):
    """The server, its database, and the API key of a user who may only read."""

    database = fields.String(load_default="", validate=Length(0, 128))
    api_key = fields.String(required=True, validate=Length(1, 512), metadata={"secret": True})
    rows_per_page = fields.Integer(load_default=1_000, validate=Range(2, 10_000))


class OdooConnector:
    """Reads models; it never writes."""

    def __init__(self, settings: dict[str, Any], mapping: Mapping) -> None:
        self._mapping = mapping
        self._http = open_http(settings, account=settings["database"])
        self.limits = Limits(rows_per_page=settings["rows_per_page"])
        self._headers = {
            "Authorization": f"bearer {settings['api_key']}",
            "Content-Type": "application/json; charset=utf-8",
        }
        if settings["database"]:
            self._headers["X-Odoo-Database"] = settings["database"]
        account = f"{settings['base_url']}|{settings['database']}|{settings['api_key']}"
        self._identity = hashlib.sha256(account.encode()).hexdigest()

    @classmethod
    def spec(cls) -> type[Schema]:
        return OdooSettings

    def streams(self) -> Sequence[StreamSpec]:
        return [
            StreamSpec(
                name=stream.name,
                key=stream.origin.key,
                stamp=stream.origin.stamp,
                grain="row",
                paging="keyset",
                window_rows=self.limits.rows_per_page,
                overlap=OVERLAP_SECONDS,
                deletes="ids",
            )
            for stream in self._mapping.streams
        ]

    def check(self) -> CheckReport:
        return checked(
            self._mapping,
            sign_in=lambda: self._call("res.users", "context_get", {}),
            sample=self._sample,
            prove_read_only=self._prove_read_only,
        )

    def bound(self, now: datetime) -> Bound:
        return Bound(until=int(now.timestamp() * 1_000), as_of=now)

    def read(self, stream: str, cursor: Cursor, until: Any) -> Iterator[Page]:
        mapped = self._mapping.stream(stream)
        watermark = Watermark(self._mapping.digest, stamp_of(mapped), "id")
        watermark.restore(cursor)
        latest = datetime.fromtimestamp(until / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        pages = read_stamped(
            lambda window: self._window(mapped, window),
            watermark,
            since=shifted(watermark.after, -OVERLAP_SECONDS),
            limit=self.limits.rows_per_page,
        )
        for rows in pages:
            if fresh := watermark.take(rows, OVERLAP_SECONDS, latest):
                yield _page(mapped, fresh, watermark.cursor(), until)

    def ids(self, stream: str) -> Iterator[Page]:
        mapped = self._mapping.stream(stream)
        slim = replace(mapped, fields=(), stamp=None)
        columns = sorted({"id", *columns_named(slim)} - {READ_AT})
        after = 0
        while True:
            rows = self._search(_model_of(mapped), columns, [["id", ">", after]], "id")
            if rows:
                yield Page(tuple(columns), [[row[name] for name in columns] for row in rows], {})
            if len(rows) < self.limits.rows_per_page:
                return
            after = whole_key(rows[-1]["id"])

    def get(self, stream: str, key: Sequence[str]) -> Page | None:
        mapped = self._mapping.stream(stream)
        if not is_whole(key[0]):
            return None
        wanted = [["id", "=", whole_key(key[0])]]
        rows = self._search(_model_of(mapped), _columns_of(mapped), wanted, "id")
        return _page(mapped, rows, {}, self._http.waiting.milliseconds()) if rows else None

    def lookup(self, source: str, columns: Sequence[str]) -> Iterator[Row]:
        after, read = 0, 0
        while True:
            rows = self._search(source, ["id", *columns], [["id", ">", after]], "id")
            yield from ([row[column] for column in columns] for row in rows)
            read += len(rows)
            if len(rows) < self.limits.rows_per_page:
                return
            if read > LOOKUP_ROWS_MAX:
                raise ConnectorError("mapping.lookup_too_large", source)
            after = whole_key(rows[-1]["id"])

    def close(self) -> None:
        self._http.close()

    def _sample(self, stream: StreamMapping) -> None:
        self._search(_model_of(stream), _columns_of(stream), [], "id", limit=1)

    def _prove_read_only(self, report: CheckReport) -> None:
        """Odoo tells what a user may do with a model; a user who may write anything read is not fit."""
        try:
            writable = [
                f"{model}: {verb}"
                for model in sorted({_model_of(stream) for stream in self._mapping.streams})
                for verb in WRITES
                if self._call(model, "has_access", {"ids": [], "operation": verb}) is not False
            ]
        except HttpError as failure:
            report.warn("read_only", f"{NOT_PROVABLE}: {failure.code}")
            return
        report.note("read_only", passed=not writable, detail=", ".join(writable[:3]))

    def _window(self, stream: StreamMapping, window: Window) -> list[Record]:
        stamp = stamp_of(stream)
        domain: list[Any] = [[stamp, ">=", window.since]] if window.since > BEGINNING else []
        order = "id" if window.before else f"{stamp}, id"
        if window.before:
            domain.append([stamp, "<", window.before])
        if window.after_key is not None:
            domain.append(["id", ">", window.after_key])
        return self._search(_model_of(stream), _columns_of(stream), domain, order)

    def _search(
        self,
        model: str,
        columns: Sequence[str],
        domain: list[Any],
        order: str,
        limit: int | None = None,
    ) -> list[Record]:
        names = sorted({column.removesuffix(NAME_OF) for column in columns})
        types = self._types_of(model)
        if not types.keys() >= set(names):
            types = self._types_of(model, anew=True)
        missing = [name for name in names if name not in types]
        if missing:
            raise ConnectorError("erp.missing_column", f"{model}: {', '.join(missing)}")
        body = {
            "domain": domain,
            "fields": names,
            "order": order,
            "limit": limit or self.limits.rows_per_page,
            # What was archived is still there; without this it would seem to be deleted.
            "context": {"active_test": False},
        }
        rows = self._call(model, "search_read", body)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ConnectorError("erp.bad_answer", model)
        return [{column: _value(row, column, types) for column in columns} for row in rows]

    def _types_of(self, model: str, *, anew: bool = False) -> dict[str, str]:
        """The kind of each field: Odoo writes false for whatever is empty, and for no."""
        place, now = (self._identity, model), time.monotonic()
        kept = _TYPES.get(place)
        if kept is None or anew or now - kept[0] > TYPES_KEPT_SECONDS:
            found = self._call(model, "fields_get", {"attributes": ["type"]})
            if not isinstance(found, dict):
                raise ConnectorError("erp.bad_answer", model)
            if len(_TYPES) >= TYPES_KEPT_MAX:
                _TYPES.clear()
            types = {name: str(about.get("type")) for name, about in found.items()}
            kept = _TYPES[place] = (now, types)
        return kept[1]

    def _call(self, model: str, method: str, body: dict[str, Any]) -> Any:
        path = f"/json/2/{model}/{method}"
        return self._http.ask(
            "POST", path, headers=self._headers, content=orjson.dumps(body)
        ).json()


def _model_of(stream: StreamMapping) -> str:
    assert stream.origin.table is not None, "an Odoo stream names a model"
    return stream.origin.table


def _columns_of(stream: StreamMapping) -> list[str]:
    return sorted({"id", stamp_of(stream), *columns_named(stream)} - {READ_AT})


def _value(row: Record, column: str, types: dict[str, str]) -> Any:
    name = column.removesuffix(NAME_OF)
    value = row.get(name)
    if types[name] == "boolean":
        return value
    if value is False or value is None:
        return None
    if isinstance(value, list):
        place = 1 if column.endswith(NAME_OF) else 0
        return value[place] if place < len(value) else None
    # Moments are written without their zone, which is UTC: the day they fall on depends on it.
    return f"{value}+00:00" if types[name] == "datetime" else value


def _page(stream: StreamMapping, rows: Sequence[Record], cursor: Cursor, until: int) -> Page:
    columns = _columns_of(stream)
    values = [[until, *(row[name] for name in columns)] for row in rows]
    return Page((READ_AT, *columns), values, cursor)
