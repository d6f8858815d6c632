"""Points that expire, the catalogue, redemptions."""

import sqlalchemy as sa
from alembic import op

from app.core.migrating import APPEND_ONLY, protect

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

CHANGED_IN_PLACE = ("SELECT", "INSERT", "UPDATE")


def upgrade() -> None:
    op.create_table(
        "redpackets_catalogue_item",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("description_zh", sa.Text(), nullable=False),
        sa.Column("description_en", sa.Text(), nullable=False),
        sa.Column("price_points", sa.BigInteger(), nullable=False),
        sa.Column("stock", sa.Integer(), nullable=True),
        sa.Column("per_person_limit", sa.Integer(), nullable=True),
        sa.Column("needs_approval", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("tax_class", sa.Text(), nullable=False),
        sa.Column("cash_value_fen", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("cash_value_fen >= 0", name="cash_value"),
        sa.CheckConstraint("per_person_limit >= 1", name="per_person_limit"),
        sa.CheckConstraint("price_points >= 1", name="price"),
        sa.CheckConstraint("stock >= 0", name="stock"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "unit_id"],
            ["people_org_unit.tenant_id", "people_org_unit.id"],
            name="fk_redpackets_catalogue_item_tenant_id_unit_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_redpackets_catalogue_item"),
    )
    op.create_table(
        "redpackets_points_policy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("changed_by_id", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("rule IN ('end_of_year', 'months', 'never')", name="rule"),
        sa.CheckConstraint("count BETWEEN 1 AND 120", name="count"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "changed_by_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_redpackets_points_policy_tenant_id_changed_by_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "version", name="pk_redpackets_points_policy"),
    )
    op.create_table(
        "redpackets_points_told",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("told_until", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_redpackets_points_told_tenant_id_person_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "person_id", name="pk_redpackets_points_told"),
    )
    op.create_table(
        "redpackets_redemption",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("price_points", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("tax_class", sa.Text(), nullable=False),
        sa.Column("cash_value_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fulfilled_by_id", sa.Uuid(), nullable=True),
        sa.Column("fulfilled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(state = 'fulfilled') = (fulfilled_at IS NOT NULL)", name="fulfilment"),
        sa.CheckConstraint(
            "state IN ('reserved', 'approved', 'fulfilled', 'declined', 'withdrawn')", name="state"
        ),
        sa.CheckConstraint(
            "decided_by_id <> person_id AND fulfilled_by_id <> person_id", name="four_eyes"
        ),
        sa.CheckConstraint("points = price_points * quantity", name="points"),
        sa.CheckConstraint("quantity >= 1 AND price_points >= 1", name="amounts"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "decided_by_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_redpackets_redemption_tenant_id_decided_by_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "fulfilled_by_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_redpackets_redemption_tenant_id_fulfilled_by_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "item_id"],
            ["redpackets_catalogue_item.tenant_id", "redpackets_catalogue_item.id"],
            name="fk_redpackets_redemption_tenant_id_item_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_redpackets_redemption_tenant_id_person_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_redpackets_redemption"),
    )
    op.create_index(
        "ix_redpackets_redemption_open",
        "redpackets_redemption",
        ["tenant_id", "item_id", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('reserved', 'approved')"),
    )
    op.create_index(
        "ix_redpackets_redemption_tenant_id_item_id_person_id",
        "redpackets_redemption",
        ["tenant_id", "item_id", "person_id"],
        unique=False,
    )
    op.create_index(
        "ix_redpackets_redemption_tenant_id_person_id_id",
        "redpackets_redemption",
        ["tenant_id", "person_id", "id"],
        unique=False,
    )
    for table in ("points_told", "catalogue_item", "redemption"):
        protect(op, f"redpackets_{table}", grants=CHANGED_IN_PLACE)
    protect(op, "redpackets_points_policy", grants=APPEND_ONLY)


def downgrade() -> None:
    op.drop_table("redpackets_redemption")
    op.drop_table("redpackets_points_told")
    op.drop_table("redpackets_points_policy")
    op.drop_table("redpackets_catalogue_item")
