"""The drop folder: CSV, gzipped CSV and xlsx files that somebody exports from an ERP.

A file is known by its sha256: the same file twice is read once. A file lands whole or not at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from marshmallow import Schema, fields
from marshmallow.validate import Length, OneOf

from erp_bridge.connectors.base import (
    Bound,
    CheckReport,
    ConnectorError,
    Cursor,
    Document,
    Limits,
    Page,
    Row,
    StreamSpec,
)
from erp_bridge.connectors.settings import OwnMapping
from erp_bridge.connectors.tabular import fingerprint, open_table
from erp_bridge.mappings.converter import columns_named, key_columns, lookups_named
from erp_bridge.mappings.nodes import Mapping, StreamMapping

FILES_PER_STREAM_MAX = 1_000
ENCODINGS = ("utf-8", "gb18030", "utf-16", "latin-1")


class FilesSettings(OwnMapping):
    """Where the files are dropped, and how their text is written."""

    folder = fields.String(required=True, validate=Length(1, 500))
    encoding = fields.String(load_default="utf-8", validate=OneOf(ENCODINGS))


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file as the cursor remembers it; size and time spare us reading it again."""

    size: int
    modified_ns: int
    sha256: str

    @classmethod
    def look(cls, path: Path, before: dict[str, Any] | None) -> _Seen:
        found = path.stat()
        size, modified_ns = found.st_size, found.st_mtime_ns
        if before and (before["size"], before["modified_ns"]) == (size, modified_ns):
            return cls(size, modified_ns, before["sha256"])
        return cls(size, modified_ns, fingerprint(path))

    def remembered(self) -> dict[str, Any]:
        return {"size": self.size, "modified_ns": self.modified_ns, "sha256": self.sha256}


class FilesConnector:
    """Reads the files of one folder as the mapping says."""

    limits = Limits()

    def __init__(self, settings: dict[str, Any], mapping: Mapping) -> None:
        self._folder = Path(settings["folder"])
        self._encoding: str = settings["encoding"]
        self._mapping = mapping

    @classmethod
    def spec(cls) -> type[Schema]:
        return FilesSettings

    def streams(self) -> Sequence[StreamSpec]:
        return [_spec_of(stream) for stream in self._mapping.streams]

    def check(self) -> CheckReport:
        report = CheckReport()
        report.note("folder", passed=self._folder.is_dir(), detail=self._folder.name)
        for stream in self._mapping.streams:
            self._check_stream(stream, report)
        # Files are only ever opened for reading; there is no login whose rights could be too wide.
        report.note("read_only", passed=True)
        return report

    def bound(self, now: datetime) -> Bound:
        return Bound(until=None, as_of=now)

    def read(self, stream: str, cursor: Cursor, until: Any) -> Iterator[Page]:
        mapped = self._mapping.stream(stream)
        paths = self._files_of(mapped)
        lookups = self._lookup_state(mapped, cursor.get("lookups", {}))
        inputs = self._inputs(lookups)
        same_inputs = inputs == cursor.get("inputs")
        loaded: dict[str, Any] = {
            name: seen
            for name, seen in cursor.get("files", {}).items()
            if (self._folder / name) in paths
        }
        for path in paths:
            seen = _Seen.look(path, cursor.get("files", {}).get(path.name))
            before = loaded.get(path.name)
            unchanged = before is not None and before["sha256"] == seen.sha256 and same_inputs
            if unchanged and before == seen.remembered():
                continue
            loaded = loaded | {path.name: seen.remembered()}
            state = {"files": loaded, "inputs": inputs, "lookups": lookups}
            yield self._page(mapped, path, seen, state, unchanged=unchanged)

    def ids(self, stream: str) -> Iterator[Page]:
        mapped = self._mapping.stream(stream)
        for path in self._files_of(mapped):
            columns, rows = self._open(mapped, path)
            yield Page(columns, rows, {}, is_snapshot=mapped.origin.mode == "full")

    def get(self, stream: str, key: Sequence[str]) -> Page | None:
        wanted = key_columns(self._mapping.stream(stream))
        for page in self.ids(stream):
            places = [page.columns.index(column) for column in wanted]
            for row in page.rows:
                if len(row) == len(page.columns) and [str(row[i]) for i in places] == list(key):
                    return Page(page.columns, [row], {})
        return None

    def lookup(self, source: str, columns: Sequence[str]) -> Iterator[Row]:
        path = self._newest(source)
        if path is None:
            raise ConnectorError("file.missing", source)
        header, rows = open_table(path, encoding=self._encoding)
        _refuse_missing(header, columns, path.name)
        places = [header.index(column) for column in columns]
        return ([row[i] for i in places] for row in rows if len(row) == len(header))

    def close(self) -> None:
        return

    def _page(
        self, stream: StreamMapping, path: Path, seen: _Seen, cursor: Cursor, *, unchanged: bool
    ) -> Page:
        # A file that was only touched says nothing new; its page carries the cursor and no rows.
        columns, rows = ((), iter(())) if unchanged else self._open(stream, path)
        return Page(
            columns=columns,
            rows=_watched(rows, path, seen),
            cursor=cursor,
            is_snapshot=stream.origin.mode == "full" and not unchanged,
            as_of=datetime.fromtimestamp(seen.modified_ns / 1e9, UTC),
            document=Document(path.name, seen.sha256, seen.size),
        )

    def _open(self, stream: StreamMapping, path: Path) -> tuple[tuple[str, ...], Iterator[Row]]:
        header, rows = open_table(path, encoding=self._encoding)
        _refuse_missing(header, sorted(columns_named(stream)), path.name)
        return header, rows

    def _files_of(self, stream: StreamMapping) -> list[Path]:
        assert stream.origin.file is not None, "a drop folder's stream names a file"
        found = self._matching(stream.origin.file)
        return found[-1:] if stream.origin.mode == "full" else found

    def _newest(self, pattern: str) -> Path | None:
        return next(reversed(self._matching(pattern)), None)

    def _matching(self, pattern: str) -> list[Path]:
        if not self._folder.is_dir():
            raise ConnectorError("folder.missing", self._folder.name)
        found = sorted(path for path in self._folder.glob(pattern) if _is_table(path))
        if len(found) > FILES_PER_STREAM_MAX:
            raise ConnectorError("folder.too_many_files", pattern)
        return found

    def _lookup_state(self, stream: StreamMapping, before: dict[str, Any]) -> dict[str, Any]:
        state: dict[str, Any] = {}
        for name in sorted(lookups_named(stream)):
            path = self._newest(self._mapping.lookup(name).source)
            if path is not None and path.name not in state:
                state[path.name] = _Seen.look(path, before.get(path.name)).remembered()
        return state

    def _inputs(self, lookups: dict[str, Any]) -> str:
        parts = [self._mapping.digest, *(lookups[name]["sha256"] for name in sorted(lookups))]
        return hashlib.sha256("|".join(parts).encode()).hexdigest()

    def _check_stream(self, stream: StreamMapping, report: CheckReport) -> None:
        try:
            paths = self._files_of(stream)
            if not paths:
                report.note(stream.name, passed=False, detail=f"file.missing: {stream.origin.file}")
                return
            _, rows = self._open(stream, paths[-1])
            next(rows, None)
        except ConnectorError as failure:
            report.note(stream.name, passed=False, detail=str(failure))
        else:
            report.note(stream.name, passed=True, detail=paths[-1].name)


def _is_table(path: Path) -> bool:
    """Whether a file is a table, and not one that is still being copied under another name."""
    return path.name.endswith((".csv", ".csv.gz", ".xlsx")) and path.is_file()


def _spec_of(stream: StreamMapping) -> StreamSpec:
    return StreamSpec(
        name=stream.name,
        key=key_columns(stream),
        stamp=None,
        grain="file",
        paging="file",
        window_rows=None,
        overlap=0,
        deletes="snapshot" if stream.origin.mode == "full" else "never",
    )


def _refuse_missing(header: Sequence[str], needed: Sequence[str], name: str) -> None:
    missing = [column for column in needed if column not in header]
    if missing:
        raise ConnectorError("file.missing_column", f"{name}: {', '.join(missing)}")


def _watched(rows: Iterator[Row], path: Path, seen: _Seen) -> Iterator[Row]:
    """Pass the rows on, and refuse the file if somebody wrote to it meanwhile."""
    yield from rows
    now = path.stat()
    if (now.st_size, now.st_mtime_ns) != (seen.size, seen.modified_ns):
        raise ConnectorError("file.changing", path.name)
