"""Turns what an ERP wrote into text, exact decimals, dates and truth values, or refuses it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from erp_bridge.canon import Kind

WHOLE_DIGITS_MAX = 12
YEAR_FIRST, YEAR_LAST = 1900, 2199
TEXT_LENGTH_MAX = 10_000
NUMBER_LENGTH_MAX = 64
#: Most keys and codes are short and plain; they pass without a closer look.
PLAIN_LENGTH_MAX = 200

#: No value, as COPY reads it; a text of these two signs is escaped and so never the same.
ABSENT = r"\N"

_SIX_PLACES = Decimal("0.000001")
_LIMIT = Decimal(10) ** WHOLE_DIGITS_MAX
_ZERO = Decimal(0)
_PLAIN = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,6})?").fullmatch
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?").fullmatch
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?").fullmatch
_DAY = re.compile(r"([0-9]{4})([-/.]?)([0-9]{1,2})\2([0-9]{1,2})").fullmatch
_TRUE = frozenset({"1", "true", "t", "y", "yes", "是"})
_FALSE = frozenset({"0", "false", "f", "n", "no", "否"})


_COPY_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_COPY_ESCAPED = {r"\\": "\\", r"\t": "\t", r"\n": "\n", r"\r": "\r"}
_ESCAPED = re.compile(r"\\[\\tnr]")
_needs_escape = re.compile(r"[\\\t\n\r]").search


class UnfitValueError(Exception):
    """A value that cannot be what its field needs; ``code`` is stable."""

    def __init__(self, code: str, value: object) -> None:
        super().__init__(code)
        self.code = code
        self.value = value


def text(value: Any) -> str | None:
    """Text without NULs and outer blanks; empty text is no value."""
    if value is None:
        return None
    if not isinstance(value, str):
        value = _as_text(value)
    if len(value) <= PLAIN_LENGTH_MAX and value.isalnum() and value.isascii():
        plain: str = value
        return plain
    if not value.isascii():
        _refuse_broken_unicode(value)
    if "\x00" in value:
        value = value.replace("\x00", "")
    value = value.strip()
    if len(value) > TEXT_LENGTH_MAX:
        raise UnfitValueError("text.too_long", value[:80])
    return value or None


def decimal(value: Any) -> Decimal | None:
    """An exact number of at most twelve whole digits, to six places; never NaN or infinity."""
    if value is None:
        return None
    if isinstance(value, str):
        if _PLAIN(value):
            return Decimal(value) or _ZERO
        value = value.strip()
        if not value:
            return None
        return _fit(_unusual_number(value), value)
    return _fit(_exact(value), value)


def day(value: Any, zone: ZoneInfo) -> date | None:
    """A calendar day; an instant with an offset is the day it was in the company's zone."""
    if value is None:
        return None
    if isinstance(value, str):
        value = _read_day(value.strip(), zone)
    if isinstance(value, datetime):
        value = (value.astimezone(zone) if value.tzinfo else value).date()
    if value is None:
        return None
    if not isinstance(value, date):
        raise UnfitValueError("date.format", value)
    if not YEAR_FIRST <= value.year <= YEAR_LAST:
        raise UnfitValueError("date.range", value)
    return value


def truth(value: Any) -> bool | None:
    """Yes or no, in the words and digits that ERPs use."""
    if isinstance(value, bool):
        return value
    word = text(value)
    if word is None:
        return None
    word = word.lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise UnfitValueError("bool.format", value)


def converter_to(kind: Kind, zone: ZoneInfo) -> Callable[[Any], Any]:
    """The function that brings a value to the kind a field has."""
    plain: dict[Kind, Callable[[Any], Any]] = {"text": text, "decimal": decimal, "bool": truth}
    return plain[kind] if kind in plain else lambda value: day(value, zone)


def cell(value: Any) -> str:
    """A converted value as COPY's text format has it."""
    if value is None:
        return ABSENT
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value)


def number_cells(numbers: Sequence[Decimal]) -> list[str]:
    """Numbers as cells, fitted as `decimal` fits one; refused all together if one does not fit."""
    try:
        fitting = [n.quantize(_SIX_PLACES, ROUND_HALF_EVEN) or _ZERO for n in numbers]
        if not fitting or (min(fitting) > -_LIMIT and max(fitting) < _LIMIT):
            return list(map(str, fitting))
    except InvalidOperation:
        pass
    raise UnfitValueError("number.range", None)


def escaped(value: str) -> str:
    """A text as a cell of COPY's text format."""
    return value.translate(_COPY_ESCAPES) if _needs_escape(value) else value


def unescaped(cell: str) -> str | None:
    """What a cell of COPY's text format stands for."""
    return (
        None if cell == ABSENT else _ESCAPED.sub(lambda found: _COPY_ESCAPED[found.group()], cell)
    )


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Decimal) and value.is_finite():
        return format(value.normalize(), "f")
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value)


def _refuse_broken_unicode(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise UnfitValueError("text.encoding", ascii(value[:80])) from error


def _unusual_number(value: str) -> Decimal:
    if len(value) > NUMBER_LENGTH_MAX:
        raise UnfitValueError("number.too_long", value[:80])
    if _GROUPED(value):
        return Decimal(value.replace(",", ""))
    if not _NUMBER(value):
        raise UnfitValueError("number.format", value)
    return Decimal(value)


def _exact(value: Any) -> Decimal:
    if isinstance(value, bool):
        raise UnfitValueError("number.format", value)
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float):
        # The shortest text that gives the same float is what the sheet showed.
        return Decimal(repr(value))
    raise UnfitValueError("number.format", value)


def _fit(number: Decimal, value: Any) -> Decimal:
    try:
        fitting = number.quantize(_SIX_PLACES, rounding=ROUND_HALF_EVEN)
        if -_LIMIT < fitting < _LIMIT:
            return fitting or _ZERO
    except InvalidOperation:  # endless, not a number, or too long to be fitted
        pass
    raise UnfitValueError("number.range" if number.is_finite() else "number.format", value)


def _read_day(value: str, zone: ZoneInfo) -> date | datetime | None:
    if not value:
        return None
    found = _DAY(value)
    try:
        if found:
            return date(int(found[1]), int(found[3]), int(found[4]))
        return datetime.fromisoformat(value)
    except (ValueError, InvalidOperation) as error:
        raise UnfitValueError("date.format", value) from error
