"""The ERP bridge: sources, their streams and runs, quarantine, and the canonical dimensions and facts."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from app.core.migrating import grant, protect

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TEXT, UUID, DAY, JSON, BYTES = sa.Text(), sa.Uuid(), sa.Date(), JSONB(), sa.LargeBinary()
TIME, AMOUNT = sa.DateTime(timezone=True), sa.Numeric(18, 6)
YES_NO, WHOLE, LONG, TEXTS = sa.Boolean(), sa.Integer(), sa.BigInteger(), sa.ARRAY(sa.Text())

BOOKKEEPING = (
    "erp_source",
    "erp_absence",
    "erp_batch",
    "erp_dirty_day",
    "erp_fact_version",
    "erp_file",
    "erp_quarantine",
    "erp_run",
    "erp_stream",
)
FACTS = (
    "erp_org_unit",
    "erp_employee",
    "erp_customer",
    "erp_product",
    "erp_warehouse",
    "erp_sales_order",
    "erp_sales_order_line",
    "erp_invoice",
    "erp_invoice_line",
    "erp_stock_level",
    "erp_receivable_item",
    "erp_receivable_payment",
    "erp_ledger_entry",
    "erp_quota",
    "erp_approval_task",
    "erp_approval_line",
)


def upgrade() -> None:
    _create_sources()
    _create_bookkeeping()
    _create_dimensions()
    _create_sales()
    _create_money()
    for table in (*BOOKKEEPING, *FACTS):
        protect(op, table)
    _let_the_bridge_refresh_statistics()


def _let_the_bridge_refresh_statistics() -> None:
    """Only a table's owner may ANALYZE it, and the application owns nothing."""
    op.execute("""
        CREATE FUNCTION erp_refresh_statistics(name text) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        BEGIN
            IF name !~ '^erp_[a-z_]+$' THEN
                RAISE EXCEPTION 'not a table of the bridge' USING ERRCODE = 'insufficient_privilege';
            END IF;
            EXECUTE format('ANALYZE %I', name);
        END $$
    """)
    op.execute("REVOKE ALL ON FUNCTION erp_refresh_statistics(text) FROM PUBLIC")
    grant(op, "EXECUTE ON FUNCTION erp_refresh_statistics(text)")


def downgrade() -> None:
    op.execute("DROP FUNCTION erp_refresh_statistics(text)")
    for table in (*reversed(FACTS), *reversed(BOOKKEEPING)):
        op.drop_table(table)


def needed(name: str, kind: Any, *more: Any) -> "sa.Column[Any]":
    return sa.Column(name, kind, *more, nullable=False)


def maybe(name: str, kind: Any) -> "sa.Column[Any]":
    return sa.Column(name, kind, nullable=True)


def _of_source(table: str, *, ondelete: str | None = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "source_id"],
        ["erp_source.tenant_id", "erp_source.id"],
        name=f"fk_{table}_tenant_id_source_id",
        ondelete=ondelete,
    )


def _fact(table: str, *columns: Any) -> None:
    op.create_table(
        table,
        needed("tenant_id", UUID),
        needed("source_id", UUID),
        needed("source_key", TEXT),
        *columns,
        sa.Column("stream", TEXT, nullable=False, server_default=""),
        maybe("stamp", TEXT),
        needed("hash", BYTES),
        needed("batch_id", UUID),
        needed("seen_at", TIME),
        maybe("deleted_at", TIME),
        maybe("raw", JSON),
        sa.PrimaryKeyConstraint("tenant_id", "source_id", "source_key", name=f"pk_{table}"),
        _of_source(table, ondelete=None),
    )


def _repeating(table: str, *columns: Any) -> None:
    _fact(table, *columns, sa.Column("own_fields", TEXTS, nullable=False, server_default="{}"))


def _create_sources() -> None:
    op.create_table(
        "erp_source",
        needed("tenant_id", UUID),
        needed("id", UUID),
        needed("name", TEXT),
        needed("connector", TEXT),
        needed("mapping", TEXT),
        needed("config", JSON),
        maybe("secrets", BYTES),
        needed("active", YES_NO),
        needed("poll_seconds", WHOLE),
        needed("reconcile_seconds", WHOLE),
        needed("created_at", TIME),
        maybe("checked_at", TIME),
        maybe("check_passed", YES_NO),
        maybe("directory_at", TIME),
        maybe("polled_at", TIME),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_erp_source"),
        sa.UniqueConstraint("tenant_id", "name", name="uq_erp_source_tenant_id_name"),
    )


def _create_bookkeeping() -> None:
    op.create_table(
        "erp_absence",
        needed("tenant_id", UUID),
        needed("source_id", UUID),
        needed("stream", TEXT),
        needed("source_key", TEXT),
        needed("misses", WHOLE),
        needed("first_missed_at", TIME),
        sa.PrimaryKeyConstraint(
            "tenant_id", "source_id", "stream", "source_key", name="pk_erp_absence"
        ),
        _of_source("erp_absence"),
    )
    op.create_table(
        "erp_batch",
        needed("tenant_id", UUID),
        needed("id", UUID),
        needed("source_id", UUID),
        maybe("run_id", UUID),
        needed("stream", TEXT),
        needed("landed_at", TIME),
        needed("as_of", TIME),
        needed("rows_read", WHOLE),
        needed("rows_changed", WHOLE),
        needed("rows_deleted", WHOLE),
        needed("rows_refused", WHOLE),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_erp_batch"),
        _of_source("erp_batch"),
    )
    op.create_index(
        "ix_erp_batch_tenant_id_source_id_stream_landed_at",
        "erp_batch",
        ["tenant_id", "source_id", "stream", "landed_at"],
    )
    op.create_table(
        "erp_dirty_day",
        needed("tenant_id", UUID),
        needed("id", LONG, sa.Identity(always=True)),
        needed("metric_group", TEXT),
        maybe("salesperson_key", TEXT),
        maybe("org_unit_key", TEXT),
        needed("day", DAY),
        needed("batch_id", UUID),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_erp_dirty_day"),
        sa.CheckConstraint(
            "metric_group IN ('orders', 'invoices', 'expense', 'quota')",
            name="metric_group",
        ),
    )
    op.create_table(
        "erp_fact_version",
        needed("tenant_id", UUID),
        needed("id", LONG, sa.Identity(always=True)),
        needed("source_id", UUID),
        needed("table_name", TEXT),
        needed("source_key", TEXT),
        needed("row", JSON),
        needed("batch_opened", UUID),
        needed("batch_closed", UUID),
        needed("closed_at", TIME),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_erp_fact_version"),
        _of_source("erp_fact_version"),
    )
    op.create_index(
        "ix_erp_fact_version_tenant_id_batch_closed",
        "erp_fact_version",
        ["tenant_id", "batch_closed"],
    )
    op.create_index(
        "ix_erp_fact_version_tenant_id_source_id_table_name_sour_6a4e",
        "erp_fact_version",
        ["tenant_id", "source_id", "table_name", "source_key", "closed_at"],
    )
    op.create_table(
        "erp_file",
        needed("tenant_id", UUID),
        needed("source_id", UUID),
        needed("stream", TEXT),
        needed("sha256", TEXT),
        needed("name", TEXT),
        needed("size", LONG),
        needed("batch_id", UUID),
        needed("loaded_at", TIME),
        needed("seen_count", WHOLE),
        sa.PrimaryKeyConstraint("tenant_id", "source_id", "stream", "sha256", name="pk_erp_file"),
        _of_source("erp_file"),
    )
    op.create_table(
        "erp_quarantine",
        needed("tenant_id", UUID),
        needed("id", UUID),
        needed("source_id", UUID),
        needed("stream", TEXT),
        maybe("source_key", TEXT),
        needed("code", TEXT),
        needed("field", TEXT),
        maybe("value", TEXT),
        needed("row", JSON),
        maybe("run_id", UUID),
        needed("refused_at", TIME),
        needed("state", TEXT),
        maybe("settled_at", TIME),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_erp_quarantine"),
        _of_source("erp_quarantine"),
        sa.CheckConstraint(
            "state IN ('waiting', 'released', 'superseded')",
            name="state",
        ),
    )
    op.create_index(
        "ix_erp_quarantine_tenant_id_source_id_stream_state",
        "erp_quarantine",
        ["tenant_id", "source_id", "stream", "state"],
    )
    op.create_table(
        "erp_run",
        needed("tenant_id", UUID),
        needed("id", UUID),
        needed("source_id", UUID),
        needed("state", TEXT),
        needed("started_at", TIME),
        maybe("finished_at", TIME),
        needed("streams", JSON),
        maybe("problem", TEXT),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_erp_run"),
        sa.CheckConstraint(
            "state IN ('running', 'done', 'failed')",
            name="state",
        ),
        _of_source("erp_run"),
    )
    op.create_index(
        "ix_erp_run_tenant_id_source_id_started_at",
        "erp_run",
        ["tenant_id", "source_id", "started_at"],
    )
    op.create_table(
        "erp_stream",
        needed("tenant_id", UUID),
        needed("source_id", UUID),
        needed("name", TEXT),
        needed("table_name", TEXT),
        needed("position", WHOLE),
        needed("cursor", JSON),
        needed("revision", WHOLE),
        maybe("as_of", TIME),
        needed("state", TEXT),
        maybe("problem", TEXT),
        maybe("problem_detail", TEXT),
        maybe("problem_input", TEXT),
        needed("rows_landed", LONG),
        maybe("synced_at", TIME),
        maybe("reconciled_at", TIME),
        sa.PrimaryKeyConstraint("tenant_id", "source_id", "name", name="pk_erp_stream"),
        _of_source("erp_stream"),
        sa.CheckConstraint(
            "state IN ('new', 'live', 'failed', 'paused', 'stopped')",
            name="state",
        ),
    )


def _create_dimensions() -> None:
    _fact(
        "erp_org_unit",
        needed("name", TEXT),
        maybe("parent_key", TEXT),
        maybe("manager_key", TEXT),
        needed("tree", TEXT),
        maybe("unit_id", UUID),
    )
    _fact(
        "erp_employee",
        needed("name", TEXT),
        maybe("login", TEXT),
        maybe("title", TEXT),
        maybe("org_unit_key", TEXT),
        maybe("department_key", TEXT),
        maybe("manager_key", TEXT),
        needed("active", YES_NO),
        maybe("person_id", UUID),
        maybe("role_key", TEXT),
        maybe("role_unit_id", UUID),
    )
    _fact(
        "erp_customer",
        needed("name", TEXT),
        maybe("salesperson_key", TEXT),
        maybe("territory", TEXT),
        maybe("credit_limit", AMOUNT),
    )
    _fact(
        "erp_product",
        needed("code", TEXT),
        needed("name", TEXT),
        maybe("category", TEXT),
        maybe("unit_cost", AMOUNT),
        maybe("list_price", AMOUNT),
    )
    _fact(
        "erp_warehouse",
        needed("name", TEXT),
    )


def _create_sales() -> None:
    _repeating(
        "erp_sales_order",
        needed("code", TEXT),
        needed("ordered_on", DAY),
        maybe("due_on", DAY),
        needed("customer_key", TEXT),
        maybe("salesperson_key", TEXT),
        maybe("org_unit_key", TEXT),
        needed("currency", TEXT),
        needed("rate", AMOUNT),
        needed("state", TEXT),
    )
    op.create_index(
        "ix_erp_sales_order_tenant_id_source_id_salesperson_key",
        "erp_sales_order",
        ["tenant_id", "source_id", "salesperson_key"],
    )
    _repeating(
        "erp_sales_order_line",
        needed("order_key", TEXT),
        maybe("ordered_on", DAY),
        maybe("customer_key", TEXT),
        maybe("salesperson_key", TEXT),
        maybe("org_unit_key", TEXT),
        maybe("product_key", TEXT),
        needed("quantity", AMOUNT),
        needed("net", AMOUNT),
        maybe("tax", AMOUNT),
        maybe("gross", AMOUNT),
        maybe("cost", AMOUNT),
        maybe("shipped_quantity", AMOUNT),
        maybe("shipped_net", AMOUNT),
        maybe("invoiced_quantity", AMOUNT),
        maybe("invoiced_net", AMOUNT),
        maybe("due_on", DAY),
        maybe("state", TEXT),
    )
    op.create_index(
        "ix_erp_sales_order_line_tenant_id_source_id_order_key",
        "erp_sales_order_line",
        ["tenant_id", "source_id", "order_key"],
    )
    op.create_index(
        "ix_erp_sales_order_line_tenant_id_source_id_ordered_on__7940",
        "erp_sales_order_line",
        ["tenant_id", "source_id", "ordered_on", "salesperson_key"],
    )
    _repeating(
        "erp_invoice",
        needed("invoice_code", TEXT),
        needed("invoiced_on", DAY),
        needed("customer_key", TEXT),
        maybe("salesperson_key", TEXT),
        maybe("org_unit_key", TEXT),
    )
    op.create_index(
        "ix_erp_invoice_tenant_id_source_id_salesperson_key",
        "erp_invoice",
        ["tenant_id", "source_id", "salesperson_key"],
    )
    _repeating(
        "erp_invoice_line",
        needed("invoice_key", TEXT),
        maybe("invoice_code", TEXT),
        maybe("invoiced_on", DAY),
        maybe("order_key", TEXT),
        maybe("customer_key", TEXT),
        maybe("salesperson_key", TEXT),
        maybe("org_unit_key", TEXT),
        maybe("product_key", TEXT),
        needed("quantity", AMOUNT),
        needed("net", AMOUNT),
        maybe("tax", AMOUNT),
        maybe("gross", AMOUNT),
        maybe("cost", AMOUNT),
    )
    op.create_index(
        "ix_erp_invoice_line_tenant_id_source_id_invoice_key",
        "erp_invoice_line",
        ["tenant_id", "source_id", "invoice_key"],
    )
    op.create_index(
        "ix_erp_invoice_line_tenant_id_source_id_invoiced_on_sal_d562",
        "erp_invoice_line",
        ["tenant_id", "source_id", "invoiced_on", "salesperson_key"],
    )
    _fact(
        "erp_stock_level",
        needed("warehouse_key", TEXT),
        needed("product_key", TEXT),
        maybe("batch", TEXT),
        needed("on_hand", AMOUNT),
        maybe("available", AMOUNT),
        maybe("to_ship", AMOUNT),
        maybe("incoming", AMOUNT),
    )
    op.create_index(
        "ix_erp_stock_level_tenant_id_source_id_product_key",
        "erp_stock_level",
        ["tenant_id", "source_id", "product_key"],
    )


def _create_money() -> None:
    _fact(
        "erp_receivable_item",
        needed("customer_key", TEXT),
        maybe("salesperson_key", TEXT),
        maybe("invoice_code", TEXT),
        needed("booked_on", DAY),
        maybe("due_on", DAY),
        needed("amount", AMOUNT),
        needed("open_amount", AMOUNT),
    )
    op.create_index(
        "ix_erp_receivable_item_tenant_id_source_id_customer_key",
        "erp_receivable_item",
        ["tenant_id", "source_id", "customer_key"],
    )
    op.create_index(
        "ix_erp_receivable_item_tenant_id_source_id_invoice_code",
        "erp_receivable_item",
        ["tenant_id", "source_id", "invoice_code"],
    )
    op.create_index(
        "ix_erp_receivable_item_tenant_id_source_id_salesperson_key",
        "erp_receivable_item",
        ["tenant_id", "source_id", "salesperson_key"],
    )
    _fact(
        "erp_receivable_payment",
        needed("invoice_code", TEXT),
        needed("booked_on", DAY),
        needed("amount", AMOUNT),
    )
    op.create_index(
        "ix_erp_receivable_payment_tenant_id_source_id_invoice_code",
        "erp_receivable_payment",
        ["tenant_id", "source_id", "invoice_code"],
    )
    _fact(
        "erp_ledger_entry",
        needed("booked_on", DAY),
        needed("account_code", TEXT),
        needed("account_type", TEXT),
        maybe("org_unit_key", TEXT),
        needed("debit", AMOUNT),
        needed("credit", AMOUNT),
    )
    op.create_index(
        "ix_erp_ledger_entry_tenant_id_source_id_booked_on",
        "erp_ledger_entry",
        ["tenant_id", "source_id", "booked_on"],
    )
    _fact(
        "erp_quota",
        maybe("salesperson_key", TEXT),
        maybe("org_unit_key", TEXT),
        needed("period_from", DAY),
        needed("period_to", DAY),
        needed("amount", AMOUNT),
    )
    op.create_index(
        "ix_erp_quota_tenant_id_source_id_period_from",
        "erp_quota",
        ["tenant_id", "source_id", "period_from"],
    )
    _fact(
        "erp_approval_task",
        needed("document_kind", TEXT),
        needed("document_code", TEXT),
        maybe("approver_key", TEXT),
        maybe("applicant_key", TEXT),
        maybe("org_unit_key", TEXT),
        maybe("amount", AMOUNT),
        needed("state", TEXT),
        maybe("requested_on", DAY),
        maybe("due_on", DAY),
    )
    op.create_index(
        "ix_erp_approval_task_tenant_id_source_id_approver_key_state",
        "erp_approval_task",
        ["tenant_id", "source_id", "approver_key", "state"],
    )
    _fact(
        "erp_approval_line",
        needed("task_key", TEXT),
        maybe("product_key", TEXT),
        maybe("quantity", AMOUNT),
        needed("amount", AMOUNT),
    )
    op.create_index(
        "ix_erp_approval_line_tenant_id_source_id_task_key",
        "erp_approval_line",
        ["tenant_id", "source_id", "task_key"],
    )
