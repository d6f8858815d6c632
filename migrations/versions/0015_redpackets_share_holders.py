"""A share's holder is looked up among the claimed shares alone."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

BEFORE = "uq_redpackets_share_tenant_id_packet_id_holder_id"
AFTER = "uq_redpackets_share_holder"
TABLE = "redpackets_share"
COLUMNS = ["tenant_id", "packet_id", "holder_id"]


def upgrade() -> None:
    op.create_index(
        AFTER, TABLE, COLUMNS, unique=True, postgresql_where=sa.text("holder_id IS NOT NULL")
    )
    op.drop_constraint(BEFORE, TABLE, type_="unique")


def downgrade() -> None:
    op.create_unique_constraint(BEFORE, TABLE, COLUMNS)
    op.drop_index(AFTER, TABLE)
