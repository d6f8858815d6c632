"""Trying a mapping on real rows of the ERP before it runs: what came beside what would become of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from erp_bridge.connectors.base import ConnectorError, Page
from erp_bridge.connectors.registry import open_connector
from erp_bridge.mappings.converter import Converter, RowError
from erp_bridge.mappings.loader import MappingError, parse_mapping
from erp_bridge.mappings.values import UnfitValueError, unescaped
from erp_bridge.models import Source
from erp_bridge.opening import OpenSource, mapping_of_source, read_secrets

ROWS_MAX = 20
CELL_LENGTH_MAX = 500


@dataclass(frozen=True, kw_only=True)
class PreviewedRow:
    """A row as it came, and as it would land; what cannot be converted says why, field by field."""

    key: str | None
    #: Whether the mapping's condition takes the row.
    wanted: bool
    raw: dict[str, str | None]
    fields: dict[str, str | None]
    errors: dict[str, str]


@dataclass
class Preview:
    """What a mapping makes of some real rows, or what is wrong with it."""

    columns: tuple[str, ...] = ()
    rows: list[PreviewedRow] = field(default_factory=list)
    #: Place in the mapping, or ``source`` → what is wrong.
    problems: dict[str, str] = field(default_factory=dict)


def check_mapping(text: str) -> dict[str, str]:
    """What is wrong with a mapping, by place; nothing, if it may run."""
    try:
        parse_mapping(text)
    except MappingError as error:
        return error.problems
    return {}


def open_with(source: Source, mapping_text: str | None, *, secret_key: str) -> OpenSource:
    """Open a source with its own mapping, or with another one that was found to be in order."""
    settings = source.config | read_secrets(source, secret_key=secret_key)
    mapping = mapping_of_source(source)
    if mapping_text is not None:
        mapping = parse_mapping(mapping_text)
        # A mapping of the company's own reads only what the installation lets it, tried or run.
        settings |= {"mapping_text": mapping_text}
    if source.connector in {"sql", "u8_sql"}:
        settings |= {"rows_per_page": ROWS_MAX}
    connector = open_connector(source.connector, settings, mapping)
    return OpenSource(source.tenant_id, source.id, mapping, connector)


def preview_stream(opened: OpenSource, stream: str, *, now: datetime) -> Preview:
    """Read the first rows of a stream and convert them; nothing is kept, and no cursor moves."""
    preview = Preview()
    try:
        with closing(opened):
            until = opened.connector.bound(now).until
            for page in opened.connector.read(stream, {}, until):
                _take(preview, opened, stream, page)
                if len(preview.rows) >= ROWS_MAX:
                    break
    except ConnectorError as error:
        preview.problems["source"] = str(error)[:CELL_LENGTH_MAX]
    return preview


def _take(preview: Preview, opened: OpenSource, stream: str, page: Page) -> None:
    if not page.columns:
        return
    converter = opened.converter(stream, page.columns)
    preview.columns = page.columns
    for row in page.rows:
        if len(preview.rows) >= ROWS_MAX:
            return
        preview.rows.append(_previewed(converter, page.columns, row))


def _previewed(converter: Converter, columns: Sequence[str], row: Sequence[Any]) -> PreviewedRow:
    raw = {name: _cell(value) for name, value in zip(columns, row, strict=False)}
    if len(row) != len(columns):
        return PreviewedRow(key=None, wanted=False, raw=raw, fields={}, errors={"row": "row.width"})
    key, errors = None, {}
    try:
        key = converter.key_of(row)
    except RowError as error:
        errors["key"] = error.code
    wanted = True
    try:
        wanted = converter.where is None or converter.where(row)
    except UnfitValueError as error:
        errors["where"] = error.code
    fields = dict(_fields(converter, row, errors)) if wanted else {}
    return PreviewedRow(key=key, wanted=wanted, raw=raw, fields=fields, errors=errors)


def _fields(
    converter: Converter, row: Sequence[Any], errors: dict[str, str]
) -> Iterator[tuple[str, str | None]]:
    """Every field by itself: one that does not fit hides none of the others."""
    for name, write in zip(converter.fields, converter.writers, strict=True):
        try:
            yield name, _cell(unescaped(write(row)))
        except UnfitValueError as error:
            errors[name] = error.code


def _cell(value: Any) -> str | None:
    return None if value is None else str(value).replace("\x00", "")[:CELL_LENGTH_MAX]
