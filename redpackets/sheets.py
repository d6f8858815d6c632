"""Tables as CSV for a spreadsheet: readable in Chinese, and no cell of it is ever run as a formula."""

import csv
import io
from collections.abc import Iterable
from typing import Any

#: A spreadsheet takes a cell that begins so for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
#: The mark itself is marked, so that no two texts become one.
MARK = "'"
#: Says to Excel that the text is UTF-8.
BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


def csv_of(rows: Iterable[Iterable[Any]]) -> bytes:
    """Write rows, the head among them; lines end as spreadsheets end them, and every cell is made safe."""
    written = io.StringIO()
    csv.writer(written).writerows([safe_cell(cell) for cell in row] for row in rows)
    return (BYTE_ORDER_MARK + written.getvalue()).encode()


def safe_cell(value: Any) -> Any:
    """Put a mark before a text that begins like a formula; numbers stay numbers."""
    if isinstance(value, str) and value.lstrip(" ").startswith((*FORMULA_STARTS, MARK)):
        return MARK + value
    return value
