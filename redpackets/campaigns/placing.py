"""Placing packets that nobody pressed a button for: whom they are for, and who answers for them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import Refusal
from app.core.work import tenant_of
from app.people.audiences import AudienceScope
from app.people.models import Person, Tenant
from app.people.queries import scope_matching, scopes_of_persons
from redpackets import budget_queries
from redpackets.budgets import may_still_spend
from redpackets.campaigns import queries
from redpackets.campaigns.models import KudosProgramme, MilestoneRule, TriggerRule
from redpackets.errors import ReceiverRefused
from redpackets.models import Budget
from redpackets.queries import budget_owner
from redpackets.sending import Sender

OWNER_INACTIVE, OWNER_NOT_ALLOWED = "owner_inactive", "owner_not_allowed"
#: Of a packet for named receivers every one is told by a scope of their own; larger groups get several packets.
RECEIVERS_EACH_MAX = 500


def tenant_here(session: Session) -> Tenant:
    """The company of this unit of work."""
    return session.get_one(Tenant, tenant_of(session))


def sender_for(session: Session, person_id: UUID) -> Sender:
    """Let the owner of a rule answer for what it places."""
    tenant = tenant_here(session)
    return Sender(tenant_id=tenant.id, person_id=person_id, time_zone=tenant.time_zone)


def sender_of(caller: Caller) -> Sender:
    """Let the caller answer for what they give."""
    return Sender(
        tenant_id=caller.tenant_id, person_id=caller.person_id, time_zone=caller.time_zone
    )


def business_day(session: Session, now: datetime) -> datetime:
    """Say what time it is in the company's time zone."""
    return now.astimezone(ZoneInfo(tenant_here(session).time_zone))


def is_active(session: Session, person_id: UUID) -> bool:
    """Say whether a person still belongs to the company."""
    person = session.get(Person, (tenant_of(session), person_id), populate_existing=True)
    return person is not None and person.active


def budget_in_force(
    session: Session, rule: TriggerRule | MilestoneRule | KudosProgramme, now: datetime
) -> UUID:
    """Say which budget pays today: the one that was named, or what it rolled over into."""
    today = business_day(session, now).date()
    return session.scalar(budget_queries.budget_in_force(rule.budget_id, today)) or rule.budget_id


def hindrance_of(session: Session, rule: TriggerRule | MilestoneRule, now: datetime) -> str | None:
    """Say why a rule's owner does not answer for it any more: they left, or may not spend its budget."""
    if not is_active(session, rule.owner_id):
        return OWNER_INACTIVE
    budget = session.get_one(Budget, (rule.tenant_id, budget_in_force(session, rule, now)))
    return None if may_still_spend(session, rule.owner_id, budget) else OWNER_NOT_ALLOWED


def told_of(
    session: Session, rule: TriggerRule | MilestoneRule, reason: str, now: datetime
) -> list[UUID]:
    """List who hears why a rule missed: its owner, and where that is about the owner, whoever owns its budget."""
    told = {rule.owner_id}
    if reason in {OWNER_INACTIVE, OWNER_NOT_ALLOWED}:
        in_force = budget_in_force(session, rule, now)
        told.add(session.scalars(budget_owner(in_force)).one())
    return sorted(told)


def personal_scopes(session: Session, person_ids: Sequence[UUID]) -> list[UUID]:
    """The scopes of these persons, each alone."""
    return sorted(row.id for row in session.execute(scopes_of_persons(list(person_ids))))


def unit_scope(session: Session, unit_id: UUID) -> list[UUID]:
    """The scope of everybody at or below a unit; none if there is no such unit any more."""
    scope = session.scalar(
        scope_matching("unit_tree", unit_id=unit_id, role_key=None, person_id=None)
    )
    return [scope.id] if scope else []


def picked_persons(person_ids: Sequence[UUID]) -> list[AudienceScope]:
    """Write persons as an audience is written."""
    return [AudienceScope(kind="person", id=person_id) for person_id in person_ids]


def picked_unit(unit_id: UUID) -> list[AudienceScope]:
    """Write a unit with all below as an audience is written."""
    return [AudienceScope(kind="unit", id=unit_id)]


def check_receivers(session: Session, person_ids: Sequence[UUID], path: str) -> None:
    """Refuse a receiver who is named twice or is not active here; ``path`` has a ``{}`` for the position."""
    known = {row.id for row in session.execute(queries.persons_named(person_ids))}
    seen: set[UUID] = set()
    wrong = {}
    for position, person_id in enumerate(person_ids):
        if person_id in seen:
            wrong[path.format(position)] = "duplicate_receiver"
        elif person_id not in known:
            wrong[path.format(position)] = "receiver_not_active"
        seen.add(person_id)
    if wrong:
        raise ReceiverRefused(wrong)


def reason_of(refusal: Refusal) -> str:
    """Name a refusal as it is recorded: ``insufficient_budget``."""
    return refusal.code.rpartition(".")[2]
