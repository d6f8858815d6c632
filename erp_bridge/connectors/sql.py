"""Any SQL database by declaration: the mapping names each stream's table, key and change stamp.

Headers and lines are streams of their own, each with its own (stamp, key) watermark, since editing a line
does not touch its header. Stamps that count writes are read below the lowest one that an open transaction can
still write; stamps that tell the time are read with an overlap. Either way a late commit is found by the next run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from marshmallow import Schema, ValidationError, fields, pre_load
from marshmallow.validate import Length, OneOf, Range, Regexp
from psycopg.conninfo import conninfo_to_dict

from erp_bridge.connectors.base import (
    NOT_PROVABLE,
    WENT_BACK,
    Bound,
    CheckReport,
    ConnectorError,
    Cursor,
    Limits,
    Page,
    Row,
    StreamSpec,
)
from erp_bridge.connectors.dialects import (
    Dialect,
    PostgresDialect,
    SqlServerDialect,
    Statement,
    TableRead,
)
from erp_bridge.connectors.egress import permitted_addresses
from erp_bridge.connectors.presenting import checked, table_spec
from erp_bridge.connectors.settings import OwnMapping, zone_field
from erp_bridge.connectors.sql_drivers import code_of, connect, driver_errors
from erp_bridge.connectors.watermark import StampReader, TimeReading, micros_of, plain
from erp_bridge.mappings.converter import columns_named
from erp_bridge.mappings.nodes import Mapping, StreamMapping

PORTS = {"postgresql": 5432, "sqlserver": 1433}
CHECKED_REFUSALS = {"erp.not_allowed", "erp.not_writable"}


class SqlSettings(OwnMapping):
    """Where the database is, and the read-only account."""

    dialect = fields.String(load_default="postgresql", validate=OneOf(list(PORTS)))
    host = fields.String(required=True, validate=Length(1, 255))
    port = fields.Integer(validate=Range(1, 65535))
    database = fields.String(required=True, validate=Length(1, 128))
    schema = fields.String(load_default="public", validate=Regexp(r"^[A-Za-z_][A-Za-z0-9_]{0,62}$"))
    user = fields.String(required=True, validate=Length(1, 128))
    password = fields.String(required=True, validate=Length(0, 512), metadata={"secret": True})
    rows_per_page = fields.Integer(load_default=5_000, validate=Range(1, 50_000))
    #: The zone of stamps without an offset; that of the mapping unless it says otherwise.
    time_zone = zone_field()

    @pre_load
    def _split_url(self, given: Any, **_: Any) -> Any:
        """A PostgreSQL ``url`` may stand for host, port, database, user and password."""
        if not isinstance(given, dict) or "url" not in given:
            return given
        try:
            parts = conninfo_to_dict(given["url"])
        except (psycopg.ProgrammingError, TypeError) as error:
            raise ValidationError({"url": ["Not a database URL."]}) from error
        named = {"database": parts.pop("dbname", None)} | parts
        known = {name: value for name, value in named.items() if name in self.fields}
        return known | {name: value for name, value in given.items() if name != "url"}


class SqlConnector:
    """Reads the tables that a mapping declares."""

    def __init__(self, settings: dict[str, Any], mapping: Mapping) -> None:
        self._settings = {"port": PORTS[settings["dialect"]]} | settings
        self._mapping = mapping
        self._dialect = self.dialect_of(settings["dialect"])
        self._stamps = StampReader(ZoneInfo(settings.get("time_zone") or mapping.time_zone))
        self._connection: Any = None
        self.limits = Limits(rows_per_page=settings["rows_per_page"])

    @classmethod
    def spec(cls) -> type[Schema]:
        return SqlSettings

    @classmethod
    def dialect_of(cls, name: str) -> Dialect:
        """The words of a database; names are as the mapping writes them."""
        return PostgresDialect(folding=False) if name == "postgresql" else SqlServerDialect()

    def streams(self) -> Sequence[StreamSpec]:
        return [self._spec_of(stream) for stream in self._mapping.streams]

    def check(self) -> CheckReport:
        return checked(
            self._mapping,
            sign_in=lambda: self._rows((self._dialect.bound(self._schema, "timestamp"), ())),
            sample=self._sample,
            prove_read_only=self._prove_read_only,
        )

    def bound(self, now: datetime) -> Bound:
        kinds = dict.fromkeys(stream.origin.kind for stream in self._mapping.streams)
        until: dict[str, int] = {}
        for kind in ("timestamp", *(kinds.keys() - {"none", "timestamp"})):
            value = self._rows((self._dialect.bound(self._schema, kind), ()))[0][0]
            until[kind] = micros_of(value) if kind == "timestamp" else int(value)
        return Bound(until=until, as_of=now)

    def read(self, stream: str, cursor: Cursor, until: Any) -> Iterator[Page]:
        table, mapping = self._table_of(stream), {"mapping": self._mapping.digest}
        # Rows that were read by another mapping are read again.
        cursor = cursor if cursor.get("mapping") in {None, self._mapping.digest} else {}
        for rows, after in self._pages(table, stream, cursor, until):
            yield Page(table.columns, rows, after | mapping)

    def ids(self, stream: str) -> Iterator[Page]:
        table = self._keys_of(stream)
        for rows, _ in self._by_key(table, None):
            yield Page(table.columns, rows, {}, is_snapshot=True)

    def get(self, stream: str, key: Sequence[str]) -> Page | None:
        table = self._table_of(stream)
        rows = self._rows(self._dialect.one(table, key))
        if rows and table.kind == "timestamp":
            rows = [[self._stamps.micros(row[0]), *row[1:]] for row in rows]
        return Page(table.columns, rows, {}) if rows else None

    def lookup(self, source: str, columns: Sequence[str]) -> Iterator[Row]:
        return iter(self._rows(self._dialect.side_table(*self._placed(source), columns)))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def _schema(self) -> str:
        schema: str = self._settings["schema"]
        return schema

    def _placed(self, table: str) -> tuple[str, str]:
        """A table and the schema it is in, which may be written before it."""
        schema, dot, name = table.rpartition(".")
        return (schema, name) if dot else (self._schema, table)

    def _spec_of(self, stream: StreamMapping) -> StreamSpec:
        origin = stream.origin
        return table_spec(
            stream,
            window_rows=self.limits.rows_per_page,
            overlap=origin.overlap_seconds if origin.kind == "timestamp" else 0,
        )

    def _table_of(self, name: str) -> TableRead:
        stream = self._mapping.stream(name)
        origin = stream.origin
        assert origin.table is not None, "a database's stream names a table"
        schema, table = self._placed(origin.table)
        first = (origin.stamp,) if origin.stamp else ()
        columns = dict.fromkeys((*first, *origin.key, *sorted(columns_named(stream))))
        return TableRead(
            schema,
            table,
            tuple(columns),
            origin.stamp,
            origin.key,
            origin.kind,
            origin.first_stamp,
        )

    def _keys_of(self, name: str) -> TableRead:
        table = self._table_of(name)
        needed = columns_named(replace(self._mapping.stream(name), fields=(), stamp=None))
        columns = tuple(column for column in table.columns if column in {*needed, *table.key})
        return replace(table, columns=columns)

    def _pages(
        self, table: TableRead, stream: str, cursor: Cursor, until: Any
    ) -> Iterator[tuple[list[Row], Cursor]]:
        if table.kind == "timestamp":
            return self._by_time(table, stream, until["timestamp"]).pages(cursor)
        if table.kind == "none":
            return self._whole(table, stream, cursor, until["timestamp"])
        return self._by_count(table, cursor.get("after"), until[table.kind])

    def _by_count(
        self, table: TableRead, after: Sequence[Any] | None, until: int
    ) -> Iterator[tuple[list[Row], Cursor]]:
        """A stamp that counts writes, strictly below what an open transaction may still write."""
        assert table.stamp is not None
        if after is not None and int(after[0]) >= until:
            # The bound only ever grows: a database was put back to an earlier day, or is another one.
            raise ConnectorError(WENT_BACK, f"read up to {after[0]}, now at {until}")
        limit, order = self.limits.rows_per_page, (table.stamp, *table.key)
        while rows := self._rows(self._dialect.page(table, after, until, limit)):
            after = _values_of(table, rows[-1], order)
            yield rows, {"after": after}
            if len(rows) < limit:
                return

    def _by_time(self, table: TableRead, stream: str, bound: int) -> TimeReading:
        assert table.stamp is not None
        limit = self.limits.rows_per_page

        def fetch(after: Sequence[Any] | None) -> tuple[list[Row], bool]:
            rows = self._rows(self._dialect.page(table, after, None, limit))
            return rows, len(rows) < limit

        return TimeReading(
            fetch=fetch,
            stamps=self._stamps,
            places=[table.columns.index(name) for name in (table.stamp, *table.key)],
            bound=bound,
            overlap_seconds=self._mapping.stream(stream).origin.overlap_seconds,
        )

    def _whole(
        self, table: TableRead, stream: str, cursor: Cursor, bound: int
    ) -> Iterator[tuple[list[Row], Cursor]]:
        """A table without a stamp: all of it, but not at every poll."""
        pause = self._mapping.stream(stream).origin.every_seconds * 1_000_000
        if bound < cursor.get("read_at", 0) + pause:
            return
        for rows, after in self._by_key(table, cursor.get("after")):
            is_last = len(rows) < self.limits.rows_per_page
            yield rows, {"read_at": bound} if is_last else {"after": after}

    def _by_key(
        self, table: TableRead, after: Sequence[Any] | None
    ) -> Iterator[tuple[list[Row], Sequence[Any] | None]]:
        """All rows in order of their key; the last page is the one that is not full."""
        limit, is_last = self.limits.rows_per_page, False
        while not is_last:
            rows = self._rows(self._dialect.keys(table, after, limit))
            is_last = len(rows) < limit
            after = _values_of(table, rows[-1], table.key) if rows else after
            yield rows, after

    def _rows(self, statement: Statement) -> list[Row]:
        try:
            if self._connection is None:
                self._connection = self._connected(writable=False)
            with closing(self._connection.cursor()) as cursor:
                cursor.execute(*statement)
                rows: list[Row] = cursor.fetchall()
                return rows
        except driver_errors(self._settings) as error:
            self.close()
            raise ConnectorError(code_of(error)) from error

    def _sample(self, stream: StreamMapping) -> None:
        table = self._table_of(stream.name)
        rows = self._rows(self._dialect.sample(table))
        if table.kind == "timestamp":
            self._check_stamps(table, rows)

    def _check_stamps(self, table: TableRead, rows: list[Row]) -> None:
        if self._rows(self._dialect.unstamped(table)):
            raise ConnectorError("erp.row_without_stamp")
        for row in rows:
            self._stamps.micros(row[0])

    def _prove_read_only(self, report: CheckReport) -> None:
        """Ask what the account may write at all, then try it, touching no row, where nothing else forbids it."""
        try:
            rights = [str(row[0]) for row in self._rows((self._dialect.write_rights(), ()))]
            unknown = ""
        except ConnectorError as failure:
            rights, unknown = [], f"{NOT_PROVABLE}: {failure.code}"
        if found := rights or self._writable():
            report.note("read_only", passed=False, detail=", ".join(found))
        elif unknown:
            report.warn("read_only", unknown)
        else:
            report.note("read_only", passed=True)

    def _writable(self) -> list[str]:
        """The first table of the streams that took a write."""
        for stream in self._mapping.streams:
            for probe in self._dialect.write_probes(self._table_of(stream.name)):
                if not self._is_refused(probe):
                    return [str(stream.origin.table)]
        return []

    def _is_refused(self, probe: str) -> bool:
        try:
            with closing(self._connected(writable=True)) as connection:
                connection.cursor().execute(probe)
        except driver_errors(self._settings) as error:
            return code_of(error) in CHECKED_REFUSALS
        return False

    def _connected(self, *, writable: bool) -> Any:
        settings = self._settings
        if self._is_guarded():
            address = permitted_addresses(settings["host"], settings["port"])[0]
            settings = settings | {"address": address}
        return connect(settings, statement_seconds=self.limits.statement_seconds, writable=writable)

    def _is_guarded(self) -> bool:
        """Whether the company says itself what is read: then on hosts that the installation names only."""
        return True


def _values_of(table: TableRead, row: Row, names: Sequence[str]) -> list[Any]:
    return [plain(row[table.columns.index(name)]) for name in names]
