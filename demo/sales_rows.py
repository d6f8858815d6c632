"""Orders, dispatches, invoices and receivables as rows of the U8 tables."""

from collections.abc import Iterator
from typing import Final

from demo import company
from demo.documents import Books, Order, Row, at_midnight
from demo.money import tax_on, yuan

ORDER: Final = (
    "id csocode cstcode ddate ccuscode cdepcode cpersoncode istatus cmaker cverifier ccloser"
    " iverifystate ireturncount dcreatesystime dmodifysystime dverifysystime"
)
ORDER_LINE: Final = (
    "autoid id csocode irowno cinvcode cwhcode iquantity iunitprice imoney itax isum"
    " inatmoney inattax inatsum ifhquantity ifhmoney ikpquantity ikpmoney dpredate cscloser"
    " cdefine26"
)
DISPATCH: Final = (
    "dlid cdlcode ddate breturnflag csocode ccuscode cdepcode cpersoncode cmaker cverifier"
    " dcreatesystime"
)
PARCEL: Final = (
    "autoid dlid isosid cwhcode cinvcode iquantity inatmoney inattax inatsum foutquantity"
    " isettlequantity"
)
INVOICE: Final = (
    "sbvid csbvcode breturnflag ddate dgatheringdate csocode ccuscode cdepcode cpersoncode"
    " inatmoney inatsum cmaker cverifier dcreatesystime"
)
INVOICE_LINE: Final = "sbvid isosid idlsid cinvcode iquantity inatmoney inattax inatsum cdefine26"
RECEIVABLE: Final = (
    "cdwcode cdeptcode cperson cvouchtype cvouchid ccovouchtype ccovouchid dvouchdate"
    " dgatheringdate idamount icamount cdigest"
)
_BILLING_CLERK: Final = company.people_titled("会计")[0].name
_DISPATCHER: Final = company.people_titled("物流调度")[0].name


def order_row(order: Order) -> Row:
    approved = int(order.approved_at is not None)
    return (
        order.key, order.code, order.customer.kind, order.ordered_on, order.customer.code,
        order.customer.team, order.customer.seller, approved, order.maker, order.verifier,
        order.closer, approved * 2, order.returns, order.created_at,
        order.approved_at or order.created_at, order.approved_at,
    )  # fmt: skip


def order_line_rows(books: Books) -> Iterator[Row]:
    for order in books.orders:
        for place, line in enumerate(order.lines, 1):
            net_fen = line.net_fen
            tax_fen = tax_on(net_fen)
            money = (yuan(net_fen), yuan(tax_fen), yuan(net_fen + tax_fen))
            yield (
                line.key, order.key, order.code, place, line.product.code, line.warehouse,
                line.quantity, yuan(line.price_fen), *money, *money,
                line.shipped, yuan(line.price_fen * line.shipped),
                line.invoiced, yuan(line.price_fen * line.invoiced),
                line.promised_on, line.closed_by, yuan(line.product.cost_fen * line.quantity),
            )  # fmt: skip


def dispatch_rows(books: Books) -> Iterator[Row]:
    for dispatch in books.dispatches:
        customer = dispatch.order.customer
        yield (
            dispatch.key, dispatch.code, dispatch.shipped_on, int(dispatch.is_return),
            dispatch.order.code, customer.code, customer.team, customer.seller,
            _DISPATCHER, _DISPATCHER, at_midnight(dispatch.shipped_on),
        )  # fmt: skip


def parcel_rows(books: Books) -> Iterator[Row]:
    for dispatch in books.dispatches:
        for key, parcel in enumerate(dispatch.parcels, dispatch.first_parcel_key):
            yield (
                key, dispatch.key, parcel.line.key, parcel.line.warehouse,
                parcel.line.product.code, parcel.quantity, yuan(parcel.net_fen),
                yuan(parcel.tax_fen), yuan(parcel.net_fen + parcel.tax_fen), parcel.quantity,
                parcel.quantity if dispatch.invoiced else 0,
            )  # fmt: skip


def invoice_rows(books: Books) -> Iterator[Row]:
    for invoice in books.invoices:
        order = invoice.dispatch.order
        yield (
            invoice.key, invoice.code, int(invoice.dispatch.is_return), invoice.invoiced_on,
            invoice.due_on, order.code, order.customer.code, order.customer.team,
            order.customer.seller, yuan(invoice.net_fen), yuan(invoice.gross_fen),
            _BILLING_CLERK, _BILLING_CLERK, at_midnight(invoice.invoiced_on),
        )  # fmt: skip


def invoice_line_rows(books: Books) -> Iterator[Row]:
    for invoice in books.invoices:
        dispatch = invoice.dispatch
        for key, parcel in enumerate(dispatch.parcels, dispatch.first_parcel_key):
            yield (
                invoice.key, parcel.line.key, key, parcel.line.product.code, parcel.quantity,
                yuan(parcel.net_fen), yuan(parcel.tax_fen), yuan(parcel.net_fen + parcel.tax_fen),
                yuan(parcel.cost_fen),
            )  # fmt: skip


def receivable_rows(books: Books) -> Iterator[Row]:
    for row in books.receivables:
        customer = row.invoice.dispatch.order.customer
        digest = "收款" if row.kind == "48" else "红字发票" if row.debit_fen < 0 else "销售发票"
        yield (
            customer.code, customer.team, customer.seller, row.kind, row.code, "26",
            row.invoice.code, row.booked_on, row.invoice.due_on, yuan(row.debit_fen),
            yuan(row.credit_fen), digest,
        )  # fmt: skip
