"""Migrations: one straight chain, numbered, reversible, and equal to the models."""

import re
from pathlib import Path

import psycopg
import pytest
from psycopg.types.json import Jsonb

from app.core.settings import load_settings
from app.migrate import downgrade, draft, upgrade

VERSIONS = Path(__file__).parents[2] / "migrations" / "versions"
FILES = sorted(VERSIONS.glob("[0-9]*.py"))
FIRE_BEFORE_0022 = """
    INSERT INTO redpackets_trigger_fire
           (tenant_id, id, rule_id, rule_version, comparison, threshold, period_from, deadline, period_to,
            subject_id, value, metric, metric_version, documents, fired_on, at)
    VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1, 'value', 1, '2026-11-01', '2026-11-30',
            '2026-11-30', gen_random_uuid(), 1, 'ordered_net', '1', %s, '2026-11-20', now())
"""


def test_they_are_numbered_in_one_chain():
    numbers = [path.name[:4] for path in FILES]
    assert numbers == [f"{i:04}" for i in range(1, len(FILES) + 1)]
    for before, path in zip([None, *numbers], FILES, strict=False):
        written = path.read_text()
        assert re.search(r'^revision = "(\d+)"', written, re.MULTILINE)[1] == path.name[:4]
        assert re.search(r'^down_revision = "?(\w+)"?', written, re.MULTILINE)[1] == str(before)


def test_each_says_why_in_its_docstring():
    for path in FILES:
        assert path.read_text().startswith('"""'), path.name


@pytest.fixture
def empty(scratch_database):
    return load_settings(database_url=scratch_database, database_role_prefix="workspace_test")


def test_up_down_and_up_again_end_where_the_models_are(empty):
    upgrade(empty)
    downgrade(empty, "base")
    with psycopg.connect(empty.database_url) as connection:
        left = connection.execute(
            "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE nspname = 'public' AND relkind IN ('r', 'S') AND relname <> 'alembic_version'"
        ).fetchall()
    assert left == []
    upgrade(empty)

    drafted = [line.strip() for line in draft(empty).splitlines() if line.strip()]
    assert [line for line in drafted if not line.startswith("#") and line != "pass"] == []


def test_documents_behind_what_rules_fired_are_taken_over_and_given_back(empty):
    upgrade(empty, "0021")
    documents = [
        {
            "source_id": "01a20622-58ab-7098-9c8b-fd7a0fdf6c95",
            "source": "ERP",
            "kind": "sales_order",
            "key": str(number),
            "code": f"SO{number}" if number else None,
            "day": "2026-11-20",
            "amount_minor": 100 * number,
        }
        for number in range(3)
    ]
    with psycopg.connect(empty.database_url) as connection:
        # Its rule, packet and company are of no concern here.
        connection.execute("SET session_replication_role = replica")
        connection.execute(FIRE_BEFORE_0022, (Jsonb(documents),))
    upgrade(empty)
    with psycopg.connect(empty.database_url) as connection:
        rows = connection.execute(
            "SELECT position, code, amount_minor, document_count FROM redpackets_trigger_document d"
            "  JOIN redpackets_trigger_fire f ON f.id = d.fire_id ORDER BY position"
        ).fetchall()
    assert rows == [(0, None, 0, 3), (1, "SO1", 100, 3), (2, "SO2", 200, 3)]
    downgrade(empty, "0021")
    with psycopg.connect(empty.database_url) as connection:
        [(kept,)] = connection.execute("SELECT documents FROM redpackets_trigger_fire").fetchall()
    assert kept == documents
