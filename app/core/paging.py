"""Cursor paging: opaque, versioned cursors over a unique ordered key; never offsets, never times."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson

from app.core.errors import BadCursor

LIMIT_DEFAULT = 20
LIMIT_MAX = 100
CURSOR_LENGTH_MAX = 200
VERSION = 1

Row = TypeVar("Row")


@dataclass(frozen=True)
class Page:
    """What a caller asked for: how many, and after which key (none: from the start)."""

    limit: int = LIMIT_DEFAULT
    cursor: str | None = None

    def after(self, *kinds: type) -> tuple[Any, ...] | None:
        """Read the cursor's key parts as these types; anything we did not write is refused."""
        if self.cursor is None:
            return None
        return _read_cursor(self.cursor, kinds)


def slice_page(
    rows: Sequence[Row], page: Page, key: Callable[[Row], tuple[Any, ...]]
) -> tuple[Sequence[Row], str | None]:
    """Cut ``limit + 1`` rows to a page and say the cursor of the next one, if there is one."""
    if len(rows) <= page.limit:
        return rows, None
    kept = rows[: page.limit]
    return kept, write_cursor(*key(kept[-1]))


def write_cursor(*parts: Any) -> str:
    """Write a key as an opaque cursor."""
    raw = orjson.dumps([VERSION, *(p if isinstance(p, int) else str(p) for p in parts)])
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _read_cursor(cursor: str, kinds: tuple[type, ...]) -> tuple[Any, ...]:
    if len(cursor) > CURSOR_LENGTH_MAX or not cursor.isascii():
        raise BadCursor
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        version, *parts = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if version != VERSION or len(parts) != len(kinds):
            raise BadCursor
        return tuple(_as(kind, part) for kind, part in zip(kinds, parts, strict=True))
    except (ValueError, TypeError) as error:
        raise BadCursor from error


def _as(kind: type, part: Any) -> Any:
    if kind is int:
        if isinstance(part, bool) or not isinstance(part, int) or abs(part) >= 2**63:
            raise BadCursor
        return part
    if not isinstance(part, str):
        raise BadCursor
    return kind(part)
