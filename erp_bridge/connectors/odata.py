"""Any OData service, version 2 or 4: SAP S/4HANA and whatever else speaks it.

Pages follow (stamp, key) and never the service's own next link, which is an offset in disguise: what is edited
between two pages would shift the rest by one and lose it. A next link only says that there is more. Version 2
shows milliseconds of stamps that are finer, so there a page ends with the whole of its last millisecond.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import Schema, ValidationError, fields, validates_schema
from marshmallow.validate import Length, OneOf, Range, Regexp

from erp_bridge.connectors import odata_wire as wire
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
from erp_bridge.connectors.http import Answer, HttpError, HttpSettings, moment_of, open_http
from erp_bridge.connectors.odata_metadata import EntitySet, Metadata
from erp_bridge.connectors.odata_sign_in import sign_in_of
from erp_bridge.connectors.presenting import checked, table_spec
from erp_bridge.connectors.settings import OwnMapping, zone_field
from erp_bridge.connectors.watermark import StampReader, TimeReading, micros_of, plain
from erp_bridge.mappings.converter import columns_named
from erp_bridge.mappings.nodes import Mapping, StreamMapping

NEEDED = {"basic": ("user", "password"), "oauth2": ("token_url", "client_id", "client_secret")}
MILLISECOND = timedelta(milliseconds=1)
PAGES_OF_ONE_MOMENT_MAX = 1_000
METADATA = Metadata()


class ODataSettings(HttpSettings, OwnMapping):
    """Where the service is, which version it speaks, and the account that may read."""

    version = fields.String(load_default="v4", validate=OneOf(["v2", "v4"]))
    auth = fields.String(load_default="basic", validate=OneOf(list(NEEDED)))
    user = fields.String(load_default=None, validate=Length(1, 128))
    password = fields.String(load_default=None, validate=Length(1, 512), metadata={"secret": True})
    token_url = fields.String(
        load_default=None, validate=HttpSettings().fields["base_url"].validate
    )
    client_id = fields.String(load_default=None, validate=Length(1, 256))
    client_secret = fields.String(
        load_default=None, validate=Length(1, 512), metadata={"secret": True}
    )
    scope = fields.String(load_default=None, validate=Length(1, 512))
    sap_client = fields.String(load_default=None, validate=Regexp(r"^[0-9]{3}$"))
    rows_per_page = fields.Integer(load_default=500, strict=True, validate=Range(1, 5_000))
    #: The zone of stamps without an offset.
    time_zone = zone_field(load_default="UTC")

    @validates_schema
    def _signs_in(self, values: dict[str, Any], **_: Any) -> None:
        missing = [name for name in NEEDED[values["auth"]] if not values.get(name)]
        if missing:
            raise ValidationError({name: ["Missing data for required field."] for name in missing})


@dataclass(frozen=True, slots=True)
class _Read:
    """One set to read: its columns with the stamp and key first, and their types."""

    #: Its path below the base.
    entity: str
    columns: tuple[str, ...]
    stamp: str | None
    key: tuple[str, ...]
    types: dict[str, str]


class ODataConnector:
    """Reads the entity sets that a mapping names."""

    def __init__(self, settings: dict[str, Any], mapping: Mapping) -> None:
        self._settings = settings
        self._mapping = mapping
        self._version: wire.Version = settings["version"]
        self._http = open_http(settings, account=settings["user"] or settings["client_id"])
        self._sign_in = sign_in_of(settings)
        self._stamps = StampReader(ZoneInfo(settings["time_zone"]))
        self.limits = Limits(rows_per_page=settings["rows_per_page"])

    @classmethod
    def spec(cls) -> type[Schema]:
        return ODataSettings

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
        read = self._read_of(stream)
        mapping = {"mapping": self._mapping.digest}
        cursor = cursor if cursor.get("mapping") in {None, self._mapping.digest} else {}
        if read.stamp is None:
            pages = self._whole(read, stream, cursor, until)
        else:
            pages = TimeReading(
                fetch=lambda after: self._after(read, after),
                stamps=self._stamps,
                places=range(1 + len(read.key)),
                bound=until,
                overlap_seconds=self._mapping.stream(stream).origin.overlap_seconds,
            ).pages(cursor)
        for rows, after in pages:
            yield Page(read.columns, rows, after | mapping)

    def ids(self, stream: str) -> Iterator[Page]:
        read = self._read_of(stream)
        wanted = replace(self._mapping.stream(stream), fields=(), stamp=None)
        needed = {*read.key, *columns_named(wanted)}
        places = [i for i, column in enumerate(read.columns) if column in needed]
        names = tuple(read.columns[i] for i in places)
        for rows, _ in self._by_key(read, None):
            yield Page(names, [[row[i] for i in places] for row in rows], {}, is_snapshot=True)

    def get(self, stream: str, key: Sequence[str]) -> Page | None:
        read = self._read_of(stream)
        same = [
            f"{name} eq {self._literal(read, name, of)}"
            for name, of in zip(read.key, key, strict=True)
        ]
        rows, _ = self._rows(read, " and ".join(same), read.key, 1)
        if rows and read.stamp is not None:
            rows = [[self._stamps.micros(rows[0][0]), *rows[0][1:]]]
        return Page(read.columns, rows, {}) if rows else None

    def lookup(self, source: str, columns: Sequence[str]) -> Iterator[Row]:
        service, entity = _split(source)
        found = self._entity_set(service, entity)
        named = tuple(dict.fromkeys((*found.key, *columns)))
        read = _Read(f"{service}/{wire.name(entity)}", named, None, found.key, dict(found.types))
        places = [named.index(column) for column in columns]
        for rows, _ in self._by_key(read, None):
            yield from ([row[i] for i in places] for row in rows)

    def close(self) -> None:
        self._http.close()
        self._sign_in.close()

    def _spec_of(self, stream: StreamMapping) -> StreamSpec:
        origin = stream.origin
        return table_spec(
            stream,
            window_rows=self.limits.rows_per_page,
            overlap=origin.overlap_seconds if origin.stamp else 0,
        )

    def _read_of(self, name: str, *, anew: bool = False) -> _Read:
        stream = self._mapping.stream(name)
        origin, (service, entity) = stream.origin, _place_of(stream)
        types = self._entity_set(service, entity, anew=anew).types
        first = (origin.stamp,) if origin.stamp else ()
        columns = tuple(dict.fromkeys((*first, *origin.key, *sorted(columns_named(stream)))))
        missing = [column for column in columns if column not in types]
        if missing:
            raise ConnectorError("erp.missing_column", f"{entity}: {', '.join(missing)}")
        return _Read(
            f"{service}/{wire.name(entity)}", columns, origin.stamp, origin.key, dict(types)
        )

    def _greet(self) -> Answer:
        """Ask the first stream's service for its front page, which tells that we are let in, and the time."""
        service, _ = _place_of(self._mapping.streams[0])
        return self._ask(f"{service}/", {})

    def _entity_set(self, service: str, name: str, *, anew: bool = False) -> EntitySet:
        path = f"{service}/$metadata"
        address = f"{self._settings['base_url']}|{self._settings['user']}|{path}"
        if anew:
            METADATA.forget(address)
        found = METADATA.of(address, lambda: self._ask(path, {}).body).get(name)
        if found is None:
            raise ConnectorError("erp.missing_table", name)
        return found

    def _after(self, read: _Read, after: Sequence[Any] | None) -> tuple[list[Row], bool]:
        assert read.stamp is not None
        order, limit = (read.stamp, *read.key), self.limits.rows_per_page
        rows, is_last = self._rows(read, self._filter_after(read, order, after), order, limit)
        if rows and not is_last and self._version == "v2":
            rows = self._with_whole_last_moment(read, rows)
        return rows, is_last

    def _filter_after(
        self, read: _Read, order: Sequence[str], after: Sequence[Any] | None
    ) -> str | None:
        if after is None:
            return None
        if len(after) == 1:
            return f"{order[0]} ge {self._literal(read, order[0], after[0])}"
        if self._version == "v2":
            return f"{order[0]} ge {self._literal(read, order[0], _next_moment(after[0]))}"
        return self._beyond(read, order, after)

    def _beyond(self, read: _Read, names: Sequence[str], values: Sequence[Any]) -> str:
        """(a, b) > (x, y), written out: a > x or (a = x and b > y)."""
        written = [self._literal(read, name, of) for name, of in zip(names, values, strict=True)]
        cases = []
        for last in range(len(names)):
            same = [f"{names[i]} eq {written[i]}" for i in range(last)]
            cases.append(" and ".join([*same, f"{names[last]} gt {written[last]}"]))
        return " or ".join(f"({case})" for case in cases)

    def _with_whole_last_moment(self, read: _Read, rows: list[Row]) -> list[Row]:
        """What shares the last row's millisecond comes whole and by its key; the next page starts after it."""
        assert read.stamp is not None
        moment = rows[-1][0]
        start = self._literal(read, read.stamp, moment)
        end = self._literal(read, read.stamp, _next_moment(moment))
        within = f"{read.stamp} ge {start} and {read.stamp} lt {end}"
        whole = [row for row in rows if row[0] != moment]
        after: Sequence[Any] | None = None
        for _ in range(PAGES_OF_ONE_MOMENT_MAX):
            rest = f"{within} and ({self._beyond(read, read.key, after)})" if after else within
            found, is_last = self._rows(read, rest, read.key, self.limits.rows_per_page)
            whole += found
            if is_last or not found:
                return whole
            after = [plain(value) for value in found[-1][1 : 1 + len(read.key)]]
        raise ConnectorError("erp.paging_stuck", read.entity)

    def _whole(
        self, read: _Read, stream: str, cursor: Cursor, bound: int
    ) -> Iterator[tuple[list[Row], Cursor]]:
        """A set without a stamp: all of it, but not at every poll."""
        pause = self._mapping.stream(stream).origin.every_seconds * 1_000_000
        if bound < cursor.get("read_at", 0) + pause:
            return
        for rows, after in self._by_key(read, cursor.get("after")):
            yield rows, {"after": after} if after else {"read_at": bound}

    def _by_key(
        self, read: _Read, after: Sequence[Any] | None
    ) -> Iterator[tuple[list[Row], Sequence[Any] | None]]:
        """All rows in order of their key, and where the next page starts, if there is one."""
        places = [read.columns.index(name) for name in read.key]
        while True:
            beyond = self._beyond(read, read.key, after) if after else None
            rows, is_last = self._rows(read, beyond, read.key, self.limits.rows_per_page)
            before, after = after, [plain(rows[-1][i]) for i in places] if rows else None
            if after is not None and after == before:
                raise ConnectorError("erp.paging_stuck", read.entity)
            yield rows, None if is_last else after
            if is_last or not rows:
                return

    def _rows(
        self, read: _Read, where: str | None, order: Sequence[str], limit: int
    ) -> tuple[list[Row], bool]:
        query = {
            "$select": ",".join(map(wire.name, read.columns)),
            "$orderby": ",".join(f"{wire.name(name)} asc" for name in order),
            "$top": str(limit),
        }
        answer = self._ask(read.entity, query | ({"$filter": where} if where else {}))
        found = wire.answered(answer.json(), answer.path)
        try:
            rows: list[Row] = [
                [wire.cell(row[name], read.types[name]) for name in read.columns]
                for row in found.rows
            ]
        except KeyError as error:
            raise ConnectorError(
                "erp.missing_column", f"{read.entity.rpartition('/')[2]}: {error.args[0]}"
            ) from error
        return rows, not found.has_more and len(rows) < limit

    def _literal(self, read: _Read, name: str, value: Any) -> str:
        return wire.literal(value, read.types[name], self._version)

    def _ask(self, path: str, query: dict[str, str]) -> Answer:
        if self._settings["sap_client"]:
            query = query | {"sap-client": self._settings["sap_client"]}
        if not path.endswith("/$metadata") and self._version == "v2":
            query = query | {"$format": "json"}
        try:
            return self._asked(path, query)
        except HttpError as refused:
            if refused.status != 401 or not self._sign_in.renew():
                raise
            return self._asked(path, query)

    def _asked(self, path: str, query: dict[str, str]) -> Answer:
        wanted = "application/json"
        if path.endswith("/$metadata"):
            wanted = "application/xml"
        elif self._version == "v4":
            wanted += ";IEEE754Compatible=true"
        return self._http.get(path, query, headers=self._sign_in.headers() | {"Accept": wanted})

    def _prove_read_only(self, report: CheckReport) -> None:
        """A service may say that its sets take no writes. Nothing is tried: no write is sure to change nothing."""
        try:
            sets = [self._entity_set(*_place_of(stream)) for stream in self._mapping.streams]
        except ConnectorError as failure:
            report.warn("read_only", f"{NOT_PROVABLE}: {failure.code}")
            return
        if all(found.is_read_only for found in sets):
            report.note("read_only", passed=True)
        else:
            report.warn("read_only", NOT_PROVABLE)

    def _sample(self, stream: StreamMapping) -> None:
        read = self._read_of(stream.name, anew=True)
        order = (read.stamp, *read.key) if read.stamp else read.key
        rows, _ = self._rows(read, None, order, 1)
        for row in rows if read.stamp else ():
            self._stamps.micros(row[0])


def _place_of(stream: StreamMapping) -> tuple[str, str]:
    assert stream.origin.table is not None, "a service's stream names an entity set"
    return _split(stream.origin.table)


def _split(place: str) -> tuple[str, str]:
    """A set, and the path of the service it belongs to when the base holds several."""
    service, slash, entity = place.rpartition("/")
    return slash + service, entity


def _next_moment(stamp: Any) -> str:
    moment = stamp if isinstance(stamp, datetime) else datetime.fromisoformat(str(stamp))
    return (moment + MILLISECOND).isoformat(timespec="milliseconds")
