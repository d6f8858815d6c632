"""Device cursors, notices, the attempts to push them, and what people want pushed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.core.migrating import protect

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "delivery_notice",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("texts", postgresql.JSONB(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("collapse_key", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("scope_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("except_person_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("urgency IN ('normal', 'high')", name="urgency"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_delivery_notice"),
        sa.UniqueConstraint("tenant_id", "source", name="uq_delivery_notice_tenant_id_source"),
    )
    op.create_index(
        "ix_delivery_notice_tenant_id_created_at",
        "delivery_notice",
        ["tenant_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "delivery_push_attempt",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("again_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('asked', 'accepted', 'waiting', 'failed')",
            name="state",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "notice_id"],
            ["delivery_notice.tenant_id", "delivery_notice.id"],
            name="fk_delivery_push_attempt_tenant_id_notice_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "notice_id", "device_id", name="pk_delivery_push_attempt"
        ),
    )
    op.create_table(
        "delivery_device_cursor",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("acked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "device_id"],
            ["people_device.tenant_id", "people_device.id"],
            name="fk_delivery_device_cursor_tenant_id_device_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_delivery_device_cursor_tenant_id_person_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "device_id", name="pk_delivery_device_cursor"),
    )
    op.create_index(
        "ix_delivery_device_cursor_tenant_id_person_id",
        "delivery_device_cursor",
        ["tenant_id", "person_id"],
        unique=False,
    )

    op.create_table(
        "delivery_preference",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("muted_kinds", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("quiet_from", sa.Integer(), nullable=True),
        sa.Column("quiet_to", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(quiet_from IS NULL) = (quiet_to IS NULL)", name="quiet_hours"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_delivery_preference_tenant_id_person_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "person_id", name="pk_delivery_preference"),
    )

    # The gateway reads each event once with all who hear it, and old events leave by number.
    op.create_index(
        "ix_core_event_audience_tenant_id_seq",
        "core_event_audience",
        ["tenant_id", "seq"],
        unique=False,
    )
    # Rows live in the outbox for milliseconds: without frequent vacuuming, every look at the empty table would
    # read its dead past.
    op.execute(
        "ALTER TABLE core_outbox SET"
        " (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)"
    )

    for table in ("device_cursor", "notice", "push_attempt", "preference"):
        protect(op, f"delivery_{table}")


def downgrade() -> None:
    op.execute(
        "ALTER TABLE core_outbox RESET"
        " (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)"
    )
    op.drop_index("ix_core_event_audience_tenant_id_seq", "core_event_audience")
    op.drop_table("delivery_preference")
    op.drop_table("delivery_device_cursor")
    op.drop_table("delivery_push_attempt")
    op.drop_table("delivery_notice")
