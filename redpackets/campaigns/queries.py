"""All SELECTs of rules on figures: the rules, their subjects, what fired, what did not, what is proposed."""

from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import CompoundSelect, Select, and_, func, literal, or_, select, text, union_all

from app.people.models import Membership, OrgUnit, OrgUnitClosure, Person
from redpackets.campaigns.models import (
    TriggerDocument,
    TriggerFire,
    TriggerMiss,
    TriggerProposal,
    TriggerRule,
)
from redpackets.models import Budget, Packet, PacketMember, Share

FIRES_REVIEWED_MAX = 1_000
MISSES_SHOWN_MAX = 100

#: Note why a rule did not fire; says whether this reason is new for the rule in this period.
NOTE_MISS = text("""
    WITH known AS (
        SELECT FROM redpackets_trigger_miss
         WHERE rule_id = :rule_id AND period_from = :period_from AND reason = :reason LIMIT 1
    ), noted AS (
        INSERT INTO redpackets_trigger_miss AS m
               (tenant_id, rule_id, period_from, subject_id, reason, first_at, last_at)
        VALUES (:tenant_id, :rule_id, :period_from, :subject_id, :reason, :now, :now)
            ON CONFLICT (tenant_id, rule_id, period_from, subject_id, reason)
            DO UPDATE SET last_at = excluded.last_at
    )
    SELECT NOT EXISTS (SELECT FROM known)
""")


def active_rules() -> Select[UUID]:
    """The rules that are evaluated, oldest first."""
    return select(TriggerRule.id).where(TriggerRule.active).order_by(TriggerRule.id)


def rules_visible(
    person_id: UUID, held_at: Collection[UUID], *, before: UUID | None, limit: int
) -> Select[TriggerRule]:
    """The rules a person owns, or whose budget is at or below units where they may keep rules, newest first."""
    below = select(OrgUnitClosure.descendant_id).where(OrgUnitClosure.ancestor_id.in_(held_at))
    budgets = select(Budget.id).where(Budget.unit_id.in_(below))
    found = (
        select(TriggerRule)
        .where(
            TriggerRule.removed_at.is_(None),
            or_(TriggerRule.owner_id == person_id, TriggerRule.budget_id.in_(budgets)),
        )
        .order_by(TriggerRule.id.desc())
        .limit(limit)
    )
    return found.where(TriggerRule.id < before) if before else found


def rule_locked(rule_id: UUID) -> Select[TriggerRule]:
    """A rule, alone, against others who change it."""
    return select(TriggerRule).where(TriggerRule.id == rule_id).with_for_update(key_share=True)


def units_named(unit_ids: Collection[UUID]) -> Select[UUID, str]:
    """(id, name) of those of these units that exist."""
    return select(OrgUnit.id, OrgUnit.name).where(OrgUnit.id.in_(unit_ids), OrgUnit.active)


def children_named(unit_ids: Collection[UUID]) -> Select[UUID, str]:
    """(id, name) of the units directly below these."""
    return (
        select(OrgUnit.id, OrgUnit.name)
        .where(OrgUnit.parent_id.in_(unit_ids), OrgUnit.active)
        .order_by(OrgUnit.code)
    )


def persons_named(person_ids: Collection[UUID]) -> Select[UUID, str]:
    """(id, name) of those of these persons who are active."""
    return select(Person.id, Person.name).where(Person.id.in_(person_ids), Person.active)


def people_named(person_ids: Collection[UUID]) -> Select[UUID, str]:
    """(id, name) of these persons, whether they are still here or not."""
    return select(Person.id, Person.name).where(Person.id.in_(person_ids))


def subjects_named(ids: Collection[UUID]) -> CompoundSelect[Any]:
    """(id, kind, name) of these units and persons, whether they are still here or not."""
    units = select(OrgUnit.id, literal("unit").label("kind"), OrgUnit.name)
    people = select(Person.id, literal("person").label("kind"), Person.name)
    return union_all(units.where(OrgUnit.id.in_(ids)), people.where(Person.id.in_(ids)))


def packets_given(packet_ids: Collection[UUID]) -> Select[Any]:
    """(id, unit, total_minor, left_minor) of packets; what is left is still there to be taken."""
    left = (
        select(func.coalesce(func.sum(Share.amount_minor), 0))
        .where(
            Share.tenant_id == Packet.tenant_id,
            Share.packet_id == Packet.id,
            Share.state == "free",
        )
        .correlate(Packet)
        .scalar_subquery()
    )
    return select(Packet.id, Packet.unit, Packet.total_minor, left.label("left_minor")).where(
        Packet.id.in_(packet_ids)
    )


def primary_unit(person_id: UUID) -> Select[UUID]:
    """Where a person belongs."""
    return select(Membership.unit_id).where(
        Membership.person_id == person_id, Membership.is_primary
    )


def fired(rule_id: UUID, since: date) -> Select[date, UUID]:
    """(first day of the period, subject) for which a rule has fired."""
    return select(TriggerFire.period_from, TriggerFire.subject_id).where(
        TriggerFire.rule_id == rule_id, TriggerFire.period_from >= since
    )


def fires_of(rule_id: UUID, *, before: UUID | None, limit: int) -> Select[TriggerFire]:
    """What a rule fired, newest first."""
    found = (
        select(TriggerFire)
        .where(TriggerFire.rule_id == rule_id)
        .order_by(TriggerFire.id.desc())
        .limit(limit)
    )
    return found.where(TriggerFire.id < before) if before else found


def fire_of(rule_id: UUID, fire_id: UUID) -> Select[TriggerFire]:
    """One fire of a rule."""
    return select(TriggerFire).where(TriggerFire.rule_id == rule_id, TriggerFire.id == fire_id)


def documents_first(fire_ids: Collection[UUID], count: int) -> Select[TriggerDocument]:
    """So many of the newest documents behind each of these fires."""
    return (
        select(TriggerDocument)
        .where(TriggerDocument.fire_id.in_(fire_ids), TriggerDocument.position < count)
        .order_by(TriggerDocument.fire_id, TriggerDocument.position)
    )


def documents_of(fire_id: UUID, *, after: int, limit: int) -> Select[TriggerDocument]:
    """The documents behind a fire, the newest first."""
    return (
        select(TriggerDocument)
        .where(TriggerDocument.fire_id == fire_id, TriggerDocument.position > after)
        .order_by(TriggerDocument.position)
        .limit(limit)
    )


def misses_of(rule_id: UUID) -> Select[TriggerMiss]:
    """Why a rule did not fire, the latest first."""
    return (
        select(TriggerMiss)
        .where(TriggerMiss.rule_id == rule_id)
        .order_by(TriggerMiss.last_at.desc(), TriggerMiss.subject_id, TriggerMiss.reason)
        .limit(MISSES_SHOWN_MAX)
    )


def fires_to_review(rule_id: UUID, since: date) -> Select[TriggerFire]:
    """A rule's fires of late whose figures may still be restated, unless somebody has decided about them."""
    decided = select(TriggerProposal.fire_id).where(
        TriggerProposal.tenant_id == TriggerFire.tenant_id,
        TriggerProposal.fire_id == TriggerFire.id,
        TriggerProposal.state != "open",
    )
    return (
        select(TriggerFire)
        .where(TriggerFire.rule_id == rule_id, TriggerFire.fired_on >= since, ~decided.exists())
        .order_by(TriggerFire.id.desc())
        .limit(FIRES_REVIEWED_MAX)
    )


def proposals_visible(
    person_id: UUID,
    held_at: Collection[UUID],
    *,
    state: str | None,
    before: UUID | None,
    limit: int,
) -> Select[TriggerProposal, TriggerFire, TriggerRule]:
    """(proposal, fire, rule) that a person's rules brought up, or that are decided where they may decide, newest first."""
    below = select(OrgUnitClosure.descendant_id).where(OrgUnitClosure.ancestor_id.in_(held_at))
    budgets = select(Budget.id).where(Budget.unit_id.in_(below))
    found = (
        _proposals()
        .where(or_(TriggerRule.owner_id == person_id, TriggerRule.budget_id.in_(budgets)))
        .order_by(TriggerProposal.id.desc())
        .limit(limit)
    )
    if state:
        found = found.where(TriggerProposal.state == state)
    return found.where(TriggerProposal.id < before) if before else found


def proposal_locked(proposal_id: UUID) -> Select[TriggerProposal, TriggerFire, TriggerRule]:
    """(proposal, fire, rule) of one proposal, alone."""
    return (
        _proposals()
        .where(TriggerProposal.id == proposal_id)
        .with_for_update(of=TriggerProposal)
        .execution_options(populate_existing=True)
    )


def budget_unit(budget_id: UUID) -> Select[UUID]:
    """Whose budget it is."""
    return select(Budget.unit_id).where(Budget.id == budget_id)


def members_among(packet_id: UUID, person_ids: Collection[UUID]) -> Select[UUID]:
    """Those of these persons who were in the audience when a packet opened."""
    return select(PacketMember.person_id).where(
        PacketMember.packet_id == packet_id, PacketMember.person_id.in_(person_ids)
    )


def packet_of(packet_id: UUID) -> Select[Packet]:
    """A packet as it stands."""
    return select(Packet).where(Packet.id == packet_id).execution_options(populate_existing=True)


def _proposals() -> Select[TriggerProposal, TriggerFire, TriggerRule]:
    return (
        select(TriggerProposal, TriggerFire, TriggerRule)
        .join(
            TriggerFire,
            and_(
                TriggerFire.tenant_id == TriggerProposal.tenant_id,
                TriggerFire.id == TriggerProposal.fire_id,
            ),
        )
        .join(
            TriggerRule,
            and_(
                TriggerRule.tenant_id == TriggerFire.tenant_id,
                TriggerRule.id == TriggerFire.rule_id,
            ),
        )
    )
