"""What of an ERP's directory and documents is nobody's: listed in quarantine, and waiting for an operator's word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, text
from sqlalchemy.orm import Session

from app.core.ids import new_id
from erp_bridge.matching import (
    DIRECTORY_STREAM,
    PERSON,
    UNKNOWN_SALESPERSON,
    Found,
    decisions_of,
    note_matches,
)
from erp_bridge.models import QuarantinedRow
from erp_bridge.opening import OpenSource

STREAM = DIRECTORY_STREAM
#: Why somebody or something of the ERP is nobody's here.
REASONS = ("login_taken", "no_unit", "unit_circle", "nobody_like", "no_such_unit")

_UNKNOWN_SALESPEOPLE = text("""
    SELECT DISTINCT f.salesperson_key
      FROM (SELECT salesperson_key FROM erp_sales_order
             WHERE tenant_id = :tenant AND source_id = :source AND deleted_at IS NULL
            UNION SELECT salesperson_key FROM erp_invoice
             WHERE tenant_id = :tenant AND source_id = :source AND deleted_at IS NULL
            UNION SELECT salesperson_key FROM erp_quota
             WHERE tenant_id = :tenant AND source_id = :source AND deleted_at IS NULL) f
      LEFT JOIN erp_employee e ON e.tenant_id = :tenant AND e.source_id = :source
                              AND e.source_key = f.salesperson_key AND e.deleted_at IS NULL
     WHERE f.salesperson_key IS NOT NULL AND e.source_key IS NULL
     ORDER BY 1 LIMIT 1000
""")


def note_unmatched(session: Session, *, source: OpenSource, now: datetime) -> None:
    """List the salespeople on documents whom the ERP's own directory does not have."""
    parameters = {"tenant": source.tenant_id, "source": source.source_id}
    keys = session.scalars(_UNKNOWN_SALESPEOPLE, parameters).all()
    decided = decisions_of(session, source.source_id)
    found = [
        Found(kind=PERSON, key=key, name=key, reason=UNKNOWN_SALESPERSON)
        for key in keys
        if (PERSON, key) not in decided
    ]
    reasons = [UNKNOWN_SALESPERSON]
    note_matches(session, source_id=source.source_id, found=found, reasons=reasons, now=now)
    unknown = [(item.key, "salesperson_key") for item in found]
    _list(session, source, UNKNOWN_SALESPERSON, unknown, now)


def list_unmatched(
    session: Session, source: OpenSource, unmatched: Sequence[Found], now: datetime
) -> None:
    """List what of the ERP's directory is nobody's, and let an operator decide who it is."""
    for code in REASONS:
        found = [(item.key, "source_key") for item in unmatched if item.reason == code]
        _list(session, source, code, found, now)
    # A circle is put right in the ERP; nobody can decide it here.
    decidable = [item for item in unmatched if item.reason != "unit_circle"]
    note_matches(session, source_id=source.source_id, found=decidable, reasons=REASONS, now=now)


def _list(
    session: Session,
    source: OpenSource,
    code: str,
    found: Sequence[tuple[str, str]],
    now: datetime,
) -> None:
    """Make the waiting entries of one kind exactly those found; older ones keep their date."""
    session.execute(
        delete(QuarantinedRow).where(
            QuarantinedRow.source_id == source.source_id,
            QuarantinedRow.stream == STREAM,
            QuarantinedRow.code == code,
            QuarantinedRow.source_key.not_in([key for key, _ in found]),
        )
    )
    known = set(
        session.scalars(
            select(QuarantinedRow.source_key).where(
                QuarantinedRow.source_id == source.source_id,
                QuarantinedRow.stream == STREAM,
                QuarantinedRow.code == code,
            )
        )
    )
    fresh: list[dict[str, Any]] = [
        {
            "tenant_id": source.tenant_id,
            "id": new_id(),
            "source_id": source.source_id,
            "stream": STREAM,
            "source_key": key,
            "code": code,
            "field": field_name,
            "row": {},
            "refused_at": now,
        }
        for key, field_name in found
        if key not in known
    ]
    if fresh:
        session.execute(insert(QuarantinedRow), fresh)
