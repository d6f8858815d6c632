"""What a person was told, as a list with its read state; whom a text mentions; the pictures of items."""

import sqlalchemy as sa
from alembic import op

from app.core.migrating import READ_WRITE, protect

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

GRANTS = {
    "delivery_notice_head": ("SELECT", "INSERT", "UPDATE"),
    "delivery_notice_audience": READ_WRITE,
    "delivery_notice_reader": READ_WRITE,
    "delivery_notice_read": READ_WRITE,
    "feeds_picture": READ_WRITE,
}


def upgrade() -> None:
    _number_notices()
    _notice_tables()
    for table in ("feeds_post", "feeds_comment"):
        nobody = sa.text("'{}'")
        op.add_column(
            table,
            sa.Column("mentioned_ids", sa.ARRAY(sa.Uuid()), server_default=nobody, nullable=False),
        )
    _pictures()
    for table, grants in GRANTS.items():
        protect(op, table, grants=grants)


def _number_notices() -> None:
    """Number what was told before in its order; the lists begin with what is told from now on."""
    op.add_column("delivery_notice", sa.Column("number", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE delivery_notice n SET number = told.number"
        "  FROM (SELECT tenant_id, id, row_number() OVER"
        "               (PARTITION BY tenant_id ORDER BY created_at, id) AS number"
        "          FROM delivery_notice) AS told"
        " WHERE told.tenant_id = n.tenant_id AND told.id = n.id"
    )
    op.alter_column("delivery_notice", "number", nullable=False)
    op.create_unique_constraint(
        "uq_delivery_notice_tenant_id_number", "delivery_notice", ["tenant_id", "number"]
    )


def _notice_tables() -> None:
    op.create_table(
        "delivery_notice_head",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_delivery_notice_head"),
    )
    op.execute(
        "INSERT INTO delivery_notice_head (tenant_id, number)"
        " SELECT tenant_id, max(number) FROM delivery_notice GROUP BY tenant_id"
    )
    op.create_table(
        "delivery_notice_audience",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "number"],
            ["delivery_notice.tenant_id", "delivery_notice.number"],
            name="fk_delivery_notice_audience_tenant_id_number",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "scope_id", "number", name="pk_delivery_notice_audience"
        ),
    )
    op.create_index(
        "ix_delivery_notice_audience_tenant_id_number",
        "delivery_notice_audience",
        ["tenant_id", "number"],
    )
    op.create_table(
        "delivery_notice_reader",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("through", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        _of_person("delivery_notice_reader"),
        sa.PrimaryKeyConstraint("tenant_id", "person_id", name="pk_delivery_notice_reader"),
    )
    op.create_table(
        "delivery_notice_read",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        _of_person("delivery_notice_read"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "number"],
            ["delivery_notice.tenant_id", "delivery_notice.number"],
            name="fk_delivery_notice_read_tenant_id_number",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "person_id", "number", name="pk_delivery_notice_read"),
    )
    op.create_index(
        "ix_delivery_notice_read_tenant_id_number", "delivery_notice_read", ["tenant_id", "number"]
    )


def _of_person(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "person_id"],
        ["people_person.tenant_id", "people_person.id"],
        name=f"fk_{table}_tenant_id_person_id",
        ondelete="CASCADE",
    )


def _pictures() -> None:
    op.create_table(
        "feeds_picture",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(post_id IS NULL) = (position IS NULL)", name="place"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "author_id"],
            ["people_person.tenant_id", "people_person.id"],
            name="fk_feeds_picture_tenant_id_author_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "post_id"],
            ["feeds_post.tenant_id", "feeds_post.id"],
            name="fk_feeds_picture_tenant_id_post_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_feeds_picture"),
        sa.UniqueConstraint(
            "tenant_id",
            "author_id",
            "client_id",
            name="uq_feeds_picture_tenant_id_author_id_client_id",
        ),
        sa.UniqueConstraint(
            "tenant_id", "post_id", "position", name="uq_feeds_picture_tenant_id_post_id_position"
        ),
    )
    op.create_index(
        "ix_feeds_picture_waiting",
        "feeds_picture",
        ["tenant_id", "uploaded_at"],
        postgresql_where=sa.text("post_id IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("feeds_picture")
    for table in ("feeds_comment", "feeds_post"):
        op.drop_column(table, "mentioned_ids")
    for table in ("read", "reader", "audience", "head"):
        op.drop_table(f"delivery_notice_{table}")
    op.drop_column("delivery_notice", "number")
