"""Points that expire: how long they live, what a person has, and what is taken back by night."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import InvalidFields, NotAllowed, VersionConflict
from app.core.events import record
from app.core.ids import new_id
from app.core.work import tenant_of
from app.people.queries import scopes_of_persons
from app.people.services import write_audit
from redpackets import ledger
from redpackets.points import queries
from redpackets.points.events import PointsExpired, PointsExpiring
from redpackets.points.models import PointsPolicy
from redpackets.points.rules import (
    DECLINED_DAYS,
    MONTHS,
    MONTHS_MAX,
    NOTICE_DAYS,
    WARNING_DAYS,
    YEARS_MAX,
    ExpiryPlan,
    ExpiryRule,
    Holding,
)
from redpackets.rules import POINT

CATALOGUE = "redpackets.catalogue"
#: As many as one fact can be addressed to.
BATCH = 1_000


@dataclass(frozen=True)
class Calendar:
    """What day it is for the company, and which rules its points follow."""

    today: date
    zone: str
    plan: ExpiryPlan

    def counted_from(self, day: date) -> dict[str, Any]:
        """Say from which days on points are still good on ``day``."""
        return queries.start_of(
            self.today,
            self.zone,
            self.plan.on(day).received_since(day),
            day - timedelta(days=DECLINED_DAYS),
        )


def calendar_of(session: Session, now: datetime) -> Calendar:
    """Look at the company's calendar."""
    zone = session.scalars(queries.time_zone()).one()
    versions = [
        (kept.effective_on, ExpiryRule(kept.rule, kept.count))
        for kept in session.scalars(queries.policies())
    ]
    return Calendar(now.astimezone(ZoneInfo(zone)).date(), zone, ExpiryPlan(tuple(versions)))


def read_policy(session: Session, *, now: datetime) -> dict[str, Any]:
    """Say how long points live: the rule in force, and the newest one if it begins later."""
    calendar = calendar_of(session, now)
    kept = session.scalars(queries.policies()).all()
    in_force = calendar.plan.on(calendar.today)
    newest = kept[-1] if kept else None
    begins_later = newest is not None and newest.effective_on > calendar.today
    return {
        "rule": in_force.rule,
        "count": in_force.count,
        "version": newest.version if newest else 0,
        "next": newest if begins_later else None,
    }


def change_policy(
    session: Session, *, caller: Caller, version: int, rule: ExpiryRule, now: datetime
) -> None:
    """Let points live by another rule; one that takes points away sooner begins when all have been told."""
    held_at = caller.units_with(CATALOGUE)
    if not held_at or not session.scalar(queries.is_root_among(held_at)):
        raise NotAllowed
    if not 1 <= rule.count <= (MONTHS_MAX if rule.rule == MONTHS else YEARS_MAX):
        raise InvalidFields({"count": "out_of_range"})
    kept = session.scalars(queries.policies()).all()
    current = kept[-1].version if kept else 0
    if version != current:
        raise VersionConflict(current_version=current)
    calendar = calendar_of(session, now)
    effective_on = calendar.plan.effective_on(rule, calendar.today)
    row = {
        "tenant_id": caller.tenant_id,
        "version": current + 1,
        "rule": rule.rule,
        "count": rule.count,
        "effective_on": effective_on,
        "changed_by_id": caller.person_id,
        "changed_at": now,
    }
    added = insert(PointsPolicy).values(row).on_conflict_do_nothing()
    if session.execute(added.returning(PointsPolicy.version)).first() is None:
        # Somebody else was faster by a moment.
        raise VersionConflict(current_version=current + 1)
    write_audit(
        session,
        actor_id=caller.person_id,
        action="redpackets.change_points_policy",
        subject=f"points_policy:{current + 1}",
        detail=f"{rule.rule} {rule.count} from {effective_on}",
        now=now,
    )


def read_points(session: Session, *, caller: Caller, now: datetime) -> dict[str, Any]:
    """Say how many points a person has, how many lie in open redemptions, and what expires next."""
    calendar = calendar_of(session, now)
    held = _holding(session, caller.person_id, calendar)
    expires = held.next_expiry(calendar.today, calendar.plan)
    return {
        "balance_minor": held.balance - held.gone_on(calendar.today, calendar.plan),
        "reserved_minor": session.scalars(queries.reserved_points(caller.person_id)).one(),
        "unit": POINT,
        "expiring": {"expires_on": expires[0], "amount_minor": expires[1]} if expires else None,
    }


def expire_batch(session: Session, *, after: UUID | None, now: datetime) -> UUID | None:
    """Take back what has expired on the next accounts, and tell whose points soon will; gives the last account."""
    account_ids = session.scalars(queries.point_accounts(after=after, limit=BATCH)).all()
    if not account_ids:
        return None
    expire_now(session, account_ids=account_ids, now=now)
    _warn(session, calendar_of(session, now), account_ids)
    return account_ids[-1]


def expire_now(session: Session, *, account_ids: Collection[UUID], now: datetime) -> None:
    """Post what has expired on these accounts, once for each and day, and tell whose it was."""
    calendar = calendar_of(session, now)
    gone = session.execute(queries.GONE, _counted(calendar, calendar.today, account_ids))
    doomed = [row.account_id for row in gone]
    if not doomed:
        return
    locked = session.scalars(queries.accounts_locked(doomed)).all()
    posting = _counted(calendar, calendar.today, locked) | {
        "entry_ids": [new_id() for _ in locked],
        "treasury_id": ledger.company_account(session, "treasury", POINT),
        "now": now,
    }
    taken = [row.person_id for row in session.execute(queries.EXPIRE, posting)]
    if taken:
        fact = PointsExpired(expired_on=calendar.today)
        record(session, fact, scope_ids=_scopes(session, taken))


def _holding(session: Session, person_id: UUID, calendar: Calendar) -> Holding:
    account = session.scalar(queries.points_of(person_id))
    if account is None or not account.balance_minor:
        return Holding(balance=0, received=())
    counted = calendar.counted_from(calendar.today) | {
        "account_id": account.id,
        "balance": account.balance_minor,
    }
    received = session.execute(queries.RECEIVED, counted)
    declined = session.execute(queries.DECLINED, counted)
    return Holding(
        balance=account.balance_minor,
        received=[(row.day, row.amount) for row in received],
        kept=[(row.day + timedelta(days=DECLINED_DAYS), row.amount) for row in declined],
    )


def _warn(session: Session, calendar: Calendar, account_ids: Collection[UUID]) -> None:
    """Tell whose points expire within the warning time, unless they were told of that time before."""
    soon = calendar.today + timedelta(days=WARNING_DAYS)
    day_after = calendar.today + timedelta(days=NOTICE_DAYS)
    expiring = session.execute(queries.GONE, _counted(calendar, day_after, account_ids))
    told_until = soon + timedelta(days=WARNING_DAYS)
    marks = {
        "tenant_id": tenant_of(session),
        "person_ids": [row.person_id for row in expiring],
        "soon": soon,
        "told_until": told_until,
    }
    told = [row.person_id for row in session.execute(queries.MARK_TOLD, marks)]
    if scope_ids := _scopes(session, told):
        fact = PointsExpiring(until=told_until, scope_ids=tuple(scope_ids))
        record(session, fact, scope_ids=scope_ids)


def _scopes(session: Session, person_ids: list[UUID]) -> list[UUID]:
    return [row.id for row in session.execute(scopes_of_persons(person_ids))]


def _counted(calendar: Calendar, day: date, account_ids: Collection[UUID]) -> dict[str, Any]:
    return calendar.counted_from(day) | {"account_ids": list(account_ids)}
