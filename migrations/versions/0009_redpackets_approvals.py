"""Approval policies, what waits for approval, decisions and delegates; successors of budgets.

Policies and decisions are append-only twice over, like the journal: by rights and by trigger.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.core.migrating import APPEND_ONLY, protect

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

CHANGED_IN_PLACE = ("SELECT", "INSERT", "UPDATE")
GRANTS = {
    "redpackets_policy": APPEND_ONLY,
    "redpackets_approval_request": CHANGED_IN_PLACE,
    "redpackets_approval": APPEND_ONLY,
    "redpackets_delegation": CHANGED_IN_PLACE,
}


def upgrade() -> None:
    _create_policy()
    _create_request()
    _create_approval()
    _create_delegation()
    for table, grants in GRANTS.items():
        protect(op, table, grants=grants)
    for table in ("redpackets_policy", "redpackets_approval"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION redpackets_refuse_change()"
        )
    op.add_column("redpackets_budget", sa.Column("predecessor_id", sa.Uuid()))
    op.create_unique_constraint(
        "uq_redpackets_budget_tenant_id_predecessor_id",
        "redpackets_budget",
        ["tenant_id", "predecessor_id"],
    )
    op.create_foreign_key(
        "fk_redpackets_budget_tenant_id_predecessor_id_unit",
        "redpackets_budget",
        "redpackets_budget",
        ["tenant_id", "predecessor_id", "unit"],
        ["tenant_id", "id", "unit"],
    )
    op.create_index(
        "ix_redpackets_budget_open",
        "redpackets_budget",
        ["tenant_id", "period_to"],
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "ix_redpackets_budget_unused",
        "redpackets_budget",
        ["tenant_id", "id"],
        postgresql_where=sa.text(
            "closed_at IS NOT NULL AND limit_minor > held_minor + spent_minor + allotted_minor"
        ),
    )
    op.add_column("redpackets_packet", sa.Column("policy_version", sa.Integer()))
    op.create_foreign_key(
        "fk_redpackets_packet_tenant_id_policy_version",
        "redpackets_packet",
        "redpackets_policy",
        ["tenant_id", "policy_version"],
        ["tenant_id", "version"],
    )
    op.create_index(
        "ix_redpackets_packet_tenant_id_actor_id_id",
        "redpackets_packet",
        ["tenant_id", "actor_id", "id"],
    )


def _create_policy() -> None:
    op.create_table(
        "redpackets_policy",
        _id("tenant_id"),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bands", postgresql.JSONB(), nullable=False),
        _id("created_by_id"),
        _moment("created_at"),
        sa.CheckConstraint("version >= 1", name="version"),
        _to_person("redpackets_policy", "created_by_id"),
        sa.PrimaryKeyConstraint("tenant_id", "version", name="pk_redpackets_policy"),
    )


def _create_request() -> None:
    op.create_table(
        "redpackets_approval_request",
        _id("tenant_id"),
        _id("packet_id"),
        sa.Column("approval_count", sa.Integer(), nullable=False),
        sa.Column("permission", sa.Text(), nullable=False),
        sa.Column("held_at", sa.Text(), nullable=False),
        _moment("requested_at"),
        _moment("approved_at", nullable=True),
        sa.CheckConstraint("approval_count BETWEEN 1 AND 5", name="count"),
        sa.CheckConstraint("held_at IN ('cost_centre', 'company')", name="held_at"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "packet_id"],
            ["redpackets_packet.tenant_id", "redpackets_packet.id"],
            name="fk_redpackets_approval_request_tenant_id_packet_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "packet_id", name="pk_redpackets_approval_request"),
    )


def _create_approval() -> None:
    op.create_table(
        "redpackets_approval",
        _id("tenant_id"),
        _id("packet_id"),
        _id("approver_id"),
        _id("on_behalf_of_id"),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _moment("at"),
        sa.CheckConstraint("decision IN ('approve', 'reject')", name="decision"),
        sa.CheckConstraint("decision = 'approve' OR reason <> ''", name="reason"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "packet_id"],
            ["redpackets_approval_request.tenant_id", "redpackets_approval_request.packet_id"],
            name="fk_redpackets_approval_tenant_id_packet_id",
        ),
        _to_person("redpackets_approval", "approver_id"),
        _to_person("redpackets_approval", "on_behalf_of_id"),
        sa.PrimaryKeyConstraint(
            "tenant_id", "packet_id", "approver_id", name="pk_redpackets_approval"
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "packet_id",
            "on_behalf_of_id",
            name="uq_redpackets_approval_tenant_id_packet_id_on_behalf_of_id",
        ),
    )


def _create_delegation() -> None:
    op.create_table(
        "redpackets_delegation",
        _id("tenant_id"),
        _id("id"),
        _id("delegator_id"),
        _id("delegate_id"),
        _moment("starts_at"),
        _moment("ends_at"),
        _moment("revoked_at", nullable=True),
        _moment("created_at"),
        sa.CheckConstraint("delegator_id <> delegate_id", name="persons"),
        sa.CheckConstraint(
            "ends_at > starts_at AND ends_at <= starts_at + interval '2160 hours'", name="times"
        ),
        _to_person("redpackets_delegation", "delegator_id"),
        _to_person("redpackets_delegation", "delegate_id"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_redpackets_delegation"),
    )
    op.create_index(
        "ix_redpackets_delegation_standing",
        "redpackets_delegation",
        ["tenant_id", "delegate_id"],
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_index(
        "ix_redpackets_delegation_tenant_id_delegator_id",
        "redpackets_delegation",
        ["tenant_id", "delegator_id"],
    )


def _id(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _to_person(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        ["people_person.tenant_id", "people_person.id"],
        name=f"fk_{table}_tenant_id_{column}",
    )


def downgrade() -> None:
    op.drop_index("ix_redpackets_packet_tenant_id_actor_id_id", "redpackets_packet")
    op.drop_column("redpackets_packet", "policy_version")
    op.drop_index("ix_redpackets_budget_unused", "redpackets_budget")
    op.drop_index("ix_redpackets_budget_open", "redpackets_budget")
    op.drop_column("redpackets_budget", "predecessor_id")
    for table in reversed(GRANTS):
        op.drop_table(table)
