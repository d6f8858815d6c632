"""Opening a source: its settings with their secrets, its mapping, its connector, its side tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from app.core.crypto import seal, unseal
from erp_bridge.connectors.base import CheckReport, Connector, ConnectorError
from erp_bridge.connectors.http import ALLOWANCE
from erp_bridge.connectors.pacing import Allowance
from erp_bridge.connectors.registry import open_connector, secret_settings
from erp_bridge.mappings.compiler import ColumnError, Find, find_in, find_next
from erp_bridge.mappings.converter import Converter, build_converter, lookups_named
from erp_bridge.mappings.loader import mapping_of
from erp_bridge.mappings.nodes import Mapping
from erp_bridge.models import Source

LOOKUP_ROWS_MAX = 500_000


@dataclass
class OpenSource:
    """A source ready to be read: everything but the platform's database."""

    tenant_id: UUID
    source_id: UUID
    mapping: Mapping
    connector: Connector
    _lookups: dict[str, Find] = field(default_factory=dict)

    def converter(self, stream: str, columns: Sequence[str]) -> Converter:
        """The stream's converter for rows with these columns."""
        mapped = self.mapping.stream(stream)
        lookups = {name: self._lookup(name) for name in lookups_named(mapped)}
        zone = ZoneInfo(self.mapping.time_zone)
        try:
            return build_converter(mapped, columns, lookups=lookups, zone=zone)
        except ColumnError as error:
            raise ConnectorError("erp.missing_column", error.column) from error

    def key_converter(self, stream: str, columns: Sequence[str]) -> Converter:
        """A converter that reads only a row's key and whether it is wanted."""
        mapped = self.mapping.stream(stream)
        mapped = replace(mapped, fields=(), stamp=None, origin=replace(mapped.origin, stamp=None))
        lookups = {name: self._lookup(name) for name in lookups_named(mapped)}
        zone = ZoneInfo(self.mapping.time_zone)
        return build_converter(mapped, columns, lookups=lookups, zone=zone)

    def checked(self) -> CheckReport:
        """Check the source, then let go of it."""
        try:
            return self.connector.check()
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the ERP."""
        self.connector.close()

    def _lookup(self, name: str) -> Find:
        if name not in self._lookups:
            self._lookups[name] = self._read_lookup(name)
        return self._lookups[name]

    def _read_lookup(self, name: str) -> Find:
        table = self.mapping.lookup(name)
        if table.next_of:
            rows = self.connector.lookup(table.source, [table.next_of])
            return find_next([str(row[0] or "") for row in rows], ZoneInfo(self.mapping.time_zone))
        assert table.match is not None
        assert table.give is not None
        pairs: dict[str, str] = {}
        for match, give in self.connector.lookup(table.source, [table.match, table.give]):
            if match not in {None, ""} and give not in {None, ""}:
                pairs[str(match)] = str(give)
            if len(pairs) > LOOKUP_ROWS_MAX:
                raise ConnectorError("mapping.lookup_too_large", name)
        return find_in(pairs)


def open_source(
    source: Source, *, secret_key: str, allowance: Allowance | None = None
) -> OpenSource:
    """Open a source with its settings as they are now; its requests count against the ``allowance``."""
    mapping = mapping_of_source(source)
    settings = source.config | read_secrets(source, secret_key=secret_key)
    settings |= {ALLOWANCE: allowance} if allowance else {}
    connector = open_connector(source.connector, settings, mapping)
    return OpenSource(source.tenant_id, source.id, mapping, connector)


def mapping_of_source(source: Source) -> Mapping:
    """The mapping by which a source is read."""
    return mapping_of(source.mapping, source.config)


def keep_settings(source: Source, settings: dict[str, Any], *, secret_key: str) -> None:
    """Put settings on a source: what is secret is sealed for this very row and never read back."""
    names = secret_settings(source.connector)
    secrets = {name: value for name, value in settings.items() if name in names}
    source.config = {name: value for name, value in settings.items() if name not in names}
    source.secrets = (
        seal(orjson.dumps(secrets), key=secret_key, place=_place(source)) if secrets else None
    )


def reseal_secrets(source: Source, *, secret_key: str) -> None:
    """Seal a source's secrets anew, under the key of today."""
    secrets = read_secrets(source, secret_key=secret_key)
    if source.secrets is not None:
        source.secrets = seal(orjson.dumps(secrets), key=secret_key, place=_place(source))


def read_secrets(source: Source, *, secret_key: str) -> dict[str, Any]:
    """Unseal a source's secret settings."""
    if source.secrets is None:
        return {}
    opened = unseal(source.secrets, key=secret_key, place=_place(source))
    secrets: dict[str, Any] = orjson.loads(opened)
    return secrets


def _place(source: Source) -> str:
    return f"{source.tenant_id}|erp_source|{source.id}|secrets"
