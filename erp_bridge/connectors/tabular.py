"""Reads one table file (CSV, gzipped CSV, xlsx) row by row, and says clearly when it is broken."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from python_calamine import CalamineError, load_workbook

from erp_bridge.connectors.base import ConnectorError, Row

CHUNK_BYTES = 1 << 20
BUFFER_BYTES = 1 << 16
COLUMN_COUNT_MAX = 500
CELL_LENGTH_MAX = 1 << 17
WORKBOOK_BYTES_MAX = 64 << 20
CSV_BYTES_MAX = 8 << 30


def fingerprint(path: Path) -> str:
    """The sha256 of a file's bytes."""
    digest = hashlib.sha256()
    with _opened(path) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def open_table(path: Path, *, encoding: str) -> tuple[tuple[str, ...], Iterator[Row]]:
    """The header of a table file, and its rows to be read once.

    A row is as wide as the header, or it is passed on as it is for quarantine. Whatever breaks the file
    as a whole raises `ConnectorError`, at the latest after the last row.
    """
    rows = _workbook_rows(path) if path.suffix == ".xlsx" else _csv_rows(path, encoding)
    header = next(rows, None)
    if header is None:
        raise ConnectorError("file.empty", path.name)
    return _checked_header(header, path.name), rows


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise ConnectorError("file.unreadable", f"{path.name}: {error.strerror}") from error


def _checked_header(header: Row, name: str) -> tuple[str, ...]:
    columns = tuple(str(column or "").strip() for column in header)
    if len(columns) > COLUMN_COUNT_MAX:
        raise ConnectorError("file.too_wide", name)
    named = [column for column in columns if column]
    repeated = {column for column in named if named.count(column) > 1}
    if repeated or not named:
        raise ConnectorError("file.header", f"{name}: {', '.join(sorted(repeated)) or 'empty'}")
    return columns


def _csv_rows(path: Path, encoding: str) -> Iterator[Row]:
    try:
        with _opened(path) as raw, _unpacked(raw, path) as plain:
            watched = _Watched(plain)
            buffered = io.BufferedReader(watched, BUFFER_BYTES)
            lines = io.TextIOWrapper(buffered, encoding=_codec(encoding), newline="")
            yield from _parsed(lines, watched, path.name)
    except (gzip.BadGzipFile, zlib.error) as error:
        raise ConnectorError("file.corrupt", path.name) from error
    except EOFError as error:
        raise ConnectorError("file.truncated", path.name) from error
    except UnicodeDecodeError as error:
        raise ConnectorError("file.encoding", f"{path.name}: not {encoding}") from error
    except csv.Error as error:
        raise ConnectorError("file.csv", f"{path.name}: {error}") from error


def _codec(encoding: str) -> str:
    # Spreadsheet programs put a byte order mark before UTF-8.
    return "utf-8-sig" if encoding == "utf-8" else encoding


def _unpacked(raw: IO[bytes], path: Path) -> IO[bytes]:
    return gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw  # type: ignore[return-value]


def _parsed(lines: io.TextIOWrapper, watched: _Watched, name: str) -> Iterator[Row]:
    csv.field_size_limit(CELL_LENGTH_MAX)
    width, row = 0, None
    for row in csv.reader(lines, strict=True):
        if not row:
            continue
        width = width or len(row)
        if len(row) < width and not watched.ends_with_newline():
            raise ConnectorError("file.truncated", name)
        yield row


class _Watched(io.RawIOBase):
    """Bytes on their way to the CSV reader: remembers how they ended, refuses a bomb."""

    def __init__(self, inner: IO[bytes]) -> None:
        self._inner = inner
        self._seen = 0
        self._last = b"\n"
        self._at_end = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._inner.read(len(buffer))
        self._seen += len(chunk)
        if self._seen > CSV_BYTES_MAX:
            raise ConnectorError("file.too_large")
        self._last = chunk[-1:] or self._last
        self._at_end = not chunk
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def ends_with_newline(self) -> bool:
        """Whether nothing was cut off: true until the end is seen without a newline before it."""
        return not self._at_end or self._last == b"\n"


def _workbook_rows(path: Path) -> Iterator[Row]:
    if path.stat().st_size > WORKBOOK_BYTES_MAX:
        raise ConnectorError("file.too_large", path.name)
    try:
        with load_workbook(str(path)) as book:
            sheet = book.get_sheet_by_index(0)
            yield from (row for row in sheet.iter_rows() if any(cell != "" for cell in row))
    except (CalamineError, OSError) as error:
        raise ConnectorError("file.corrupt", path.name) from error
