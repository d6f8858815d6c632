"""Migration helpers: one call makes a table a tenant's table, closed by row-level security.

Migrations name no role themselves; the two roles that own nothing come from the settings.
"""

from collections.abc import Sequence
from typing import Any

from alembic import context

from app.core.roles import Roles

_TENANT = "NULLIF(current_setting('app.tenant', true), '')::uuid"
READ_WRITE = ("SELECT", "INSERT", "UPDATE", "DELETE")
APPEND_ONLY = ("SELECT", "INSERT")


def protect(
    op: Any,
    table: str,
    *,
    grants: Sequence[str] = READ_WRITE,
    tenant: str = "tenant_id",
    relay: Sequence[str] = (),
) -> None:
    """Force row-level security by tenant on a table and grant the application what it needs.

    ``tenant`` is the SQL of the row's tenant. ``relay``: what the relay's role may do with every tenant's rows.
    """
    roles = _roles()
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    rule = f"{tenant} = {_TENANT}"
    op.execute(f"CREATE POLICY tenant ON {table} USING ({rule}) WITH CHECK ({rule})")
    op.execute(f'GRANT {", ".join(grants)} ON {table} TO "{roles.app}"')
    if relay:
        op.execute(
            f'CREATE POLICY relay ON {table} TO "{roles.worker}" USING (true) WITH CHECK (true)'
        )
        op.execute(f'GRANT {", ".join(relay)} ON {table} TO "{roles.worker}"')


def grant(op: Any, what: str, *, to_worker: bool = False) -> None:
    """Grant something beside tables (sequences, functions, schemas): ``USAGE ON SEQUENCE x``."""
    roles = _roles()
    op.execute(f'GRANT {what} TO "{roles.worker if to_worker else roles.app}"')


def _roles() -> Roles:
    roles: Roles = context.config.attributes["roles"]
    return roles
