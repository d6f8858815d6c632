"""Who gives to themselves is flagged."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TABLE, NAME = "redpackets_flag", "ck_redpackets_flag_kind"
BEFORE, AFTER = "'same_receiver', 'ring', 'split'", "'same_receiver', 'ring', 'split', 'self_gift'"


def upgrade() -> None:
    _allow(AFTER)


def downgrade() -> None:
    # Flags that were made stay; no new ones of this kind come.
    _allow(BEFORE, "NOT VALID")


def _allow(kinds: str, how: str = "") -> None:
    op.execute(f"ALTER TABLE {TABLE} DROP CONSTRAINT {NAME}")
    op.execute(f"ALTER TABLE {TABLE} ADD CONSTRAINT {NAME} CHECK (kind IN ({kinds})) {how}")
