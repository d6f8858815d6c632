"""A U8-shaped database, read directly with an account that may only read.

U8's stamps count the writes of the whole database, so a run has one bound for all tables. What is read of
which table stands in the mapping `u8`.
"""

from __future__ import annotations

from marshmallow import Schema, fields
from marshmallow.validate import Regexp

from erp_bridge.connectors.dialects import Dialect, PostgresDialect, SqlServerDialect
from erp_bridge.connectors.sql import SqlConnector, SqlSettings


class U8SqlSettings(SqlSettings):
    """Where the book set is, and the read-only account."""

    schema = fields.String(load_default="u8", validate=Regexp(r"^[A-Za-z_][A-Za-z0-9_]{0,62}$"))


class U8SqlConnector(SqlConnector):
    """Reads U8's tables by their change stamps; U8 writes its names in any case."""

    @classmethod
    def spec(cls) -> type[Schema]:
        return U8SqlSettings

    @classmethod
    def dialect_of(cls, name: str) -> Dialect:
        return PostgresDialect(folding=True) if name == "postgresql" else SqlServerDialect()

    def _is_guarded(self) -> bool:
        return "mapping_text" in self._settings
