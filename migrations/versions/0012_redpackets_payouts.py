"""Payouts: batches, their items, and where people can be paid over a rail."""

import sqlalchemy as sa
from alembic import op

from app.core.migrating import protect

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

LIVE = "state IN ('created', 'sent', 'unknown')"


def upgrade() -> None:
    _create_batch()
    _create_item()
    op.create_table(
        "redpackets_payee",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("rail", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_redpackets_payee_tenant_id_person_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "person_id", "rail", name="pk_redpackets_payee"),
    )
    for table in ("payout_batch", "payout_item", "payee"):
        protect(op, f"redpackets_{table}", grants=("SELECT", "INSERT", "UPDATE"))


def _create_batch() -> None:
    table = "redpackets_payout_batch"
    op.create_table(
        table,
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("rail", sa.Text(), nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("file_hash", sa.LargeBinary(), nullable=True),
        sa.Column("results_hash", sa.LargeBinary(), nullable=True),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(method = 'payroll') = (rail IS NULL)", name="method"),
        sa.CheckConstraint(
            "state IN ('pending_approval', 'released', 'settled', 'rejected')", name="state"
        ),
        sa.CheckConstraint("decided_by_id <> created_by_id", name="four_eyes"),
        sa.CheckConstraint(
            "(state = 'pending_approval') = (decided_by_id IS NULL)"
            " AND (decided_by_id IS NULL) = (decided_at IS NULL)",
            name="decision",
        ),
        sa.CheckConstraint("row_count >= 1 AND total_minor >= 1", name="amounts"),
        sa.CheckConstraint("period ~ '^[0-9]{4}-[0-9]{2}$'", name="period"),
        _foreign_key(table, "unit_id", "people_org_unit"),
        _foreign_key(table, "created_by_id", "people_person"),
        _foreign_key(table, "decided_by_id", "people_person"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=f"pk_{table}"),
        sa.UniqueConstraint("tenant_id", "id", "unit", name=f"uq_{table}_tenant_id_id_unit"),
    )


def _create_item() -> None:
    table = "redpackets_payout_item"
    op.create_table(
        table,
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("tax_class", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("payee", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_missing", sa.Boolean(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('created', 'sent', 'unknown', 'success', 'failed')", name="state"
        ),
        sa.CheckConstraint(f"(settled_at IS NULL) = ({LIVE})", name="settlement"),
        sa.CheckConstraint("amount_minor >= 1", name="amount"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "batch_id", "unit"],
            [
                "redpackets_payout_batch.tenant_id",
                "redpackets_payout_batch.id",
                "redpackets_payout_batch.unit",
            ],
            name=f"fk_{table}_tenant_id_batch_id_unit",
        ),
        _foreign_key(table, "person_id", "people_person"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=f"pk_{table}"),
        sa.UniqueConstraint(
            "tenant_id",
            "batch_id",
            "person_id",
            "tax_class",
            name=f"uq_{table}_row",
        ),
    )
    op.create_index(f"ix_{table}_tenant_id_person_id", table, ["tenant_id", "person_id"])
    op.create_index(
        f"ix_{table}_due",
        table,
        ["tenant_id", "next_at"],
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )


def _foreign_key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{target}.tenant_id", f"{target}.id"],
        name=f"fk_{table}_tenant_id_{column}",
    )


def downgrade() -> None:
    op.drop_table("redpackets_payee")
    op.drop_table("redpackets_payout_item")
    op.drop_table("redpackets_payout_batch")
