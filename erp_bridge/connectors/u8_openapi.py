"""Yonyou U8+ through its OpenAPI gateway: archives and stock read whole, documents followed with their lines.

See `u8_client` for how the gateway speaks and `u8_documents` for how changes are told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from marshmallow import Schema, ValidationError, fields
from marshmallow.validate import Length, OneOf, Range

from erp_bridge.canon import TABLES
from erp_bridge.connectors.approving import Act, Ruling, WaitingTask
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
from erp_bridge.connectors.http import PER_SECOND_MAX, HttpSettings, address, open_http
from erp_bridge.connectors.presenting import checked
from erp_bridge.connectors.tracking import Tracked
from erp_bridge.connectors.u8_approvals import FORMS, U8Desk
from erp_bridge.connectors.u8_client import Account, Record, U8Client, records_in
from erp_bridge.connectors.u8_documents import Documents
from erp_bridge.connectors.u8_objects import ENTRY, READ_AT, U8Object, object_named
from erp_bridge.mappings.converter import columns_named
from erp_bridge.mappings.nodes import Column, StreamMapping
from erp_bridge.mappings.nodes import Mapping as SourceMapping

GATEWAY = "https://api.yonyouup.com"
NAME = Length(1, 128)
DAY_SECONDS = 86_400


def _check_day(value: str) -> None:
    try:
        date.fromisoformat(value)
    except ValueError as error:
        raise ValidationError("Not a day.") from error


class U8OpenApiSettings(HttpSettings):
    """The gateway, the account that asks, and how closely to follow what changes."""

    base_url = address(load_default=GATEWAY)
    from_account = fields.String(required=True, validate=NAME)
    to_account = fields.String(required=True, validate=NAME)
    app_key = fields.String(required=True, validate=NAME)
    app_secret = fields.String(required=True, validate=NAME, metadata={"secret": True})
    ds_sequence = fields.Integer(load_default=1, validate=Range(1, 999))
    rows_per_page = fields.Integer(load_default=500, validate=Range(1, 8_000))
    requests_per_second = fields.Float(
        load_default=2.0, validate=Range(0, PER_SECOND_MAX, min_inclusive=False)
    )
    #: The first document date that is read at all.
    since = fields.String(required=True, validate=_check_day)
    #: Documents of so many days are looked at in every reading, whatever their state.
    recheck_days = fields.Integer(load_default=7, validate=Range(0, 400))
    #: How often everything recent or open is read in full, for edits that no list shows.
    reread_seconds = fields.Integer(load_default=3_600, validate=Range(0, DAY_SECONDS))
    #: Kinds of documents whose tasks are looked for; each costs a request for each approver.
    approvals = fields.List(
        fields.String(validate=OneOf(tuple(FORMS))), load_default=lambda: list(FORMS)
    )
    approvals_seconds = fields.Integer(load_default=60, validate=Range(0, DAY_SECONDS))
    #: Kinds of documents that no workflow governs, and the code of the person who verifies them.
    verifiers = fields.Dict(
        keys=fields.String(validate=OneOf(tuple(FORMS))),
        values=fields.String(validate=NAME),
        load_default=dict,
    )
    archive_seconds = fields.Integer(load_default=600, validate=Range(0, DAY_SECONDS))
    #: Less than the longest interval of stock, so that every look that was planned is one.
    stock_seconds = fields.Integer(load_default=45, validate=Range(0, DAY_SECONDS))


class U8OpenApiConnector:
    """Reads U8 through the gateway, and decides what waits there; it writes nothing else."""

    def __init__(self, settings: dict[str, Any], mapping: SourceMapping) -> None:
        self._settings = settings
        self._mapping = mapping
        self._identity = f"{mapping.digest}|{settings['since']}"
        self._http = open_http(settings, account=settings["app_key"])
        self.limits = Limits(rows_per_page=settings["rows_per_page"])
        self._client = U8Client(self._http, _account_of(settings), settings["rows_per_page"])
        self._shown: dict[tuple[int, str, str], dict[str, Record]] = {}

        self._desk = desk_of(settings, self._client, mapping)

    @classmethod
    def spec(cls) -> type[Schema]:
        return U8OpenApiSettings

    @classmethod
    def decides(cls, config: Mapping[str, Any]) -> bool:
        return bool(config.get("approvals"))

    @property
    def pause_seconds(self) -> int:
        return int(self._settings["approvals_seconds"])

    def tasks(self, approvers: Collection[str]) -> Iterator[WaitingTask]:
        return self._desk.tasks(approvers)

    def task(self, key: str, approver: str) -> WaitingTask | None:
        return self._desk.task(key, approver)

    def number(self) -> str | None:
        return self._desk.number()

    def act(self, act: Act) -> Ruling:
        return self._desk.act(act)

    def streams(self) -> Sequence[StreamSpec]:
        return [self._spec_of(stream) for stream in self._mapping.streams]

    def check(self) -> CheckReport:
        return checked(
            self._mapping,
            sign_in=self._client.token,
            sample=self._sample,
            prove_read_only=_cannot_prove,
        )

    def bound(self, now: datetime) -> Bound:
        return Bound(until=int(now.timestamp() * 1_000), as_of=now)

    def read(self, stream: str, cursor: Cursor, until: Any) -> Iterator[Page]:
        mapped = self._mapping.stream(stream)
        if _object_of(mapped).kind == "document":
            tracked = Tracked.of(cursor, self._identity)
            for rows in self._documents(mapped).read(tracked, until):
                yield _page(mapped, rows, tracked.cursor(), until)
        else:
            yield from self._read_archive(mapped, cursor, until)

    def ids(self, stream: str) -> Iterator[Page]:
        mapped = self._mapping.stream(stream)
        if _object_of(mapped).kind == "document":
            today = self._http.waiting.now().astimezone(ZoneInfo(self._mapping.time_zone)).date()
            for rows in self._documents(mapped).ids(today):
                yield _page(mapped, rows, {}, 0)
        else:
            yield _page(mapped, self._archive(mapped, {}), {}, 0)

    def get(self, stream: str, key: Sequence[str]) -> Page | None:
        mapped = self._mapping.stream(stream)
        source = _object_of(mapped)
        if source.kind == "stock":
            rows = self._archive(mapped, _stock_at(*key[:2]))
        else:
            # An archive answers to `get` in the shape of a document without lines.
            rows = self._documents(mapped).one(key[0])
        named = mapped.origin.key
        found = [row for row in rows if [str(row.get(name) or "") for name in named] == [*key]]
        return _page(mapped, found, {}, self._http.waiting.milliseconds()) if found else None

    def lookup(self, source: str, columns: Sequence[str]) -> Iterator[Row]:
        rows = self._client.rows_of(f"/api/{source}/batch_get", source, columns[:1], {})
        return iter([[row.get(column) for column in columns] for row in rows.values()])

    def close(self) -> None:
        self._http.close()

    def _read_archive(self, stream: StreamMapping, cursor: Cursor, until: int) -> Iterator[Page]:
        """The whole archive when it is due; its rows only when any of them differs."""
        pace = "stock_seconds" if _object_of(stream).kind == "stock" else "archive_seconds"
        known = cursor if cursor.get("identity") == self._identity else {}
        if known and until - known["read_at"] < self._settings[pace] * 1_000:
            return
        rows = self._archive(stream, {})
        digest = hashlib.sha256(orjson.dumps(rows, option=orjson.OPT_SORT_KEYS)).hexdigest()
        changed = digest != known.get("digest")
        after = {"identity": self._identity, "read_at": until, "digest": digest}
        yield _page(stream, rows if changed else [], after, until)

    def _archive(self, stream: StreamMapping, query: dict[str, str]) -> list[Record]:
        source = _object_of(stream)
        found = self._client.rows_of(source.list_path, source.list_name, stream.origin.key, query)
        return [found[key] for key in sorted(found)]

    def _documents(self, stream: StreamMapping) -> Documents:
        settings = self._settings
        return Documents(
            self._client,
            _object_of(stream),
            is_lines=_is_lines(stream),
            since=date.fromisoformat(settings["since"]),
            recheck_days=settings["recheck_days"],
            reread_milliseconds=settings["reread_seconds"] * 1_000,
            zone=ZoneInfo(self._mapping.time_zone),
            shown=self._shown,
        )

    def _spec_of(self, stream: StreamMapping) -> StreamSpec:
        return StreamSpec(
            name=stream.name,
            key=stream.origin.key,
            stamp=stream.origin.stamp,
            grain="row",
            paging="keyset",
            window_rows=self.limits.rows_per_page,
            overlap=120,
            # To name all lines would take a request a document; that a line went is told by its document.
            deletes="never" if _is_lines(stream) else "ids",
            rests=_object_of(stream).kind != "document",
        )

    def _sample(self, stream: StreamMapping) -> None:
        """Read one row, and miss what must be there; other keys are absent when they have no value."""
        source = _object_of(stream)
        body = self._client.ask(source.list_path, {"page_index": "1", "rows_per_page": "1"})
        rows = records_in(source.list_path, (body or {}).get(source.list_name))
        needed = [] if _is_lines(stream) or not rows else _needed_columns(stream)
        missing = [column for column in needed if column not in rows[0]]
        if missing:
            raise ConnectorError("erp.missing_column", ", ".join(missing))


def _cannot_prove(report: CheckReport) -> None:
    """The gateway has no call that tells what an application may do without doing it."""
    report.warn("read_only", NOT_PROVABLE)


def desk_of(settings: Mapping[str, Any], client: U8Client, mapping: SourceMapping) -> U8Desk:
    """The desk of an account."""
    zone = ZoneInfo(mapping.time_zone)
    return U8Desk(client, settings["approvals"], settings["verifiers"], zone)


def _account_of(settings: dict[str, Any]) -> Account:
    names = ("from_account", "to_account", "app_key", "app_secret", "ds_sequence")
    return Account(**{name: str(settings[name]) for name in names})


def _object_of(stream: StreamMapping) -> U8Object:
    assert stream.origin.table is not None, "a gateway's stream names an object"
    return object_named(stream.origin.table)


def _is_lines(stream: StreamMapping) -> bool:
    return (stream.origin.table or "").endswith(ENTRY)


def _needed_columns(stream: StreamMapping) -> list[str]:
    """The columns whose absence is no empty value."""
    needed = TABLES[stream.into].fields
    return [
        what.name
        for name, what in stream.fields
        if needed[name].required and isinstance(what, Column)
    ]


def _stock_at(warehouse: str, product: str) -> dict[str, str]:
    places = {"whcode": warehouse, "invcode": product}
    return {f"{name}_{end}": code for name, code in places.items() for end in ("begin", "end")}


def _page(stream: StreamMapping, rows: Iterable[Record], cursor: Cursor, until: int) -> Page:
    columns = tuple(sorted({READ_AT, *stream.origin.key, *columns_named(stream)}))
    stamped = ({**row, READ_AT: until} for row in rows)
    return Page(columns, [[row.get(name) for name in columns] for row in stamped], cursor)
