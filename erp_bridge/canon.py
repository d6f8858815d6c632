"""The canonical tables: what every ERP is brought to, and how a changed row touches others.

This is the description the mapping compiler and the merge share; `models` holds the tables
themselves, and a test keeps the two equal.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["text", "decimal", "date", "bool"]
MetricGroup = Literal["orders", "invoices", "expense", "quota"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field a mapping can fill."""

    kind: Kind
    required: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """The document a line belongs to, and what the line repeats of it."""

    table: str
    link: str
    repeated: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Total:
    """A header field that is the sum of its lines, on top of another of its fields if named.

    ``link`` of the line names the header by its field ``to``.
    """

    table: str
    link: str
    of: str
    into: str
    base: str | None = None
    to: str = "source_key"


@dataclass(frozen=True, slots=True)
class Dirt:
    """Which day of which figures a changed row makes stale."""

    group: MetricGroup
    day: str
    salesperson: str | None
    org_unit: str | None


@dataclass(frozen=True, slots=True)
class CanonTable:
    """A canonical table: its fields, and its ties to others."""

    name: str
    fields: dict[str, Field]
    header: Header | None = None
    total: Total | None = None
    dirt: Dirt | None = None
    versioned: bool = True
    unit_of_salesperson: bool = False
    lines: tuple[str, ...] = field(default=())

    @property
    def sql_name(self) -> str:
        """The table's name in the database."""
        return f"erp_{self.name}"

    def filled_later(self, name: str) -> bool:
        """Whether a field may come from the header instead of the ERP's own row."""
        return self.header is not None and name in self.header.repeated


TEXT = Field("text")
NEEDED_TEXT = Field("text", required=True)
DECIMAL = Field("decimal")
NEEDED_DECIMAL = Field("decimal", required=True)
DATE = Field("date")
NEEDED_DATE = Field("date", required=True)
NEEDED_BOOL = Field("bool", required=True)

_LINE_MEASURES = {
    "quantity": NEEDED_DECIMAL,
    "net": NEEDED_DECIMAL,
    "tax": DECIMAL,
    "gross": DECIMAL,
    "cost": DECIMAL,
}

_ALL = (
    CanonTable(
        "org_unit",
        {"name": NEEDED_TEXT, "parent_key": TEXT, "manager_key": TEXT, "tree": NEEDED_TEXT},
        versioned=False,
    ),
    CanonTable(
        "employee",
        {
            "name": NEEDED_TEXT,
            "login": TEXT,
            "title": TEXT,
            "org_unit_key": TEXT,
            "department_key": TEXT,
            "manager_key": TEXT,
            "active": NEEDED_BOOL,
        },
        versioned=False,
    ),
    CanonTable(
        "customer",
        {"name": NEEDED_TEXT, "salesperson_key": TEXT, "territory": TEXT, "credit_limit": DECIMAL},
        versioned=False,
    ),
    CanonTable(
        "product",
        {
            "code": NEEDED_TEXT,
            "name": NEEDED_TEXT,
            "category": TEXT,
            "unit_cost": DECIMAL,
            "list_price": DECIMAL,
        },
        versioned=False,
    ),
    CanonTable("warehouse", {"name": NEEDED_TEXT}, versioned=False),
    CanonTable(
        "sales_order",
        {
            "code": NEEDED_TEXT,
            "ordered_on": NEEDED_DATE,
            "due_on": DATE,
            "customer_key": NEEDED_TEXT,
            "salesperson_key": TEXT,
            "org_unit_key": TEXT,
            "currency": NEEDED_TEXT,
            "rate": NEEDED_DECIMAL,
            "state": NEEDED_TEXT,
        },
        unit_of_salesperson=True,
        lines=("sales_order_line",),
    ),
    CanonTable(
        "sales_order_line",
        {
            "order_key": NEEDED_TEXT,
            "ordered_on": DATE,
            "customer_key": TEXT,
            "salesperson_key": TEXT,
            "org_unit_key": TEXT,
            "product_key": TEXT,
            **_LINE_MEASURES,
            "shipped_quantity": DECIMAL,
            "shipped_net": DECIMAL,
            "invoiced_quantity": DECIMAL,
            "invoiced_net": DECIMAL,
            "due_on": DATE,
            "state": TEXT,
        },
        header=Header(
            "sales_order",
            "order_key",
            ("ordered_on", "customer_key", "salesperson_key", "org_unit_key", "due_on", "state"),
        ),
        dirt=Dirt("orders", "ordered_on", "salesperson_key", "org_unit_key"),
    ),
    CanonTable(
        "invoice",
        {
            "invoice_code": NEEDED_TEXT,
            "invoiced_on": NEEDED_DATE,
            "customer_key": NEEDED_TEXT,
            "salesperson_key": TEXT,
            "org_unit_key": TEXT,
        },
        unit_of_salesperson=True,
        lines=("invoice_line",),
    ),
    CanonTable(
        "invoice_line",
        {
            "invoice_key": NEEDED_TEXT,
            "invoice_code": TEXT,
            "invoiced_on": DATE,
            "order_key": TEXT,
            "customer_key": TEXT,
            "salesperson_key": TEXT,
            "org_unit_key": TEXT,
            "product_key": TEXT,
            **_LINE_MEASURES,
        },
        header=Header(
            "invoice",
            "invoice_key",
            ("invoice_code", "invoiced_on", "customer_key", "salesperson_key", "org_unit_key"),
        ),
        dirt=Dirt("invoices", "invoiced_on", "salesperson_key", "org_unit_key"),
    ),
    CanonTable(
        "stock_level",
        {
            "warehouse_key": NEEDED_TEXT,
            "product_key": NEEDED_TEXT,
            "batch": TEXT,
            "on_hand": NEEDED_DECIMAL,
            "available": DECIMAL,
            "to_ship": DECIMAL,
            "incoming": DECIMAL,
        },
    ),
    CanonTable(
        "receivable_item",
        {
            "customer_key": NEEDED_TEXT,
            "salesperson_key": TEXT,
            "invoice_code": TEXT,
            "booked_on": NEEDED_DATE,
            "due_on": DATE,
            "amount": NEEDED_DECIMAL,
            "open_amount": NEEDED_DECIMAL,
        },
        lines=("receivable_payment",),
    ),
    CanonTable(
        "receivable_payment",
        {"invoice_code": NEEDED_TEXT, "booked_on": NEEDED_DATE, "amount": NEEDED_DECIMAL},
        total=Total(
            "receivable_item",
            "invoice_code",
            of="amount",
            into="open_amount",
            base="amount",
            to="invoice_code",
        ),
    ),
    CanonTable(
        "ledger_entry",
        {
            "booked_on": NEEDED_DATE,
            "account_code": NEEDED_TEXT,
            "account_type": NEEDED_TEXT,
            "org_unit_key": TEXT,
            "debit": NEEDED_DECIMAL,
            "credit": NEEDED_DECIMAL,
        },
        dirt=Dirt("expense", "booked_on", None, "org_unit_key"),
    ),
    CanonTable(
        "quota",
        {
            "salesperson_key": TEXT,
            "org_unit_key": TEXT,
            "period_from": NEEDED_DATE,
            "period_to": NEEDED_DATE,
            "amount": NEEDED_DECIMAL,
        },
        dirt=Dirt("quota", "period_from", "salesperson_key", "org_unit_key"),
    ),
    CanonTable(
        "approval_task",
        {
            "document_kind": NEEDED_TEXT,
            "document_code": NEEDED_TEXT,
            "approver_key": TEXT,
            "applicant_key": TEXT,
            "org_unit_key": TEXT,
            "amount": DECIMAL,
            "state": NEEDED_TEXT,
            "requested_on": DATE,
            "due_on": DATE,
        },
        lines=("approval_line",),
    ),
    CanonTable(
        "approval_line",
        {
            "task_key": NEEDED_TEXT,
            "product_key": TEXT,
            "quantity": DECIMAL,
            "amount": NEEDED_DECIMAL,
        },
        total=Total("approval_task", "task_key", of="amount", into="amount"),
    ),
)

TABLES: dict[str, CanonTable] = {table.name: table for table in _ALL}


def with_headers(names: Iterable[str]) -> set[str]:
    """Name these tables and the documents that their rows repeat: a line says nothing before its document is there."""
    asked = set(names)
    return asked | {
        header.table for name in asked if (table := TABLES.get(name)) and (header := table.header)
    }
