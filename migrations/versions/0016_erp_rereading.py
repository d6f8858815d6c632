"""Since when a stream is read; what kind a run is, and how far it has come; persons and units to be matched."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.core.migrating import protect

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "erp_stream", sa.Column("first_read_at", sa.DateTime(timezone=True), nullable=True)
    )
    # What was read before anybody noted it: the first batch that is left of it.
    op.execute(
        "UPDATE erp_stream s SET first_read_at = (SELECT min(b.landed_at) FROM erp_batch b"
        " WHERE b.tenant_id = s.tenant_id AND b.source_id = s.source_id) WHERE s.as_of IS NOT NULL"
    )
    op.add_column("erp_run", sa.Column("kind", sa.Text(), nullable=False, server_default="sync"))
    op.add_column("erp_run", sa.Column("first_day", sa.Date(), nullable=True))
    op.add_column("erp_run", sa.Column("last_day", sa.Date(), nullable=True))
    op.add_column(
        "erp_run",
        sa.Column(
            "progress",
            postgresql.JSONB(),
            nullable=False,
            server_default=sa.text("'{}'::jsonb"),
        ),
    )
    op.create_check_constraint(
        "kind", "erp_run", "kind IN ('sync', 'backfill', 'dry_run', 'verify')"
    )
    op.add_column(
        "erp_source",
        sa.Column("directory", sa.Text(), nullable=False, server_default="follow"),
    )
    op.create_check_constraint("directory", "erp_source", "directory IN ('follow', 'match')")
    op.add_column("erp_source", sa.Column("verified_at", sa.DateTime(timezone=True)))
    _create_match()


def _create_match() -> None:
    op.create_table(
        "erp_match",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("target_id", sa.Uuid(), nullable=True),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('person', 'unit')", name="kind"),
        sa.CheckConstraint("state IN ('open', 'decided', 'settled')", name="state"),
        sa.CheckConstraint("decision IN ('link', 'create', 'ignore')", name="decision"),
        sa.CheckConstraint(
            "(state = 'decided') = (decision IS NOT NULL AND decided_by_id IS NOT NULL)",
            name="decided",
        ),
        sa.CheckConstraint("decision <> 'link' OR target_id IS NOT NULL", name="linked"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "source_id"],
            ["erp_source.tenant_id", "erp_source.id"],
            name="fk_erp_match_tenant_id_source_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "decided_by_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_erp_match_tenant_id_decided_by_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_erp_match"),
        sa.UniqueConstraint(
            "tenant_id",
            "source_id",
            "kind",
            "source_key",
            name="uq_erp_match_tenant_id_source_id_kind_source_key",
        ),
    )
    op.create_index(
        "ix_erp_match_tenant_id_source_id_state_id",
        "erp_match",
        ["tenant_id", "source_id", "state", "id"],
    )
    protect(op, "erp_match")


def downgrade() -> None:
    op.drop_table("erp_match")
    op.drop_column("erp_source", "verified_at")
    op.drop_constraint("directory", "erp_source", type_="check")
    op.drop_column("erp_source", "directory")
    op.drop_constraint("kind", "erp_run", type_="check")
    for column in ("progress", "last_day", "first_day", "kind"):
        op.drop_column("erp_run", column)
    op.drop_column("erp_stream", "first_read_at")
