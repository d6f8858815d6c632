"""Figures without an ERP: each subject's figure of a month is what was written down for it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from redpackets.campaigns.ports import Measure, PastReading, Reading, Span
from tests.redpackets.told_things import ToldFigure

METRIC = "orders"


@dataclass(frozen=True)
class FakeMeasure:
    """The one metric there is."""

    key: str = METRIC
    unit: str = "money"
    has_target: bool = True
    version: str = "1"


@dataclass(frozen=True, kw_only=True)
class FakeReading:
    """A figure as it was written down."""

    value: Decimal | None
    target: Decimal | None
    last_year: Decimal | None
    missing: tuple[str, ...]
    is_late: bool
    as_of: datetime
    source: str = "fake"
    batch_id: UUID | None = None
    metric_version: str = "1"


class FakeFigures:
    """Answers what campaigns asks about figures; everybody may see everything."""

    def __init__(self, figures: dict[tuple[UUID, date], ToldFigure]) -> None:
        self._figures = figures

    def measure(self, key: str) -> Measure | None:
        return FakeMeasure() if key == METRIC else None

    def may_see(self, *_: Any, **__: Any) -> bool:
        return True

    def reading(self, _: Any, *, subject_id: UUID, span: Span, now: datetime, **__: Any) -> Reading:
        found = self._figures.get((subject_id, span[0]), ToldFigure(value=Decimal(0)))
        return FakeReading(
            value=found.value,
            target=found.target,
            last_year=found.last_year,
            missing=("cost",) if found.is_missing else (),
            is_late=found.is_late,
            as_of=now,
        )

    def documents(self, *_: Any, **__: Any) -> tuple[list[dict[str, Any]], int]:
        return [], 0

    def history(self, *_: Any, subject_ids: Collection[UUID], **__: Any) -> Sequence[PastReading]:
        return []
