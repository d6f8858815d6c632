"""Tenants: the catalogue itself is checked, so that a forgotten policy fails the build."""

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from app.core.roles import app_url, plain_url

#: Tables without a tenant, each with the reason why.
WITHOUT_TENANT = {
    "alembic_version": "one row, the schema's own number",
    "procrastinate_workers": "the job runner's processes; the application has no right to it",
    "procrastinate_periodic_defers": "the job runner's clock; the application has no right to it",
}

_TABLES = """
    SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS forced,
           EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid) AS has_policy
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')
"""
_KEYS = """
    SELECT c.conrelid::regclass::text, c.conname, c.contype::text,
           (SELECT attname::text FROM pg_attribute WHERE attrelid = c.conrelid AND attnum = c.conkey[1])
      FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
     WHERE n.nspname = 'public' AND c.contype IN ('p', 'u', 'f')
"""


@pytest.fixture(scope="module")
def owner(database_url):
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def test_every_table_forces_row_level_security(owner):
    found = {name: forced and has_policy for name, forced, has_policy in owner.execute(_TABLES)}
    assert {name for name, closed in found.items() if not closed} == set(WITHOUT_TENANT)


def test_every_key_begins_with_the_tenant(owner):
    odd = {
        (table, name)
        for table, name, _kind, first in owner.execute(_KEYS)
        if first != "tenant_id" and not table.startswith(("procrastinate_", "alembic_"))
    }
    assert odd == {
        ("people_tenant", "pk_people_tenant"),
        ("people_tenant", "uq_people_tenant_slug"),
    }


#: Runs with the owner's rights and gives nothing back: counts a table of the bridge for the planner.
SHOWS_NO_ROWS = {"erp_refresh_statistics"}


def test_nothing_runs_or_shows_rows_with_the_owners_rights(owner):
    definers = owner.execute(
        "SELECT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE n.nspname = 'public' AND prosecdef"
    ).fetchall()
    views = owner.execute(
        "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'public' AND relkind IN ('v', 'm')"
    ).fetchall()
    assert ({name for (name,) in definers}, views) == (SHOWS_NO_ROWS, [])


def test_the_application_owns_nothing_and_may_not_step_around(owner, settings):
    role = app_url(settings).username
    owned = owner.execute(
        "SELECT relname FROM pg_class WHERE relowner = (SELECT oid FROM pg_roles WHERE rolname = %s)",
        (role,),
    ).fetchall()
    rights = owner.execute(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = %s",
        (role,),
    ).fetchone()
    truncates = owner.execute(
        "SELECT table_name FROM information_schema.role_table_grants"
        " WHERE grantee = %s AND privilege_type = 'TRUNCATE'",
        (role,),
    ).fetchall()
    assert (owned, rights, truncates) == ([], (False,) * 4, [])


def test_raw_sql_as_the_application_sees_no_row_without_a_tenant(owner, settings, company):
    company.phone("Lin")
    readable = _tables_readable_by_the_application(owner, settings)
    with psycopg.connect(plain_url(app_url(settings)), autocommit=True) as connection:
        seen = {
            t: connection.execute(f'SELECT count(*) FROM "{t}"').fetchone()[0] for t in readable
        }
    assert {table for table, count in seen.items() if count} <= {"alembic_version"}
    assert "people_person" in readable


def test_raw_sql_as_one_company_sees_and_changes_no_row_of_another(
    owner, settings, company, other_company
):
    other_company.phone("Lin")
    readable = _tables_readable_by_the_application(owner, settings) - {"alembic_version"}
    with company.transaction() as session:
        for table in sorted(readable):
            column = _tenant_column(table)
            seen = session.scalar(
                text(f'SELECT count(*) FROM "{table}" WHERE {column} = :other'),
                {"other": str(other_company.tenant_id)},
            )
            assert seen == 0, table
        changed = session.execute(
            text("UPDATE people_person SET name = 'x' WHERE tenant_id = :other"),
            {"other": other_company.tenant_id},
        )
        assert changed.rowcount == 0


def test_a_row_cannot_be_written_into_another_company(company, other_company):
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        company.transaction() as session,
    ):
        session.execute(
            text("INSERT INTO people_role VALUES (:other, 'x', 'x', 'x', '{}')"),
            {"other": other_company.tenant_id},
        )


def test_a_connection_forgets_its_company_when_the_transaction_ends(space, company):
    for _ in range(20):
        with company.transaction() as session:
            assert session.scalar(text("SELECT count(*) FROM people_tenant")) == 1
    with space.database.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM people_tenant")) == 0


def _tables_readable_by_the_application(owner, settings) -> set[str]:
    rows = owner.execute(
        "SELECT table_name::text FROM information_schema.role_table_grants"
        " WHERE grantee = %s AND privilege_type = 'SELECT' AND table_schema = 'public'",
        (app_url(settings).username,),
    )
    return {name for (name,) in rows}


def _tenant_column(table: str) -> str:
    if table == "procrastinate_jobs":
        return "args ->> 'tenant_id'"
    return ("id" if table == "people_tenant" else "tenant_id") + "::text"
