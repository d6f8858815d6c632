"""Requisitions, receipts, stock, quotas and vouchers as rows of the U8 tables."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Final

from demo import company, season
from demo.documents import Books, Requisition, Row, at_midnight
from demo.money import yuan
from demo.stock import Place

REQUISITION: Final = (
    "id ccode ddate cpersoncode cdepcode cmaker cverifier ccurrentauditor iverifystateex cmemo"
    " cmaketime caudittime"
)
REQUISITION_LINE: Final = (
    "autoid id cinvcode cwhcode fquantity funitprice fmoney drequirdate ireceivedqty"
)
RECEIPT: Final = "id ccode cvouchtype ddate cwhcode cvencode cmaker"
RECEIPT_LINE: Final = "id iappautoid cinvcode iquantity iunitcost iprice"
STOCK: Final = "cwhcode cinvcode iquantity foutquantity finquantity favaquantity"
QUOTA: Final = "cpersoncode cdepcode dbegin dend iamount"
VOUCHER: Final = "iyear iperiod ino_id inid dbill_date cdigest ccode md mc cdept_id ibook iflag"
_STOREKEEPER: Final = company.people_titled("仓管员")[0].name


def requisition_row(requisition: Requisition) -> Row:
    approved_on = requisition.approved_on
    return (
        requisition.key, requisition.code, requisition.asked_on, requisition.applicant,
        requisition.department, company.person(requisition.applicant).name, requisition.verifier,
        requisition.auditor, 1 if approved_on is None else 2, requisition.memo,
        at_midnight(requisition.asked_on), approved_on and at_midnight(approved_on),
    )  # fmt: skip


def requisition_line_rows(books: Books) -> Iterator[Row]:
    for requisition in books.requisitions:
        for line in requisition.lines:
            cost_fen = line.product.cost_fen
            yield (
                line.key, requisition.key, line.product.code, line.warehouse, line.quantity,
                yuan(cost_fen), yuan(cost_fen * line.quantity), requisition.asked_on,
                line.received,
            )  # fmt: skip


def receipt_rows(books: Books) -> Iterator[Row]:
    for receipt in books.stock_receipts:
        kind = "34" if receipt.vendor is None else "01"
        yield (
            receipt.key, receipt.code, kind, receipt.received_on, receipt.warehouse,
            receipt.vendor, _STOREKEEPER,
        )  # fmt: skip


def receipt_line_rows(books: Books) -> Iterator[Row]:
    for receipt in books.stock_receipts:
        for product, quantity, requisition_line in receipt.items:
            yield (
                receipt.key, requisition_line, product.code, quantity, yuan(product.cost_fen),
                yuan(product.cost_fen * quantity),
            )  # fmt: skip


def stock_rows(books: Books) -> Iterator[Row]:
    """Derived from the documents, not from the counters that guided them."""
    on_hand, to_ship, incoming = _on_hand(books), _to_ship(books), _incoming(books)
    for place, quantity in on_hand.items():
        yield (*place, quantity, to_ship[place], incoming[place], quantity - to_ship[place])


def _on_hand(books: Books) -> Counter[Place]:
    pieces = Counter[Place]()
    for receipt in books.stock_receipts:
        for product, quantity, _ in receipt.items:
            pieces[receipt.warehouse, product.code] += quantity
    for dispatch in books.dispatches:
        for parcel in dispatch.parcels:
            pieces[parcel.line.warehouse, parcel.line.product.code] -= parcel.quantity
    return pieces


def _to_ship(books: Books) -> Counter[Place]:
    pieces = Counter[Place]()
    for order in books.orders:
        if order.approved_at is not None:
            for line in order.lines:
                pieces[line.warehouse, line.product.code] += line.to_ship
    return pieces


def _incoming(books: Books) -> Counter[Place]:
    pieces = Counter[Place]()
    for requisition in books.requisitions:
        if requisition.approved_on is not None:
            for line in requisition.lines:
                if line.warehouse is not None:
                    pieces[line.warehouse, line.product.code] += line.quantity - line.received
    return pieces


def quota_rows(books: Books) -> Iterator[Row]:
    for quota in books.quotas:
        yield (
            quota.seller, quota.team, quota.month, season.month_end(quota.month),
            yuan(quota.amount_fen),
        )  # fmt: skip


def voucher_rows(books: Books, today: date) -> Iterator[Row]:
    numbers = Counter[tuple[int, int]]()
    for voucher in books.vouchers:
        day = voucher.booked_on
        period = (day.year, day.month)
        numbers[period] += 1
        posted = int(period != (today.year, today.month))
        void = 1 if voucher.void else None
        for place, leg in enumerate(voucher.legs, 1):
            yield (
                *period, numbers[period], place, day, voucher.digest, leg.account,
                yuan(leg.debit_fen), yuan(leg.credit_fen), leg.department, posted, void,
            )  # fmt: skip
