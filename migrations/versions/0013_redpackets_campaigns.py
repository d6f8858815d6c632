"""Rules on figures and what they fired, allowances for kudos, rains and grants, milestones."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.core.migrating import APPEND_ONLY, READ_WRITE, protect

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

#: Table → what the application may do with it: versions of rules never change.
TABLES = {
    "redpackets_trigger_rule": READ_WRITE,
    "redpackets_trigger_version": APPEND_ONLY,
    "redpackets_trigger_fire": READ_WRITE,
    "redpackets_trigger_miss": READ_WRITE,
    "redpackets_trigger_proposal": READ_WRITE,
    "redpackets_kudos_programme": READ_WRITE,
    "redpackets_kudos_allowance": READ_WRITE,
    "redpackets_campaign": READ_WRITE,
    "redpackets_milestone_rule": READ_WRITE,
    "redpackets_milestone_date": READ_WRITE,
    "redpackets_milestone_gift": READ_WRITE,
}


def upgrade() -> None:
    _create_rules()
    _create_kudos()
    _create_campaigns()
    _create_milestones()
    for table, grants in TABLES.items():
        protect(op, table, grants=grants)


def _create_rules() -> None:
    op.create_table(
        "redpackets_trigger_rule",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("budget_id", sa.Uuid(), nullable=False),
        sa.Column("on_behalf_of_id", sa.Uuid(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("comparison", sa.Text(), nullable=False),
        sa.Column("threshold", sa.Numeric(precision=24, scale=4), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("deadline_day", sa.Integer(), nullable=True),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=True),
        sa.Column("per_head_minor", sa.BigInteger(), nullable=True),
        sa.Column("split", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("purpose_category", sa.Text(), nullable=False),
        sa.Column("purpose_text", sa.Text(), nullable=False),
        sa.Column("greeting", sa.Text(), nullable=False),
        sa.Column("tax_class", sa.Text(), nullable=False),
        sa.Column("kept_open_hours", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("audience IN ('subject', 'unit')", name="audience"),
        sa.CheckConstraint("comparison IN ('value', 'target', 'growth')", name="comparison"),
        sa.CheckConstraint("period IN ('month', 'quarter', 'year')", name="period"),
        sa.CheckConstraint("split IN ('equal', 'lucky', 'one')", name="split"),
        sa.CheckConstraint("subject_kind IN ('units', 'children', 'persons')", name="subjects"),
        sa.CheckConstraint("COALESCE(total_minor, per_head_minor) > 0", name="amount_positive"),
        sa.CheckConstraint("deadline_day BETWEEN 1 AND 366", name="deadline"),
        sa.CheckConstraint("num_nonnulls(total_minor, per_head_minor) = 1", name="amount"),
        sa.CheckConstraint("removed_at IS NULL OR NOT active", name="removal"),
        sa.CheckConstraint("threshold > 0", name="threshold"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "budget_id", "unit"],
            ["redpackets_budget.tenant_id", "redpackets_budget.id", "redpackets_budget.unit"],
            name="fk_redpackets_trigger_rule_tenant_id_budget_id_unit",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "on_behalf_of_id"],
            ["people_org_unit.tenant_id", "people_org_unit.id"],
            name="fk_redpackets_trigger_rule_tenant_id_on_behalf_of_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_redpackets_trigger_rule_tenant_id_owner_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_redpackets_trigger_rule"),
    )
    op.create_index(
        "ix_redpackets_trigger_rule_tenant_id_budget_id",
        "redpackets_trigger_rule",
        ["tenant_id", "budget_id"],
    )
    op.create_table(
        "redpackets_trigger_version",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("terms", postgresql.JSONB(), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "changed_by"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_redpackets_trigger_version_tenant_id_changed_by",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "rule_id"],
            ["redpackets_trigger_rule.tenant_id", "redpackets_trigger_rule.id"],
            name="fk_redpackets_trigger_version_tenant_id_rule_id",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "rule_id", "version", name="pk_redpackets_trigger_version"
        ),
    )
    op.create_table(
        "redpackets_trigger_fire",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("comparison", sa.Text(), nullable=False),
        sa.Column("threshold", sa.Numeric(precision=24, scale=4), nullable=False),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=False),
        sa.Column("period_to", sa.Date(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("packet_id", sa.Uuid(), nullable=True),
        sa.Column("value", sa.Numeric(precision=24, scale=4), nullable=False),
        sa.Column("target", sa.Numeric(precision=24, scale=4), nullable=True),
        sa.Column("last_year", sa.Numeric(precision=24, scale=4), nullable=True),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("batch_id", sa.Uuid(), nullable=True),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("metric_version", sa.Text(), nullable=False),
        sa.Column("documents", postgresql.JSONB(), nullable=False),
        sa.Column("fired_on", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "packet_id"],
            ["redpackets_packet.tenant_id", "redpackets_packet.id"],
            name="fk_redpackets_trigger_fire_tenant_id_packet_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "rule_id", "rule_version"],
            [
                "redpackets_trigger_version.tenant_id",
                "redpackets_trigger_version.rule_id",
                "redpackets_trigger_version.version",
            ],
            name="fk_redpackets_trigger_fire_tenant_id_rule_id_rule_version",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_redpackets_trigger_fire"),
        sa.UniqueConstraint(
            "tenant_id",
            "rule_id",
            "period_from",
            "subject_id",
            name="uq_redpackets_trigger_fire_once",
        ),
    )
    op.create_index(
        "ix_redpackets_trigger_fire_tenant_id_packet_id",
        "redpackets_trigger_fire",
        ["tenant_id", "packet_id"],
    )
    op.create_table(
        "redpackets_trigger_miss",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "rule_id"],
            ["redpackets_trigger_rule.tenant_id", "redpackets_trigger_rule.id"],
            name="fk_redpackets_trigger_miss_tenant_id_rule_id",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id",
            "rule_id",
            "period_from",
            "subject_id",
            "reason",
            name="pk_redpackets_trigger_miss",
        ),
    )
    op.create_table(
        "redpackets_trigger_proposal",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("fire_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("value", sa.Numeric(precision=24, scale=4), nullable=True),
        sa.Column("target", sa.Numeric(precision=24, scale=4), nullable=True),
        sa.Column("last_year", sa.Numeric(precision=24, scale=4), nullable=True),
        sa.Column("batch_id", sa.Uuid(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "num_nonnulls(decided_by, decided_at) = CASE state WHEN 'open' THEN 0 ELSE 2 END",
            name="decision",
        ),
        sa.CheckConstraint("state IN ('open', 'accepted', 'rejected')", name="state"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "decided_by"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_redpackets_trigger_proposal_tenant_id_decided_by",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "fire_id"],
            ["redpackets_trigger_fire.tenant_id", "redpackets_trigger_fire.id"],
            name="fk_redpackets_trigger_proposal_tenant_id_fire_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_redpackets_trigger_proposal"),
        sa.UniqueConstraint(
            "tenant_id", "fire_id", name="uq_redpackets_trigger_proposal_tenant_id_fire_id"
        ),
    )


def _create_kudos() -> None:
    op.create_table(
        "redpackets_kudos_programme",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("budget_id", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("allowance_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_class", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("allowance_minor > 0", name="allowance"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "budget_id", "unit"],
            ["redpackets_budget.tenant_id", "redpackets_budget.id", "redpackets_budget.unit"],
            name="fk_redpackets_kudos_programme_tenant_id_budget_id_unit",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "unit_id"],
            ["people_org_unit.tenant_id", "people_org_unit.id"],
            name="fk_redpackets_kudos_programme_tenant_id_unit_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_redpackets_kudos_programme"),
    )
    op.create_index(
        "ix_redpackets_kudos_programme_tenant_id_unit_id",
        "redpackets_kudos_programme",
        ["tenant_id", "unit_id"],
    )
    op.create_table(
        "redpackets_kudos_allowance",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("budget_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "budget_id"],
            ["redpackets_budget.tenant_id", "redpackets_budget.id"],
            name="fk_redpackets_kudos_allowance_tenant_id_budget_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_redpackets_kudos_allowance_tenant_id_person_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "programme_id"],
            ["redpackets_kudos_programme.tenant_id", "redpackets_kudos_programme.id"],
            name="fk_redpackets_kudos_allowance_tenant_id_programme_id",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "programme_id", "person_id", "month", name="pk_redpackets_kudos_allowance"
        ),
    )


def _create_campaigns() -> None:
    op.create_table(
        "redpackets_campaign",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("budget_id", sa.Uuid(), nullable=False),
        sa.Column("on_behalf_of_id", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("purpose_category", sa.Text(), nullable=False),
        sa.Column("purpose_text", sa.Text(), nullable=False),
        sa.Column("cap_count", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('rain', 'grant')", name="kind"),
        sa.CheckConstraint("total_minor > 0", name="total"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "actor_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_redpackets_campaign_tenant_id_actor_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "budget_id", "unit"],
            ["redpackets_budget.tenant_id", "redpackets_budget.id", "redpackets_budget.unit"],
            name="fk_redpackets_campaign_tenant_id_budget_id_unit",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "on_behalf_of_id"],
            ["people_org_unit.tenant_id", "people_org_unit.id"],
            name="fk_redpackets_campaign_tenant_id_on_behalf_of_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_redpackets_campaign"),
    )
    op.create_index(
        "ix_redpackets_campaign_tenant_id_actor_id",
        "redpackets_campaign",
        ["tenant_id", "actor_id"],
    )


def _create_milestones() -> None:
    op.create_table(
        "redpackets_milestone_rule",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("budget_id", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("steps", postgresql.JSONB(), nullable=False),
        sa.Column("purpose_text", sa.Text(), nullable=False),
        sa.Column("greeting", sa.Text(), nullable=False),
        sa.Column("tax_class", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("last_refusal", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('birthday', 'anniversary')", name="kind"),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "budget_id", "unit"],
            ["redpackets_budget.tenant_id", "redpackets_budget.id", "redpackets_budget.unit"],
            name="fk_redpackets_milestone_rule_tenant_id_budget_id_unit",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_redpackets_milestone_rule_tenant_id_owner_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "unit_id"],
            ["people_org_unit.tenant_id", "people_org_unit.id"],
            name="fk_redpackets_milestone_rule_tenant_id_unit_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_redpackets_milestone_rule"),
    )
    op.create_index(
        "ix_redpackets_milestone_rule_tenant_id_unit_id",
        "redpackets_milestone_rule",
        ["tenant_id", "unit_id"],
    )
    op.create_table(
        "redpackets_milestone_date",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.CheckConstraint("(kind = 'birthday') = (year IS NULL)", name="year"),
        sa.CheckConstraint("kind IN ('birthday', 'anniversary')", name="kind"),
        sa.CheckConstraint("month BETWEEN 1 AND 12 AND day BETWEEN 1 AND 31", name="day"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_redpackets_milestone_date_tenant_id_person_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "person_id", "kind", name="pk_redpackets_milestone_date"
        ),
    )
    op.create_index(
        "ix_redpackets_milestone_date_tenant_id_kind_month_day",
        "redpackets_milestone_date",
        ["tenant_id", "kind", "month", "day"],
    )
    op.create_table(
        "redpackets_milestone_gift",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("packet_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "packet_id"],
            ["redpackets_packet.tenant_id", "redpackets_packet.id"],
            name="fk_redpackets_milestone_gift_tenant_id_packet_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_redpackets_milestone_gift_tenant_id_person_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "rule_id"],
            ["redpackets_milestone_rule.tenant_id", "redpackets_milestone_rule.id"],
            name="fk_redpackets_milestone_gift_tenant_id_rule_id",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "rule_id", "person_id", "year", name="pk_redpackets_milestone_gift"
        ),
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
