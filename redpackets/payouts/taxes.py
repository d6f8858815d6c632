"""The monthly tax export: per person and class, from the journal. Cash counts when claimed, points when redeemed."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.people.models import Person
from app.people.services import write_audit
from redpackets.payouts import queries, rules
from redpackets.payouts.errors import TaxExportTooLarge
from redpackets.payouts.ports import RedemptionWorth
from redpackets.sheets import csv_of, heads_in, written_amount

COLUMNS = ("employee_number", "person", "tax_class", "currency", "amount", "month")
ROWS_MAX = 100_000

#: (person, tax class, unit) → amount.
Taxed = dict[tuple[UUID, str, str], int]


def write_tax_export(
    session: Session,
    *,
    caller: Caller,
    month: str,
    worth: RedemptionWorth | None,
    language: str,
    now: datetime,
) -> bytes:
    """Write what each person of the units the caller pays for received in a month, by tax class."""
    taxed = taxed_in(session, month=month, time_zone=caller.time_zone, worth=worth)
    people = _people(session, caller)
    rows = sorted(
        (people[person_id].employee_code or "", people[person_id].name, tax_class, unit, amount)
        for (person_id, tax_class, unit), amount in taxed.items()
        if person_id in people
    )
    write_audit(
        session,
        actor_id=caller.person_id,
        action="redpackets.export_taxes",
        subject=f"month:{month}",
        detail=f"{len(rows)} rows",
        now=now,
    )
    return csv_of([heads_in(language, COLUMNS), *_written(rows, month)])


def taxed_in(
    session: Session, *, month: str, time_zone: str, worth: RedemptionWorth | None
) -> Taxed:
    """Add up what is taxable in a month of the company's calendar."""
    begins_at, ends_at = rules.month_of(month, time_zone)
    span = {"begins_at": begins_at, "ends_at": ends_at, "limit": ROWS_MAX + 1}
    taxed: Taxed = defaultdict(int)
    for row in _bounded(session.execute(queries.TAXED_CLAIMS, span).all()):
        taxed[row.person_id, row.tax_class, row.unit] += row.amount_minor
    redeemed = _bounded(session.execute(queries.TAXED_REDEMPTIONS, span).all())
    values = worth(session, [row.redemption_id for row in redeemed]) if worth else {}
    for row in redeemed:
        usual = rules.POINT_TAX_CLASS, row.points * rules.POINT_WORTH_FEN
        tax_class, amount = values.get(row.redemption_id, usual)
        taxed[row.person_id, tax_class, rules.RAIL_UNIT] += amount
    return {key: amount for key, amount in taxed.items() if amount}


def _bounded(rows: Any) -> Any:
    if len(rows) > ROWS_MAX:
        raise TaxExportTooLarge(maximum=ROWS_MAX)
    return rows


def _people(session: Session, caller: Caller) -> dict[UUID, Any]:
    members = queries.primary_members_below(caller.units_with("redpackets.payout"))
    found = select(Person.id, Person.employee_code, Person.name).where(Person.id.in_(members))
    return {row.id: row for row in session.execute(found)}


def _written(
    rows: Iterable[tuple[str, str, str, str, int]], month: str
) -> Iterable[tuple[str, ...]]:
    for number, name, tax_class, unit, amount in rows:
        yield number, name, tax_class, unit, written_amount(amount, unit), month
