"""Summaries by node and day, what changed, shared figures, watches."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.core.migrating import APPEND_ONLY, READ_WRITE, protect

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = ("leaf_day", "node_day", "state", "touch", "share", "watch")


def upgrade() -> None:
    op.create_table(
        "roledata_leaf_day",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("leaf_id", sa.Uuid(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=30, scale=6), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("count > 0", name="count"),
        sa.PrimaryKeyConstraint(
            "tenant_id", "leaf_id", "measure", "day", "until", name="pk_roledata_leaf_day"
        ),
    )
    op.create_table(
        "roledata_node_day",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("node_id", sa.Uuid(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=30, scale=6), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("count >= 0", name="count"),
        sa.PrimaryKeyConstraint(
            "tenant_id", "node_id", "measure", "day", "until", name="pk_roledata_node_day"
        ),
    )
    op.create_table(
        "roledata_state",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("data_version", sa.BigInteger(), nullable=False),
        sa.Column("matching", sa.Text(), nullable=False),
        sa.Column("placement", sa.Text(), nullable=False),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_roledata_state"),
    )
    op.create_table(
        "roledata_touch",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("live", sa.Text(), nullable=False),
        sa.Column("leaf_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_roledata_touch"),
    )
    op.create_table(
        "roledata_share",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("figure", postgresql.JSONB(), nullable=False),
        sa.Column("scope_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "author_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_roledata_share_tenant_id_author_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_roledata_share"),
    )
    op.create_index(
        "ix_roledata_share_tenant_id_author_id",
        "roledata_share",
        ["tenant_id", "author_id"],
        unique=False,
    )
    op.create_table(
        "roledata_watch",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("node_id", sa.Uuid(), nullable=False),
        sa.Column("of", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("enter", sa.Numeric(precision=30, scale=6), nullable=False),
        sa.Column("exit", sa.Numeric(precision=30, scale=6), nullable=False),
        sa.Column("confirm", sa.Integer(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("streak", sa.Integer(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("value", sa.Numeric(precision=30, scale=6), nullable=True),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("direction IN ('below', 'above')", name="direction"),
        sa.CheckConstraint("of IN ('value', 'pace')", name="of"),
        sa.CheckConstraint("severity IN ('normal', 'high')", name="severity"),
        sa.CheckConstraint("state IN ('ok', 'pending', 'firing', 'recovering')", name="state"),
        sa.CheckConstraint("confirm BETWEEN 1 AND 10", name="confirm"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_roledata_watch_tenant_id_owner_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_roledata_watch"),
    )
    op.create_index(
        "ix_roledata_watch_tenant_id_node_id",
        "roledata_watch",
        ["tenant_id", "node_id"],
        unique=False,
    )
    op.create_index(
        "ix_roledata_watch_tenant_id_owner_id",
        "roledata_watch",
        ["tenant_id", "owner_id"],
        unique=False,
    )

    # Of all the lines and items there ever were, few are open; the live cards read those only.
    op.create_index(
        "ix_roledata_open_lines",
        "erp_sales_order_line",
        ["tenant_id", "source_id", "salesperson_key"],
        postgresql_where=sa.text("deleted_at IS NULL AND coalesce(shipped_quantity, 0) < quantity"),
    )
    op.create_index(
        "ix_roledata_open_items",
        "erp_receivable_item",
        ["tenant_id", "source_id", "salesperson_key"],
        postgresql_where=sa.text("deleted_at IS NULL AND open_amount != 0"),
    )
    for table in TABLES:
        # What was shared stays as it was.
        protect(op, f"roledata_{table}", grants=APPEND_ONLY if table == "share" else READ_WRITE)


def downgrade() -> None:
    op.drop_index("ix_roledata_open_items", "erp_receivable_item")
    op.drop_index("ix_roledata_open_lines", "erp_sales_order_line")
    for table in reversed(TABLES):
        op.drop_table(f"roledata_{table}")
