"""Posting: the only door through which money moves, one journal entry a movement, never without its balances."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import case, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.core.work import tenant_of
from redpackets.models import COMPANY_ACCOUNTS, Budget, FundAccount, JournalEntry, Packet

#: What is allotted comes from the treasury, which owes it; the others only receive what was there.
MAY_GO_NEGATIVE = ("treasury",)

#: Whoever moves many wallets takes them in this order, so that no two wait for each other.
_LOCK = text("""
    SELECT FROM redpackets_fund_account
     WHERE id = ANY (CAST(:account_ids AS uuid[])) AND balance_minor IS NOT NULL
     ORDER BY id FOR UPDATE
""")
_POST_ALL = text("""
    WITH movement AS (
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:debits AS uuid[]), CAST(:credits AS uuid[]),
                             CAST(:amounts AS bigint[]), CAST(:references AS text[]))
                   AS m (id, debit, credit, amount, reference)
    ), posted AS (
        INSERT INTO redpackets_journal (tenant_id, id, kind, debit_account_id, credit_account_id,
                                        amount_minor, unit, reference, at)
        SELECT :tenant_id, id, :kind, debit, credit, amount, :unit, reference, :now FROM movement
    ), moved AS (
        SELECT account_id, sum(amount)::bigint AS amount FROM (
            SELECT credit AS account_id, amount FROM movement
             UNION ALL SELECT debit, -amount FROM movement) AS sides GROUP BY account_id
    )
    UPDATE redpackets_fund_account a SET balance_minor = a.balance_minor + m.amount
      FROM moved m
     WHERE a.tenant_id = :tenant_id AND a.id = m.account_id AND a.balance_minor IS NOT NULL
""")


@dataclass(frozen=True, kw_only=True)
class Movement:
    """One of many movements of a kind that are posted together."""

    debit: UUID
    credit: UUID
    amount_minor: int
    reference: str


def open_budget_account(session: Session, budget: Budget) -> None:
    """Open the account of a budget, empty."""
    session.add(
        FundAccount(
            tenant_id=budget.tenant_id,
            id=budget.id,
            kind="budget",
            unit=budget.unit,
            budget_id=budget.id,
            balance_minor=0,
        )
    )
    session.flush()


def open_escrow_account(session: Session, packet: Packet) -> None:
    """Open the account of a packet; its balance is what its free shares say."""
    session.add(
        FundAccount(
            tenant_id=packet.tenant_id,
            id=packet.id,
            kind="escrow",
            unit=packet.unit,
            packet_id=packet.id,
        )
    )
    session.flush()


def company_account(session: Session, kind: str, unit: str) -> UUID:
    """Find the company's one account of a kind and unit (``models.COMPANY_ACCOUNTS``), opened at first use."""
    assert kind in COMPANY_ACCOUNTS, f"{kind} is not an account of the company as a whole"
    row = {
        "tenant_id": tenant_of(session),
        "id": new_id(),
        "kind": kind,
        "unit": unit,
        "may_go_negative": kind in MAY_GO_NEGATIVE,
    }
    session.execute(upsert(FundAccount).values(row).on_conflict_do_nothing())
    found = select(FundAccount.id).where(FundAccount.kind == kind, FundAccount.unit == unit)
    return session.scalars(found).one()


def post(
    session: Session,
    *,
    kind: str,
    debit: UUID,
    credit: UUID,
    amount_minor: int,
    unit: str,
    reference: str,
    now: datetime,
) -> None:
    """Move an amount from one account to another; a reference that was used before is refused by the schema."""
    session.execute(
        insert(JournalEntry).inline(),
        {
            "tenant_id": tenant_of(session),
            "id": new_id(),
            "kind": kind,
            "debit_account_id": debit,
            "credit_account_id": credit,
            "amount_minor": amount_minor,
            "unit": unit,
            "reference": reference,
            "at": now,
        },
    )
    session.execute(
        update(FundAccount)
        .where(FundAccount.id.in_([debit, credit]), FundAccount.balance_minor.is_not(None))
        .values(
            balance_minor=FundAccount.balance_minor
            + case((FundAccount.id == credit, amount_minor), else_=-amount_minor)
        )
        .execution_options(synchronize_session=False)
    )


def post_all(
    session: Session, *, kind: str, movements: Sequence[Movement], unit: str, now: datetime
) -> None:
    """Move many amounts in one statement, as ``post`` moves one."""
    if not movements:
        return
    accounts = {m.debit for m in movements} | {m.credit for m in movements}
    session.execute(_LOCK, {"account_ids": list(accounts)})
    session.execute(
        _POST_ALL,
        {
            "tenant_id": tenant_of(session),
            "kind": kind,
            "unit": unit,
            "now": now,
            "ids": [new_id() for _ in movements],
            "debits": [m.debit for m in movements],
            "credits": [m.credit for m in movements],
            "amounts": [m.amount_minor for m in movements],
            "references": [m.reference for m in movements],
        },
    )
