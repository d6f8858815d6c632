"""The end of a budget: its period is over, or its owner left; what is unused goes on, or back to where it came from.

What is held belongs to packets that people can see, so it is waited for: a period closes when its packets are settled;
a leaver's open packets finish, and what they refund is given back then. Packets of a leaver's budget that nobody
has seen yet, waiting for their time or for approval, are withdrawn.
"""

from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import NotAllowed, NotFound
from app.core.ids import new_id
from app.core.work import tenant_of
from app.people.models import Person, Tenant
from redpackets import budget_queries, ledger, limits, queries, stopping
from redpackets.budgets import audit, may_administer, may_see
from redpackets.claiming import packet_key
from redpackets.errors import StillInUse
from redpackets.models import Budget, Packet
from redpackets.rules import next_period

WITHDRAWN_MAX = 500


def close_if_period_over(session: Session, *, budget_id: UUID, now: datetime) -> bool:
    """Close a budget whose period is over, holding nothing and with nothing open below; once."""
    family = _Family(session, budget_id)
    budget = family.budget
    if budget is None or budget.closed_at is not None or not _is_over(session, budget, now):
        return False
    if budget.held_minor or session.scalars(budget_queries.open_budgets_below(budget.id)).first():
        return False
    parent = family.above(budget)
    budget.closed_at = now
    budget.version += 1
    successor = family.roll_over(budget, now) if budget.rolls_over else None
    if successor is None and budget.recovers_unused:
        limits.give_back(session, budget, parent, now)
    session.flush()
    audit(session, "close_budget", budget, None, now)
    owners = {budget.owner_id} | ({parent.owner_id} if parent else set())
    limits.tell_changed(session, budget, owners, successor.id if successor else None)
    return True


def reclaim_budget(
    session: Session, *, budget_id: UUID, now: datetime, actor_id: UUID | None = None
) -> bool:
    """Close a budget and give back what it does not hold; asking again gives back what was refunded since."""
    waiting = _lock_waiting(session, budget_id)
    budget, parent = limits.lock_with_parent(session, budget_id)
    if budget is None:
        return False
    for packet in waiting:
        stopping.withdraw(session, packet=packet, actor_id=actor_id, now=now)
    if budget.closed_at is not None and not budget.available_minor:
        return False
    budget.closed_at = budget.closed_at or now
    budget.version += 1
    limits.give_back(session, budget, parent, now)
    session.flush()
    audit(session, "reclaim_budget", budget, actor_id, now)
    limits.tell_changed(session, budget, [parent.owner_id] if parent else [budget.owner_id])
    return True


def recover_budget(session: Session, *, caller: Caller, budget_id: UUID, now: datetime) -> None:
    """Give back what a leaver's or an ended budget does not hold, as somebody who manages budgets there."""
    budget = session.get(Budget, (caller.tenant_id, budget_id))
    if budget is None or not may_see(session, caller, budget):
        raise NotFound
    parent = session.get(Budget, (caller.tenant_id, budget.parent_id)) if budget.parent_id else None
    if not may_administer(session, caller, budget, parent):
        raise NotAllowed
    owner = session.get_one(Person, (caller.tenant_id, budget.owner_id))
    if owner.active and budget.closed_at is None and not _is_over(session, budget, now):
        raise StillInUse
    reclaim_budget(session, budget_id=budget_id, now=now, actor_id=caller.person_id)


def today_of(session: Session, now: datetime) -> date:
    """Say what day it is for the company."""
    tenant = session.get_one(Tenant, tenant_of(session))
    return now.astimezone(ZoneInfo(tenant.time_zone)).date()


class _Family:
    """A budget, all above it and their successors, locked together: what rolling over may have to change."""

    def __init__(self, session: Session, budget_id: UUID) -> None:
        self._session = session
        found = session.scalars(budget_queries.budget_family_locked(budget_id)).all()
        self._by_id = {budget.id: budget for budget in found}
        self._successors = {b.predecessor_id: b for b in found if b.predecessor_id}
        self.budget = self._by_id.get(budget_id)

    def above(self, budget: Budget) -> Budget | None:
        """Find the budget it was carved out of."""
        return self._by_id[budget.parent_id] if budget.parent_id else None

    def roll_over(self, budget: Budget, now: datetime) -> Budget | None:
        """Move what is left into the next period; None where nothing is left or no next period is possible."""
        unused = budget.available_minor
        successor = self._successor(budget, now) if unused else None
        if successor is None:
            return None
        self._shift(budget, successor, unused)
        self._session.flush()
        ledger.post(
            self._session,
            kind="roll_over",
            debit=budget.id,
            credit=successor.id,
            amount_minor=unused,
            unit=budget.unit,
            reference=f"roll_over:{budget.id}",
            now=now,
        )
        return successor

    def _successor(self, budget: Budget, now: datetime) -> Budget | None:
        """Find or open the budget of the next period, below the parent or, if that ends, the parent's successor."""
        if budget.id in self._successors:
            return self._successors[budget.id]
        begins, ends = next_period(budget.period_from, budget.period_to)
        parent = self.above(budget)
        if parent is not None and not (parent.covers(begins) and parent.covers(ends)):
            parent = self._successor(parent, now) if parent.rolls_over else None
            if parent is None or not (parent.covers(begins) and parent.covers(ends)):
                return None
        successor = _next_of(budget, parent, begins, ends, now)
        self._session.add(successor)
        self._session.flush()
        ledger.open_budget_account(self._session, successor)
        self._by_id[successor.id] = self._successors[budget.id] = successor
        return successor

    def _shift(self, old: Budget, new: Budget, amount_minor: int) -> None:
        """Let limits follow the money, up to the budget that both were carved out of, or to the treasury."""
        old.limit_minor -= amount_minor
        new.limit_minor += amount_minor
        if old.parent_id == new.parent_id:
            return
        above_old, above_new = self.above(old), self.above(new)
        assert above_old is not None
        assert above_new is not None
        above_old.allotted_minor -= amount_minor
        above_new.allotted_minor += amount_minor
        self._shift(above_old, above_new, amount_minor)


def _next_of(
    budget: Budget, parent: Budget | None, begins: date, ends: date, now: datetime
) -> Budget:
    kept = (
        "tenant_id",
        "name",
        "owner_id",
        "unit_id",
        "unit",
        "give_only",
        "rolls_over",
        "recovers_unused",
        "receive_cap_minor",
    )
    return Budget(
        id=new_id(),
        parent_id=parent.id if parent else None,
        predecessor_id=budget.id,
        period_from=begins,
        period_to=ends,
        limit_minor=0,
        held_minor=0,
        spent_minor=0,
        allotted_minor=0,
        version=1,
        created_at=now,
        **{name: getattr(budget, name) for name in kept},
    )


def _lock_waiting(session: Session, budget_id: UUID) -> list[Packet]:
    """Lock the packets of a budget that nobody has seen yet; packets come before budgets, as everywhere."""
    found = session.scalars(queries.packets_not_open(budget_id, WITHDRAWN_MAX)).all()
    waiting = []
    for packet_id in found:
        session.execute(queries.ENTER_CLOSE, {"packet_key": packet_key(packet_id)})
        packet = session.scalar(queries.packet_locked(packet_id))
        if packet is not None and packet.state in {"pending_approval", "scheduled"}:
            waiting.append(packet)
    return waiting


def _is_over(session: Session, budget: Budget, now: datetime) -> bool:
    return budget.period_to < today_of(session, now)
