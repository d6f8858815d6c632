"""A sender may let those a packet is for see who got what."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TABLE, COLUMN = "redpackets_packet", "shows_claims"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column(COLUMN, sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column(TABLE, COLUMN)
