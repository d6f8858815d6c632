"""Reading by a change stamp that a web service shows to the second only.

Never by offset: a page that moves while it is read loses rows. The next page begins at the second where the last
one ended; a second with more rows than a page is read in order of the key. Every reading begins a little before
where the last one ended, for what was committed late, and leaves out what it has already brought unchanged.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from erp_bridge.connectors.base import ConnectorError, Cursor
from erp_bridge.mappings.nodes import StreamMapping

OVERLAP_SECONDS = 120
#: When the clocks go back, local stamps repeat an hour.
CLOCK_CHANGE_SECONDS = 3_600
SEEN_MAX = 5_000
BEGINNING = "1990-01-01 00:00:00"

_SECOND = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})").match

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Window:
    """What to ask for next: by stamp from ``since`` on, or one second in order of the key."""

    since: str
    before: str | None = None
    after_key: int | None = None


@dataclass
class Watermark:
    """The cursor of a stamped stream: where it ended, and what lately came."""

    identity: str
    stamp: str
    key: str
    after: str = BEGINNING
    #: Stamp and digest of the rows that the next reading will meet again.
    seen: dict[str, list[str]] = field(default_factory=dict)

    def restore(self, cursor: Cursor) -> None:
        """Go on from where a reading ended; another mapping means that everything is read again."""
        if cursor.get("identity") == self.identity:
            self.after = cursor["after"]
            self.seen = {key: list(kept) for key, kept in cursor["seen"].items()}

    def cursor(self) -> Cursor:
        """As it is kept."""
        return {"identity": self.identity, "after": self.after, "seen": dict(self.seen)}

    def second_of(self, row: Record) -> str:
        """When a row was last changed, to the second; one that was never changed is as old as can be."""
        written = row.get(self.stamp)
        if not written:
            return BEGINNING
        found = _SECOND(str(written))
        if found is None:
            raise ConnectorError("erp.bad_stamp", self.stamp)
        return f"{found[1]} {found[2]}"

    def take(self, rows: list[Record], overlap_seconds: int, latest: str) -> list[Record]:
        """The rows that are new or different, remembered; ``latest``: no stamp may carry us into the future."""
        fresh = []
        for row in rows:
            key, kept = str(row.get(self.key)), [self.second_of(row), _digest_of(row)]
            if self.seen.get(key) != kept:
                fresh.append(row)
            self.seen[key] = kept
            self.after = max(self.after, min(kept[0], latest))
        self._forget(shifted(self.after, -overlap_seconds))
        return fresh

    def _forget(self, before: str) -> None:
        kept = sorted((pair[0], key) for key, pair in self.seen.items() if pair[0] >= before)
        self.seen = {key: self.seen[key] for _, key in kept[-SEEN_MAX:]}


def read_stamped(
    ask: Callable[[Window], list[Record]], watermark: Watermark, *, since: str, limit: int
) -> Iterator[list[Record]]:
    """Pages of everything stamped at ``since`` or later."""
    while True:
        rows = ask(Window(since))
        yield rows
        if len(rows) < limit:
            return
        last = watermark.second_of(rows[-1])
        if last == BEGINNING:
            # A whole page without stamps: what follows it could not be told apart.
            raise ConnectorError("erp.bad_stamp", watermark.stamp)
        if last <= since:
            yield from _read_second(ask, watermark, since, limit)
            last = shifted(since, 1)
        since = last


def _read_second(
    ask: Callable[[Window], list[Record]], watermark: Watermark, second: str, limit: int
) -> Iterator[list[Record]]:
    after_key = None
    while True:
        rows = ask(Window(second, shifted(second, 1), after_key))
        yield rows
        if len(rows) < limit:
            return
        after_key = whole_key(rows[-1].get(watermark.key))


def stamp_of(stream: StreamMapping) -> str:
    """The column a stream is read by."""
    if stream.origin.stamp is None:
        raise ConnectorError("mapping.no_stamp", stream.name)
    return stream.origin.stamp


def key_of(stream: StreamMapping) -> str:
    """The one column that is a row's key."""
    if len(stream.origin.key) != 1:
        raise ConnectorError("mapping.one_key", stream.name)
    return stream.origin.key[0]


def is_whole(value: Any) -> bool:
    """Whether a key is a number, as those of these services are."""
    written = str(value)
    return written.isascii() and written.isdigit() and len(written) <= 18


def whole_key(value: Any) -> int:
    """A key that must be a number: it goes into the next question."""
    if not is_whole(value):
        raise ConnectorError("erp.bad_key")
    return int(value)


def shifted(second: str, seconds: int) -> str:
    """Some seconds later or earlier."""
    moved = datetime.fromisoformat(second) + timedelta(seconds=seconds)
    return moved.strftime("%Y-%m-%d %H:%M:%S") if moved.year >= 1990 else BEGINNING


def overlap_of(zone: ZoneInfo) -> int:
    """How far to look back where stamps are local time of this zone."""
    offsets = {datetime(2026, month, 1, tzinfo=zone).utcoffset() for month in (1, 7)}
    return OVERLAP_SECONDS + (CLOCK_CHANGE_SECONDS if len(offsets) > 1 else 0)


def _digest_of(row: Record) -> str:
    return f"{zlib.crc32(orjson.dumps(row, option=orjson.OPT_SORT_KEYS)):08x}"
