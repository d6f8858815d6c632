"""A source's requests of a day, counted where they cannot be forgotten: no reading of any process may exceed them.

Requests are taken in small lots before they are made and what is left of a lot is given back. A process that is
killed gives nothing back: then the count is too high, never too low.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from app.core.work import Database
from erp_bridge.connectors.base import ConnectorError
from erp_bridge.models import RequestDay, Source

LOT = 20
DAYS_KEPT = 35


class DayAllowance:
    """The requests that one opened source may still make today, by the company's calendar."""

    def __init__(
        self,
        database: Database,
        source: Source,
        *,
        per_day: int,
        zone: ZoneInfo,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._tenant_id, self._source_id = source.tenant_id, source.id
        self._per_day, self._zone, self._now = per_day, zone, now
        self._lock = threading.Lock()
        self._day: date | None = None
        self._held = 0
        #: Requests that were made since it was opened.
        self.spent = 0

    def take(self) -> None:
        """Count one request before it is made; ``erp.budget_spent`` when the day has none left."""
        with self._lock:
            today = self._now().astimezone(self._zone).date()
            if today != self._day:
                self._return()
                self._day = today
            if not self._held:
                self._held = self._draw(today)
            if not self._held:
                raise ConnectorError("erp.budget_spent", f"{self._per_day} requests a day")
            self._held -= 1
            self.spent += 1

    def settle(self) -> int:
        """Return what was taken and not spent; gives how many requests were made."""
        with self._lock:
            self._return()
        return self.spent

    def _draw(self, day: date) -> int:
        with self._database.transaction(self._tenant_id) as session:
            _open_day(session, self._tenant_id, self._source_id, day)
            row = session.scalars(self._row(day).with_for_update()).one()
            lot = max(0, min(LOT, self._per_day - row.used))
            row.used += lot
            return lot

    def _return(self) -> None:
        held, self._held = self._held, 0
        if not held or self._day is None:
            return
        with self._database.transaction(self._tenant_id) as session:
            session.execute(
                update(RequestDay)
                .where(RequestDay.source_id == self._source_id, RequestDay.day == self._day)
                .values(used=RequestDay.used - held)
            )

    def _row(self, day: date) -> Select[RequestDay]:
        return select(RequestDay).where(
            RequestDay.source_id == self._source_id, RequestDay.day == day
        )


def _open_day(session: Session, tenant_id: UUID, source_id: UUID, day: date) -> None:
    """The first request of a day makes its row, and lets go of days long past."""
    row = {"tenant_id": tenant_id, "source_id": source_id, "day": day, "used": 0}
    opened = upsert(RequestDay).values(row).on_conflict_do_nothing().returning(RequestDay.day)
    if session.scalar(opened) is not None:
        past = day - timedelta(days=DAYS_KEPT)
        session.execute(
            delete(RequestDay).where(RequestDay.source_id == source_id, RequestDay.day < past)
        )
