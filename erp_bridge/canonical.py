"""The canonical dimensions and facts: every ERP's documents in one form.

Every row is known by its source and the ERP's own key; ``batch_id`` names the batch that brought this version, and
``deleted_at`` says that the ERP no longer has it. Amounts are in the company's home currency, exact decimals.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.core.db import Base, TenantRow, points_to


class FromErp(TenantRow):
    """What every row that came from an ERP carries."""

    source_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-18)
    source_key: Mapped[str] = mapped_column(primary_key=True, sort_order=-17)
    #: The stream that brought it; two streams may fill one table.
    stream: Mapped[str] = mapped_column(server_default="", sort_order=88)
    stamp: Mapped[str | None] = mapped_column(sort_order=90)
    hash: Mapped[bytes] = mapped_column(LargeBinary, sort_order=91)
    batch_id: Mapped[UUID] = mapped_column(sort_order=92)
    seen_at: Mapped[datetime] = mapped_column(sort_order=93)
    deleted_at: Mapped[datetime | None] = mapped_column(sort_order=94)
    raw: Mapped[dict[str, Any] | None] = mapped_column(sort_order=95)

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Any, ...]:  # noqa: N805 - SQLAlchemy calls it on the class
        """Every row belongs to a source; subclasses name the columns they are also found by."""
        indexes: tuple[tuple[str, ...], ...] = getattr(cls, "found_by", ())
        return (
            points_to("erp_source", "source_id"),
            *(Index(None, "tenant_id", "source_id", *columns) for columns in indexes),
        )


class Repeating(FromErp):
    """A document or line that takes some fields from elsewhere unless it has its own."""

    own_fields: Mapped[list[str]] = mapped_column(
        ARRAY(Text()), default=list, server_default="{}", sort_order=89
    )


class ErpOrgUnit(FromErp, Base):
    """A unit of the company as the ERP has it."""

    __tablename__ = "erp_org_unit"

    name: Mapped[str]
    parent_key: Mapped[str | None]
    manager_key: Mapped[str | None]
    tree: Mapped[str] = mapped_column(default="admin")
    #: What it was matched to.
    unit_id: Mapped[UUID | None]


class Employee(FromErp, Base):
    """A person of the company as the ERP has them."""

    __tablename__ = "erp_employee"

    name: Mapped[str]
    login: Mapped[str | None]
    title: Mapped[str | None]
    org_unit_key: Mapped[str | None]
    department_key: Mapped[str | None]
    manager_key: Mapped[str | None]
    active: Mapped[bool]
    #: Who it was matched to, and the role the bridge gave them there.
    person_id: Mapped[UUID | None]
    role_key: Mapped[str | None]
    role_unit_id: Mapped[UUID | None]


class Customer(FromErp, Base):
    """Somebody who buys."""

    __tablename__ = "erp_customer"

    name: Mapped[str]
    salesperson_key: Mapped[str | None]
    territory: Mapped[str | None]
    credit_limit: Mapped[Decimal | None]


class Product(FromErp, Base):
    """Something that is sold."""

    __tablename__ = "erp_product"

    code: Mapped[str]
    name: Mapped[str]
    category: Mapped[str | None]
    unit_cost: Mapped[Decimal | None]
    list_price: Mapped[Decimal | None]


class Warehouse(FromErp, Base):
    """A place where stock lies."""

    __tablename__ = "erp_warehouse"

    name: Mapped[str]


class SalesOrder(Repeating, Base):
    """The head of a sales order."""

    __tablename__ = "erp_sales_order"
    found_by = (("salesperson_key",),)

    code: Mapped[str]
    ordered_on: Mapped[date]
    due_on: Mapped[date | None]
    customer_key: Mapped[str]
    salesperson_key: Mapped[str | None]
    org_unit_key: Mapped[str | None]
    currency: Mapped[str]
    rate: Mapped[Decimal]
    state: Mapped[str]


class SalesOrderLine(Repeating, Base):
    """A line of a sales order; it repeats its order's date, customer, salesperson, unit and state.

    What is repeated is empty as long as the order itself has not arrived.
    """

    __tablename__ = "erp_sales_order_line"
    found_by = (("order_key",), ("ordered_on", "salesperson_key"))

    order_key: Mapped[str]
    ordered_on: Mapped[date | None]
    customer_key: Mapped[str | None]
    salesperson_key: Mapped[str | None]
    org_unit_key: Mapped[str | None]
    product_key: Mapped[str | None]
    quantity: Mapped[Decimal]
    net: Mapped[Decimal]
    tax: Mapped[Decimal | None]
    gross: Mapped[Decimal | None]
    cost: Mapped[Decimal | None]
    shipped_quantity: Mapped[Decimal | None]
    shipped_net: Mapped[Decimal | None]
    invoiced_quantity: Mapped[Decimal | None]
    invoiced_net: Mapped[Decimal | None]
    due_on: Mapped[date | None]
    state: Mapped[str | None]


class Invoice(Repeating, Base):
    """The head of a sales invoice."""

    __tablename__ = "erp_invoice"
    found_by = (("salesperson_key",),)

    invoice_code: Mapped[str]
    invoiced_on: Mapped[date]
    customer_key: Mapped[str]
    salesperson_key: Mapped[str | None]
    org_unit_key: Mapped[str | None]


class InvoiceLine(Repeating, Base):
    """A line of a sales invoice, negative for a return; it repeats what its invoice says."""

    __tablename__ = "erp_invoice_line"
    found_by = (("invoice_key",), ("invoiced_on", "salesperson_key"))

    invoice_key: Mapped[str]
    invoice_code: Mapped[str | None]
    invoiced_on: Mapped[date | None]
    order_key: Mapped[str | None]
    customer_key: Mapped[str | None]
    salesperson_key: Mapped[str | None]
    org_unit_key: Mapped[str | None]
    product_key: Mapped[str | None]
    quantity: Mapped[Decimal]
    net: Mapped[Decimal]
    tax: Mapped[Decimal | None]
    gross: Mapped[Decimal | None]
    cost: Mapped[Decimal | None]


class StockLevel(FromErp, Base):
    """What of a product lies where."""

    __tablename__ = "erp_stock_level"
    found_by = (("product_key",),)

    warehouse_key: Mapped[str]
    product_key: Mapped[str]
    batch: Mapped[str | None]
    on_hand: Mapped[Decimal]
    available: Mapped[Decimal | None]
    to_ship: Mapped[Decimal | None]
    incoming: Mapped[Decimal | None]


class ReceivableItem(FromErp, Base):
    """What a customer owes for one invoice, and how much of it is still open."""

    __tablename__ = "erp_receivable_item"
    found_by = (("customer_key",), ("salesperson_key",), ("invoice_code",))

    customer_key: Mapped[str]
    salesperson_key: Mapped[str | None]
    invoice_code: Mapped[str | None]
    booked_on: Mapped[date]
    due_on: Mapped[date | None]
    amount: Mapped[Decimal]
    open_amount: Mapped[Decimal]


class ReceivablePayment(FromErp, Base):
    """What was booked against an open item; negative when it pays."""

    __tablename__ = "erp_receivable_payment"
    found_by = (("invoice_code",),)

    invoice_code: Mapped[str]
    booked_on: Mapped[date]
    amount: Mapped[Decimal]


class LedgerEntry(FromErp, Base):
    """A line of the general ledger."""

    __tablename__ = "erp_ledger_entry"
    found_by = (("booked_on",),)

    booked_on: Mapped[date]
    account_code: Mapped[str]
    account_type: Mapped[str]
    org_unit_key: Mapped[str | None]
    debit: Mapped[Decimal]
    credit: Mapped[Decimal]


class Quota(FromErp, Base):
    """What a person or a unit is to sell in a period."""

    __tablename__ = "erp_quota"
    found_by = (("period_from",),)

    salesperson_key: Mapped[str | None]
    org_unit_key: Mapped[str | None]
    period_from: Mapped[date]
    period_to: Mapped[date]
    amount: Mapped[Decimal]


class ApprovalTask(FromErp, Base):
    """A document that waits for somebody's decision, or was decided."""

    __tablename__ = "erp_approval_task"
    found_by = (("approver_key", "state"),)

    document_kind: Mapped[str]
    document_code: Mapped[str]
    approver_key: Mapped[str | None]
    applicant_key: Mapped[str | None]
    org_unit_key: Mapped[str | None]
    amount: Mapped[Decimal | None]
    state: Mapped[str]
    requested_on: Mapped[date | None]
    due_on: Mapped[date | None]


class ApprovalLine(FromErp, Base):
    """A line of a document that waits; the lines add up to the document's amount."""

    __tablename__ = "erp_approval_line"
    found_by = (("task_key",),)

    task_key: Mapped[str]
    product_key: Mapped[str | None]
    quantity: Mapped[Decimal | None]
    amount: Mapped[Decimal]
