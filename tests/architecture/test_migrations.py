"""Migrations: one straight chain, numbered, reversible, and equal to the models."""

import re
from pathlib import Path

import psycopg
import pytest

from app.core.settings import load_settings
from app.migrate import downgrade, draft, upgrade

VERSIONS = Path(__file__).parents[2] / "migrations" / "versions"
FILES = sorted(VERSIONS.glob("[0-9]*.py"))


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
