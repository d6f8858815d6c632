"""The connectors there are, by name: how their settings are read and how one is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from marshmallow import ValidationError

from erp_bridge.connectors.base import Connector
from erp_bridge.connectors.files import FilesConnector
from erp_bridge.connectors.kingdee import KingdeeConnector
from erp_bridge.connectors.odata import ODataConnector
from erp_bridge.connectors.odoo import OdooConnector
from erp_bridge.connectors.sql import SqlConnector
from erp_bridge.connectors.tryton import TrytonConnector
from erp_bridge.connectors.u8_openapi import U8OpenApiConnector
from erp_bridge.connectors.u8_sql import U8SqlConnector
from erp_bridge.mappings.nodes import Mapping as SourceMapping

CONNECTORS: dict[str, Any] = {
    "files": FilesConnector,
    "kingdee": KingdeeConnector,
    "odata": ODataConnector,
    "odoo": OdooConnector,
    "sql": SqlConnector,
    "tryton": TrytonConnector,
    "u8_openapi": U8OpenApiConnector,
    "u8_sql": U8SqlConnector,
}


class SettingsError(Exception):
    """Settings that the connector does not take; ``problems`` maps each to a stable code."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(", ".join(f"{name}: {code}" for name, code in problems.items()))
        self.problems = problems


def open_connector(name: str, settings: dict[str, Any], mapping: SourceMapping) -> Connector:
    """A connector with its settings, ready to read; the settings were checked when they were saved."""
    connector: Connector = CONNECTORS[name](settings, mapping)
    return connector


def can_decide(name: str, config: Mapping[str, Any]) -> bool:
    """Whether a connector with these settings can decide what waits in its ERP; see `approving.Desk`."""
    decides: bool | Callable[[Mapping[str, Any]], bool] = getattr(
        CONNECTORS.get(name), "decides", False
    )
    return decides(config) if callable(decides) else decides


def wants_key(name: str) -> bool:
    """Whether an ERP lets a person decide only with a key of their own."""
    return bool(getattr(CONNECTORS[name], "wants_key", False))


def read_settings(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Check settings and fill in the defaults."""
    try:
        settings: dict[str, Any] = CONNECTORS[name].spec()().load(given)
    except ValidationError as error:
        messages = error.messages if isinstance(error.messages, dict) else {"settings": "invalid"}
        raise SettingsError(dict(_problems(messages))) from error
    return settings


def secret_settings(name: str) -> frozenset[str]:
    """The settings of a connector that are written and never read back."""
    declared = CONNECTORS[name].spec()().fields
    return frozenset(key for key, field in declared.items() if field.metadata.get("secret"))


def _problems(messages: dict[Any, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for key, inner in messages.items():
        here = f"{path}{key}"
        if isinstance(inner, dict):
            yield from _problems(inner, f"{here}.")
        else:
            yield here, _code(inner)


def _code(messages: Any) -> str:
    written = str(messages)
    if "Missing data" in written:
        return "required"
    return "unknown_field" if "Unknown field" in written else "invalid"
