"""Approvals of the ERP: who decides as whom, what waits, decisions on their way back, and every step of them."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from app.core.migrating import APPEND_ONLY, grant, protect

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TEXT, UUID, DAY, JSON, BYTES = sa.Text(), sa.Uuid(), sa.Date(), JSONB(), sa.LargeBinary()
TIME, WHOLE, LONG, TEXTS = (
    sa.DateTime(timezone=True),
    sa.Integer(),
    sa.BigInteger(),
    sa.ARRAY(sa.Text()),
)
LIVE = "state IN ('queued', 'sent', 'unknown')"
#: Ended or settled, never taken away.
CHANGED_IN_PLACE = ("SELECT", "INSERT", "UPDATE")


def upgrade() -> None:
    _create_approver()
    _create_approval()
    _create_decision()
    _create_decision_entry()
    for table in ("erp_approver", "erp_approval", "erp_decision"):
        protect(op, table, grants=CHANGED_IN_PLACE)
    protect(op, "erp_decision_entry", grants=APPEND_ONLY)
    grant(op, "USAGE ON SEQUENCE erp_decision_entry_id_seq")


def needed(name: str, kind: Any, *more: Any) -> "sa.Column[Any]":
    return sa.Column(name, kind, *more, nullable=False)


def maybe(name: str, kind: Any) -> "sa.Column[Any]":
    return sa.Column(name, kind, nullable=True)


def _points(
    table: str, column: str, target: str, ondelete: str | None = None
) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{target}.tenant_id", f"{target}.id"],
        name=f"fk_{table}_tenant_id_{column}",
        ondelete=ondelete,
    )


def _create_approver() -> None:
    table = "erp_approver"
    op.create_table(
        table,
        needed("tenant_id", UUID),
        needed("id", UUID),
        needed("source_id", UUID),
        needed("person_id", UUID),
        needed("erp_user", TEXT),
        maybe("secret", BYTES),
        needed("valid_from", TIME),
        maybe("valid_to", TIME),
        needed("created_by_id", UUID),
        needed("created_at", TIME),
        sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="validity"),
        sa.CheckConstraint("created_by_id <> person_id", name="four_eyes"),
        _points(table, "source_id", "erp_source", "CASCADE"),
        _points(table, "person_id", "people_person"),
        _points(table, "created_by_id", "people_person"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=f"pk_{table}"),
    )
    op.create_index(
        f"ix_{table}_tenant_id_source_id_person_id",
        table,
        ["tenant_id", "source_id", "person_id"],
    )


def _create_approval() -> None:
    table = "erp_approval"
    op.create_table(
        table,
        needed("tenant_id", UUID),
        needed("id", UUID),
        needed("source_id", UUID),
        needed("task_key", TEXT),
        maybe("approver_key", TEXT),
        maybe("person_id", UUID),
        needed("document_kind", TEXT),
        needed("document_code", TEXT),
        needed("subject", TEXT),
        maybe("amount_minor", LONG),
        needed("currency", TEXT),
        needed("applicant", TEXT),
        maybe("requested_on", DAY),
        maybe("due_on", DAY),
        needed("lines", JSON),
        needed("history", JSON),
        needed("verdicts", TEXTS),
        needed("version", TEXT),
        needed("state", TEXT),
        needed("came_at", TIME),
        needed("seen_at", TIME),
        maybe("settled_at", TIME),
        sa.CheckConstraint("state IN ('pending', 'approved', 'rejected', 'closed')", name="state"),
        sa.CheckConstraint("(state = 'pending') = (settled_at IS NULL)", name="settlement"),
        _points(table, "source_id", "erp_source", "CASCADE"),
        _points(table, "person_id", "people_person"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=f"pk_{table}"),
    )
    op.create_index(
        "uq_erp_approval_task", table, ["tenant_id", "source_id", "task_key"], unique=True
    )
    op.create_index(
        f"ix_{table}_tenant_id_person_id_state_id",
        table,
        ["tenant_id", "person_id", "state", "id"],
    )


def _create_decision() -> None:
    table = "erp_decision"
    op.create_table(
        table,
        needed("tenant_id", UUID),
        needed("id", UUID),
        needed("approval_id", UUID),
        needed("person_id", UUID),
        needed("approver_id", UUID),
        needed("verdict", TEXT),
        needed("reason", TEXT),
        needed("version", TEXT),
        needed("state", TEXT),
        maybe("code", TEXT),
        maybe("number", TEXT),
        needed("steps_before", WHOLE),
        needed("attempts", WHOLE),
        needed("created_at", TIME),
        maybe("sent_at", TIME),
        maybe("settled_at", TIME),
        maybe("next_at", TIME),
        sa.CheckConstraint("verdict IN ('approve', 'reject')", name="verdict"),
        sa.CheckConstraint(
            "state IN ('queued', 'sent', 'unknown', 'confirmed', 'refused')", name="state"
        ),
        sa.CheckConstraint("verdict = 'approve' OR reason <> ''", name="reason"),
        sa.CheckConstraint(f"(settled_at IS NULL) = ({LIVE})", name="settlement"),
        sa.CheckConstraint(f"(next_at IS NOT NULL) = ({LIVE})", name="next"),
        _points(table, "approval_id", "erp_approval", "CASCADE"),
        _points(table, "person_id", "people_person"),
        _points(table, "approver_id", "erp_approver"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=f"pk_{table}"),
    )
    op.create_index(
        "uq_erp_decision_live",
        table,
        ["tenant_id", "approval_id"],
        unique=True,
        postgresql_where=sa.text(LIVE),
    )
    op.create_index(
        "ix_erp_decision_due",
        table,
        ["tenant_id", "next_at"],
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_index(
        f"ix_{table}_tenant_id_approval_id_id", table, ["tenant_id", "approval_id", "id"]
    )


def _create_decision_entry() -> None:
    table = "erp_decision_entry"
    op.create_table(
        table,
        needed("tenant_id", UUID),
        needed("id", LONG, sa.Identity(always=True)),
        needed("decision_id", UUID),
        needed("at", TIME),
        needed("state", TEXT),
        maybe("code", TEXT),
        maybe("actor_id", UUID),
        maybe("request_id", TEXT),
        needed("answer", TEXT),
        _points(table, "decision_id", "erp_decision", "CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=f"pk_{table}"),
    )
    op.create_index(
        f"ix_{table}_tenant_id_decision_id_id", table, ["tenant_id", "decision_id", "id"]
    )


def downgrade() -> None:
    for table in ("erp_decision_entry", "erp_decision", "erp_approval", "erp_approver"):
        op.drop_table(table)
