"""Tables as CSV for a spreadsheet: readable in Chinese, and no cell of it is ever run as a formula."""

import csv
import io
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from app.core.errors import Texts

#: A spreadsheet takes a cell that begins so for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
#: The mark itself is marked, so that no two texts become one.
MARK = "'"
#: Says to Excel that the text is UTF-8.
BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
_WITHOUT_CENTS = frozenset({"JPY", "POINT"})
#: What stands above the columns that people read; files that other programs read keep the plain names.
HEADS = {
    "amount": Texts("金额", "Amount"),
    "audience": Texts("可领人次", "Places in audiences"),
    "average_minor": Texts("人均领取", "Average of a receiver"),
    "claimed_minor": Texts("已领取", "Claimed"),
    "claims": Texts("领取份数", "Shares claimed"),
    "currency": Texts("币种", "Currency"),
    "employee_number": Texts("员工编号", "Employee number"),
    "given_minor": Texts("发放总额", "Given"),
    "key": Texts("标识", "Key"),
    "month": Texts("所属月份", "Month"),
    "name": Texts("名称", "Name"),
    "packets": Texts("红包数", "Packets"),
    "person": Texts("姓名", "Name"),
    "reached": Texts("领取率", "Claimed of all places"),
    "receivers": Texts("领取人数", "Receivers"),
    "refunded_minor": Texts("已退回", "Given back"),
    "tax_class": Texts("税目", "Tax class"),
    "unit": Texts("单位", "Unit"),
}


#: Kinds of packets and the purposes that the app offers, as it calls them; any other is called by its code.
NAMES = {
    "benefit": Texts("福利", "Benefit"),
    "equal": Texts("均分", "Equal"),
    "grant": Texts("发放", "Grant"),
    "kpi": Texts("业绩", "Results"),
    "kudos": Texts("点赞", "Kudos"),
    "lucky": Texts("拼手气", "Lucky"),
    "milestone": Texts("纪念日", "Milestone"),
    "party": Texts("活动", "Celebration"),
    "rain": Texts("红包雨", "Rain"),
    "recognition": Texts("表彰", "Recognition"),
    "sales": Texts("业绩", "Sales"),
    "targeted": Texts("指定领取人", "By name"),
    "thanks": Texts("感谢", "Thanks"),
}


def csv_of(rows: Iterable[Iterable[Any]]) -> bytes:
    """Write rows, the head among them; lines end as spreadsheets end them, and every cell is made safe."""
    written = io.StringIO()
    csv.writer(written).writerows([safe_cell(cell) for cell in row] for row in rows)
    return (BYTE_ORDER_MARK + written.getvalue()).encode()


def heads_in(language: str, columns: Iterable[str]) -> list[str]:
    """Name columns in the reader's language."""
    return [HEADS[column].in_language(language) for column in columns]


def name_in(language: str, code: str) -> str:
    """Name a kind or a purpose in the reader's language."""
    return NAMES[code].in_language(language) if code in NAMES else code


def written_amount(amount_minor: int, unit: str) -> str:
    """Write an amount in its currency's own unit: 1250 fen are 12.50; points are whole."""
    if unit in _WITHOUT_CENTS:
        return str(amount_minor)
    return f"{Decimal(amount_minor).scaleb(-2):.2f}"


def safe_cell(value: Any) -> Any:
    """Put a mark before a text that begins like a formula; numbers stay numbers."""
    if isinstance(value, str) and value.lstrip(" ").startswith((*FORMULA_STARTS, MARK)):
        return MARK + value
    return value
