"""Budgets as a tree, packets of every kind, shares with named receivers, accounts for points and payouts."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COMPANY = "'treasury', 'payout_in_flight', 'external_payroll', 'external_rail', 'catalogue'"
OWNED = "'budget', 'escrow', 'user_points', 'user_payable'"
KINDS = "'equal', 'lucky', 'targeted', 'kudos', 'kpi', 'rain', 'milestone', 'grant'"
STATES = "'pending_approval', 'scheduled', 'open', 'exhausted', 'expired', 'cancelled', 'rejected'"
MOVEMENTS = (
    "'allot', 'withdraw', 'roll_over', 'recover', 'fund', 'claim', 'refund', 'points_expired', 'reserve_points',"
    " 'release_points', 'fulfil_points', 'payout_sent', 'payout_paid', 'payout_failed'"
)
OWN_IDS = (
    " AND (kind = 'budget') = (budget_id IS NOT NULL)"
    " AND (kind = 'escrow') = (packet_id IS NOT NULL)"
)
#: (table, constraint) → what it says from now on, and what it said before.
CHECKS = {
    ("budget", "amounts"): (
        "held_minor >= 0 AND spent_minor >= 0 AND allotted_minor >= 0",
        "held_minor >= 0 AND spent_minor >= 0",
    ),
    ("budget", "limit"): (
        "held_minor + spent_minor + allotted_minor <= limit_minor",
        "held_minor + spent_minor <= limit_minor",
    ),
    ("budget", "tree"): ("parent_id <> id", None),
    ("budget", "receive_cap"): ("receive_cap_minor > 0", None),
    ("fund_account", "kind"): (
        f"kind IN ({COMPANY}, {OWNED})",
        f"kind IN ('treasury', {OWNED})",
    ),
    ("fund_account", "owner"): (
        f"num_nonnulls(budget_id, packet_id, person_id) = (kind IN ({OWNED}))::int{OWN_IDS}",
        f"num_nonnulls(budget_id, packet_id, person_id) = (kind <> 'treasury')::int{OWN_IDS}",
    ),
    ("fund_account", "materialised"): (
        f"(balance_minor IS NULL) = (kind IN ({COMPANY}, 'escrow'))",
        "(balance_minor IS NULL) = (kind IN ('treasury', 'escrow'))",
    ),
    ("journal", "kind"): (
        f"kind IN ({MOVEMENTS})",
        "kind IN ('allot', 'withdraw', 'fund', 'claim', 'refund')",
    ),
    ("packet", "kind"): (f"kind IN ({KINDS})", "kind IN ('equal', 'lucky')"),
    ("packet", "split"): (
        "split IN ('even', 'double_mean', 'named')",
        "split IN ('even', 'double_mean')",
    ),
    ("packet", "state"): (
        f"state IN ({STATES})",
        "state IN ('scheduled', 'open', 'exhausted', 'expired', 'cancelled')",
    ),
    ("packet", "settlement"): (
        "(settled_at IS NULL) = (state IN ('pending_approval', 'scheduled', 'open'))",
        "(settled_at IS NULL) = (state IN ('scheduled', 'open'))",
    ),
    ("packet", "origin_cap"): ("origin_cap_count > 0", None),
    ("share", "state"): (
        "state IN ('free', 'claimed', 'refunded', 'void')",
        "state IN ('free', 'claimed', 'refunded')",
    ),
    ("share", "receiver"): (
        "COALESCE(holder_id, receiver_id) = COALESCE(receiver_id, holder_id)",
        None,
    ),
}


def upgrade() -> None:
    _grow_budget()
    op.add_column("redpackets_packet", _text("cover"))
    op.add_column("redpackets_packet", _text("origin"))
    op.add_column("redpackets_packet", sa.Column("origin_cap_count", sa.Integer()))
    op.add_column("redpackets_packet", sa.Column("commitment", sa.LargeBinary()))
    op.add_column("redpackets_packet", sa.Column("frozen_at", sa.DateTime(timezone=True)))
    op.create_index(
        "ix_redpackets_packet_origin",
        "redpackets_packet",
        ["tenant_id", "origin"],
        postgresql_where=sa.text("origin <> ''"),
    )
    op.add_column("redpackets_share", sa.Column("receiver_id", sa.Uuid()))
    op.create_index(
        "uq_redpackets_share_receiver",
        "redpackets_share",
        ["tenant_id", "packet_id", "receiver_id"],
        unique=True,
        postgresql_where=sa.text("receiver_id IS NOT NULL"),
    )
    op.create_foreign_key(
        "fk_redpackets_share_tenant_id_receiver_id",
        "redpackets_share",
        "people_person",
        ["tenant_id", "receiver_id"],
        ["tenant_id", "id"],
    )
    for (table, name), (after, before) in CHECKS.items():
        if before:
            _drop_check(table, name)
        _add_check(table, name, after)


def _grow_budget() -> None:
    table = "redpackets_budget"
    op.add_column(table, sa.Column("parent_id", sa.Uuid()))
    op.add_column(
        table, sa.Column("allotted_minor", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column(table, _flag("give_only", "false"))
    op.add_column(table, _flag("rolls_over", "false"))
    op.add_column(table, _flag("recovers_unused", "true"))
    op.add_column(table, sa.Column("receive_cap_minor", sa.BigInteger()))
    op.add_column(table, sa.Column("closed_at", sa.DateTime(timezone=True)))
    op.create_index("ix_redpackets_budget_tenant_id_parent_id", table, ["tenant_id", "parent_id"])
    op.create_foreign_key(
        "fk_redpackets_budget_tenant_id_parent_id_unit",
        table,
        table,
        ["tenant_id", "parent_id", "unit"],
        ["tenant_id", "id", "unit"],
    )


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _flag(name: str, default: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=default, nullable=False)


def _add_check(table: str, name: str, condition: str) -> None:
    op.execute(
        f"ALTER TABLE redpackets_{table} ADD CONSTRAINT ck_redpackets_{table}_{name} CHECK ({condition})"
    )


def _drop_check(table: str, name: str) -> None:
    op.execute(f"ALTER TABLE redpackets_{table} DROP CONSTRAINT ck_redpackets_{table}_{name}")


def downgrade() -> None:
    for (table, name), (_, before) in reversed(CHECKS.items()):
        _drop_check(table, name)
        if before:
            _add_check(table, name, before)
    op.drop_index("uq_redpackets_share_receiver", "redpackets_share")
    op.drop_column("redpackets_share", "receiver_id")
    op.drop_index("ix_redpackets_packet_origin", "redpackets_packet")
    for name in ("frozen_at", "commitment", "origin_cap_count", "origin", "cover"):
        op.drop_column("redpackets_packet", name)
    op.drop_index("ix_redpackets_budget_tenant_id_parent_id", "redpackets_budget")
    for name in (
        "closed_at",
        "receive_cap_minor",
        "recovers_unused",
        "rolls_over",
        "give_only",
        "allotted_minor",
        "parent_id",
    ):
        op.drop_column("redpackets_budget", name)
