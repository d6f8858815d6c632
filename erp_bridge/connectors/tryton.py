"""Tryton over its REST interface, read with the key of a user that may only read.

A record's ``write_date`` stays empty until its first edit, so a stream is read in two parts: records as they were
born, by ``create_date``, and records as they were edited, by ``write_date``; an edit moves a record from the first
to the second, never back. Stock is computed by Tryton for a warehouse and has no stamp of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from marshmallow import Schema, fields
from marshmallow.validate import Length, Range, Regexp

from app.core import clock
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
from erp_bridge.connectors.http import Answer, HttpSettings, moment_of, open_http
from erp_bridge.connectors.presenting import checked, table_spec
from erp_bridge.connectors.settings import OwnMapping
from erp_bridge.connectors.tryton_approvals import TrytonDesk
from erp_bridge.connectors.tryton_wire import encoded, rows_of, unknown_field
from erp_bridge.connectors.watermark import StampReader, TimeReading, micros_of, start_of
from erp_bridge.mappings.converter import columns_named
from erp_bridge.mappings.nodes import Mapping, StreamMapping

BORN, EDITED = "create_date", "write_date"
PARTS = (("born", BORN), ("edited", EDITED))
#: Not a model of Tryton: its products, as many times as there are warehouses.
STOCK = "stock.by_warehouse"
WAREHOUSE = "warehouse"
WRITES = ("create", "write", "delete")
UTC_ZONE = ZoneInfo("UTC")

Domain = list[Any]


class TrytonSettings(HttpSettings, OwnMapping):
    """Where Tryton is, which database and company of it, and the key of the user that reads."""

    database = fields.String(required=True, validate=Regexp(r"^[A-Za-z0-9_-]{1,63}$"))
    company = fields.Integer(required=True, strict=True, validate=Range(1, 2**31))
    key = fields.String(required=True, validate=Length(16, 512), metadata={"secret": True})
    rows_per_page = fields.Integer(load_default=1_000, strict=True, validate=Range(1, 1_000))


@dataclass(frozen=True, slots=True)
class _Read:
    """What is asked of a model."""

    model: str
    columns: tuple[str, ...]
    domain: Domain
    context: dict[str, Any]


class TrytonConnector:
    """Reads the models that a mapping names; decides with an approver's own key what waits for them."""

    decides = wants_key = True

    def __init__(self, settings: dict[str, Any], mapping: Mapping) -> None:
        self._settings = settings
        self._mapping = mapping
        self._http = open_http(settings, account=settings["database"])
        self._warehouses: list[Any] = []
        self.limits = Limits(rows_per_page=settings["rows_per_page"])
        self._desk = TrytonDesk(
            self._http, settings["database"], settings["company"], self._rows_after
        )

    @classmethod
    def spec(cls) -> type[Schema]:
        return TrytonSettings

    def tasks(self, approvers: Collection[str]) -> Iterator[WaitingTask]:
        return self._desk.tasks()

    def task(self, key: str, approver: str) -> WaitingTask | None:
        return self._desk.task(key)

    def number(self) -> str | None:
        return None

    def act(self, act: Act) -> Ruling:
        return self._desk.act(act)

    def streams(self) -> Sequence[StreamSpec]:
        return [self._spec_of(stream) for stream in self._mapping.streams]

    def check(self) -> CheckReport:
        return checked(
            self._mapping,
            sign_in=self._greet,
            sample=self._sample,
            prove_read_only=self._prove_read_only,
        )

    def bound(self, now: datetime) -> Bound:
        return Bound(until=micros_of(moment_of(self._greet()) or now), as_of=now)

    def read(self, stream: str, cursor: Cursor, until: Any) -> Iterator[Page]:
        mapping = {"mapping": self._mapping.digest}
        cursor = cursor if cursor.get("mapping") in {None, self._mapping.digest} else {}
        origin = self._mapping.stream(stream).origin
        if origin.stamp is None:
            pages = self._whole(stream, cursor, until)
        else:
            pages = self._by_time(stream, cursor, until)
        for rows, after in pages:
            yield Page(self._columns_of(stream), rows, after | mapping)

    def ids(self, stream: str) -> Iterator[Page]:
        bare = replace(self._mapping.stream(stream), fields=(), stamp=None)
        needed = tuple(dict.fromkeys((*bare.origin.key, *sorted(columns_named(bare)))))
        for rows, _ in self._by_key(stream, needed, None):
            yield Page(needed, rows, {}, is_snapshot=True)

    def get(self, stream: str, key: Sequence[str]) -> Page | None:
        columns, origin = self._columns_of(stream), self._mapping.stream(stream).origin
        if not all(part.isascii() and part.isdigit() for part in key):
            return None
        wanted = dict(zip(origin.key, map(int, key), strict=True))
        domain = [["id", "=", wanted["id"]]]
        if origin.table == STOCK:
            rows = self._of_warehouse(stream, columns, wanted[WAREHOUSE], domain)
        else:
            read = self._read_of(stream, (*columns, BORN) if origin.stamp else columns)
            rows = self._rows(read, domain, [["id", "ASC"]], 1)
        if rows and origin.stamp:
            (found,) = map(_with_one_stamp, rows)
            rows = [[micros_of(found[0]), *found[1:]]]
        return Page(columns, rows, {}) if rows else None

    def lookup(self, source: str, columns: Sequence[str]) -> Iterator[Row]:
        read = _Read(source, ("id", *columns), [], {})
        after = 0
        while rows := self._rows(read, [["id", ">", after]], [["id", "ASC"]], self._limit):
            yield from (row[1:] for row in rows)
            after = rows[-1][0]

    def close(self) -> None:
        self._http.close()

    @property
    def _limit(self) -> int:
        return self.limits.rows_per_page

    def _spec_of(self, stream: StreamMapping) -> StreamSpec:
        origin = stream.origin
        return table_spec(
            stream,
            window_rows=self._limit,
            overlap=origin.overlap_seconds if origin.stamp else 0,
        )

    def _columns_of(self, name: str) -> tuple[str, ...]:
        stream = self._mapping.stream(name)
        first = (EDITED, *stream.origin.key) if stream.origin.stamp else stream.origin.key
        return tuple(dict.fromkeys((*first, *sorted(columns_named(stream)))))

    def _read_of(self, name: str, columns: tuple[str, ...], warehouse: Any = None) -> _Read:
        model = self._mapping.stream(name).origin.table
        assert model is not None, "a stream of Tryton names a model"
        if model != STOCK:
            return _Read(model, columns, [], {})
        today = clock.now().astimezone(ZoneInfo(self._mapping.time_zone)).date()
        context = {"locations": [warehouse], "stock_date_end": today}
        return _Read("product.product", columns, [["type", "=", "goods"]], context)

    def _by_time(
        self, stream: str, cursor: Cursor, bound: int
    ) -> Iterator[tuple[list[Row], Cursor]]:
        columns = self._columns_of(stream)
        read = self._read_of(stream, (*columns, BORN))
        if self._is_quiet(read, cursor):
            return
        # What is edited while the first part is read moves to the second, which is read after it.
        for part, name in PARTS:
            reading = TimeReading(
                fetch=partial(self._after, read, name),
                stamps=StampReader(UTC_ZONE),
                places=(0, columns.index("id")),
                bound=bound,
                overlap_seconds=self._mapping.stream(stream).origin.overlap_seconds,
            )
            for rows, after in reading.pages(cursor.get(part, {})):
                cursor = cursor | {part: after}
                yield rows, cursor

    def _is_quiet(self, read: _Read, cursor: Cursor) -> bool:
        """Whether neither part has anything to read: the one small question of a poll that finds nothing."""
        parts = [_from(name, start_of(cursor.get(part, {}))) for part, name in PARTS]
        return not self._rows(
            _Read(read.model, ("id",), read.domain, read.context),
            [["OR", *parts]],
            [["id", "ASC"]],
            1,
        )

    def _after(
        self, read: _Read, stamp: str, after: Sequence[Any] | None
    ) -> tuple[list[Row], bool]:
        rows = self._rows(read, _from(stamp, after), [[stamp, "ASC"], ["id", "ASC"]], self._limit)
        return [_with_one_stamp(row) for row in rows], len(rows) < self._limit

    def _whole(self, stream: str, cursor: Cursor, bound: int) -> Iterator[tuple[list[Row], Cursor]]:
        """Records without a stamp: all of them, but not at every poll."""
        pause = self._mapping.stream(stream).origin.every_seconds * 1_000_000
        if bound < cursor.get("read_at", 0) + pause:
            return
        for rows, after in self._by_key(stream, self._columns_of(stream), cursor.get("after")):
            yield rows, {"after": after}
        yield [], {"read_at": bound}

    def _by_key(
        self, stream: str, columns: tuple[str, ...], after: Sequence[Any] | None
    ) -> Iterator[tuple[list[Row], Sequence[Any]]]:
        """All rows in order of their key; for stock warehouse by warehouse."""
        if self._mapping.stream(stream).origin.table != STOCK:
            start = after[0] if after else 0
            for rows in self._by_id(self._read_of(stream, columns), start):
                yield rows, [rows[-1][columns.index("id")]]
            return
        place = columns.index("id")
        for warehouse in self._all_warehouses():
            if after and warehouse < after[0]:
                continue
            start = after[1] if after and warehouse == after[0] else 0
            while rows := self._of_warehouse(stream, columns, warehouse, [["id", ">", start]]):
                start = rows[-1][place]
                yield rows, [warehouse, start]

    def _of_warehouse(
        self, stream: str, columns: tuple[str, ...], warehouse: Any, domain: Domain
    ) -> list[Row]:
        """Products with what this warehouse has of them; the warehouse stands among the columns."""
        asked = tuple(column for column in columns if column != WAREHOUSE)
        read, place = self._read_of(stream, asked, warehouse), columns.index(WAREHOUSE)
        rows = self._rows(read, domain, [["id", "ASC"]], self._limit)
        return [[*row[:place], warehouse, *row[place:]] for row in rows]

    def _by_id(self, read: _Read, after: int) -> Iterator[list[Row]]:
        place = read.columns.index("id")
        while rows := self._rows(read, [["id", ">", after]], [["id", "ASC"]], self._limit):
            yield rows
            after = rows[-1][place]
            if len(rows) < self._limit:
                return

    def _all_warehouses(self) -> list[Any]:
        if not self._warehouses:
            read = _Read("stock.location", ("id",), [["type", "=", "warehouse"]], {})
            self._warehouses = [row[0] for rows in self._by_id(read, 0) for row in rows]
        return self._warehouses

    def _rows(self, read: _Read, domain: Domain, order: Domain, limit: int) -> list[Row]:
        path = f"/{self._settings['database']}/rest/model/{read.model}"
        # Archived records are records too; without a company Tryton answers no costs and no error.
        context = {"company": self._settings["company"], "active_test": False} | read.context
        answer = self._http.get(
            path,
            {"d": encoded([*read.domain, *domain]), "o": encoded(order), "f": read.columns},
            headers={
                "Authorization": f"Bearer {self._settings['key']}",
                "X-Tryton-Context": encoded(context),
                "Range": f"records=0-{limit}",
            },
            accept={500},
        )
        _refuse_error_page(answer, read)
        return rows_of(answer.json(), read.columns, path)

    def _rows_after(
        self, model: str, columns: tuple[str, ...], domain: Domain, *, after: int
    ) -> list[Row]:
        read = _Read(model, columns, [*domain, ["id", ">", after]], {})
        return self._rows(read, [], [["id", "ASC"]], self._limit)

    def _greet(self) -> Answer:
        """Ask for as little as can be asked: it tells whether we are let in, and the time."""
        database, company = self._settings["database"], self._settings["company"]
        return self._http.get(
            f"/{database}/rest/model/company.company/{company}",
            {"f": ("id",)},
            headers={"Authorization": f"Bearer {self._settings['key']}"},
        )

    def _prove_read_only(self, report: CheckReport) -> None:
        """Tryton tells what a user may do with a model; no write could be tried that would touch nothing."""
        origins = (stream.origin.table for stream in self._mapping.streams)
        models = sorted({"product.product" if table == STOCK else str(table) for table in origins})
        try:
            answer = self._http.ask(
                "POST",
                f"/{self._settings['database']}/rest/model/ir.model.access/get_access",
                headers={
                    "Authorization": f"Bearer {self._settings['key']}",
                    "Content-Type": "application/json",
                },
                content=orjson.dumps({"models": models}),
            )
            rights = {model: answer.json()[model] for model in models}
            writable = [
                f"{model}: {verb}"
                for model, right in rights.items()
                for verb in WRITES
                if right[verb]
            ]
        except ConnectorError as failure:
            report.warn("read_only", f"{NOT_PROVABLE}: {failure.code}")
        except (KeyError, TypeError):
            report.warn("read_only", f"{NOT_PROVABLE}: erp.bad_answer")
        else:
            report.note("read_only", passed=not writable, detail=", ".join(writable[:3]))

    def _sample(self, stream: StreamMapping) -> None:
        columns = self._columns_of(stream.name)
        if stream.origin.table == STOCK:
            next(self._by_key(stream.name, columns, None), None)
        else:
            self._rows(self._read_of(stream.name, columns), [], [["id", "ASC"]], 1)


def _with_one_stamp(row: Row) -> Row:
    """The last edit in front, or the birth, which was asked for behind, where there was none yet."""
    return [row[0] or row[-1], *row[1:-1]]


def _from(stamp: str, after: Sequence[Any] | None) -> Domain:
    """Of one part, what comes after a position, from a moment on, or all of it."""
    domain: Domain = [] if stamp == EDITED else [[EDITED, "=", None]]
    if after is None:
        return domain or [[EDITED, "!=", None]]
    moment = datetime.fromisoformat(after[0])
    return [
        *domain,
        [stamp, ">=", moment] if len(after) == 1 else _beyond(stamp, moment, after[1]),
    ]


def _beyond(stamp: str, moment: datetime, key: int) -> Domain:
    """(stamp, id) > (moment, key), written out."""
    return ["OR", [[stamp, ">", moment]], [[stamp, "=", moment], ["id", ">", key]]]


def _refuse_error_page(answer: Answer, read: _Read) -> None:
    if answer.status < 500:
        return
    named = unknown_field(answer.text())
    asked = {part for column in read.columns for part in column.split(".")}
    if named == read.model:
        raise ConnectorError("erp.missing_table", read.model)
    if named in asked:
        raise ConnectorError("erp.missing_column", f"{read.model}: {named}")
    raise ConnectorError("erp.unavailable", answer.path)
