"""What every connector offers the engine, and the words they share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from marshmallow import Schema

#: What a run was told of the ERP lies ahead of what the ERP now says of itself, as after a restored backup.
WENT_BACK = "erp.went_back"
#: What a check says where an ERP cannot be asked what an account may do, and nothing is tried that might write.
NOT_PROVABLE = "erp.not_provable"

Cursor = dict[str, Any]
Row = Sequence[Any]


class ConnectorError(Exception):
    """The ERP, or a file of it, cannot be read; ``code`` is stable, ``detail`` holds no secret."""

    def __init__(self, code: str, detail: str = "", *, until_changed: str | None = None) -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
        #: Trying again is useless until the input is another one than this.
        self.until_changed = until_changed


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard the engine may lean on the ERP."""

    connections: int = 1
    rows_per_page: int = 5_000
    statement_seconds: int = 60


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """What the engine must know of a stream to read it without losing rows."""

    name: str
    key: tuple[str, ...]
    stamp: str | None
    #: What changes as one: a row, a dropped file, or a whole table that has no stamps.
    grain: Literal["row", "file", "table"]
    paging: Literal["keyset", "file"]
    window_rows: int | None
    overlap: int
    deletes: Literal["ids", "snapshot", "never"]
    #: A reading may rest instead of looking; only one that brings a page has looked.
    rests: bool = False


@dataclass(frozen=True, slots=True)
class Bound:
    """Where a run stops: fixed when it starts, so that its windows cannot chase the ERP."""

    until: Any
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a stream, and the cursor that is right once they have landed.

    ``rows`` may be read only once and only before the next page is asked for.
    """

    columns: tuple[str, ...]
    rows: Iterable[Row]
    cursor: Cursor
    #: The rows are everything the ERP has: what is not among them is gone.
    is_snapshot: bool = False
    as_of: datetime | None = None
    document: Document | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """The file a page came from."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked about a source."""

    check: str
    passed: bool
    detail: str = ""
    #: It could not be proved: a person must see to it.
    warning: bool = False


@dataclass(slots=True)
class CheckReport:
    """Everything that was checked; a source is fit when all of it passed."""

    findings: list[Finding] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return bool(self.findings) and all(finding.passed for finding in self.findings)

    def note(self, check: str, *, passed: bool, detail: str = "") -> None:
        """Add one finding."""
        self.findings.append(Finding(check, passed, detail))

    def warn(self, check: str, detail: str) -> None:
        """Add what could be neither proved nor refuted."""
        self.findings.append(Finding(check, passed=True, detail=detail, warning=True))


class Connector(Protocol):
    """Reads one ERP. Opened with its settings and mapping, closed after the run."""

    limits: Limits

    @classmethod
    def spec(cls) -> type[Schema]:
        """The settings it takes; fields with ``secret`` in their metadata are never read back."""
        ...

    def streams(self) -> Sequence[StreamSpec]:
        """What it can read, in the order in which it should be read."""
        ...

    def check(self) -> CheckReport:
        """Sign in, read a row of each stream, compare its columns, prove we cannot write."""
        ...

    def bound(self, now: datetime) -> Bound:
        """Fix where a run that starts now shall stop."""
        ...

    def read(self, stream: str, cursor: Cursor, until: Any) -> Iterator[Page]:
        """Pages of what changed after the cursor, up to the bound."""
        ...

    def ids(self, stream: str) -> Iterator[Page]:
        """Pages of the keys of everything there is, with the columns that tell whether it is wanted."""
        ...

    def get(self, stream: str, key: Sequence[str]) -> Page | None:
        """One row by its key, as it is now."""
        ...

    def lookup(self, source: str, columns: Sequence[str]) -> Iterator[Row]:
        """The rows of a side table, these columns only."""
        ...

    def close(self) -> None:
        """Let go of connections and files."""
        ...
