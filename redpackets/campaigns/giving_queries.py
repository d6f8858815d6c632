"""All SELECTs of kudos, rains, grants and milestones."""

from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select, tuple_

from app.people.models import Membership, OrgUnitClosure, Person
from redpackets.campaigns.models import (
    Campaign,
    KudosAllowance,
    KudosProgramme,
    MilestoneDate,
    MilestoneGift,
    MilestoneRule,
)
from redpackets.models import Budget, Packet, Share


def programmes_for(unit_ids: Collection[UUID]) -> Select[KudosProgramme]:
    """The running programmes of everybody in these units, the closest first, of equals the newest."""
    return (
        select(KudosProgramme)
        .join(
            OrgUnitClosure,
            and_(
                OrgUnitClosure.tenant_id == KudosProgramme.tenant_id,
                OrgUnitClosure.ancestor_id == KudosProgramme.unit_id,
            ),
        )
        .where(OrgUnitClosure.descendant_id.in_(unit_ids), KudosProgramme.active)
        .order_by(OrgUnitClosure.depth, KudosProgramme.id.desc())
    )


def programmes_visible(
    held_at: Collection[UUID], *, before: UUID | None, limit: int
) -> Select[KudosProgramme]:
    """The programmes at or below units where somebody may keep them, newest first."""
    found = (
        select(KudosProgramme)
        .where(KudosProgramme.unit_id.in_(_below(held_at)))
        .order_by(KudosProgramme.id.desc())
        .limit(limit)
    )
    return found.where(KudosProgramme.id < before) if before else found


def programme_locked(programme_id: UUID) -> Select[KudosProgramme]:
    """A programme, alone, against others who change it."""
    return select(KudosProgramme).where(KudosProgramme.id == programme_id).with_for_update()


def allowances_of(person_id: UUID, month: date) -> Select[KudosAllowance, Budget]:
    """(allowance, its budget) that a person has opened in a month."""
    return (
        select(KudosAllowance, Budget)
        .join(
            Budget,
            and_(
                Budget.tenant_id == KudosAllowance.tenant_id, Budget.id == KudosAllowance.budget_id
            ),
        )
        .where(KudosAllowance.person_id == person_id, KudosAllowance.month == month)
    )


def campaigns_visible(
    kind: str, person_id: UUID, held_at: Collection[UUID], *, before: UUID | None, limit: int
) -> Select[Campaign]:
    """The rains or grants that a person gave, or on whose principal they keep an eye, newest first."""
    found = (
        select(Campaign)
        .where(
            Campaign.kind == kind,
            or_(Campaign.actor_id == person_id, Campaign.on_behalf_of_id.in_(_below(held_at))),
        )
        .order_by(Campaign.id.desc())
        .limit(limit)
    )
    return found.where(Campaign.id < before) if before else found


def campaign_locked(campaign_id: UUID, kind: str) -> Select[Campaign]:
    """A rain or grant, alone, against others who end it."""
    return (
        select(Campaign).where(Campaign.id == campaign_id, Campaign.kind == kind).with_for_update()
    )


def packets_of(origin: str) -> Select[Any]:
    """(packet, free shares, claimed shares, claimed amount) of a campaign, in the order of their opening."""
    shares = (
        select(
            Share.packet_id,
            func.count().filter(Share.state == "free").label("free"),
            func.count().filter(Share.state == "claimed").label("claimed"),
            func.coalesce(func.sum(Share.amount_minor).filter(Share.state == "claimed"), 0).label(
                "claimed_minor"
            ),
        )
        .where(Share.packet_id.in_(select(Packet.id).where(Packet.origin == origin)))
        .group_by(Share.packet_id)
        .subquery()
    )
    return (
        select(Packet, shares.c.free, shares.c.claimed, shares.c.claimed_minor)
        .join(shares, shares.c.packet_id == Packet.id)
        .where(Packet.origin == origin)
        .order_by(Packet.opens_at, Packet.id)
        .execution_options(populate_existing=True)
    )


def waves_to_come(origin: str) -> Select[UUID]:
    """The packets of a rain that have not opened, in one order for everybody who takes their locks."""
    return (
        select(Packet.id)
        .where(Packet.origin == origin, Packet.opened_at.is_(None), Packet.settled_at.is_(None))
        .order_by(Packet.id)
    )


def milestone_rules_visible(
    held_at: Collection[UUID], *, before: UUID | None, limit: int
) -> Select[MilestoneRule]:
    """The rules at or below units where somebody may keep them, newest first."""
    found = (
        select(MilestoneRule)
        .where(MilestoneRule.unit_id.in_(_below(held_at)))
        .order_by(MilestoneRule.id.desc())
        .limit(limit)
    )
    return found.where(MilestoneRule.id < before) if before else found


def milestone_rule_locked(rule_id: UUID) -> Select[MilestoneRule]:
    """A rule on milestones, alone, against others who change it."""
    return select(MilestoneRule).where(MilestoneRule.id == rule_id).with_for_update(key_share=True)


def milestone_rules_active() -> Select[UUID]:
    """The rules on milestones that give, oldest first."""
    return select(MilestoneRule.id).where(MilestoneRule.active).order_by(MilestoneRule.id)


def persons_celebrated(
    rule: MilestoneRule, days: Collection[tuple[int, int]], year: int, limit: int
) -> Select[UUID, int | None]:
    """(person, year of joining) of a rule's unit whose day is one of these, and who were not given theirs this year."""
    given = select(MilestoneGift.person_id).where(
        MilestoneGift.rule_id == rule.id, MilestoneGift.year == year
    )
    belongs = select(Membership.person_id).where(Membership.unit_id.in_(_below([rule.unit_id])))
    return (
        select(MilestoneDate.person_id, MilestoneDate.year)
        .join(
            Person,
            and_(Person.tenant_id == MilestoneDate.tenant_id, Person.id == MilestoneDate.person_id),
        )
        .where(
            Person.active,
            MilestoneDate.kind == rule.kind,
            tuple_(MilestoneDate.month, MilestoneDate.day).in_(days),
            or_(MilestoneDate.year.is_(None), MilestoneDate.year < year),
            MilestoneDate.person_id.in_(belongs),
            MilestoneDate.person_id.not_in(given),
        )
        .order_by(MilestoneDate.person_id)
        .limit(limit)
    )


def persons_within(person_ids: Collection[UUID], held_at: Collection[UUID]) -> Select[UUID]:
    """Those of these active persons who belong at or below these units."""
    return (
        select(Person.id)
        .distinct()
        .join(
            Membership,
            and_(Membership.tenant_id == Person.tenant_id, Membership.person_id == Person.id),
        )
        .where(Person.id.in_(person_ids), Person.active, Membership.unit_id.in_(_below(held_at)))
    )


def _below(unit_ids: Collection[UUID]) -> Any:
    return select(OrgUnitClosure.descendant_id).where(OrgUnitClosure.ancestor_id.in_(unit_ids))
