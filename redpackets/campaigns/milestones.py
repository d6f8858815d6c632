"""Milestones: on their birthday, or the day they joined, people get a gift from the company; once a year."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import NotFound, Refusal, VersionConflict
from app.core.events import record
from app.core.ids import new_id
from app.core.work import tenant_of
from app.people.models import OrgUnit
from app.people.services import require_at, write_audit
from redpackets.campaigns import giving_queries, placing
from redpackets.campaigns.errors import DatesRefused
from redpackets.campaigns.events import GiftMissed
from redpackets.campaigns.models import MilestoneDate, MilestoneGift, MilestoneRule
from redpackets.campaigns.rules import (
    ANNIVERSARY,
    CAUGHT_UP,
    amount_for,
    days_celebrated,
    seed_of,
)
from redpackets.campaigns.triggers import CAMPAIGNS, STOPPED, payable_budget
from redpackets.errors import UnitMismatch
from redpackets.queries import budget_locked
from redpackets.sending import KEPT_OPEN_MAX, NewPacket, place_packet

ROW_COUNT_MAX = 1_000
GIFTS_EACH_MAX = 50


@dataclass(frozen=True, kw_only=True)
class NewMilestoneRule:
    """What a kind of day is worth to everybody at or below a unit; ``steps`` are (least years, amount)."""

    kind: str
    unit_id: UUID
    budget_id: UUID
    unit: str
    amount_minor: int
    steps: list[list[int]]
    purpose_text: str
    greeting: str
    tax_class: str
    starts_on: date


@dataclass(frozen=True, kw_only=True)
class DateRow:
    """A row of a file of dates; without a day the person's date is forgotten."""

    person_id: UUID
    kind: str
    month: int | None
    day: int | None
    year: int | None


def add_rule(
    session: Session, *, caller: Caller, new: NewMilestoneRule, now: datetime
) -> MilestoneRule:
    """Keep a rule, as somebody who may keep campaigns at the unit and spend the budget."""
    budget = payable_budget(session, caller, new.budget_id)
    if session.get(OrgUnit, (caller.tenant_id, new.unit_id)) is None:
        raise NotFound
    require_at(session, caller, CAMPAIGNS, new.unit_id)
    if budget.unit != new.unit:
        raise UnitMismatch
    rule = MilestoneRule(
        tenant_id=tenant_of(session),
        id=new_id(),
        owner_id=caller.person_id,
        created_at=now,
        **vars(new),
    )
    session.add(rule)
    session.flush()
    _audit(session, caller, "add_milestone_rule", f"milestone:{rule.id}", rule.kind, now)
    return rule


def change_rule(
    session: Session,
    *,
    caller: Caller,
    rule_id: UUID,
    version: int,
    changes: dict[str, Any],
    now: datetime,
) -> MilestoneRule:
    """Change a rule, knowing its version; who was given something this year gets nothing more.

    Who changes it must be able to make such a rule; stopping it takes less.
    """
    rule = _rule_seen(session, caller, rule_id)
    if changes != STOPPED:
        payable_budget(session, caller, placing.budget_in_force(session, rule, now))
    if version != rule.version:
        raise VersionConflict(current_version=rule.version)
    for name, value in changes.items():
        setattr(rule, name, value)
    rule.version += 1
    session.flush()
    _audit(session, caller, "change_milestone_rule", f"milestone:{rule.id}", rule.kind, now)
    return rule


def put_dates(session: Session, *, caller: Caller, rows: list[DateRow], now: datetime) -> None:
    """Take a file of dates over, whole or not at all; the refusal names the rows."""
    _check_dates(session, caller, rows)
    for row in rows:
        place = {"tenant_id": caller.tenant_id, "person_id": row.person_id, "kind": row.kind}
        when = {"month": row.month, "day": row.day, "year": row.year}
        if row.month is None:
            session.execute(delete(MilestoneDate).filter_by(**place))
            continue
        session.execute(
            insert(MilestoneDate)
            .values(**place, **when)
            .on_conflict_do_update(index_elements=["tenant_id", "person_id", "kind"], set_=when)
        )
    _audit(session, caller, "put_milestone_dates", "milestone_dates", f"{len(rows)} rows", now)


def give_gifts(
    session: Session, *, rule_id: UUID, on: date, seed: bytes, now: datetime
) -> int | None:
    """Give some of those whose day it was their gifts; says how many, None when there is nobody left to try.

    A gift that cannot be paid leaves those after it waiting: the owner is told, and it is tried again for days.
    """
    rule = session.scalar(giving_queries.milestone_rule_locked(rule_id))
    if rule is None or not rule.active or on < rule.starts_on:
        return None
    due = giving_queries.persons_celebrated(rule, days_celebrated(on), on.year, GIFTS_EACH_MAX)
    persons = session.execute(due).all()
    if not persons:
        return None
    hindrance = placing.hindrance_of(session, rule, now)
    if hindrance is not None:
        _note_refusal(session, rule, hindrance, on, now)
        return None
    for person_id, joined in persons:
        try:
            with session.begin_nested():
                _give(session, rule, person_id, joined, on, seed, now)
        except Refusal as refusal:
            _note_refusal(session, rule, placing.reason_of(refusal), on, now)
            return None
    rule.last_refusal = ""
    return len(persons)


def days_due(today: date) -> list[date]:
    """List the days whose gifts are still given today, the oldest first."""
    return [date.fromordinal(today.toordinal() - back) for back in range(CAUGHT_UP.days, -1, -1)]


def _rule_seen(session: Session, caller: Caller, rule_id: UUID) -> MilestoneRule:
    """Find a rule, alone, that the caller may keep; any other does not exist."""
    visible = giving_queries.milestone_rules_visible(
        caller.units_with(CAMPAIGNS), before=None, limit=1
    ).where(MilestoneRule.id == rule_id)
    rule = session.scalar(giving_queries.milestone_rule_locked(rule_id))
    if rule is None or session.scalar(visible) is None:
        raise NotFound
    return rule


def _give(
    session: Session,
    rule: MilestoneRule,
    person_id: UUID,
    joined: int | None,
    on: date,
    seed: bytes,
    now: datetime,
) -> None:
    """Take the only place there is for this rule, person and year, then place the packet it stands for."""
    place = {
        "tenant_id": rule.tenant_id,
        "rule_id": rule.id,
        "person_id": person_id,
        "year": on.year,
    }
    taken = session.execute(
        insert(MilestoneGift)
        .values(**place, at=now)
        .on_conflict_do_nothing()
        .returning(MilestoneGift.year)
    ).first()
    if taken is None:
        return
    budget_id = placing.budget_in_force(session, rule, now)
    new = _packet(rule, person_id, on.year - joined if joined else 0, on, now)
    packet = place_packet(
        session,
        sender=placing.sender_for(session, rule.owner_id),
        budget=session.scalars(budget_locked(budget_id)).one(),
        new=replace(new, budget_id=budget_id),
        scope_ids=placing.personal_scopes(session, [person_id]),
        seed=seed_of(seed, person_id),
        now=now,
    )
    session.execute(update(MilestoneGift).filter_by(**place).values(packet_id=packet.id))


def _packet(rule: MilestoneRule, person_id: UUID, years: int, on: date, now: datetime) -> NewPacket:
    steps = [(least, amount) for least, amount in rule.steps]
    amount = amount_for(rule.amount_minor, steps, years)
    return NewPacket(
        kind="milestone",
        unit=rule.unit,
        total_minor=amount,
        share_count=1,
        min_minor=None,
        max_minor=None,
        budget_id=rule.budget_id,
        on_behalf_of_id=rule.unit_id,
        audience=placing.picked_persons([person_id]),
        purpose_category=rule.kind,
        purpose_text=rule.purpose_text,
        purpose_evidence=f"milestone:{rule.id}:{rule.version}:{on}",
        tax_class=rule.tax_class,
        greeting=rule.greeting,
        opens_at=None,
        expires_at=now + KEPT_OPEN_MAX,
        origin=f"milestone:{rule.id}",
        receivers=((person_id, amount),),
    )


def _note_refusal(
    session: Session, rule: MilestoneRule, reason: str, on: date, now: datetime
) -> None:
    """Keep why, and tell those concerned when it is news."""
    if rule.last_refusal == reason:
        return
    rule.last_refusal = reason
    fact = GiftMissed(rule_id=rule.id, owner_id=rule.owner_id, on=on, reason=reason)
    scope_ids = placing.personal_scopes(session, placing.told_of(session, rule, reason, now))
    record(session, fact, ref=rule.id, scope_ids=scope_ids)


def _check_dates(session: Session, caller: Caller, rows: list[DateRow]) -> None:
    wanted = {row.person_id for row in rows}
    held_at = caller.units_with(CAMPAIGNS)
    known = set(session.scalars(giving_queries.persons_within(wanted, held_at)))
    wrong: dict[str, str] = {}
    seen: set[tuple[UUID, str]] = set()
    for position, row in enumerate(rows):
        if row.person_id not in known:
            wrong[f"rows.{position}.person_id"] = "receiver_not_active"
        elif (row.person_id, row.kind) in seen:
            wrong[f"rows.{position}.person_id"] = "duplicate_receiver"
        elif row.month is not None and (row.kind == ANNIVERSARY) == (row.year is None):
            wrong[f"rows.{position}.day"] = "invalid_date"
        seen.add((row.person_id, row.kind))
    if wrong:
        raise DatesRefused(wrong)


def _audit(
    session: Session, caller: Caller, verb: str, subject: str, detail: str, now: datetime
) -> None:
    write_audit(
        session,
        actor_id=caller.person_id,
        action=f"redpackets.{verb}",
        subject=subject,
        detail=detail,
        now=now,
    )
