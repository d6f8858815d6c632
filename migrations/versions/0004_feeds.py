"""Items of the feed with their index, comments, reactions, receipts, and what reach is reported from."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.core.migrating import APPEND_ONLY, READ_WRITE, grant, protect

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SEQUENCES = ("feeds_publish_seq", "feeds_activity_seq")
GRANTS = {
    "feeds_post": ("SELECT", "INSERT", "UPDATE"),
    "feeds_post_audience": READ_WRITE,
    "feeds_counter": ("SELECT", "INSERT", "UPDATE"),
    "feeds_comment": ("SELECT", "INSERT", "UPDATE"),
    "feeds_reaction": READ_WRITE,
    "feeds_receipt": ("SELECT", "INSERT", "UPDATE"),
    "feeds_target": APPEND_ONLY,
    "feeds_nudge": APPEND_ONLY,
    "feeds_recount": READ_WRITE,
}


def upgrade() -> None:
    for name in SEQUENCES:
        op.execute(f"CREATE SEQUENCE {name} AS bigint")
        grant(op, f"USAGE ON SEQUENCE {name}")
    op.create_table(
        "feeds_recount",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.CheckConstraint("what IN ('reactions', 'reach')", name="what"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_feeds_recount"),
    )
    op.create_table(
        "feeds_post",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("on_behalf_of", sa.Uuid(), nullable=True),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("subject_kind", sa.Text(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("subject", postgresql.JSONB(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("body_html", sa.Text(), nullable=False),
        sa.Column("response", sa.Text(), nullable=False),
        sa.Column("audience_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("scope_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("publish_seq", sa.BigInteger(), nullable=True),
        sa.Column("event_seq", sa.BigInteger(), nullable=True),
        sa.Column("publish_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), nullable=False),
        sa.CheckConstraint(
            "response IN ('none', 'seen', 'acknowledge', 'answer')", name="response"
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'scheduled', 'published', 'hidden', 'removed')",
            name="state",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "author_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_feeds_post_tenant_id_author_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "on_behalf_of"],
            ["people_org_unit.tenant_id", "people_org_unit.id"],
            name="fk_feeds_post_tenant_id_on_behalf_of",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_feeds_post"),
        sa.UniqueConstraint(
            "tenant_id",
            "author_id",
            "client_id",
            name="uq_feeds_post_tenant_id_author_id_client_id",
        ),
        sa.UniqueConstraint("tenant_id", "publish_seq", name="uq_feeds_post_tenant_id_publish_seq"),
        sa.UniqueConstraint("tenant_id", "source", name="uq_feeds_post_tenant_id_source"),
    )
    op.create_index(
        "ix_feeds_post_words", "feeds_post", ["words"], unique=False, postgresql_using="gin"
    )
    op.create_table(
        "feeds_comment",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("reply_to", sa.Uuid(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("body_html", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "author_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_feeds_comment_tenant_id_author_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "post_id"],
            ["feeds_post.tenant_id", "feeds_post.id"],
            name="fk_feeds_comment_tenant_id_post_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "reply_to"],
            ["feeds_comment.tenant_id", "feeds_comment.id"],
            name="fk_feeds_comment_tenant_id_reply_to",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_feeds_comment"),
        sa.UniqueConstraint(
            "tenant_id",
            "author_id",
            "client_id",
            name="uq_feeds_comment_tenant_id_author_id_client_id",
        ),
        sa.UniqueConstraint(
            "tenant_id", "post_id", "seq", name="uq_feeds_comment_tenant_id_post_id_seq"
        ),
    )
    op.create_table(
        "feeds_counter",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("comment_count", sa.Integer(), nullable=False),
        sa.Column("reactions", postgresql.JSONB(), nullable=False),
        sa.Column("activity_seq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "post_id"],
            ["feeds_post.tenant_id", "feeds_post.id"],
            name="fk_feeds_counter_tenant_id_post_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "post_id", name="pk_feeds_counter"),
        sa.UniqueConstraint(
            "tenant_id", "activity_seq", name="uq_feeds_counter_tenant_id_activity_seq"
        ),
    )
    op.create_table(
        "feeds_nudge",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("unit_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("nudged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_feeds_nudge_tenant_id_person_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "post_id"],
            ["feeds_post.tenant_id", "feeds_post.id"],
            name="fk_feeds_nudge_tenant_id_post_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_feeds_nudge"),
    )
    op.create_index(
        "ix_feeds_nudge_tenant_id_post_id_nudged_at",
        "feeds_nudge",
        ["tenant_id", "post_id", "nudged_at"],
        unique=False,
    )
    op.create_table(
        "feeds_post_audience",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("publish_seq", sa.BigInteger(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("activity_seq", sa.BigInteger(), nullable=False),
        sa.Column("pins", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "post_id"],
            ["feeds_post.tenant_id", "feeds_post.id"],
            name="fk_feeds_post_audience_tenant_id_post_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "scope_id"],
            ["people_scope.tenant_id", "people_scope.id"],
            name="fk_feeds_post_audience_tenant_id_scope_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "scope_id", "publish_seq", name="pk_feeds_post_audience"
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "scope_id",
            "activity_seq",
            name="uq_feeds_post_audience_tenant_id_scope_id_activity_seq",
        ),
    )
    op.create_index(
        "ix_feeds_post_audience_pins",
        "feeds_post_audience",
        ["tenant_id", "scope_id", "publish_seq"],
        unique=False,
        postgresql_where=sa.text("pins"),
    )
    op.create_index(
        "ix_feeds_post_audience_tenant_id_post_id",
        "feeds_post_audience",
        ["tenant_id", "post_id"],
        unique=False,
    )
    op.create_table(
        "feeds_reaction",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reacted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_feeds_reaction_tenant_id_person_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "post_id"],
            ["feeds_post.tenant_id", "feeds_post.id"],
            name="fk_feeds_reaction_tenant_id_post_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "post_id", "person_id", "kind", name="pk_feeds_reaction"
        ),
    )
    op.create_table(
        "feeds_receipt",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.CheckConstraint("answer IS NULL OR acknowledged_at IS NOT NULL", name="answer"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_feeds_receipt_tenant_id_person_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "post_id"],
            ["feeds_post.tenant_id", "feeds_post.id"],
            name="fk_feeds_receipt_tenant_id_post_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "post_id", "person_id", name="pk_feeds_receipt"),
    )
    op.create_table(
        "feeds_target",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("person_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "post_id"],
            ["feeds_post.tenant_id", "feeds_post.id"],
            name="fk_feeds_target_tenant_id_post_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "unit_id"],
            ["people_org_unit.tenant_id", "people_org_unit.id"],
            name="fk_feeds_target_tenant_id_unit_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "post_id", "unit_id", name="pk_feeds_target"),
    )

    for table, grants in GRANTS.items():
        # The relay's role looks which companies have something to count, and at nothing else.
        relay = ("SELECT",) if table == "feeds_recount" else ()
        protect(op, table, grants=grants, relay=relay)


def downgrade() -> None:
    for table in reversed(GRANTS):
        op.drop_table(table)
    for name in SEQUENCES:
        op.execute(f"DROP SEQUENCE {name}")
