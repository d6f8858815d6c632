"""Companies, org units with their closure, persons, roles, scopes, sign-ins, devices, audit."""

import sqlalchemy as sa
from alembic import op

from app.core.migrating import APPEND_ONLY, protect

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "people_audit_entry",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_people_audit_entry"),
    )
    op.create_index(
        "ix_people_audit_entry_tenant_id_at",
        "people_audit_entry",
        ["tenant_id", "at"],
        unique=False,
    )
    op.create_table(
        "people_org_unit",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tree", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "parent_id"],
            ["people_org_unit.tenant_id", "people_org_unit.id"],
            name="fk_people_org_unit_tenant_id_parent_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_people_org_unit"),
        sa.UniqueConstraint(
            "tenant_id", "tree", "code", name="uq_people_org_unit_tenant_id_tree_code"
        ),
    )
    op.create_table(
        "people_person",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("employee_code", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("access_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_people_person"),
        sa.UniqueConstraint(
            "tenant_id", "employee_code", name="uq_people_person_tenant_id_employee_code"
        ),
        sa.UniqueConstraint("tenant_id", "login", name="uq_people_person_tenant_id_login"),
    )
    op.create_table(
        "people_role",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("permissions", sa.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", name="pk_people_role"),
    )
    op.create_table(
        "people_tenant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("structure_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('active', 'suspended')", name="state"),
        sa.PrimaryKeyConstraint("id", name="pk_people_tenant"),
        sa.UniqueConstraint("slug", name="uq_people_tenant_slug"),
    )
    op.create_table(
        "people_device",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("push_provider", sa.Text(), nullable=True),
        sa.Column("push_token", sa.Text(), nullable=True),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_people_device_tenant_id_person_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_people_device"),
        sa.UniqueConstraint(
            "tenant_id", "push_token", name="uq_people_device_tenant_id_push_token"
        ),
    )
    op.create_index(
        "ix_people_device_tenant_id_person_id",
        "people_device",
        ["tenant_id", "person_id"],
        unique=False,
    )
    op.create_table(
        "people_membership",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_people_membership_tenant_id_person_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "unit_id"],
            ["people_org_unit.tenant_id", "people_org_unit.id"],
            name="fk_people_membership_tenant_id_unit_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "person_id", "unit_id", name="pk_people_membership"),
    )
    op.create_index(
        "ix_people_membership_tenant_id_unit_id_person_id",
        "people_membership",
        ["tenant_id", "unit_id", "person_id"],
        unique=False,
    )
    op.create_table(
        "people_org_unit_closure",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("ancestor_id", sa.Uuid(), nullable=False),
        sa.Column("descendant_id", sa.Uuid(), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ancestor_id"],
            ["people_org_unit.tenant_id", "people_org_unit.id"],
            name="fk_people_org_unit_closure_tenant_id_ancestor_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "descendant_id"],
            ["people_org_unit.tenant_id", "people_org_unit.id"],
            name="fk_people_org_unit_closure_tenant_id_descendant_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "ancestor_id", "descendant_id", name="pk_people_org_unit_closure"
        ),
    )
    op.create_index(
        "ix_people_org_unit_closure_tenant_id_descendant_id_ancestor_id",
        "people_org_unit_closure",
        ["tenant_id", "descendant_id", "ancestor_id"],
        unique=False,
    )
    op.create_table(
        "people_role_grant",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("role_key", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_people_role_grant_tenant_id_person_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "role_key"],
            ["people_role.tenant_id", "people_role.key"],
            name="fk_people_role_grant_tenant_id_role_key",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "unit_id"],
            ["people_org_unit.tenant_id", "people_org_unit.id"],
            name="fk_people_role_grant_tenant_id_unit_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "person_id", "role_key", "unit_id", name="pk_people_role_grant"
        ),
    )
    op.create_index(
        "ix_people_role_grant_tenant_id_role_key_unit_id",
        "people_role_grant",
        ["tenant_id", "role_key", "unit_id"],
        unique=False,
    )
    op.create_table(
        "people_scope",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("role_key", sa.Text(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('tenant', 'unit', 'unit_tree', 'role', 'role_at', 'person')",
            name="kind",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_people_scope_tenant_id_person_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "unit_id"],
            ["people_org_unit.tenant_id", "people_org_unit.id"],
            name="fk_people_scope_tenant_id_unit_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_people_scope"),
        sa.UniqueConstraint(
            "tenant_id",
            "kind",
            "unit_id",
            "role_key",
            "person_id",
            name="uq_people_scope_tenant_id_kind_unit_id_role_key_person_id",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(
        "ix_people_scope_tenant_id_person_id",
        "people_scope",
        ["tenant_id", "person_id"],
        unique=False,
    )
    op.create_index(
        "ix_people_scope_tenant_id_unit_id", "people_scope", ["tenant_id", "unit_id"], unique=False
    )
    op.create_table(
        "people_sign_in",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_people_sign_in_tenant_id_person_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_people_sign_in"),
    )
    op.create_index(
        "ix_people_sign_in_tenant_id_person_id",
        "people_sign_in",
        ["tenant_id", "person_id"],
        unique=False,
    )
    op.create_table(
        "people_refresh_token",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("sign_in_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("successor_sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sign_in_id"],
            ["people_sign_in.tenant_id", "people_sign_in.id"],
            name="fk_people_refresh_token_tenant_id_sign_in_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "token_hash", name="pk_people_refresh_token"),
    )

    protect(
        op,
        "people_tenant",
        tenant="id",
        grants=["SELECT", "INSERT", "UPDATE"],
        relay=["SELECT"],
    )
    # Who has named a company may see that company's own row: how signing in begins.
    op.execute(
        "CREATE POLICY named ON people_tenant FOR SELECT"
        " USING (slug = NULLIF(current_setting('app.slug', true), ''))"
    )
    for table in ("org_unit", "org_unit_closure", "person", "membership", "role", "role_grant"):
        protect(op, f"people_{table}")
    for table in ("scope", "device", "sign_in", "refresh_token"):
        protect(op, f"people_{table}")
    protect(op, "people_audit_entry", grants=APPEND_ONLY)


def downgrade() -> None:
    op.drop_table("people_refresh_token")
    op.drop_table("people_sign_in")
    op.drop_table("people_scope")
    op.drop_table("people_role_grant")
    op.drop_table("people_org_unit_closure")
    op.drop_table("people_membership")
    op.drop_table("people_device")
    op.drop_table("people_tenant")
    op.drop_table("people_role")
    op.drop_table("people_person")
    op.drop_table("people_org_unit")
    op.drop_table("people_audit_entry")
