"""Reading by time stamps without losing what commits late, and without telling anything twice.

A stamp says when a change began, not when it could be seen: a transaction open for a minute shows rows with the
stamp of a minute ago. So whatever lies within the overlap is read again by the next run. What was told of it
already is remembered by a digest, and only up to a limit: forgetting costs another reading, never a row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from erp_bridge.connectors.base import ConnectorError, Cursor, Row

OVERLAP_SECONDS = 120
RECENT_ROWS_MAX = 500
CHASE_SECONDS = 3_600
DIGEST_BYTES = 8

#: The rows after (stamp, key), or from a stamp on when there is no key, or from the very beginning; and whether
#: there are no more.
Fetch = Callable[[Sequence[Any] | None], tuple[list[Row], bool]]


def micros_of(moment: datetime) -> int:
    """An instant as whole microseconds since 1970: the form in which the bridge compares stamps."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class StampReader:
    """Understands the stamps of one ERP: with an offset, in its local time, or whole days."""

    zone: ZoneInfo

    def micros(self, stamp: Any) -> int:
        """When the row changed; a day's stamp stands for the whole day."""
        moment = _read(stamp)
        if not isinstance(moment, datetime):
            return micros_of(datetime.combine(moment, time.max, self.zone))
        if moment.tzinfo is None:
            self.refuse_summer_time()
            moment = moment.replace(tzinfo=self.zone)
        return micros_of(moment)

    def written_like(self, stamp: Any, micros: int) -> str:
        """The moment as text, in the way in which the ERP writes its stamps."""
        like = _read(stamp)
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
        if not isinstance(like, datetime):
            return moment.astimezone(self.zone).date().isoformat()
        if like.tzinfo is None:
            return moment.astimezone(self.zone).replace(tzinfo=None).isoformat()
        return moment.isoformat()

    def refuse_summer_time(self) -> None:
        """Local stamps of a zone with summer time name an hour twice a year: no order can be trusted."""
        offsets = {datetime(2026, month, 1, tzinfo=self.zone).utcoffset() for month in (1, 7)}
        if len(offsets) > 1:
            raise ConnectorError("erp.stamps_ambiguous", self.zone.key)


@dataclass(slots=True)
class TimeReading:
    """One stream, read from its cursor to the end, page by page."""

    fetch: Fetch
    stamps: StampReader
    #: Where the stamp and the key stand in a row.
    places: Sequence[int]
    #: The ERP's own time when the run began.
    bound: int
    overlap_seconds: int = OVERLAP_SECONDS
    _told: dict[str, str] = field(default_factory=dict)
    _recent: dict[str, str] = field(default_factory=dict)

    def pages(self, cursor: Cursor) -> Iterator[tuple[list[Row], Cursor]]:
        """What changed, and the cursor that is right once it has landed."""
        start = start_of(cursor)
        self._told = cursor.get("recent", {})
        is_last = False
        while not is_last:
            rows, is_last = self.fetch(start)
            if not rows:
                return
            before, start = start, self._position(rows[-1])
            if before == start:
                raise ConnectorError("erp.paging_stuck", "the ERP repeats a page")
            micros = [self.stamps.micros(row[self.places[0]]) for row in rows]
            new = [row for row, at in zip(rows, micros, strict=True) if self._is_news(row, at)]
            if new:
                yield [self._stamped(row) for row in new], self._cursor(rows[-1], micros[-1])
            is_last = is_last or self._is_chase(micros[-1])

    @property
    def _settled(self) -> int:
        return self.bound - self.overlap_seconds * 1_000_000

    def _is_chase(self, micros: int) -> bool:
        """What is edited while we read moves behind the bound; the next run finds it there.

        Stamps that lie far in the future are no such edits: they are read to their end.
        """
        return self.bound < micros <= self.bound + CHASE_SECONDS * 1_000_000

    def _cursor(self, row: Row, micros: int) -> Cursor:
        if micros <= self._settled:
            return {"after": self._position(row)}
        since = self.stamps.written_like(row[self.places[0]], self._settled)
        return {"since": since, "recent": dict(self._recent)}

    def _is_news(self, row: Row, micros: int) -> bool:
        if micros <= self._settled and not self._told:
            return True
        key, digest = _digest([row[place] for place in self.places[1:]]), _digest(row)
        if micros > self._settled and len(self._recent) < RECENT_ROWS_MAX:
            self._recent[key] = digest
        return self._told.get(key) != digest

    def _position(self, row: Row) -> list[Any]:
        return [plain(row[place]) for place in self.places]

    def _stamped(self, row: Row) -> Row:
        stamped = list(row)
        stamped[self.places[0]] = self.stamps.micros(row[self.places[0]])
        return stamped


def start_of(cursor: Cursor) -> Sequence[Any] | None:
    """Where a reading begins: after a position, at a moment, or None, at the beginning."""
    return cursor.get("after") or ([cursor["since"]] if "since" in cursor else None)


def plain(value: Any) -> Any:
    """A value as a cursor keeps it: whole numbers as they are, all else as text."""
    if isinstance(value, int | str):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)


def _digest(values: Sequence[Any]) -> str:
    return hashlib.blake2b(repr(list(values)).encode(), digest_size=DIGEST_BYTES).hexdigest()


def _read(stamp: Any) -> date:
    """A stamp as a moment or a day; ``datetime`` is a ``date`` too."""
    if isinstance(stamp, date):
        return stamp
    try:
        text = str(stamp).strip()
        return date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text)
    except ValueError as error:
        raise ConnectorError("erp.stamp_unreadable", str(stamp)[:40]) from error
