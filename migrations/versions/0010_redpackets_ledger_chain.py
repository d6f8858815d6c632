"""The hash chain over the journal, its daily heads, and what the last whole verification found.

A statement that posts also notes, in the same transaction, that its entries wait to be sealed: ids are made before
the commit, so "newer than the last sealed one" would lose whoever commits late. Entries of before wait as well.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.core.migrating import APPEND_ONLY, protect

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

CLOSED = ("redpackets_chain", "redpackets_chain_head")


def upgrade() -> None:
    op.create_table(
        "redpackets_chain",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("position >= 1", name="position"),
        sa.CheckConstraint("octet_length(hash) = 32", name="hash"),
        sa.PrimaryKeyConstraint("tenant_id", "position", name="pk_redpackets_chain"),
        sa.UniqueConstraint("tenant_id", "entry_id", name="uq_redpackets_chain_tenant_id_entry_id"),
    )
    op.create_table(
        "redpackets_chain_queue",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column(
            "queued_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("tenant_id", "entry_id", name="pk_redpackets_chain_queue"),
    )
    op.create_table(
        "redpackets_chain_head",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "day", name="pk_redpackets_chain_head"),
    )
    op.create_table(
        "redpackets_ledger_proof",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("found", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_redpackets_ledger_proof"),
    )
    op.create_index(
        "ix_redpackets_ledger_proof_tenant_id_at", "redpackets_ledger_proof", ["tenant_id", "at"]
    )
    _let_entries_wait()
    for table in (*CLOSED, "redpackets_ledger_proof"):
        protect(op, table, grants=APPEND_ONLY)
    protect(op, "redpackets_chain_queue", grants=("SELECT", "INSERT", "DELETE"), relay=("SELECT",))
    for table in CLOSED:
        op.execute(f"""
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION redpackets_refuse_change()
        """)


def _let_entries_wait() -> None:
    op.execute("""
        CREATE FUNCTION redpackets_await_seal() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO redpackets_chain_queue (tenant_id, entry_id)
            SELECT tenant_id, id FROM added;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER await_seal AFTER INSERT ON redpackets_journal
        REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION redpackets_await_seal()
    """)
    # The owner, too, sees only one company's journal while row-level security is forced.
    op.execute("ALTER TABLE redpackets_journal NO FORCE ROW LEVEL SECURITY")
    op.execute("""
        INSERT INTO redpackets_chain_queue (tenant_id, entry_id)
        SELECT tenant_id, id FROM redpackets_journal
    """)
    op.execute("ALTER TABLE redpackets_journal FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.execute("DROP TRIGGER await_seal ON redpackets_journal")
    op.execute("DROP FUNCTION redpackets_await_seal()")
    op.drop_table("redpackets_ledger_proof")
    op.drop_table("redpackets_chain_head")
    op.drop_table("redpackets_chain_queue")
    op.drop_table("redpackets_chain")
