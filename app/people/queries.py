"""All SELECTs of people."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Select,
    Text,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    type_coerce,
    union,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from app.people.models import (
    Device,
    Membership,
    OrgUnit,
    OrgUnitClosure,
    Person,
    RefreshToken,
    Role,
    RoleGrant,
    Scope,
    SignIn,
    Tenant,
)

#: One statement, by primary keys only: runs in every request.
CALLER = text("""
    SELECT p.login, p.name, p.locale, p.active, p.access_version,
           s.ended_at, s.expires_at, s.device_id,
           t.state, t.structure_version, t.time_zone, t.currency
      FROM people_sign_in s
      JOIN people_person p ON p.tenant_id = s.tenant_id AND p.id = s.person_id
      JOIN people_tenant t ON t.id = s.tenant_id
     WHERE s.tenant_id = :tenant_id AND s.id = :session_id AND s.person_id = :person_id
""")

TENANT_IS_ACTIVE = text("SELECT state = 'active' FROM people_tenant WHERE id = :tenant_id")

#: Sign-ins whose tokens may still be good though the sign-in is not: ended, run out, or of somebody shut out.
ENDED_SIGN_INS = text("""
    SELECT s.id FROM people_sign_in s
      JOIN people_person p ON p.tenant_id = s.tenant_id AND p.id = s.person_id
     WHERE s.tenant_id = :tenant_id AND s.expires_at > :since
       AND (s.ended_at > :since OR s.expires_at <= :now OR (s.ended_at IS NULL AND NOT p.active))
     LIMIT :limit
""")


def tenant_by_slug(slug: str) -> Select[Tenant]:
    """The company that signs in by this short name."""
    return select(Tenant).where(Tenant.slug == slug)


def person_by_login(login: str) -> Select[Person]:
    """The active person who signs in by this login."""
    return select(Person).where(Person.login == login, Person.active)


def refresh_token(token_hash: bytes) -> Select[RefreshToken]:
    """A refresh token, locked, so that fifty parallel refreshes find one successor."""
    return select(RefreshToken).where(RefreshToken.token_hash == token_hash).with_for_update()


def open_sign_ins(person_id: UUID, now: datetime) -> Select[SignIn]:
    """A person's sign-ins that are still good, newest first."""
    return (
        select(SignIn)
        .where(SignIn.person_id == person_id, SignIn.ended_at.is_(None), SignIn.expires_at > now)
        .order_by(SignIn.last_used_at.desc())
    )


def device_names_of(person_id: UUID) -> Select[UUID, str]:
    """(device, name) for everything a person has signed in on."""
    return select(Device.id, Device.name).where(Device.person_id == person_id)


def unit_ids_of(person_id: UUID) -> Select[UUID]:
    """The units a person is a member of, the primary one first."""
    return (
        select(Membership.unit_id)
        .where(Membership.person_id == person_id)
        .order_by(Membership.is_primary.desc(), Membership.unit_id)
    )


def granted_permissions(person_id: UUID) -> Select[str, list[str], UUID]:
    """(role, permissions, unit) for every role the person holds."""
    return (
        select(RoleGrant.role_key, Role.permissions, RoleGrant.unit_id)
        .join(Role, and_(Role.tenant_id == RoleGrant.tenant_id, Role.key == RoleGrant.role_key))
        .where(RoleGrant.person_id == person_id)
    )


def scope_ids_of(person_id: UUID) -> Select[Any]:
    """Every scope a person is in, ancestors expanded."""
    own_units = select(Membership.unit_id).where(Membership.person_id == person_id)
    above_own = select(OrgUnitClosure.ancestor_id).where(
        OrgUnitClosure.descendant_id.in_(own_units)
    )
    roles = select(RoleGrant.role_key).where(RoleGrant.person_id == person_id)
    above_role = (
        select(RoleGrant.role_key, OrgUnitClosure.ancestor_id)
        .join(
            OrgUnitClosure,
            and_(
                OrgUnitClosure.tenant_id == RoleGrant.tenant_id,
                OrgUnitClosure.descendant_id == RoleGrant.unit_id,
            ),
        )
        .where(RoleGrant.person_id == person_id)
        .subquery()
    )
    branches = union_all(
        select(Scope.id).where(Scope.kind == "tenant"),
        select(Scope.id).where(Scope.kind == "person", Scope.person_id == person_id),
        select(Scope.id).where(Scope.kind == "unit", Scope.unit_id.in_(own_units)),
        select(Scope.id).where(Scope.kind == "unit_tree", Scope.unit_id.in_(above_own)),
        select(Scope.id).where(Scope.kind == "role", Scope.role_key.in_(roles)),
        select(Scope.id).where(
            Scope.kind == "role_at",
            exists().where(
                above_role.c.role_key == Scope.role_key, above_role.c.ancestor_id == Scope.unit_id
            ),
        ),
    ).subquery()
    return select(branches.c.id)


def people_in_scopes(scope_ids: Collection[UUID]) -> Select[Any]:
    """The ids of the active persons who are in any of these scopes, each once."""
    wanted = select(Scope).where(Scope.id.in_(scope_ids)).cte("wanted")
    below = OrgUnitClosure
    members = union(
        select(wanted.c.person_id).where(wanted.c.kind == "person"),
        select(Membership.person_id).join(wanted, _same(wanted, "unit", Membership.unit_id)),
        select(Membership.person_id)
        .join(
            below,
            and_(
                below.tenant_id == Membership.tenant_id, below.descendant_id == Membership.unit_id
            ),
        )
        .join(wanted, _same(wanted, "unit_tree", below.ancestor_id)),
        select(RoleGrant.person_id).join(
            wanted, and_(wanted.c.kind == "role", wanted.c.role_key == RoleGrant.role_key)
        ),
        select(RoleGrant.person_id)
        .join(
            below,
            and_(below.tenant_id == RoleGrant.tenant_id, below.descendant_id == RoleGrant.unit_id),
        )
        .join(
            wanted,
            and_(
                _same(wanted, "role_at", below.ancestor_id), wanted.c.role_key == RoleGrant.role_key
            ),
        ),
        select(Person.id).where(exists().where(wanted.c.kind == "tenant")),
    ).subquery()
    return select(Person.id).where(Person.active, Person.id.in_(select(members.c.person_id)))


def primary_units_of(person_ids: Collection[UUID]) -> Select[UUID, UUID]:
    """(person, primary unit) for these persons."""
    return select(Membership.person_id, Membership.unit_id).where(
        Membership.person_id.in_(person_ids), Membership.is_primary
    )


def scope_matching(
    kind: str, *, unit_id: UUID | None, role_key: str | None, person_id: UUID | None
) -> Select[Scope]:
    """The scope of this kind about this unit, role or person."""
    return select(Scope).where(
        Scope.kind == kind,
        Scope.unit_id.is_not_distinct_from(unit_id),
        Scope.role_key.is_not_distinct_from(role_key),
        Scope.person_id.is_not_distinct_from(person_id),
    )


def scopes_of_persons(person_ids: Collection[UUID]) -> Select[UUID | None, UUID]:
    """(person, personal scope) for these persons."""
    return select(Scope.person_id, Scope.id).where(
        Scope.kind == "person", Scope.person_id.in_(person_ids)
    )


def scopes_of_holders(permission: str, at: Select[Any] | None = None) -> Select[UUID]:
    """The personal scopes of the active persons who hold a permission: at one of these units, or anywhere."""
    permissions = type_coerce(Role.permissions, ARRAY(Text()))
    held = (
        select(RoleGrant.person_id)
        .join(Role, and_(Role.tenant_id == RoleGrant.tenant_id, Role.key == RoleGrant.role_key))
        .join(
            Person,
            and_(Person.tenant_id == RoleGrant.tenant_id, Person.id == RoleGrant.person_id),
        )
        .where(Person.active, permissions.contains([permission]))
    )
    if at is not None:
        held = held.where(RoleGrant.unit_id.in_(at))
    return select(Scope.id).where(Scope.kind == "person", Scope.person_id.in_(held))


def units_above(unit_id: UUID | None) -> Select[Any]:
    """A unit and everything above it; without a unit, the roots, which stand for the whole company."""
    if unit_id is None:
        return select(OrgUnit.id).where(OrgUnit.parent_id.is_(None))
    return select(OrgUnitClosure.ancestor_id).where(OrgUnitClosure.descendant_id == unit_id)


def units_below(unit_ids: Collection[UUID]) -> Select[UUID]:
    """These units and everything below them."""
    return (
        select(OrgUnitClosure.descendant_id)
        .where(OrgUnitClosure.ancestor_id.in_(unit_ids))
        .distinct()
    )


def is_at_or_below(unit_id: UUID, ancestors: Collection[UUID]) -> Select[bool]:
    """Whether a unit is one of these or lies below one of them."""
    return select(
        exists().where(
            OrgUnitClosure.descendant_id == unit_id, OrgUnitClosure.ancestor_id.in_(ancestors)
        )
    )


def unit_tree() -> Select[OrgUnit]:
    """Every active unit, parents before children."""
    depth = (
        select(func.max(OrgUnitClosure.depth))
        .where(
            OrgUnitClosure.tenant_id == OrgUnit.tenant_id,
            OrgUnitClosure.descendant_id == OrgUnit.id,
        )
        .scalar_subquery()
    )
    return select(OrgUnit).where(OrgUnit.active).order_by(depth, OrgUnit.tree, OrgUnit.code)


def people_matching(
    words: str, *, after: UUID | None, limit: int, among: Select[Any] | None = None
) -> Select[Person]:
    """Active persons (``among`` these ids) whose name or login has these words, in order of id."""
    found = select(Person).where(Person.active).order_by(Person.id).limit(limit)
    if words:
        found = found.where(
            or_(
                Person.name.icontains(words, autoescape=True),
                Person.login.icontains(words, autoescape=True),
            )
        )
    if among is not None:
        found = found.where(Person.id.in_(among))
    return found.where(Person.id > after) if after else found


def members_of(unit_id: UUID) -> Select[UUID]:
    """The ids of the members of a unit itself."""
    return select(Membership.person_id).where(Membership.unit_id == unit_id)


def units_of(person_id: UUID) -> Select[OrgUnit]:
    """The units a person is a member of, the primary one first."""
    of_person = and_(
        Membership.tenant_id == OrgUnit.tenant_id,
        Membership.unit_id == OrgUnit.id,
        Membership.person_id == person_id,
    )
    by_weight = (Membership.is_primary.desc(), OrgUnit.code)
    return select(OrgUnit).join(Membership, of_person).order_by(*by_weight)


def roles_held(person_id: UUID) -> Select[str, str, str, UUID]:
    """(role, Chinese name, English name, unit) of every role a person holds."""
    return (
        select(Role.key, Role.name_zh, Role.name_en, RoleGrant.unit_id)
        .join(
            RoleGrant, and_(Role.tenant_id == RoleGrant.tenant_id, Role.key == RoleGrant.role_key)
        )
        .where(RoleGrant.person_id == person_id)
        .order_by(Role.key, RoleGrant.unit_id)
    )


def units_in_line(unit_ids: Collection[UUID]) -> Select[Any]:
    """Everything above, at and below these units."""
    above = select(OrgUnitClosure.ancestor_id).where(OrgUnitClosure.descendant_id.in_(unit_ids))
    below = select(OrgUnitClosure.descendant_id).where(OrgUnitClosure.ancestor_id.in_(unit_ids))
    line = union(above, below).subquery()
    return select(line.c[0])


def devices_of(person_ids: Collection[UUID]) -> Select[Device]:
    """The devices of these persons that can be pushed to."""
    return select(Device).where(Device.person_id.in_(person_ids), Device.push_token.is_not(None))


def _same(wanted: Any, kind: str, unit_column: Any) -> Any:
    return and_(wanted.c.kind == literal(kind), wanted.c.unit_id == unit_column)
