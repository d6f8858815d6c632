"""Facts of the bridge, in the past tense."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from app.core.events import Fact


@dataclass(frozen=True, kw_only=True)
class BatchLanded(Fact):
    """A window of a stream changed facts; recorded in the transaction that changed them."""

    kind: ClassVar[str] = "erp_bridge.batch_landed"

    source_id: UUID
    stream: str
    batch_id: UUID
    rows_changed: int
    as_of: datetime


@dataclass(frozen=True, kw_only=True)
class DirectorySynced(Fact):
    """Units or persons were brought to what the ERP says."""

    kind: ClassVar[str] = "erp_bridge.directory_synced"

    source_id: UUID


@dataclass(frozen=True, kw_only=True)
class SourceTurned(Fact):
    """A source turned red, a stream of it being three times as old as it may be, or is well again."""

    kind: ClassVar[str] = "erp_bridge.source_turned"

    source_id: UUID
    #: ``red`` or ``well``.
    state: str
    since: datetime
    #: The streams that are red; none when it is well.
    streams: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StreamHalted(Fact):
    """A stream was paused or stopped to protect the last good figures; an operator must look."""

    kind: ClassVar[str] = "erp_bridge.stream_halted"

    source_id: UUID
    stream: str
    state: str
    problem: str
