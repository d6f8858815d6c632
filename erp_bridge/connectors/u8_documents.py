"""Following U8's documents: what is recent, what is still open, what has a newer stamp, and what went away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from erp_bridge.connectors.base import ConnectorError
from erp_bridge.connectors.tracking import Tracked, digest_of
from erp_bridge.connectors.u8_client import Record, U8Client
from erp_bridge.connectors.u8_objects import GONE, PARENT, PLACE, U8Object

DOCUMENTS_PER_PAGE = 200
#: Windows in which the past is loaded; each is a page, and lines take a request a document.
HEADER_WINDOW_DAYS, LINE_WINDOW_DAYS = 31, 3
#: So long a run may load the past; then it looks at what is new, and the next run goes on.
PAST_SECONDS_MAX = 900


@dataclass
class Documents:
    """One kind of document, its headers or its lines."""

    client: U8Client
    source: U8Object
    is_lines: bool
    since: date
    recheck_days: int
    reread_milliseconds: int
    zone: ZoneInfo
    #: What the lists showed in this run, for headers and lines alike.
    shown: dict[tuple[int, str, str], dict[str, Record]]

    def read(self, tracked: Tracked, now: int) -> Iterator[list[Record]]:
        """Pages of rows; ``tracked`` is right once a page has landed."""
        today = datetime.fromtimestamp(now / 1_000, self.zone).date()
        recent_from = max(today - timedelta(days=self.recheck_days), self.since)
        yield from self._load_past(tracked, recent_from - timedelta(days=1), now)
        yield from self._follow(tracked, recent_from, now)

    def ids(self, today: date) -> Iterator[list[Record]]:
        """The headers of everything there is."""
        for window in _windows(self.since, today, HEADER_WINDOW_DAYS):
            yield list(self._list(window).values())
        yield list(self._list({"date_begin": (today + timedelta(days=1)).isoformat()}).values())

    def one(self, code: str) -> list[Record]:
        """The rows of one document as it is now; none when there is no such document."""
        body = self.client.ask(self.source.get_path, {"id": code})
        found = body.get(self.source.name) if body else None
        header = found[0] if isinstance(found, list) and found else found
        if not header:
            return []
        if not isinstance(header, dict):
            raise ConnectorError("erp.bad_answer", self.source.get_path)
        return _lines_of(header, code) if self.is_lines else [header]

    def _load_past(self, tracked: Tracked, last: date, now: int) -> Iterator[list[Record]]:
        begun, begin = self.client.monotonic(), self.since
        if tracked.through is not None:
            begin = max(begin, date.fromisoformat(tracked.through) + timedelta(days=1))
        days = LINE_WINDOW_DAYS if self.is_lines else HEADER_WINDOW_DAYS
        for window in _windows(begin, last, days):
            rows: list[Record] = []
            for code, row in self._list(window).items():
                rows += self._renewed(tracked, code, row, now)
                if row.get("state") not in self.source.open_states:
                    tracked.forget(code)
            tracked.through = window["date_end"]
            if rows:
                yield rows
                if self.client.monotonic() - begun > PAST_SECONDS_MAX:
                    return
        tracked.through = max(tracked.through or "", last.isoformat())

    def _follow(self, tracked: Tracked, recent_from: date, now: int) -> Iterator[list[Record]]:
        """What changed among all that may still change, and the last state of what no longer may."""
        listed = self._may_change(tracked, recent_from, now)
        stale = set(tracked.stale(now - self.reread_milliseconds))
        waiting = [
            code
            for code, row in listed.items()
            if code in stale or tracked.is_changed(code, digest_of(row))
        ]
        waiting += [code for code in tracked.documents if code not in listed]
        for start in range(0, max(len(waiting), 1), DOCUMENTS_PER_PAGE):
            rows: list[Record] = []
            for code in waiting[start : start + DOCUMENTS_PER_PAGE]:
                rows += self._renewed(tracked, code, listed.get(code), now)
            if start + DOCUMENTS_PER_PAGE >= len(waiting):
                tracked.note_stamp(now, _highest_stamp(listed.values()))
            yield rows

    def _may_change(self, tracked: Tracked, recent_from: date, now: int) -> dict[str, Record]:
        filters = [{"date_begin": recent_from.isoformat()}]
        filters += [{"state": state} for state in self.source.open_states]
        watermark = tracked.watermark(now) if self.source.has_stamps else None
        if watermark is not None:
            filters.append({"timestamp_begin": str(watermark)})
        listed: dict[str, Record] = {}
        for query in filters:
            key = (now, self.source.name, str(query))
            if key not in self.shown:
                self.shown[key] = self._list(query)
            listed |= self.shown[key]
        since = self.since.isoformat()
        return {code: row for code, row in listed.items() if str(row.get("date") or since) >= since}

    def _renewed(
        self, tracked: Tracked, code: str, listed: Record | None, now: int
    ) -> list[Record]:
        """The rows of a document as it is now, and the names of those it no longer has."""
        rows = self.one(code) if self.is_lines or listed is None else [listed]
        places = [str(row.get(PLACE) or "") for row in rows]
        lost = [place for place in tracked.lines_of(code) if place not in places]
        if listed is None:
            tracked.forget(code)
        else:
            tracked.keep(code, digest_of(listed), places, now)
        return rows + [self._gone(code, place) for place in lost]

    def _gone(self, code: str, place: str) -> Record:
        if self.is_lines:
            return {PARENT: code, PLACE: place, GONE: "1"}
        return {self.source.code: code, GONE: "1"}

    def _list(self, query: dict[str, str]) -> dict[str, Record]:
        source = self.source
        found = self.client.rows_of(source.list_path, source.list_name, (source.code,), query)
        return {key[0]: row for key, row in found.items()}


def _lines_of(header: Record, code: str) -> list[Record]:
    entry: Any = header.get("entry") or []
    lines = [entry] if isinstance(entry, dict) else entry
    return [{**line, PARENT: code, PLACE: str(place)} for place, line in enumerate(lines, start=1)]


def _highest_stamp(rows: Iterable[Record]) -> int | None:
    written = [str(row.get("timestamp") or "") for row in rows]
    return max((int(stamp) for stamp in written if stamp.isdigit()), default=None)


def _windows(begin: date, end: date, days: int) -> Iterator[dict[str, str]]:
    while begin <= end:
        last = min(begin + timedelta(days=days - 1), end)
        yield {"date_begin": begin.isoformat(), "date_end": last.isoformat()}
        begin = last + timedelta(days=1)
