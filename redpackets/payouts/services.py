"""Verbs of payouts: preparing one, releasing it with four eyes, its file, what came back, where people are paid."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import InvalidFields, NotFound
from app.core.events import record
from app.core.ids import new_id
from app.core.jobs import defer
from app.people.models import OrgUnit
from app.people.queries import is_at_or_below, scopes_of_persons
from app.people.services import require_at, write_audit
from redpackets.payouts import queries, rules, settling
from redpackets.payouts.errors import (
    NotByPayroll,
    NothingToPay,
    PayoutDecided,
    PayoutFourEyes,
    PayoutNotReleased,
    PayoutSettled,
    PayoutTooLarge,
    PayoutToOneself,
    PayoutWithoutReleaser,
    ResultsRefused,
)
from redpackets.payouts.events import AccountNamed, PayoutPrepared
from redpackets.payouts.models import Payee, PayoutBatch, PayoutItem
from redpackets.payouts.rules import FileRow, ResultsUnfit

PAYOUT = settling.PAYOUT
PUSH_JOB = "redpackets.push_payouts"


@dataclass(frozen=True, kw_only=True)
class NewPayout:
    """A payout to prepare: which way, whose people, which unit of money, for which month."""

    method: str
    rail: str | None
    unit: str
    unit_id: UUID | None
    period: str


def prepare_payout(
    session: Session, *, caller: Caller, new: NewPayout, now: datetime
) -> PayoutBatch:
    """Take what a unit's people are owed into a payout; their wallets are empty of it from now on."""
    unit_id = _unit_of(session, caller, new.unit_id)
    payables = _payables(session, unit_id, new)
    items, left_out = _sorted_out(payables, new)
    if not items:
        raise NothingToPay(left_out=left_out)
    if len(items) > rules.ITEMS_MAX:
        raise PayoutTooLarge(rows=len(items), maximum=rules.ITEMS_MAX)
    batch = _batch(caller, new, unit_id, items, now)
    session.add(batch)
    session.flush()
    _take(session, batch, items, now)
    record(session, PayoutPrepared(payout_id=batch.id, created_by=caller.person_id), ref=batch.id)
    settling.tell_payers(session, batch)
    _audit(session, caller, "prepare_payout", batch, now, f"left out: {left_out or 'nobody'}")
    return batch


def decide_payout(
    session: Session, *, caller: Caller, batch_id: UUID, approve: bool, reason: str, now: datetime
) -> PayoutBatch:
    """Release a payout, or send all of it back to the wallets; never by who prepared it.

    Nor does anybody release what they are paid.
    """
    batch = _locked(session, caller, batch_id)
    if batch.created_by_id == caller.person_id:
        raise PayoutFourEyes
    if batch.state != "pending_approval":
        if approve == (batch.state == "rejected"):
            raise PayoutDecided(state=batch.state)
        return batch
    if approve:
        _require_unpaid(session, caller, batch)
    batch.decided_by_id, batch.decided_at, batch.reason = caller.person_id, now, reason
    batch.state = "released" if approve else "rejected"
    session.flush()
    if approve:
        _release(session, batch, now)
    else:
        _send_back(session, batch, now)
    settling.tell_payers(session, batch)
    _audit(session, caller, "release_payout" if approve else "reject_payout", batch, now, reason)
    return batch


def write_payroll_file(
    session: Session, *, caller: Caller, batch_id: UUID, now: datetime
) -> tuple[PayoutBatch, bytes]:
    """Write a released payout for payroll; the same bytes, and so the same hash, every time."""
    batch = read_payout(session, caller=caller, batch_id=batch_id)
    _require_payroll(batch)
    content = _file_of(batch, session.scalars(queries.items_of(batch.id)).all())
    assert rules.hash_of(content) == batch.file_hash, "a payout's rows have changed"
    _audit(session, caller, "download_payout", batch, now)
    return batch, content


def take_results(
    session: Session, *, caller: Caller, batch_id: UUID, content: str, now: datetime
) -> PayoutBatch:
    """Take what payroll says came of every row: paid, or back into the wallet; the whole file or none of it."""
    batch = _locked(session, caller, batch_id)
    _require_payroll(batch)
    digest = rules.hash_of(content.encode())
    if batch.state == "settled":
        if batch.results_hash != digest:
            raise PayoutSettled
        return batch
    items = {_row(item).key(): item for item in session.scalars(queries.items_of(batch.id))}
    assert batch.file_hash is not None
    try:
        results = rules.read_results(
            content,
            map(_row, items.values()),
            unit=batch.unit,
            period=batch.period,
            file_hash=batch.file_hash,
        )
    except ResultsUnfit as unfit:
        raise ResultsRefused(unfit.errors) from unfit
    batch.results_hash = digest
    for outcome in ("success", "failed"):
        ended = {
            item: results[key].reason
            for key, item in items.items()
            if results[key].outcome == outcome
        }
        settling.settle_items(session, batch, ended, outcome=outcome, now=now)
    _audit(session, caller, "take_payout_results", batch, now)
    return batch


def name_account(
    session: Session, *, caller: Caller, rail: str, account: str, now: datetime
) -> None:
    """Say where one is paid over a rail, and hear of the change; payouts on their way stay where they are."""
    row = {
        "tenant_id": caller.tenant_id,
        "person_id": caller.person_id,
        "rail": rail,
        "account": account,
        "changed_at": now,
    }
    named = upsert(Payee).values(row)
    changed = session.scalar(
        named.on_conflict_do_update(
            index_elements=["tenant_id", "person_id", "rail"],
            set_={"account": account, "changed_at": now},
            where=Payee.account != account,
        ).returning(Payee.person_id)
    )
    if changed is None:
        return
    fact = AccountNamed(change_id=new_id(), person_id=caller.person_id, rail=rail)
    scope_ids = [row.id for row in session.execute(scopes_of_persons([caller.person_id]))]
    record(session, fact, ref=fact.change_id, scope_ids=scope_ids)
    write_audit(
        session,
        actor_id=caller.person_id,
        action="redpackets.name_payee_account",
        subject=f"person:{caller.person_id}",
        detail=rail,
        now=now,
    )


def own_payout(item: PayoutItem, batch: PayoutBatch) -> dict[str, Any]:
    """Describe an item to whom it pays: nothing of the payout but how it goes, and how far it came."""
    return {
        "id": item.id,
        "amount_minor": item.amount_minor,
        "unit": item.unit,
        "tax_class": item.tax_class,
        "method": batch.method,
        "rail": batch.rail,
        "period": batch.period,
        "state": rules.stage_of(item.state, batch.state),
        "reason": item.reason if item.state == "failed" else "",
        "created_at": batch.created_at,
        "settled_at": item.settled_at,
    }


def read_payout(session: Session, *, caller: Caller, batch_id: UUID) -> PayoutBatch:
    """Find a payout that the caller may see; any other does not exist."""
    batch = session.get(PayoutBatch, (caller.tenant_id, batch_id))
    if batch is None or not _holds_at(session, caller, batch.unit_id):
        raise NotFound
    return batch


def _unit_of(session: Session, caller: Caller, unit_id: UUID | None) -> UUID:
    """Find whose people are meant: a unit that is named, else the one the caller pays for."""
    held_at = caller.units_with(PAYOUT)
    if unit_id is None:
        if len(held_at) != 1:
            raise InvalidFields({"unit_id": "required"})
        return next(iter(held_at))
    if session.get(OrgUnit, (caller.tenant_id, unit_id)) is None:
        raise NotFound
    require_at(session, caller, PAYOUT, unit_id)
    return unit_id


def _payables(session: Session, unit_id: UUID, new: NewPayout) -> Sequence[Row[Any]]:
    """Lock the wallets, then see by which tax class they were filled: what is read cannot change any more."""
    wallets = {"unit": new.unit, "unit_id": unit_id, "limit": rules.ITEMS_MAX + 1}
    wallet_ids = list(session.scalars(queries.WALLETS, wallets))
    return session.execute(
        queries.PAYABLES, {"wallet_ids": wallet_ids, "rail": new.rail or ""}
    ).all()


def _sorted_out(
    payables: Sequence[Row[Any]], new: NewPayout
) -> tuple[list[Row[Any]], dict[str, int]]:
    """Take what can be paid this way, and count what cannot, by the reason why."""
    hindered = [(row, _hindrance(row, new)) for row in payables]
    left_out = Counter(reason for _, reason in hindered if reason)
    return [row for row, reason in hindered if not reason], dict(left_out)


def _hindrance(row: Row[Any], new: NewPayout) -> str | None:
    if new.rail is None:
        return None if row.employee_code else "no_employee_number"
    if not row.account:
        return "no_account"
    return "below_minimum" if row.amount_minor < rules.RAIL_LEAST_MINOR else None


def _batch(
    caller: Caller, new: NewPayout, unit_id: UUID, rows: list[Row[Any]], now: datetime
) -> PayoutBatch:
    batch = PayoutBatch(
        tenant_id=caller.tenant_id,
        id=new_id(),
        method=new.method,
        rail=new.rail,
        unit_id=unit_id,
        unit=new.unit,
        period=new.period,
        state="pending_approval",
        row_count=len(rows),
        total_minor=sum(row.amount_minor for row in rows),
        created_by_id=caller.person_id,
        created_at=now,
    )
    if new.rail is None:
        file_rows = [
            FileRow(
                employee_number=row.employee_code,
                amount_minor=row.amount_minor,
                tax_class=row.tax_class,
            )
            for row in rows
        ]
        content = rules.payroll_file(file_rows, unit=new.unit, period=new.period)
        batch.file_hash = rules.hash_of(content)
    return batch


def _take(session: Session, batch: PayoutBatch, rows: list[Row[Any]], now: datetime) -> None:
    items = [
        {
            "tenant_id": batch.tenant_id,
            "id": new_id(),
            "batch_id": batch.id,
            "person_id": row.person_id,
            "tax_class": row.tax_class,
            "unit": batch.unit,
            "amount_minor": row.amount_minor,
            "payee": row.account if batch.rail else row.employee_code,
        }
        for row in rows
    ]
    session.execute(insert(PayoutItem), items)
    wallets = {item["id"]: row.wallet_id for item, row in zip(items, rows, strict=True)}
    settling.take_from_wallets(session, batch, items, wallets, now=now)


def _require_unpaid(session: Session, caller: Caller, batch: PayoutBatch) -> None:
    """Refuse who is paid by the payout; where that is everybody, say so."""
    if not session.scalar(queries.is_paid_by(batch.id, caller.person_id)):
        return
    if session.scalar(queries.other_releasers(batch, PAYOUT)) is None:
        raise PayoutWithoutReleaser
    raise PayoutToOneself


def _release(session: Session, batch: PayoutBatch, now: datetime) -> None:
    """Let payroll have the file, or the rail's turn begin."""
    if batch.rail is None:
        changes: dict[str, Any] = {"state": "sent", "first_sent_at": now, "last_sent_at": now}
    else:
        changes = {"next_at": now}
        defer(session, PUSH_JOB, lock=f"{PUSH_JOB}:{batch.id}")
    session.execute(
        update(PayoutItem)
        .where(PayoutItem.batch_id == batch.id)
        .values(**changes)
        .execution_options(synchronize_session=False)
    )
    settling.tell_released(session, batch)


def _send_back(session: Session, batch: PayoutBatch, now: datetime) -> None:
    items = session.scalars(queries.items_of(batch.id)).all()
    settling.settle_items(
        session, batch, dict.fromkeys(items, "rejected"), outcome="failed", now=now
    )


def _locked(session: Session, caller: Caller, batch_id: UUID) -> PayoutBatch:
    batch = session.scalar(queries.batch_locked(batch_id))
    if batch is None or not _holds_at(session, caller, batch.unit_id):
        raise NotFound
    return batch


def _require_payroll(batch: PayoutBatch) -> None:
    if batch.method != "payroll":
        raise NotByPayroll
    if batch.state not in ("released", "settled"):
        raise PayoutNotReleased(state=batch.state)


def _file_of(batch: PayoutBatch, items: Sequence[PayoutItem]) -> bytes:
    return rules.payroll_file(map(_row, items), unit=batch.unit, period=batch.period)


def _row(item: PayoutItem) -> FileRow:
    return FileRow(
        employee_number=item.payee, amount_minor=item.amount_minor, tax_class=item.tax_class
    )


def _holds_at(session: Session, caller: Caller, unit_id: UUID) -> bool:
    held_at = caller.units_with(PAYOUT)
    return bool(held_at) and bool(session.scalar(is_at_or_below(unit_id, held_at)))


def _audit(
    session: Session,
    caller: Caller,
    verb: str,
    batch: PayoutBatch,
    now: datetime,
    remark: str = "",
) -> None:
    write_audit(
        session,
        actor_id=caller.person_id,
        action=f"redpackets.{verb}",
        subject=f"payout:{batch.id}",
        detail=f"{batch.total_minor} {batch.unit} in {batch.row_count}; {remark}",
        now=now,
    )
