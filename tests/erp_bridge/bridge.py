"""A company with an ERP connected, and small drop folders to feed it."""

import csv
import gzip
import io
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text

from erp_bridge import services
from erp_bridge.engine import RunOrder, RunReport, sync_source
from erp_bridge.retrying import retry_quarantine
from tests.builders.company import Company

EMPLOYEES = "employee_id,login,first_name,last_name,job_title,department_id,manager_id,org_level,hire_date,active,hourly_rate"
ORDERS = (
    "order_id,order_number,order_date,due_date,ship_date,status,online,customer_id,salesperson_id,territory_id,"
    "currency_rate_id,subtotal,tax,freight,total_due,modified"
)
LINES = "order_id,line_id,product_id,quantity,unit_price,discount,net_amount,unit_cost,exact"
PRODUCTS = (
    "product_id,product_number,name,category,subcategory,standard_cost,list_price,safety_stock,"
    "reorder_point,sell_start,sell_end"
)


class Bridge:
    """A connected source of a company: read it, look at what landed."""

    def __init__(self, company: Company, source_id: UUID) -> None:
        self.company = company
        self.source_id = source_id
        #: Called before each reading, such as to wait for what the ERP's server itself is busy with.
        self.before_sync: Callable[[], object] = lambda: None

    def sync(
        self, *, progress: Callable[[str, int], None] = lambda _name, _rows: None, **order: Any
    ) -> RunReport:
        self.before_sync()
        space = self.company.space
        return sync_source(
            space.database,
            self.company.tenant_id,
            self.source_id,
            secret_key=space.settings.secret_key,
            order=RunOrder(**order),
            now=self.company.clock,
            progress=progress,
        )

    def retry(self, stream: str | None = None) -> int:
        space = self.company.space
        return retry_quarantine(
            space.database,
            self.company.tenant_id,
            self.source_id,
            secret_key=space.settings.secret_key,
            stream=stream,
            now=self.company.clock,
        )

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        with self.company.transaction() as session:
            return [tuple(row) for row in session.execute(text(query), values)]

    def one(self, query: str, **values: Any) -> Any:
        (row,) = self.rows(query, **values)
        return row[0] if len(row) == 1 else row

    def stream(self, name: str) -> tuple[str, str | None]:
        state, problem = self.one(
            "SELECT state, problem FROM erp_stream WHERE name = :name", name=name
        )
        return state, problem


def connect(
    company: Company, connector: str, mapping: str, /, *, name: str | None = None, **config: Any
) -> Bridge:
    with company.transaction() as session:
        source = services.create_source(
            session,
            name=name or mapping,
            connector=connector,
            mapping=mapping,
            config=config,
            secret_key=company.space.settings.secret_key,
            now=company.clock(),
        )
    return Bridge(company, source.id)


class DropFolder:
    """A folder that files are dropped into."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._drops = 0

    def drop(self, name: str, header: str, rows: Iterable[Sequence[Any]]) -> Path:
        """Write a CSV (gzipped if its name says so); every drop is younger than the one before."""
        columns = header.split(",")
        written = io.StringIO()
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([*row, *[""] * (len(columns) - len(row))] for row in rows)
        return self.drop_bytes(name, written.getvalue().encode())

    def drop_bytes(self, name: str, body: bytes) -> Path:
        path = self.path / name
        path.write_bytes(gzip.compress(body, mtime=0) if name.endswith(".gz") else body)
        self._drops += 1
        self.age(path, self._drops)
        return path

    def age(self, path: Path, drops: int) -> None:
        os.utime(path, (1_700_000_000 + drops, 1_700_000_000 + drops))

    def people(self, *rows: Sequence[Any]) -> None:
        """(id, login, title, manager) of each employee."""
        self.drop(
            "employees.csv",
            EMPLOYEES,
            [
                (i, login, login.title(), "Plum", title, "", manager, "", "", 1)
                for i, login, title, manager in rows
            ],
        )

    def orders(self, *rows: Sequence[Any]) -> None:
        """(id, date, salesperson) of each order."""
        self.drop(
            "orders.csv",
            ORDERS,
            [
                (i, f"SO{i}", day, day, day, 5, 0, 1, salesperson, 1, "", 0, 0, 0, 0, day)
                for i, day, salesperson in rows
            ],
        )

    def lines(self, *rows: Sequence[Any]) -> None:
        """(order, line, net) of each order line."""
        self.drop(
            "order_lines.csv",
            LINES,
            [(order, line, 7, 2, 5, 0, net, 3, 1) for order, line, net in rows],
        )
