"""The description of the canonical tables and the tables themselves say the same."""

import pytest
from sqlalchemy import Boolean, Date, Numeric, Text

from app.core.db import Base
from erp_bridge import models
from erp_bridge.canon import TABLES, CanonTable

KINDS = {"text": Text, "decimal": Numeric, "date": Date, "bool": Boolean}
OURS = {
    "tenant_id", "source_id", "source_key", "stream", "stamp", "hash", "batch_id", "seen_at", "deleted_at", "raw",
    "own_fields", "unit_id", "person_id", "role_key", "role_unit_id",
}  # fmt: skip


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_a_canonical_table_has_the_fields_it_is_described_with(table: CanonTable) -> None:
    assert models
    columns = {
        column.name: column
        for column in Base.metadata.tables[table.sql_name].columns
        if column.name not in OURS
    }
    assert columns.keys() == table.fields.keys()
    for name, field in table.fields.items():
        assert isinstance(columns[name].type, KINDS[field.kind]), name
        assert columns[name].nullable != field.required, name


def test_lines_and_totals_name_tables_that_exist() -> None:
    for table in TABLES.values():
        for name in table.lines:
            line = TABLES[name]
            tie = line.header or line.total
            assert tie is not None
            assert tie.table == table.name
            assert tie.link in line.fields
