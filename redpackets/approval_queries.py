"""SELECTs of approval: the policy in force, who may approve, what waits, what was decided."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, false, func, literal, or_, select
from sqlalchemy.orm import aliased

from app.people.models import OrgUnit, OrgUnitClosure, Person, Role, RoleGrant
from redpackets.approval_models import Approval, ApprovalRequest, Delegation, Policy
from redpackets.models import Budget, Packet

APPROVERS_TOLD_MAX = 100
DELEGATIONS_MAX = 50
#: How the packets of a rain or grant name their origin: they were given at once, and are decided at once.
GIVEN_AT_ONCE = "campaign:"


def active_policy() -> Select[Policy]:
    """The policy in force: the newest version."""
    return select(Policy).order_by(Policy.version.desc()).limit(1)


def policies(*, before: int | None, limit: int) -> Select[Policy]:
    """Versions of the policy, newest first."""
    found = select(Policy).order_by(Policy.version.desc()).limit(limit)
    return found.where(Policy.version < before) if before else found


def request_of(packet_id: UUID) -> Select[ApprovalRequest]:
    """What a packet waits, or waited, for."""
    return select(ApprovalRequest).where(ApprovalRequest.packet_id == packet_id)


def given_at_once_with(packet_id: UUID, now: datetime) -> Select[UUID]:
    """A packet, and those that wait for the same decision, in the order in which everybody locks them."""
    origin = select(Packet.origin).where(
        Packet.id == packet_id, Packet.origin.startswith(GIVEN_AT_ONCE)
    )
    waits = and_(
        Packet.origin == origin.scalar_subquery(),
        Packet.state == "pending_approval",
        Packet.expires_at > now,
    )
    return select(Packet.id).where(or_(Packet.id == packet_id, waits)).order_by(Packet.id)


def decisions_on(packet_ids: Collection[UUID]) -> Select[Approval, str, str]:
    """(decision, approver's name, name of who lent the right) on these packets, first come first."""
    lender = aliased(Person)
    return (
        select(Approval, Person.name, lender.name)
        .join(Person, _same(Person, Approval.approver_id))
        .join(lender, _same(lender, Approval.on_behalf_of_id))
        .where(Approval.packet_id.in_(packet_ids))
        .order_by(Approval.at, Approval.approver_id)
    )


def approver_ids(packet_id: UUID) -> Select[UUID, UUID]:
    """(approver, whose right) of everybody who approved: none of them is a receiver."""
    return select(Approval.approver_id, Approval.on_behalf_of_id).where(
        Approval.packet_id == packet_id, Approval.decision == "approve"
    )


def rights_lent_to(delegate_id: UUID, now: datetime) -> Select[UUID]:
    """The active persons whose right to approve this person may use now."""
    return (
        select(Delegation.delegator_id)
        .join(Person, _same(Person, Delegation.delegator_id))
        .where(Delegation.delegate_id == delegate_id, _stands(now), Person.active)
        .distinct()
        .order_by(Delegation.delegator_id)
        .limit(DELEGATIONS_MAX)
    )


def grants_of(person_ids: Collection[UUID]) -> Select[UUID, list[str], UUID]:
    """(person, permissions, unit) for every role these persons hold."""
    return (
        select(RoleGrant.person_id, Role.permissions, RoleGrant.unit_id)
        .join(Role, and_(Role.tenant_id == RoleGrant.tenant_id, Role.key == RoleGrant.role_key))
        .where(RoleGrant.person_id.in_(person_ids))
    )


def top_units(unit_ids: Collection[UUID]) -> Select[UUID]:
    """Those of these units that have none above them."""
    return select(OrgUnit.id).where(OrgUnit.id.in_(unit_ids), OrgUnit.parent_id.is_(None))


def approvers_at(permission: str, held_at: str, cost_centre_id: UUID) -> Select[UUID]:
    """The active persons who may approve for a cost centre by their own right."""
    above = select(OrgUnitClosure.ancestor_id).where(OrgUnitClosure.descendant_id == cost_centre_id)
    found = (
        select(Person.id)
        .join(RoleGrant, _same(Person, RoleGrant.person_id))
        .join(Role, and_(Role.tenant_id == RoleGrant.tenant_id, Role.key == RoleGrant.role_key))
        .where(
            Person.active,
            literal(permission) == func.any(Role.permissions),
            RoleGrant.unit_id.in_(above),
        )
        .distinct()
        .limit(APPROVERS_TOLD_MAX)
    )
    if held_at == "company":
        tops = select(OrgUnit.id).where(OrgUnit.parent_id.is_(None))
        found = found.where(RoleGrant.unit_id.in_(tops))
    return found


def delegates_of(person_ids: Collection[UUID], now: datetime) -> Select[UUID]:
    """Who may use the right of one of these persons now."""
    return (
        select(Delegation.delegate_id)
        .where(Delegation.delegator_id.in_(person_ids), _stands(now))
        .distinct()
        .limit(APPROVERS_TOLD_MAX)
    )


def requests_for(
    rights: Mapping[tuple[str, str], Collection[UUID]],
    *,
    person_id: UUID,
    state: str,
    before: UUID | None,
    limit: int,
) -> Select[Any]:
    """(request, packet, sender's name, budget's name, approvals so far) that a person may decide on, newest first.

    ``rights``: for each (permission, where it must be held) the units where the person has it.
    """
    made = (
        select(func.count())
        .where(
            Approval.tenant_id == Packet.tenant_id,
            Approval.packet_id == Packet.id,
            Approval.decision == "approve",
        )
        .correlate(Packet)
        .scalar_subquery()
        .label("approvals_made")
    )
    found = (
        select(ApprovalRequest, Packet, Person.name, Budget.name, made)
        .join(
            Packet,
            and_(
                Packet.tenant_id == ApprovalRequest.tenant_id,
                Packet.id == ApprovalRequest.packet_id,
            ),
        )
        .join(Person, _same(Person, Packet.actor_id))
        .join(Budget, and_(Budget.tenant_id == Packet.tenant_id, Budget.id == Packet.budget_id))
        .where(or_(*(_reaches(key, units) for key, units in rights.items()), false()))
        .where(Packet.actor_id != person_id, _in_state(state, person_id))
        .order_by(Packet.id.desc())
        .limit(limit)
    )
    return found.where(Packet.id < before) if before else found


def delegation_locked(delegation_id: UUID) -> Select[Delegation]:
    """A delegation, against others who change it."""
    return select(Delegation).where(Delegation.id == delegation_id).with_for_update()


def delegations_about(
    person_id: UUID, *, before: UUID | None, limit: int
) -> Select[Delegation, str, str]:
    """(delegation, who lends, who stands in) that a person gave or was given, newest first."""
    delegate = aliased(Person)
    found = (
        select(Delegation, Person.name, delegate.name)
        .join(Person, _same(Person, Delegation.delegator_id))
        .join(delegate, _same(delegate, Delegation.delegate_id))
        .where(or_(Delegation.delegator_id == person_id, Delegation.delegate_id == person_id))
        .order_by(Delegation.id.desc())
        .limit(limit)
    )
    return found.where(Delegation.id < before) if before else found


def standing_delegations(delegator_id: UUID, now: datetime) -> Select[int]:
    """How many delegations of a person are not over."""
    return select(func.count()).where(
        Delegation.delegator_id == delegator_id,
        Delegation.revoked_at.is_(None),
        Delegation.ends_at > now,
    )


def _stands(now: datetime) -> Any:
    return and_(
        Delegation.revoked_at.is_(None), Delegation.starts_at <= now, Delegation.ends_at > now
    )


def _reaches(key: tuple[str, str], unit_ids: Collection[UUID]) -> Any:
    permission, held_at = key
    below = select(OrgUnitClosure.descendant_id).where(OrgUnitClosure.ancestor_id.in_(unit_ids))
    return and_(
        ApprovalRequest.permission == permission,
        ApprovalRequest.held_at == held_at,
        Packet.cost_centre_id.in_(below),
    )


def _in_state(state: str, person_id: UUID) -> Any:
    """Pending is what still waits for this person; the others are how it ended."""
    mine = select(Approval.packet_id).where(
        or_(Approval.approver_id == person_id, Approval.on_behalf_of_id == person_id)
    )
    ended_otherwise = and_(
        ApprovalRequest.approved_at.is_(None),
        Packet.state.not_in(("pending_approval", "rejected")),
    )
    states: dict[str, Any] = {
        "pending": and_(Packet.state == "pending_approval", Packet.id.not_in(mine)),
        "approved": ApprovalRequest.approved_at.is_not(None),
        "rejected": Packet.state == "rejected",
        "lapsed": ended_otherwise,
    }
    return states[state]


def _same(person: Any, column: Any) -> Any:
    return and_(person.tenant_id == column.class_.tenant_id, person.id == column)
