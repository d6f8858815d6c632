"""Pure rules of payouts: amounts as payroll reads them, the payroll file and its results, waiting between calls."""

import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from redpackets.rules import POINT, UNITS
from redpackets.sheets import BYTE_ORDER_MARK, csv_of, safe_cell, written_amount

ITEMS_MAX = 5_000
#: WeChat pays nothing below ten fen.
RAIL_LEAST_MINOR = 10
RAIL_UNIT = "CNY"
PAID_UNITS = UNITS - {POINT}
#: Points count for the tax at one fen each, unless the part that redeems them says what a redemption was worth.
POINT_WORTH_FEN = 1
POINT_TAX_CLASS = "wage_income"

FILE_HEAD = ("employee_number", "amount", "currency", "tax_class", "period")
RESULTS_HEAD = (*FILE_HEAD, "result", "reason")
TRAILER = "TOTAL"
OUTCOMES = {"paid": "success", "failed": "failed"}
REASON_LENGTH_MAX = 200
ROW_ERRORS_MAX = 100

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(hours=1)
#: For how long a number may be sent again, and how long after the last time the rail may still come to know it.
SENT_AGAIN_FOR = timedelta(hours=12)
MAY_ARRIVE_FOR = timedelta(hours=24)


def stage_of(item_state: str, batch_state: str) -> str:
    """Say how far an item came, in the words of whom it pays."""
    ended = {"success": "paid", "failed": "returned"}.get(item_state)
    return ended or ("prepared" if batch_state == "pending_approval" else "on_its_way")


@dataclass(frozen=True, kw_only=True)
class FileRow:
    """One row of a payroll file: what one person gets of one tax class."""

    employee_number: str
    amount_minor: int
    tax_class: str

    def key(self) -> tuple[str, str]:
        """Say what no two rows of a file share."""
        return safe_cell(self.employee_number), self.tax_class


@dataclass(frozen=True, kw_only=True)
class RowResult:
    """What payroll says came of a row."""

    outcome: str
    reason: str


class ResultsUnfit(Exception):  # noqa: N818 - it becomes a refusal at the service
    """A results file that cannot be taken; ``errors`` maps ``rows.<line>`` or ``content`` to a code."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = errors


def payroll_file(rows: Iterable[FileRow], *, unit: str, period: str) -> bytes:
    """Write a payroll file: a head, its rows in order, and a last line of control totals."""
    ordered = sorted(rows, key=FileRow.key)
    body = [
        (r.employee_number, written_amount(r.amount_minor, unit), unit, r.tax_class, period)
        for r in ordered
    ]
    return csv_of([FILE_HEAD, *body, _totals(ordered, unit, period)])


def read_results(
    content: str, rows: Iterable[FileRow], *, unit: str, period: str, file_hash: bytes
) -> dict[tuple[str, str], RowResult]:
    """Read what came of every row, by key; anything that does not fit refuses the file with its line numbers.

    The file is the payroll file with two more columns, ``result`` (paid, failed) and ``reason``; its last line
    repeats the totals and says, as result, the SHA-256 of the payroll file it answers.
    """
    sent = list(rows)
    lines = _records(content)
    while lines and not any(cell.strip() for cell in lines[-1]):
        lines.pop()
    if len(lines) < 2 or tuple(lines[0]) != RESULTS_HEAD:
        raise ResultsUnfit({"content": "results_unreadable"})
    errors = _trailer_errors(
        lines[-1], (*_totals(sorted(sent, key=FileRow.key), unit, period),), file_hash
    )
    results = _read_lines(lines[1:-1], sent, unit, period, errors)
    if not errors and len(results) != len(sent):
        errors["content"] = "rows_missing"
    if errors:
        raise ResultsUnfit(dict(list(errors.items())[:ROW_ERRORS_MAX]))
    return results


def wait_after(attempts: int) -> timedelta:
    """Say how long to wait after so many calls: twice as long each time, up to an hour."""
    doubled: int = 2 ** min(attempts - 1, 20)
    return min(FIRST_WAIT * doubled, LONGEST_WAIT)


def month_of(period: str, time_zone: str) -> tuple[datetime, datetime]:
    """Say when a month (``2013-10``) begins and ends in a place."""
    first = date.fromisoformat(f"{period}-01")
    after = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    zone = ZoneInfo(time_zone)
    begin, end = (datetime(d.year, d.month, d.day, tzinfo=zone) for d in (first, after))
    return begin, end


def _records(content: str) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(content.removeprefix(BYTE_ORDER_MARK))))
    except csv.Error as error:
        raise ResultsUnfit({"content": "results_unreadable"}) from error


def _totals(rows: list[FileRow], unit: str, period: str) -> tuple[str, ...]:
    total = sum(row.amount_minor for row in rows)
    return TRAILER, written_amount(total, unit), unit, str(len(rows)), period


def _trailer_errors(line: list[str], totals: tuple[str, ...], file_hash: bytes) -> dict[str, str]:
    if tuple(line[: len(totals)]) != totals:
        return {"content": "totals_differ"}
    if line[len(totals) : len(totals) + 1] != [file_hash.hex()]:
        return {"content": "hash_differs"}
    return {}


def _read_lines(
    lines: list[list[str]],
    sent: list[FileRow],
    unit: str,
    period: str,
    errors: dict[str, str],
) -> dict[tuple[str, str], RowResult]:
    by_key = {row.key(): row for row in sent}
    known = {safe_cell(row.employee_number) for row in sent}
    results: dict[tuple[str, str], RowResult] = {}
    for number, cells in enumerate(lines, start=2):
        code = _line_error(cells, by_key, known, unit, period)
        key = (cells[0], cells[3]) if code is None else None
        if key in results:
            code = "row_repeated"
        if code is not None:
            errors[f"rows.{number}"] = code
        elif key is not None:
            reason = cells[6].strip()[:REASON_LENGTH_MAX]
            results[key] = RowResult(outcome=OUTCOMES[cells[5]], reason=reason)
    return results


def _line_error(
    cells: list[str],
    by_key: dict[tuple[str, str], FileRow],
    known: set[str],
    unit: str,
    period: str,
) -> str | None:
    if len(cells) != len(RESULTS_HEAD):
        return "row_unreadable"
    number, amount, currency, tax_class, of_period, outcome, reason = cells
    if number not in known:
        return "employee_unknown"
    row = by_key.get((number, tax_class))
    if row is None or (amount, currency, of_period) != (
        written_amount(row.amount_minor, unit),
        unit,
        period,
    ):
        return "row_differs"
    if outcome not in OUTCOMES:
        return "outcome_unknown"
    if outcome == "failed" and not reason.strip():
        return "reason_missing"
    return None


def hash_of(content: bytes) -> bytes:
    """Hash a file."""
    return hashlib.sha256(content).digest()
