"""The history's documents as rows of the U8-shaped tables, copied in bulk."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, Final

from psycopg import Connection, sql

from demo import archive_rows, backoffice_rows, catalogue, sales_rows
from demo.documents import Books, Row
from demo.ledger import ACCOUNTS

_CHUNK_CHARACTERS: Final = 1 << 18

# Keys that the history gave out itself; the live business goes on counting from there.
_COUNTED: Final = {
    "so_somain": "id",
    "so_sodetails": "autoid",
    "dispatchlist": "dlid",
    "dispatchlists": "autoid",
    "salebillvouch": "sbvid",
    "rdrecord01": "id",
    "pu_appvouch": "id",
    "pu_appvouchs": "autoid",
}


def load_archives(connection: Connection[Any], goods: catalogue.Catalogue, books: Books) -> None:
    """Departments, people, customers, products and the like."""
    owed_fen = Counter[str]()
    for invoice in books.invoices:
        owed_fen[invoice.dispatch.order.customer.code] += invoice.open_fen
    copy(connection, "department", archive_rows.DEPARTMENT, archive_rows.department_rows())
    copy(connection, "person", archive_rows.PERSON, archive_rows.person_rows())
    copy(connection, "districtclass", "cdccode cdcname", archive_rows.district_rows())
    copy(connection, "customer", archive_rows.CUSTOMER, archive_rows.customer_rows(goods, owed_fen))
    copy(connection, "vendor", "cvencode cvenname cvenabbname", archive_rows.vendor_rows())
    classes = catalogue.category_names().items()
    copy(connection, "inventoryclass", "cinvccode cinvcname", classes)
    copy(connection, "inventory", archive_rows.INVENTORY, archive_rows.inventory_rows(goods))
    copy(
        connection, "warehouse", "cwhcode cwhname cdepcode cwhperson", archive_rows.warehouse_rows()
    )
    accounts = ((code, *definition) for code, definition in ACCOUNTS.items())
    copy(connection, "code", "ccode ccode_name cclass bproperty", accounts)


def load_documents(connection: Connection[Any], books: Books, today: date) -> None:
    """Everything that happened, and the stock that is left after it."""
    copy(connection, "so_somain", sales_rows.ORDER, map(sales_rows.order_row, books.orders))
    copy(connection, "so_sodetails", sales_rows.ORDER_LINE, sales_rows.order_line_rows(books))
    copy(connection, "dispatchlist", sales_rows.DISPATCH, sales_rows.dispatch_rows(books))
    copy(connection, "dispatchlists", sales_rows.PARCEL, sales_rows.parcel_rows(books))
    copy(connection, "salebillvouch", sales_rows.INVOICE, sales_rows.invoice_rows(books))
    copy(connection, "salebillvouchs", sales_rows.INVOICE_LINE, sales_rows.invoice_line_rows(books))
    copy(connection, "ar_detail", sales_rows.RECEIVABLE, sales_rows.receivable_rows(books))
    copy(
        connection,
        "pu_appvouch",
        backoffice_rows.REQUISITION,
        map(backoffice_rows.requisition_row, books.requisitions),
    )
    copy(
        connection,
        "pu_appvouchs",
        backoffice_rows.REQUISITION_LINE,
        backoffice_rows.requisition_line_rows(books),
    )
    copy(connection, "rdrecord01", backoffice_rows.RECEIPT, backoffice_rows.receipt_rows(books))
    copy(
        connection,
        "rdrecords01",
        backoffice_rows.RECEIPT_LINE,
        backoffice_rows.receipt_line_rows(books),
    )
    copy(connection, "currentstock", backoffice_rows.STOCK, backoffice_rows.stock_rows(books))
    copy(connection, "sa_salesquota", backoffice_rows.QUOTA, backoffice_rows.quota_rows(books))
    copy(
        connection,
        "gl_accvouch",
        backoffice_rows.VOUCHER,
        backoffice_rows.voucher_rows(books, today),
    )
    for table, key in _COUNTED.items():
        _count_on(connection, table, key)


def copy(connection: Connection[Any], table: str, columns: str, rows: Iterable[Row]) -> None:
    """Bulk load; no text of ours holds a character that COPY would need escaped."""
    statement = sql.SQL("COPY {}({}) FROM STDIN").format(
        sql.Identifier("u8", table),
        sql.SQL(", ").join(map(sql.Identifier, columns.split())),
    )
    with connection.cursor() as cursor, cursor.copy(statement) as sink:
        for chunk in _chunks(rows):
            sink.write(chunk)


def _chunks(rows: Iterable[Row]) -> Iterator[str]:
    lines: list[str] = []
    size = 0
    for row in rows:
        line = "\t".join(["\\N" if value is None else str(value) for value in row])
        lines.append(line)
        size += len(line)
        if size > _CHUNK_CHARACTERS:
            yield "\n".join(lines) + "\n"
            lines, size = [], 0
    if lines:
        yield "\n".join(lines) + "\n"


def _count_on(connection: Connection[Any], table: str, key: str) -> None:
    connection.execute(
        sql.SQL(
            "SELECT setval(pg_get_serial_sequence({name}, {key}), coalesce(max({column}), 1))"
            " FROM {table}"
        ).format(
            name=sql.Literal(f"u8.{table}"),
            key=sql.Literal(key),
            column=sql.Identifier(key),
            table=sql.Identifier("u8", table),
        )
    )
