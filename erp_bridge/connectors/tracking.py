"""Documents that tell no reliable change stamp, followed by what their list shows of them.

A list gives each document's totals and state; its digest is kept in the cursor. A document whose digest changed
is read anew. One that has left the list was closed or deleted: it is asked for once more, so that its last state
or its end is known at once. Now and then each is read again, for edits that no list shows.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from erp_bridge.connectors.base import ConnectorError, Cursor

TRACKED_MAX = 50_000
#: Reading everything again at once would hold up what is new.
REREAD_PER_RUN = 200
#: Stamps of transactions that were open so long may still come in below those already seen.
OVERLAP_MILLISECONDS = 120_000


@dataclass
class Tracked:
    """The cursor of a stream of documents."""

    #: Of the mapping and of what is read at all: under another one everything is read again.
    identity: str
    #: The day up to which old documents have been loaded.
    through: str | None = None
    #: Of each document that may still change: its digest, the places of its lines, when it was read.
    documents: dict[str, list[Any]] = field(default_factory=dict)
    #: (when, highest stamp seen by then), the newest last.
    seen: list[list[int]] = field(default_factory=list)

    @classmethod
    def of(cls, cursor: Cursor, identity: str) -> Tracked:
        """As it was kept."""
        if cursor.get("identity") != identity:
            return cls(identity)
        return cls(
            identity,
            cursor["through"],
            {key: list(kept) for key, kept in cursor["documents"].items()},
            [list(pair) for pair in cursor["seen"]],
        )

    def cursor(self) -> Cursor:
        """As it is kept."""
        if len(self.documents) > TRACKED_MAX:
            raise ConnectorError("erp.too_many_open_documents", str(len(self.documents)))
        return {
            "identity": self.identity,
            "through": self.through,
            "documents": {key: list(kept) for key, kept in self.documents.items()},
            "seen": [list(pair) for pair in self.seen],
        }

    def is_changed(self, key: str, digest: str) -> bool:
        """Whether the list shows the document differently than when it was last read."""
        return key not in self.documents or self.documents[key][0] != digest

    def lines_of(self, key: str) -> list[str]:
        """The places of the lines that the document had when it was last read."""
        return list(self.documents[key][1]) if key in self.documents else []

    def stale(self, before: int) -> list[str]:
        """The documents last read before that, the longest ago first."""
        found = sorted((kept[2], key) for key, kept in self.documents.items() if kept[2] <= before)
        return [key for _, key in found[:REREAD_PER_RUN]]

    def keep(self, key: str, digest: str, lines: list[str], now: int) -> None:
        """The document was read."""
        self.documents[key] = [digest, lines, now]

    def forget(self, key: str) -> None:
        """The document can no longer change, or is gone."""
        self.documents.pop(key, None)

    def watermark(self, now: int) -> int | None:
        """The stamp to ask from: the highest one of a while ago, when what is open now was not yet begun."""
        settled = [stamp for at, stamp in self.seen if at <= now - OVERLAP_MILLISECONDS]
        return settled[-1] if settled else None

    def note_stamp(self, now: int, stamp: int | None) -> None:
        """Remember the highest stamp of this reading; of the settled ones only the last still matters."""
        settled = [pair for pair in self.seen if pair[0] <= now - OVERLAP_MILLISECONDS]
        recent = [pair for pair in self.seen if pair[0] > now - OVERLAP_MILLISECONDS]
        highest = max([stamp or 0, *(pair[1] for pair in self.seen)])
        if stamp is None and not self.seen:
            return
        if not recent or recent[-1][1] != highest:
            recent.append([now, highest])
        self.seen = settled[-1:] + recent


def digest_of(record: Mapping[str, Any]) -> str:
    """A short digest of all that a list shows of a document."""
    return f"{zlib.crc32(orjson.dumps(record, option=orjson.OPT_SORT_KEYS)):08x}"
