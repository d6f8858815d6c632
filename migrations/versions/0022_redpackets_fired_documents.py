"""All documents behind a rule that fired, a row each, instead of the newest fifty in one value."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from app.core.migrating import APPEND_ONLY, protect

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

FIRE, DOCUMENT = "redpackets_trigger_fire", "redpackets_trigger_document"
TAKE_OVER = f"""
    INSERT INTO {DOCUMENT} (tenant_id, fire_id, position, source_id, source, kind, key, code, day, amount_minor)
    SELECT f.tenant_id, f.id, d.position - 1, CAST(d.said ->> 'source_id' AS uuid), d.said ->> 'source',
           d.said ->> 'kind', d.said ->> 'key', d.said ->> 'code', CAST(d.said ->> 'day' AS date),
           CAST(d.said ->> 'amount_minor' AS bigint)
      FROM {FIRE} f CROSS JOIN jsonb_array_elements(f.documents) WITH ORDINALITY AS d (said, position)
"""
#: How many there were beyond those that were kept, nobody knows any more.
COUNT = f"UPDATE {FIRE} SET document_count = jsonb_array_length(documents)"
GIVE_BACK = f"""
    UPDATE {FIRE} f
       SET documents = COALESCE((
           SELECT jsonb_agg(to_jsonb(d) - 'tenant_id' - 'fire_id' - 'position' ORDER BY d.position)
             FROM {DOCUMENT} d WHERE (d.tenant_id, d.fire_id) = (f.tenant_id, f.id) AND d.position < 50), '[]')
"""


def upgrade() -> None:
    op.create_table(
        DOCUMENT,
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("fire_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "fire_id", "position", name=f"pk_{DOCUMENT}"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "fire_id"],
            [f"{FIRE}.tenant_id", f"{FIRE}.id"],
            name=f"fk_{DOCUMENT}_tenant_id_fire_id",
        ),
    )
    op.add_column(FIRE, sa.Column("document_count", sa.Integer(), nullable=True))
    _of_every_tenant(TAKE_OVER, COUNT)
    op.alter_column(FIRE, "document_count", nullable=False)
    op.drop_column(FIRE, "documents")
    protect(op, DOCUMENT, grants=APPEND_ONLY)


def downgrade() -> None:
    op.add_column(FIRE, sa.Column("documents", JSONB(), server_default="[]", nullable=False))
    op.execute(f"ALTER TABLE {DOCUMENT} NO FORCE ROW LEVEL SECURITY")
    _of_every_tenant(GIVE_BACK)
    op.alter_column(FIRE, "documents", server_default=None)
    op.drop_column(FIRE, "document_count")
    op.drop_table(DOCUMENT)


def _of_every_tenant(*statements: str) -> None:
    """Run statements over the rows of all tenants, which the owner of a table does not see as a rule."""
    op.execute(f"ALTER TABLE {FIRE} NO FORCE ROW LEVEL SECURITY")
    for statement in statements:
        op.execute(statement)
    # What is checked at the end of the transaction would forbid to change the table.
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.execute(f"ALTER TABLE {FIRE} FORCE ROW LEVEL SECURITY")
