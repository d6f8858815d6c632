"""Kingdee Cloud (K3Cloud, 星空) through its web service: forms read by the time of their last change.

Saving any line saves its whole bill with a new time, so lines are read by the time of their bill.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import Schema, fields
from marshmallow.validate import Length, Range, Regexp

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
from erp_bridge.connectors.http import HttpSettings, open_http
from erp_bridge.connectors.kingdee_client import Application, KingdeeClient
from erp_bridge.connectors.stamped import (
    BEGINNING,
    Record,
    Watermark,
    Window,
    is_whole,
    key_of,
    overlap_of,
    read_stamped,
    shifted,
    stamp_of,
    whole_key,
)
from erp_bridge.mappings.converter import columns_named
from erp_bridge.mappings.nodes import Mapping, StreamMapping

#: Column of our own making: when a row was asked for, in milliseconds. What is read later is never older.
READ_AT = "read_at"
LIMIT_MAX = 2_000
NAME = Length(1, 128)
LOOKUP_ROWS_MAX = 100_000
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,100}").fullmatch


class KingdeeSettings(HttpSettings):
    """The server (its address ends in /k3cloud), the application and the user it acts as."""

    app_id = fields.String(
        required=True, validate=Regexp(r"^[0-9A-Za-z]{1,60}_[0-9A-Za-z+/=]{1,100}$")
    )
    app_secret = fields.String(required=True, validate=NAME, metadata={"secret": True})
    account = fields.String(required=True, validate=NAME)
    user = fields.String(required=True, validate=NAME)
    language = fields.Integer(load_default=2052, validate=Range(1, 65_535))
    organisation = fields.Integer(load_default=0, validate=Range(0, 2**31 - 1))
    rows_per_page = fields.Integer(load_default=LIMIT_MAX, validate=Range(2, LIMIT_MAX))


class KingdeeConnector:
    """Reads forms; it never writes."""

    def __init__(self, settings: dict[str, Any], mapping: Mapping) -> None:
        self._mapping = mapping
        self._zone = ZoneInfo(mapping.time_zone)
        self._http = open_http(settings, account=settings["app_id"])
        self.limits = Limits(rows_per_page=settings["rows_per_page"])
        names = ("app_id", "app_secret", "account", "user", "language", "organisation")
        application = Application(**{name: settings[name] for name in names})
        self._client = KingdeeClient(self._http, application)

    @classmethod
    def spec(cls) -> type[Schema]:
        return KingdeeSettings

    def streams(self) -> Sequence[StreamSpec]:
        return [
            StreamSpec(
                name=stream.name,
                key=stream.origin.key,
                stamp=stream.origin.stamp,
                grain="row",
                paging="keyset",
                window_rows=self.limits.rows_per_page,
                overlap=overlap_of(self._zone),
                deletes="ids",
            )
            for stream in self._mapping.streams
        ]

    def check(self) -> CheckReport:
        report = CheckReport()
        for number, stream in enumerate(self._mapping.streams):
            try:
                self._query(stream, _columns_of(stream), "", key_of(stream), limit=1)
            except ConnectorError as failure:
                if number == 0:
                    report.note("sign_in", passed=False, detail=failure.code)
                    return report
                report.note(stream.name, passed=False, detail=failure.code)
            else:
                report.note(stream.name, passed=True)
        # The service has no call that tells what a user may do without doing it.
        report.warn("read_only", NOT_PROVABLE)
        return report

    def bound(self, now: datetime) -> Bound:
        return Bound(until=int(now.timestamp() * 1_000), as_of=now)

    def read(self, stream: str, cursor: Cursor, until: Any) -> Iterator[Page]:
        mapped = self._mapping.stream(stream)
        watermark = self._watermark(mapped)
        watermark.restore(cursor)
        overlap = overlap_of(self._zone)
        latest = datetime.fromtimestamp(until / 1_000, self._zone).strftime("%Y-%m-%d %H:%M:%S")
        pages = read_stamped(
            lambda window: self._window(mapped, window),
            watermark,
            since=shifted(watermark.after, -overlap),
            limit=self.limits.rows_per_page,
        )
        for rows in pages:
            if fresh := watermark.take(rows, overlap, latest):
                yield _page(mapped, fresh, watermark.cursor(), until)

    def ids(self, stream: str) -> Iterator[Page]:
        mapped = self._mapping.stream(stream)
        slim = replace(mapped, fields=(), stamp=None)
        columns = sorted({key_of(mapped), *columns_named(slim)} - {READ_AT})
        key, after = key_of(mapped), 0
        while True:
            rows = self._query(mapped, columns, f"{key}>{after:d}", key)
            if rows:
                yield Page(tuple(columns), [[row[name] for name in columns] for row in rows], {})
            if len(rows) < self.limits.rows_per_page:
                return
            after = whole_key(rows[-1][key])

    def get(self, stream: str, key: Sequence[str]) -> Page | None:
        mapped = self._mapping.stream(stream)
        if not is_whole(key[0]):
            return None
        wanted = f"{key_of(mapped)}={whole_key(key[0]):d}"
        rows = self._query(mapped, _columns_of(mapped), wanted, key_of(mapped))
        return _page(mapped, rows, {}, self._http.waiting.milliseconds()) if rows else None

    def lookup(self, source: str, columns: Sequence[str]) -> Iterator[Row]:
        """Side tables are small; a form too large for one is refused, not read in part."""
        rows: list[Row] = []
        for start in range(0, LOOKUP_ROWS_MAX, self.limits.rows_per_page):
            page = self._client.query(
                source,
                columns,
                OrderString=columns[0],
                StartRow=start,
                Limit=self.limits.rows_per_page,
            )
            rows += page
            if len(page) < self.limits.rows_per_page:
                return iter(rows)
        raise ConnectorError("mapping.lookup_too_large", source)

    def close(self) -> None:
        self._http.close()

    def _watermark(self, stream: StreamMapping) -> Watermark:
        return Watermark(self._mapping.digest, stamp_of(stream), key_of(stream))

    def _window(self, stream: StreamMapping, window: Window) -> list[Record]:
        stamp, key = stamp_of(stream), key_of(stream)
        parts = [f"{stamp}>='{window.since}'"] if window.since > BEGINNING else []
        if window.before is None:
            order = f"{stamp},{key}"
        else:
            parts.append(f"{stamp}<'{window.before}'")
            order = key
        if window.after_key is not None:
            parts.append(f"{key}>{window.after_key:d}")
        return self._query(stream, _columns_of(stream), " and ".join(parts), order)

    def _query(
        self,
        stream: StreamMapping,
        columns: Sequence[str],
        wanted: str,
        order: str,
        limit: int | None = None,
    ) -> list[Record]:
        assert stream.origin.table is not None, "a service's stream names a form"
        if not all(_FIELD(column) for column in columns):
            # A mapping names fields and nothing else: these go into the question as they are.
            raise ConnectorError("mapping.bad_column", stream.name)
        rows = self._client.query(
            stream.origin.table,
            columns,
            FilterString=wanted,
            OrderString=order,
            StartRow=0,
            Limit=limit or self.limits.rows_per_page,
        )
        if any(len(row) != len(columns) for row in rows):
            # The answer names no fields: one more or less and every value is another's.
            raise ConnectorError("erp.bad_answer", stream.origin.table)
        return [dict(zip(columns, row, strict=True)) for row in rows]


def _columns_of(stream: StreamMapping) -> list[str]:
    return sorted({stamp_of(stream), key_of(stream), *columns_named(stream)} - {READ_AT})


def _page(stream: StreamMapping, rows: Sequence[Record], cursor: Cursor, until: int) -> Page:
    columns = _columns_of(stream)
    values = [[until, *(row[name] for name in columns)] for row in rows]
    return Page((READ_AT, *columns), values, cursor)
