"""The outbox, the event log, idempotency keys, and the job library's own tables."""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy.dialects import postgresql

from app.core.migrating import grant, protect

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "core_event",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ref", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("payload", postgresql.JSONB(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "seq", name="pk_core_event"),
    )
    op.create_table(
        "core_event_audience",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "scope_id", "seq", name="pk_core_event_audience"),
    )
    op.create_table(
        "core_event_head",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_core_event_head"),
    )
    op.create_table(
        "core_idempotency",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id", "person_id", "route", "key", name="pk_core_idempotency"
        ),
    )
    op.create_table(
        "core_outbox",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ref", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("payload", postgresql.JSONB(), nullable=False),
        sa.Column("scope_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_core_outbox"),
    )

    protect(op, "core_outbox", grants=["INSERT"], relay=["SELECT", "DELETE"])
    protect(op, "core_event_head", relay=["SELECT", "UPDATE"])
    protect(op, "core_event", grants=["SELECT"], relay=["SELECT", "INSERT", "DELETE"])
    protect(op, "core_event_audience", grants=["SELECT"], relay=["SELECT", "INSERT", "DELETE"])
    protect(op, "core_idempotency")
    grant(op, "USAGE ON SCHEMA public")
    grant(op, "USAGE ON SCHEMA public", to_worker=True)
    grant(op, "SELECT ON alembic_version")
    _create_jobs()


def _create_jobs() -> None:
    """Jobs carry their tenant in their arguments; the application sees its tenant's, the worker all."""
    # The script has many statements and percent signs: it goes to the driver as it stands.
    op.get_bind().connection.driver_connection.execute(SchemaManager.get_schema())
    protect(
        op,
        "procrastinate_jobs",
        tenant="(args ->> 'tenant_id')::uuid",
        grants=["SELECT", "INSERT"],
        relay=["SELECT", "INSERT", "UPDATE", "DELETE"],
    )
    protect(
        op,
        "procrastinate_events",
        tenant="(SELECT (j.args ->> 'tenant_id')::uuid FROM procrastinate_jobs j WHERE j.id = job_id)",
        grants=["INSERT"],
        relay=["SELECT", "INSERT", "UPDATE", "DELETE"],
    )
    for table in ("procrastinate_workers", "procrastinate_periodic_defers"):
        grant(op, f"SELECT, INSERT, UPDATE, DELETE ON {table}", to_worker=True)
    for to_worker in (False, True):
        grant(op, "USAGE ON ALL SEQUENCES IN SCHEMA public", to_worker=to_worker)


def downgrade() -> None:
    for function in _job_functions():
        op.execute(f"DROP FUNCTION {function} CASCADE")
    for table in ("events", "periodic_defers", "jobs", "workers"):
        op.execute(f"DROP TABLE procrastinate_{table} CASCADE")
    for kind in ("job_to_defer_v1", "job_status", "job_event_type"):
        op.execute(f"DROP TYPE procrastinate_{kind} CASCADE")
    op.drop_table("core_outbox")
    op.drop_table("core_idempotency")
    op.drop_table("core_event_head")
    op.drop_table("core_event_audience")
    op.drop_table("core_event")


def _job_functions() -> list[str]:
    found = sa.text(
        "SELECT oid::regprocedure::text FROM pg_proc WHERE starts_with(proname, 'procrastinate')"
    )
    return list(op.get_bind().scalars(found))
