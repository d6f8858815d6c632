"""Budgets, accounts and the journal, packets, their audience and their shares.

The journal is append-only twice over: the application may only insert and read, and a trigger refuses every change
to everybody, its owner included.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.core.migrating import APPEND_ONLY, protect

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CHANGED_IN_PLACE = ("SELECT", "INSERT", "UPDATE")


def upgrade() -> None:
    op.create_table(
        "redpackets_budget",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("period_to", sa.Date(), nullable=False),
        sa.Column("limit_minor", sa.BigInteger(), nullable=False),
        sa.Column("held_minor", sa.BigInteger(), nullable=False),
        sa.Column("spent_minor", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("held_minor + spent_minor <= limit_minor", name="limit"),
        sa.CheckConstraint("held_minor >= 0 AND spent_minor >= 0", name="amounts"),
        sa.CheckConstraint("period_from <= period_to", name="period"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_redpackets_budget_tenant_id_owner_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "unit_id"],
            ["people_org_unit.tenant_id", "people_org_unit.id"],
            name="fk_redpackets_budget_tenant_id_unit_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_redpackets_budget"),
        sa.UniqueConstraint(
            "tenant_id", "id", "unit", name="uq_redpackets_budget_tenant_id_id_unit"
        ),
    )
    op.create_index(
        "ix_redpackets_budget_tenant_id_owner_id",
        "redpackets_budget",
        ["tenant_id", "owner_id"],
        unique=False,
    )
    op.create_index(
        "ix_redpackets_budget_tenant_id_unit_id",
        "redpackets_budget",
        ["tenant_id", "unit_id"],
        unique=False,
    )
    op.create_table(
        "redpackets_packet",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("budget_id", sa.Uuid(), nullable=False),
        sa.Column("on_behalf_of_id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("cost_centre_id", sa.Uuid(), nullable=False),
        sa.Column("tax_class", sa.Text(), nullable=False),
        sa.Column("purpose_category", sa.Text(), nullable=False),
        sa.Column("purpose_text", sa.Text(), nullable=False),
        sa.Column("purpose_evidence", sa.Text(), nullable=False),
        sa.Column("audience", postgresql.JSONB(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("split", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("share_count", sa.Integer(), nullable=False),
        sa.Column("min_minor", sa.BigInteger(), nullable=False),
        sa.Column("max_minor", sa.BigInteger(), nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=False),
        sa.Column("greeting", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("told_remaining", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(settled_at IS NULL) = (state IN ('scheduled', 'open'))",
            name="settlement",
        ),
        sa.CheckConstraint(
            "expires_at > opens_at AND expires_at <= opens_at + interval '168 hours'",
            name="times",
        ),
        sa.CheckConstraint("kind IN ('equal', 'lucky')", name="kind"),
        sa.CheckConstraint("split IN ('even', 'double_mean')", name="split"),
        sa.CheckConstraint("state <> 'open' OR opened_at IS NOT NULL", name="opening"),
        sa.CheckConstraint(
            "state IN ('scheduled', 'open', 'exhausted', 'expired', 'cancelled')",
            name="state",
        ),
        sa.CheckConstraint(
            "min_minor >= 1 AND min_minor * share_count <= total_minor AND total_minor <= max_minor::numeric * share_count",
            name="split_possible",
        ),
        sa.CheckConstraint("share_count BETWEEN 1 AND 50000", name="share_count"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "actor_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_redpackets_packet_tenant_id_actor_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "budget_id", "unit"],
            ["redpackets_budget.tenant_id", "redpackets_budget.id", "redpackets_budget.unit"],
            name="fk_redpackets_packet_tenant_id_budget_id_unit",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "cost_centre_id"],
            ["people_org_unit.tenant_id", "people_org_unit.id"],
            name="fk_redpackets_packet_tenant_id_cost_centre_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "on_behalf_of_id"],
            ["people_org_unit.tenant_id", "people_org_unit.id"],
            name="fk_redpackets_packet_tenant_id_on_behalf_of_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_redpackets_packet"),
        sa.UniqueConstraint(
            "tenant_id", "id", "unit", name="uq_redpackets_packet_tenant_id_id_unit"
        ),
    )
    op.create_index(
        "ix_redpackets_packet_tenant_id_budget_id",
        "redpackets_packet",
        ["tenant_id", "budget_id"],
        unique=False,
    )
    op.create_index(
        "ix_redpackets_packet_unsettled",
        "redpackets_packet",
        ["tenant_id", "expires_at"],
        unique=False,
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_table(
        "redpackets_fund_account",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("budget_id", sa.Uuid(), nullable=True),
        sa.Column("packet_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("balance_minor", sa.BigInteger(), nullable=True),
        sa.Column("may_go_negative", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "(balance_minor IS NULL) = (kind IN ('treasury', 'escrow'))",
            name="materialised",
        ),
        sa.CheckConstraint(
            "kind IN ('treasury', 'budget', 'escrow', 'user_points', 'user_payable')",
            name="kind",
        ),
        sa.CheckConstraint(
            "num_nonnulls(budget_id, packet_id, person_id) = (kind <> 'treasury')::int AND (kind = 'budget') = (budget_id IS NOT NULL) AND (kind = 'escrow') = (packet_id IS NOT NULL)",
            name="owner",
        ),
        sa.CheckConstraint("id = COALESCE(budget_id, packet_id, id)", name="own_id"),
        sa.CheckConstraint("may_go_negative OR balance_minor >= 0", name="balance"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "budget_id", "unit"],
            ["redpackets_budget.tenant_id", "redpackets_budget.id", "redpackets_budget.unit"],
            name="fk_redpackets_fund_account_tenant_id_budget_id_unit",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "packet_id", "unit"],
            ["redpackets_packet.tenant_id", "redpackets_packet.id", "redpackets_packet.unit"],
            name="fk_redpackets_fund_account_tenant_id_packet_id_unit",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_redpackets_fund_account_tenant_id_person_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_redpackets_fund_account"),
        sa.UniqueConstraint(
            "tenant_id", "id", "unit", name="uq_redpackets_fund_account_tenant_id_id_unit"
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "kind",
            "unit",
            "budget_id",
            "packet_id",
            "person_id",
            name="uq_redpackets_fund_account_owner",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(
        "ix_redpackets_fund_account_tenant_id_person_id",
        "redpackets_fund_account",
        ["tenant_id", "person_id"],
        unique=False,
    )
    op.create_table(
        "redpackets_packet_member",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("packet_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "packet_id"],
            ["redpackets_packet.tenant_id", "redpackets_packet.id"],
            name="fk_redpackets_packet_member_tenant_id_packet_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_redpackets_packet_member_tenant_id_person_id",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "packet_id", "person_id", name="pk_redpackets_packet_member"
        ),
    )
    op.create_table(
        "redpackets_packet_scope",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("packet_id", sa.Uuid(), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "packet_id"],
            ["redpackets_packet.tenant_id", "redpackets_packet.id"],
            name="fk_redpackets_packet_scope_tenant_id_packet_id",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "packet_id", "scope_id", name="pk_redpackets_packet_scope"
        ),
    )
    op.create_table(
        "redpackets_share",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("packet_id", sa.Uuid(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'claimed') = (holder_id IS NOT NULL)", name="holder"),
        sa.CheckConstraint("(state = 'free') = (at IS NULL)", name="moment"),
        sa.CheckConstraint("state IN ('free', 'claimed', 'refunded')", name="state"),
        sa.CheckConstraint("amount_minor >= 1", name="amount"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "holder_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_redpackets_share_tenant_id_holder_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "packet_id"],
            ["redpackets_packet.tenant_id", "redpackets_packet.id"],
            name="fk_redpackets_share_tenant_id_packet_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "packet_id", "index", name="pk_redpackets_share"),
        sa.UniqueConstraint(
            "tenant_id",
            "packet_id",
            "holder_id",
            name="uq_redpackets_share_tenant_id_packet_id_holder_id",
        ),
    )
    op.create_index(
        "ix_redpackets_share_free",
        "redpackets_share",
        ["tenant_id", "packet_id", "index"],
        unique=False,
        postgresql_where=sa.text("state = 'free'"),
    )
    op.create_table(
        "redpackets_journal",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("debit_account_id", sa.Uuid(), nullable=False),
        sa.Column("credit_account_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('allot', 'withdraw', 'fund', 'claim', 'refund')",
            name="kind",
        ),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
        sa.CheckConstraint("debit_account_id <> credit_account_id", name="accounts"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "credit_account_id", "unit"],
            [
                "redpackets_fund_account.tenant_id",
                "redpackets_fund_account.id",
                "redpackets_fund_account.unit",
            ],
            name="fk_redpackets_journal_tenant_id_credit_account_id_unit",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "debit_account_id", "unit"],
            [
                "redpackets_fund_account.tenant_id",
                "redpackets_fund_account.id",
                "redpackets_fund_account.unit",
            ],
            name="fk_redpackets_journal_tenant_id_debit_account_id_unit",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_redpackets_journal"),
        sa.UniqueConstraint(
            "tenant_id", "reference", name="uq_redpackets_journal_tenant_id_reference"
        ),
    )
    op.create_index(
        "ix_redpackets_journal_tenant_id_credit_account_id_id",
        "redpackets_journal",
        ["tenant_id", "credit_account_id", "id"],
        unique=False,
    )
    op.create_index(
        "ix_redpackets_journal_tenant_id_debit_account_id_id",
        "redpackets_journal",
        ["tenant_id", "debit_account_id", "id"],
        unique=False,
    )

    for table in ("budget", "fund_account", "packet", "share"):
        protect(op, f"redpackets_{table}", grants=CHANGED_IN_PLACE)
    for table in ("journal", "packet_scope", "packet_member"):
        protect(op, f"redpackets_{table}", grants=APPEND_ONLY)
    _close_journal()


def _close_journal() -> None:
    op.execute("""
        CREATE FUNCTION redpackets_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the journal is append-only' USING ERRCODE = 'restrict_violation';
        END $$
    """)
    op.execute("""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON redpackets_journal
        FOR EACH STATEMENT EXECUTE FUNCTION redpackets_refuse_change()
    """)


def downgrade() -> None:
    op.drop_table("redpackets_journal")
    op.drop_table("redpackets_share")
    op.drop_table("redpackets_packet_scope")
    op.drop_table("redpackets_packet_member")
    op.drop_table("redpackets_fund_account")
    op.drop_table("redpackets_packet")
    op.drop_table("redpackets_budget")
    op.execute("DROP FUNCTION redpackets_refuse_change()")
