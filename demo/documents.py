"""The business documents of the history while they live in memory, amounts in whole fen."""

from dataclasses import dataclass, field
from datetime import date, datetime, time

from demo.catalogue import Customer, Product

Row = tuple[object, ...]


@dataclass(slots=True)
class OrderLine:
    """One product on an order; shipped and invoiced count pieces, returns taken off again."""

    key: int
    product: Product
    warehouse: str
    quantity: int
    price_fen: int
    promised_on: date
    shipped: int = 0
    invoiced: int = 0
    closed_by: str | None = None

    @property
    def to_ship(self) -> int:
        return 0 if self.closed_by else self.quantity - self.shipped

    @property
    def net_fen(self) -> int:
        return self.price_fen * self.quantity


@dataclass(slots=True)
class Order:
    key: int
    code: str
    ordered_on: date
    created_at: datetime
    customer: Customer
    maker: str
    lines: list[OrderLine]
    approved_at: datetime | None = None
    verifier: str | None = None
    closer: str | None = None
    returns: int = 0


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one dispatch takes of an order line; negative when it comes back."""

    line: OrderLine
    quantity: int
    net_fen: int
    tax_fen: int

    @property
    def cost_fen(self) -> int:
        return self.line.product.cost_fen * self.quantity


@dataclass(slots=True)
class Dispatch:
    key: int
    code: str
    shipped_on: date
    order: Order
    parcels: list[Parcel]
    is_return: bool = False
    invoiced: bool = False
    first_parcel_key: int = 0


@dataclass(slots=True)
class Invoice:
    """A bill for one whole dispatch."""

    key: int
    code: str
    invoiced_on: date
    due_on: date
    dispatch: Dispatch
    net_fen: int
    gross_fen: int
    open_fen: int


@dataclass(frozen=True, slots=True)
class ReceivableRow:
    """An invoice, a red invoice or a receipt in the customers' ledger, against ``invoice``."""

    booked_on: date
    kind: str
    code: str
    invoice: Invoice
    debit_fen: int
    credit_fen: int


@dataclass(slots=True)
class RequisitionLine:
    key: int
    product: Product
    warehouse: str | None  # none: for own use
    quantity: int
    received: int = 0


@dataclass(slots=True)
class Requisition:
    key: int
    code: str
    asked_on: date
    applicant: str
    department: str
    auditor: str | None
    memo: str
    lines: list[RequisitionLine]
    approved_on: date | None = None
    verifier: str | None = None

    @property
    def net_fen(self) -> int:
        return sum(line.product.cost_fen * line.quantity for line in self.lines)


@dataclass(frozen=True, slots=True)
class StockReceipt:
    """Goods that came into a warehouse: for a requisition, or as the opening balance."""

    key: int
    code: str
    received_on: date
    warehouse: str
    vendor: str | None
    items: list[tuple[Product, int, int | None]]  # product, quantity, requisition line

    @property
    def net_fen(self) -> int:
        return sum(product.cost_fen * quantity for product, quantity, _ in self.items)


@dataclass(frozen=True, slots=True)
class Quota:
    seller: str
    team: str
    month: date
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Leg:
    """One line of a voucher."""

    account: str
    department: str | None
    debit_fen: int
    credit_fen: int


@dataclass(slots=True)
class Voucher:
    booked_on: date
    digest: str
    legs: list[Leg]
    void: bool = False


@dataclass(slots=True)
class Books:
    """All that happened, in the order in which it happened."""

    orders: list[Order] = field(default_factory=list)
    dispatches: list[Dispatch] = field(default_factory=list)
    invoices: list[Invoice] = field(default_factory=list)
    receivables: list[ReceivableRow] = field(default_factory=list)
    requisitions: list[Requisition] = field(default_factory=list)
    stock_receipts: list[StockReceipt] = field(default_factory=list)
    quotas: list[Quota] = field(default_factory=list)
    vouchers: list[Voucher] = field(default_factory=list)


def at_midnight(day: date) -> datetime:
    return datetime.combine(day, time())
