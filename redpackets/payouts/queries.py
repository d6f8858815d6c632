"""All SELECTs of payouts."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, and_, exists, func, or_, select, text

from app.people.models import Membership, OrgUnitClosure, Person
from redpackets.approval_queries import approvers_at
from redpackets.payouts.models import Payee, PayoutBatch, PayoutItem

SHOWN_ITEMS_MAX = 100

#: The wallets of a unit's people that hold something, locked in the order in which all who post lock them.
WALLETS = text("""
    SELECT a.id FROM redpackets_fund_account a
     WHERE a.kind = 'user_payable' AND a.unit = :unit AND a.balance_minor > 0
       AND a.person_id IN (
           SELECT m.person_id FROM people_membership m
             JOIN people_org_unit_closure c
               ON c.tenant_id = m.tenant_id AND c.descendant_id = m.unit_id
            WHERE c.ancestor_id = :unit_id AND m.is_primary)
     ORDER BY a.id LIMIT :limit FOR UPDATE OF a
""")

#: What each locked wallet holds by tax class: claims carry their packet's, payouts take and bring back their item's.
PAYABLES = text("""
    WITH moved AS (
        SELECT j.credit_account_id AS wallet_id, j.kind, j.reference, j.debit_account_id AS packet_id,
               j.amount_minor AS amount
          FROM redpackets_journal j WHERE j.credit_account_id = ANY (CAST(:wallet_ids AS uuid[]))
         UNION ALL
        SELECT j.debit_account_id, j.kind, j.reference, NULL, -j.amount_minor
          FROM redpackets_journal j WHERE j.debit_account_id = ANY (CAST(:wallet_ids AS uuid[]))
    ), classed AS (
        SELECT m.wallet_id, COALESCE(p.tax_class, i.tax_class, 'wage_income') AS tax_class,
               sum(m.amount)::bigint AS amount_minor
          FROM moved m
          LEFT JOIN redpackets_packet p ON m.kind = 'claim' AND p.id = m.packet_id
          LEFT JOIN redpackets_payout_item i
            ON m.kind IN ('payout_sent', 'payout_failed')
           AND i.id = CAST(split_part(m.reference, ':', 2) AS uuid)
         GROUP BY m.wallet_id, 2
    )
    SELECT a.id AS wallet_id, a.person_id, c.tax_class, c.amount_minor, p.employee_code,
           e.account
      FROM classed c
      JOIN redpackets_fund_account a ON a.id = c.wallet_id
      JOIN people_person p ON p.tenant_id = a.tenant_id AND p.id = a.person_id
      LEFT JOIN redpackets_payee e
        ON e.tenant_id = a.tenant_id AND e.person_id = a.person_id AND e.rail = :rail
     WHERE c.amount_minor > 0
     ORDER BY a.person_id, c.tax_class
""")

#: The wallets that items return to; a person's wallet is there since the claim that filled it.
WALLETS_OF_ITEMS = text("""
    SELECT i.id AS item_id, i.amount_minor, a.id AS wallet_id
      FROM redpackets_payout_item i
      JOIN redpackets_fund_account a
        ON a.tenant_id = i.tenant_id AND a.person_id = i.person_id AND a.unit = i.unit
       AND a.kind = 'user_payable'
     WHERE i.id = ANY (CAST(:item_ids AS uuid[]))
     ORDER BY i.id
""")

#: What is taxable of a month: cash when it is claimed.
TAXED_CLAIMS = text("""
    SELECT w.person_id, p.tax_class, j.unit, sum(j.amount_minor)::bigint AS amount_minor
      FROM redpackets_journal j
      JOIN redpackets_packet p ON p.tenant_id = j.tenant_id AND p.id = j.debit_account_id
      JOIN redpackets_fund_account w ON w.tenant_id = j.tenant_id AND w.id = j.credit_account_id
     WHERE j.kind = 'claim' AND w.kind = 'user_payable' AND j.at >= :begins_at AND j.at < :ends_at
     GROUP BY w.person_id, p.tax_class, j.unit
     LIMIT :limit
""")

#: Points are taxable when they are redeemed; whose they were, the reservation of the same redemption says.
TAXED_REDEMPTIONS = text("""
    SELECT w.person_id, CAST(split_part(f.reference, ':', 2) AS uuid) AS redemption_id,
           f.amount_minor AS points
      FROM redpackets_journal f
      JOIN redpackets_journal r
        ON r.tenant_id = f.tenant_id
       AND r.reference = 'reserve_points:' || split_part(f.reference, ':', 2)
      JOIN redpackets_fund_account w ON w.tenant_id = r.tenant_id AND w.id = r.debit_account_id
     WHERE f.kind = 'fulfil_points' AND f.at >= :begins_at AND f.at < :ends_at
     LIMIT :limit
""")


def batch_locked(batch_id: UUID) -> Select[PayoutBatch]:
    """A payout, alone."""
    return (
        select(PayoutBatch)
        .where(PayoutBatch.id == batch_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def item_locked(item_id: UUID) -> Select[PayoutItem]:
    """An item, alone."""
    return (
        select(PayoutItem)
        .where(PayoutItem.id == item_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def items_of(batch_id: UUID) -> Select[PayoutItem]:
    """All items of a payout, in order."""
    return select(PayoutItem).where(PayoutItem.batch_id == batch_id).order_by(PayoutItem.id)


def persons_paid(batch_id: UUID) -> Select[UUID]:
    """Whom a payout pays."""
    return select(PayoutItem.person_id).where(PayoutItem.batch_id == batch_id)


def is_paid_by(batch_id: UUID, person_id: UUID) -> Select[bool]:
    """Whether a payout pays a person."""
    paid = exists().where(PayoutItem.batch_id == batch_id, PayoutItem.person_id == person_id)
    return select(paid)


def other_releasers(batch: PayoutBatch, permission: str) -> Select[UUID]:
    """Those who may release a payout, did not make it and are not paid by it."""
    paid = select(PayoutItem.person_id).where(PayoutItem.batch_id == batch.id)
    holders = approvers_at(permission, "cost_centre", batch.unit_id)
    return holders.where(Person.id != batch.created_by_id, Person.id.not_in(paid)).limit(1)


def items_open(batch_id: UUID) -> Select[UUID]:
    """Items of a payout whose money is still in flight."""
    return (
        select(PayoutItem.id)
        .where(PayoutItem.batch_id == batch_id, PayoutItem.settled_at.is_(None))
        .limit(1)
    )


def items_due(now: datetime, limit: int) -> Select[UUID]:
    """Items whose rail is to be spoken to now, the longest waiting first."""
    return (
        select(PayoutItem.id)
        .where(PayoutItem.next_at <= now)
        .order_by(PayoutItem.next_at)
        .limit(limit)
    )


def batches_visible(
    held_at: Collection[UUID], *, before: UUID | None, limit: int
) -> Select[PayoutBatch]:
    """Payouts at or below these units, newest first."""
    below = select(OrgUnitClosure.descendant_id).where(OrgUnitClosure.ancestor_id.in_(held_at))
    found = (
        select(PayoutBatch)
        .where(PayoutBatch.unit_id.in_(below))
        .order_by(PayoutBatch.id.desc())
        .limit(limit)
    )
    return found.where(PayoutBatch.id < before) if before else found


def batches_aged(payroll_before: datetime, rail_before: datetime) -> Select[PayoutBatch]:
    """Payouts whose money has been in flight since before these times."""
    return (
        select(PayoutBatch)
        .where(
            PayoutBatch.state.in_(("pending_approval", "released")),
            or_(
                and_(PayoutBatch.method == "payroll", PayoutBatch.created_at < payroll_before),
                and_(PayoutBatch.method == "rail", PayoutBatch.created_at < rail_before),
            ),
        )
        .order_by(PayoutBatch.id)
        .limit(100)
    )


def primary_members_below(unit_ids: Collection[UUID]) -> Select[UUID]:
    """Whose primary unit is one of these or below."""
    return (
        select(Membership.person_id)
        .join(
            OrgUnitClosure,
            and_(
                OrgUnitClosure.tenant_id == Membership.tenant_id,
                OrgUnitClosure.descendant_id == Membership.unit_id,
            ),
        )
        .where(OrgUnitClosure.ancestor_id.in_(unit_ids), Membership.is_primary)
    )


def items_paid_to(
    person_id: UUID, *, before: UUID | None, limit: int
) -> Select[PayoutItem, PayoutBatch]:
    """(item, payout) of what is paid out to a person, newest first."""
    found = (
        select(PayoutItem, PayoutBatch)
        .join(
            PayoutBatch,
            and_(
                PayoutBatch.tenant_id == PayoutItem.tenant_id,
                PayoutBatch.id == PayoutItem.batch_id,
            ),
        )
        .where(PayoutItem.person_id == person_id)
        .order_by(PayoutItem.id.desc())
        .limit(limit)
    )
    return found.where(PayoutItem.id < before) if before else found


def on_its_way_to(person_id: UUID) -> Select[str, int]:
    """(unit, amount) of what has left a person's wallet and has neither arrived nor come back."""
    return (
        select(PayoutItem.unit, func.sum(PayoutItem.amount_minor).label("amount_minor"))
        .where(PayoutItem.person_id == person_id, PayoutItem.settled_at.is_(None))
        .group_by(PayoutItem.unit)
        .order_by(PayoutItem.unit)
    )


def payees_of(person_id: UUID) -> Select[Payee]:
    """Where a person can be paid, by rail."""
    return select(Payee).where(Payee.person_id == person_id)


def payee_of(person_id: UUID, rail: str) -> Select[Payee]:
    """Where a person can be paid over a rail."""
    return select(Payee).where(Payee.person_id == person_id, Payee.rail == rail)


def shown_items(batch_id: UUID, state: str | None) -> Select[PayoutItem, str]:
    """(item, its person's name) of some of a payout's items, those of one state if one is asked for."""
    found = (
        select(PayoutItem, Person.name.label("person_name"))
        .join(
            Person,
            and_(Person.tenant_id == PayoutItem.tenant_id, Person.id == PayoutItem.person_id),
        )
        .where(PayoutItem.batch_id == batch_id)
        .order_by(PayoutItem.id)
        .limit(SHOWN_ITEMS_MAX)
    )
    return found.where(PayoutItem.state == state) if state else found


def parts_of(batch_id: UUID) -> Select[str, str, int, int]:
    """(tax class, state, items, amount) of all of a payout's items."""
    return (
        select(
            PayoutItem.tax_class,
            PayoutItem.state,
            func.count().label("row_count"),
            func.sum(PayoutItem.amount_minor).label("total_minor"),
        )
        .where(PayoutItem.batch_id == batch_id)
        .group_by(PayoutItem.tax_class, PayoutItem.state)
        .order_by(PayoutItem.tax_class, PayoutItem.state)
    )


def names_of(person_ids: Collection[UUID]) -> Select[UUID, str]:
    """(id, name) of persons, whether they are still here or not."""
    return select(Person.id, Person.name).where(Person.id.in_(person_ids))
