"""SELECTs of whom a change of figures concerns: who holds a permission at a unit, or about themselves."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, and_, select, type_coerce, union_all
from sqlalchemy.dialects import postgresql

from app.people.models import Membership, OrgUnitClosure, Person, Role, RoleGrant
from erp_bridge.models import Stream


def units_above(leaf_ids: Collection[UUID]) -> Select[Any]:
    """(leaf, unit) for every unit at or above these persons and units."""
    seats = (
        select(Membership.person_id.label("leaf_id"), OrgUnitClosure.ancestor_id.label("unit_id"))
        .join(
            OrgUnitClosure,
            and_(
                OrgUnitClosure.tenant_id == Membership.tenant_id,
                OrgUnitClosure.descendant_id == Membership.unit_id,
            ),
        )
        .where(Membership.person_id.in_(leaf_ids), Membership.is_primary)
    )
    units = select(OrgUnitClosure.descendant_id, OrgUnitClosure.ancestor_id).where(
        OrgUnitClosure.descendant_id.in_(leaf_ids)
    )
    return select(union_all(seats, units).subquery("above"))


def table_of_stream(source_id: UUID, name: str) -> Select[str]:
    """Which canonical table a stream fills."""
    return select(Stream.table_name).where(Stream.source_id == source_id, Stream.name == name)


def holders_at(
    unit_ids: Collection[UUID], permissions: Collection[str]
) -> Select[UUID, UUID, list[str]]:
    """(person, unit, permissions) of who holds one of these permissions at exactly these units."""
    return (
        select(RoleGrant.person_id, RoleGrant.unit_id, Role.permissions)
        .join(Role, and_(Role.tenant_id == RoleGrant.tenant_id, Role.key == RoleGrant.role_key))
        .join(
            Person,
            and_(Person.tenant_id == RoleGrant.tenant_id, Person.id == RoleGrant.person_id),
        )
        .where(
            RoleGrant.unit_id.in_(unit_ids), _permitted().overlap(list(permissions)), Person.active
        )
    )


def holders_of_own(person_ids: Collection[UUID], permission: str) -> Select[Any]:
    """Which of these persons hold a permission about themselves, wherever."""
    return (
        select(RoleGrant.person_id)
        .distinct()
        .join(Role, and_(Role.tenant_id == RoleGrant.tenant_id, Role.key == RoleGrant.role_key))
        .join(
            Person,
            and_(Person.tenant_id == RoleGrant.tenant_id, Person.id == RoleGrant.person_id),
        )
        .where(
            RoleGrant.person_id.in_(person_ids),
            _permitted().contains([permission]),
            Person.active,
        )
    )


def active_persons(person_ids: Collection[UUID]) -> Select[Any]:
    """Which of these persons are active."""
    return select(Person.id).where(Person.id.in_(person_ids), Person.active)


def _permitted() -> Any:
    """A role's permissions, as PostgreSQL compares arrays."""
    return type_coerce(Role.permissions, postgresql.ARRAY(Text()))
