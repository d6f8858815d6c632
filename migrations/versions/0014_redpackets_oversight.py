"""Flags for the auditor, and from when on a pattern is flagged."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.core.migrating import protect

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

CHANGED_IN_PLACE = ("SELECT", "INSERT", "UPDATE")


def upgrade() -> None:
    op.create_table(
        "redpackets_flag",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("subject_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("packet_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("figures", postgresql.JSONB(), nullable=False),
        sa.Column("window_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("window_to", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("resolved_by_id", sa.Uuid(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'open') = (resolved_at IS NULL) AND (resolved_at IS NULL) = (resolved_by_id IS NULL)",
            name="resolution",
        ),
        sa.CheckConstraint("kind IN ('same_receiver', 'ring', 'split')", name="kind"),
        sa.CheckConstraint("state IN ('open', 'dismissed', 'confirmed')", name="state"),
        sa.CheckConstraint("NOT resolved_by_id = ANY (subject_ids)", name="uninvolved"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "resolved_by_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_redpackets_flag_tenant_id_resolved_by_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_redpackets_flag"),
        sa.UniqueConstraint(
            "tenant_id", "kind", "pattern", name="uq_redpackets_flag_tenant_id_kind_pattern"
        ),
    )
    op.create_index(
        "ix_redpackets_flag_tenant_id_state_id",
        "redpackets_flag",
        ["tenant_id", "state", "id"],
        unique=False,
    )
    op.create_table(
        "redpackets_oversight_policy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("window_days", sa.Integer(), nullable=False),
        sa.Column("receiver_percent", sa.Integer(), nullable=False),
        sa.Column("receiver_count", sa.Integer(), nullable=False),
        sa.Column("ring_count", sa.Integer(), nullable=False),
        sa.Column("split_minor", postgresql.JSONB(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by_id", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("receiver_count >= 2 AND ring_count >= 2", name="counts"),
        sa.CheckConstraint("receiver_percent BETWEEN 10 AND 100", name="receiver_percent"),
        sa.CheckConstraint("window_days BETWEEN 7 AND 366", name="window"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "changed_by_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_redpackets_oversight_policy_tenant_id_changed_by_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_redpackets_oversight_policy"),
    )
    op.create_index(
        "ix_redpackets_packet_tenant_id_opened_at",
        "redpackets_packet",
        ["tenant_id", "opened_at"],
        unique=False,
    )
    for table in ("flag", "oversight_policy"):
        protect(op, f"redpackets_{table}", grants=CHANGED_IN_PLACE)


def downgrade() -> None:
    op.drop_index("ix_redpackets_packet_tenant_id_opened_at", "redpackets_packet")
    op.drop_table("redpackets_oversight_policy")
    op.drop_table("redpackets_flag")
