"""Near real time: how each stream is paced and how fresh it is, the day's requests, the keys of hooks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from app.core.migrating import grant, protect

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
#: What the worker's own role may see of every company's streams, for the figures that Prometheus reads.
WATCHED = "table_name, freshness, as_of"
STREAM_TIMES = ("polled_at", "due_at", "eager_at", "changed_at", "hinted_at")


def upgrade() -> None:
    op.add_column("erp_source", sa.Column("pace", JSONB(), nullable=False, server_default="{}"))
    op.alter_column("erp_source", "pace", server_default=None)
    op.add_column("erp_source", sa.Column("red_since", TIME, nullable=True))
    _pace_streams()
    _count_requests()
    _listen_to_hooks()


def _pace_streams() -> None:
    for name in STREAM_TIMES:
        op.add_column("erp_stream", sa.Column(name, TIME, nullable=True))
    op.add_column("erp_stream", sa.Column("target_seconds", sa.Integer(), nullable=True))
    op.add_column("erp_stream", sa.Column("freshness", sa.Text(), nullable=True))
    cost = sa.Column("request_cost", sa.Float(), nullable=False, server_default="1")
    op.add_column("erp_stream", cost)
    op.alter_column("erp_stream", "request_cost", server_default=None)
    op.create_check_constraint(
        op.f("ck_erp_stream_freshness"), "erp_stream", "freshness IN ('fresh', 'late', 'red')"
    )
    grant(op, f"SELECT ({WATCHED}) ON erp_stream", to_worker=True)
    worker = op.get_context().config.attributes["roles"].worker
    op.execute(f'CREATE POLICY watched ON erp_stream FOR SELECT TO "{worker}" USING (true)')


def _count_requests() -> None:
    op.create_table(
        "erp_request_day",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.CheckConstraint("used >= 0", name="used"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "source_id"],
            ["erp_source.tenant_id", "erp_source.id"],
            name="fk_erp_request_day_tenant_id_source_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "source_id", "day", name="pk_erp_request_day"),
    )
    protect(op, "erp_request_day")


def _listen_to_hooks() -> None:
    op.create_table(
        "erp_hook",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("keys", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("heard_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "source_id"],
            ["erp_source.tenant_id", "erp_source.id"],
            name="fk_erp_hook_tenant_id_source_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "source_id", name="pk_erp_hook"),
    )
    op.create_index("ix_erp_hook_source_id", "erp_hook", ["source_id"])
    protect(op, "erp_hook")
    # Who has named a source may see the sealed key of its hook: how a hook's company is found.
    op.execute(
        "CREATE POLICY named ON erp_hook FOR SELECT"
        " USING (source_id = NULLIF(current_setting('app.hook', true), '')::uuid)"
    )


def downgrade() -> None:
    op.drop_table("erp_hook")
    op.drop_table("erp_request_day")
    worker = op.get_context().config.attributes["roles"].worker
    op.execute("DROP POLICY watched ON erp_stream")
    op.execute(f'REVOKE SELECT ({WATCHED}) ON erp_stream FROM "{worker}"')
    for name in ("freshness", "request_cost", "target_seconds", *STREAM_TIMES):
        op.drop_column("erp_stream", name)
    op.drop_column("erp_source", "red_since")
    op.drop_column("erp_source", "pace")
