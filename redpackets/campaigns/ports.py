"""What campaigns asks of whoever knows the company's figures."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.callers import Caller

#: The name under which the answers are lent.
FIGURES = "redpackets.figures"

#: (first day, last day that counts, last day of the period that the target is set for)
Span = tuple[date, date, date]


class Measure(Protocol):
    """A metric of the company: its key, its unit (money, count or ratio), whether targets are set for it."""

    @property
    def key(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def has_target(self) -> bool: ...
    @property
    def version(self) -> str: ...


class Reading(Protocol):
    """A figure of a subject: money in minor units; ``missing`` names what the value would need and is not there."""

    @property
    def value(self) -> Decimal | None: ...
    @property
    def target(self) -> Decimal | None: ...
    @property
    def last_year(self) -> Decimal | None: ...
    @property
    def missing(self) -> tuple[str, ...]: ...
    @property
    def as_of(self) -> datetime | None: ...
    @property
    def source(self) -> str | None: ...
    @property
    def is_late(self) -> bool: ...
    @property
    def batch_id(self) -> UUID | None: ...
    @property
    def metric_version(self) -> str: ...


class PastReading(Protocol):
    """How a figure grew over a span: its value at the end of each day on which it moved."""

    @property
    def subject_id(self) -> UUID: ...
    @property
    def span(self) -> Span: ...
    @property
    def days(self) -> tuple[tuple[date, Decimal | None], ...]: ...
    @property
    def target(self) -> Decimal | None: ...
    @property
    def last_year(self) -> Decimal | None: ...
    @property
    def missing(self) -> tuple[str, ...]: ...


class Figures(Protocol):
    """Figures of units and persons as such, equal to what the cards show of them."""

    def measure(self, key: str) -> Measure | None:
        """Say what a metric is, if rules can be kept on it."""

    def measures(self) -> Sequence[Measure]:
        """List all that rules can be kept on."""

    def may_see(
        self, session: Session, *, caller: Caller, metric: str, subject_ids: Collection[UUID]
    ) -> bool:
        """Say whether the caller may see this metric of every one of these units and persons."""

    def reading(
        self,
        session: Session,
        *,
        metric: str,
        subject_id: UUID,
        span: Span,
        on: date,
        now: datetime,
        with_last_year: bool,
    ) -> Reading:
        """Read a figure as it stands on a day; ``last_year``, if asked for, is all of the span a year before."""

    def documents(
        self, session: Session, *, metric: str, subject_id: UUID, span: Span, on: date, most: int
    ) -> tuple[list[dict[str, Any]], int]:
        """List the ERP documents that the figure adds up, the newest first, at most so many; and count them all."""

    def history(
        self,
        session: Session,
        *,
        metric: str,
        subject_ids: Sequence[UUID],
        spans: Sequence[Span],
        on: date,
    ) -> Sequence[PastReading]:
        """Say how the figure of each subject grew over each span."""
