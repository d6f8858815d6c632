"""The drop folder of `bench.bridge`: orders with their lines, as they are at first and as they are a little later.

The lines are AdventureWorks' own where that data is found (``WORKSPACE_DATA``, by default ``../shared/data``), again
and again under other order numbers when more are wanted than there are; else they are made to its shape.
"""

import csv
import gzip
import itertools
import os
import random
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from app.runtime.programs import ROOT

CHANGED_EVERY = 10
#: Added to an order's number each time around, more than any of its own.
NUMBERS_APART = 1_000_000
ORDER_COLUMNS = [
    *("order_id", "order_number", "order_date", "due_date", "ship_date", "status", "online"),
    *("customer_id", "salesperson_id", "territory_id", "currency_rate_id"),
    *("subtotal", "tax", "freight", "total_due", "modified"),
]
LINE_COLUMNS = [
    *("order_id", "line_id", "product_id", "quantity"),
    *("unit_price", "discount", "net_amount", "unit_cost", "exact"),
]
NET_AMOUNT = LINE_COLUMNS.index("net_amount")

Row = list[str]


@dataclass(frozen=True)
class Folder:
    """A drop folder, and beside it the files that are dropped into it."""

    path: Path
    origin: str
    lines: int
    changed: int

    def drop_lines(self, moment: str) -> None:
        """Put the lines of a moment into the folder: ``none``, ``first`` or ``again``."""
        shutil.copyfile(_kept(self.path, moment), self.path / "order_lines.csv.gz")


def prepare_folder(path: Path, lines: int) -> Folder:
    """Fill a drop folder with the orders of about so many lines; the lines themselves are dropped later."""
    path.mkdir()
    heads, rows, origin = _orders_of(lines)
    write_table(path / "orders.csv.gz", ORDER_COLUMNS, heads)
    counts = {"none": 0, "first": 0, "again": 0}
    for moment in counts:
        kept = _kept(path, moment)
        counts[moment] = write_table(kept, LINE_COLUMNS, _at(moment, rows, heads))
    return Folder(path, origin, counts["first"], -(-counts["first"] // CHANGED_EVERY))


def read_table(path: Path) -> Iterator[Row]:
    """The rows of a table file, without its header."""
    with gzip.open(path, "rt", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        yield from rows


def write_table(path: Path, header: Sequence[str], rows: Iterable[Row]) -> int:
    """Write a table file; gives the number of its rows."""
    count = 0
    with gzip.open(path, "wt", newline="", compresslevel=1) as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for row in rows:
            writer.writerow(row)
            count += 1
    return count


def _kept(path: Path, moment: str) -> Path:
    return path.with_name(f"{path.name}-{moment}.csv.gz")


def _orders_of(wanted: int) -> tuple[list[Row], dict[str, list[Row]], str]:
    """The orders of so many lines, the lines of each order they were made from, and where they come from."""
    data = (
        Path(os.environ.get("WORKSPACE_DATA", ROOT.parent / "shared" / "data")) / "adventureworks"
    )
    if data.is_dir():
        heads = list(read_table(data / "orders.csv.gz"))
        grouped = itertools.groupby(read_table(data / "order_lines.csv.gz"), lambda row: row[0])
        lines = {order: list(rows) for order, rows in grouped}
        origin = "AdventureWorks"
    else:
        heads = [_made_order(number) for number in range(1, 10_001)]
        lines = {row[0]: [_made_line(row[0], line) for line in range(1, 5)] for row in heads}
        origin = "made"
    return list(_repeated(heads, lines, wanted)), lines, origin


def _repeated(heads: list[Row], lines: dict[str, list[Row]], wanted: int) -> Iterator[Row]:
    for count, head in enumerate(itertools.cycle(heads)):
        if wanted <= 0:
            return
        around = count // len(heads)
        yield [str(int(head[0]) + around * NUMBERS_APART), *head[1:]]
        wanted -= len(lines[head[0]])


def _at(moment: str, lines: dict[str, list[Row]], heads: list[Row]) -> Iterator[Row]:
    if moment == "none":
        return
    count = itertools.count()
    for head in heads:
        for line in lines[str(int(head[0]) % NUMBERS_APART)]:
            row = [head[0], *line[1:]]
            if next(count) % CHANGED_EVERY == 0 and moment == "again":
                row[NET_AMOUNT] += "1"
            yield row


def _made_order(number: int) -> Row:
    day = date(2013, 1, 1) + timedelta(days=number % 365)
    days = [(day + timedelta(days=later)).isoformat() for later in (0, 12, 7)]
    customer, salesperson = str(random.randint(1, 500)), str(270 + number % 17)
    rest = ["1", "", "100", "8", "2", "110", days[0]]
    return [str(number), f"SO{number}", *days, "5", "0", customer, salesperson, *rest]


def _made_line(order: str, line: int) -> Row:
    quantity, price = random.randint(1, 20), random.randint(100, 99_999) / 100
    net, cost = f"{quantity * price:.4f}", f"{price * 0.7:.4f}"
    product = str(random.randint(1, 500))
    return [order, str(line), product, str(quantity), f"{price:.4f}", "0", net, cost, "1"]
