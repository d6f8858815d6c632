"""Verbs of the directory: companies, units, persons, roles.

Every change of who belongs where bumps the version that cached scopes are known by.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import NotAllowed
from app.core.events import EventHead, record
from app.core.ids import new_id
from app.core.work import enter_tenant, tenant_of
from app.people import queries
from app.people.errors import LoginTaken, UnitCycle
from app.people.events import AccessChanged
from app.people.models import (
    AuditEntry,
    Membership,
    OrgUnit,
    OrgUnitClosure,
    Person,
    Role,
    RoleGrant,
    Scope,
    Tenant,
)
from app.people.passwords import hash_password
from app.people.rules import ROLE_TEMPLATES

AUDIT_TEXT_MAX = 2_000


@dataclass(frozen=True, kw_only=True)
class NewPerson:
    """A person to add."""

    login: str
    name: str
    unit_id: UUID
    title: str = ""
    employee_code: str | None = None
    password: str | None = None
    locale: str = "zh-CN"


def create_tenant(
    session: Session, *, slug: str, name: str, currency: str, time_zone: str, now: datetime
) -> Tenant:
    """Found a company: its row, its log, its roles, the scope of everybody; the transaction enters it."""
    tenant = Tenant(
        id=new_id(), slug=slug, name=name, currency=currency, time_zone=time_zone, created_at=now
    )
    enter_tenant(session, tenant.id)
    session.add(tenant)
    session.flush()
    session.add(EventHead(tenant_id=tenant.id, seq=0, epoch=new_id()))
    session.add(Scope(tenant_id=tenant.id, kind="tenant"))
    for template in ROLE_TEMPLATES:
        session.add(
            Role(
                tenant_id=tenant.id,
                key=template.key,
                name_zh=template.name_zh,
                name_en=template.name_en,
                permissions=list(template.permissions),
            )
        )
    session.flush()
    return tenant


def add_unit(
    session: Session, *, code: str, name: str, parent_id: UUID | None = None, tree: str = "admin"
) -> OrgUnit:
    """Add a unit below its parent, with its two scopes: its members, and everybody at or below."""
    tenant_id = tenant_of(session)
    unit = OrgUnit(
        tenant_id=tenant_id, id=new_id(), code=code, name=name, parent_id=parent_id, tree=tree
    )
    session.add(unit)
    session.flush()
    _link_below(session, unit.id, parent_id)
    for kind in ("unit", "unit_tree"):
        session.add(Scope(tenant_id=tenant_id, kind=kind, unit_id=unit.id))
    structure_changed(session)
    session.flush()
    return unit


def move_unit(session: Session, *, unit: OrgUnit, parent_id: UUID | None) -> None:
    """Hang a unit, and all below it, under another parent; no person's row is touched."""
    if unit.parent_id == parent_id:
        return
    below = select(OrgUnitClosure.descendant_id).where(OrgUnitClosure.ancestor_id == unit.id)
    if parent_id is not None and session.scalar(queries.is_at_or_below(parent_id, [unit.id])):
        raise UnitCycle
    above = select(OrgUnitClosure.ancestor_id).where(
        OrgUnitClosure.descendant_id == unit.id, OrgUnitClosure.depth > 0
    )
    session.execute(
        delete(OrgUnitClosure).where(
            OrgUnitClosure.descendant_id.in_(below), OrgUnitClosure.ancestor_id.in_(above)
        )
    )
    unit.parent_id = parent_id
    session.flush()
    if parent_id is not None:
        _link_subtree(session, unit.id, parent_id)
    structure_changed(session)


def add_person(session: Session, person: NewPerson, *, now: datetime) -> Person:
    """Add a person to a unit, with a personal scope and the role of every employee there."""
    tenant_id = tenant_of(session)
    if session.scalar(select(Person.id).where(Person.login == person.login)):
        raise LoginTaken
    added = Person(
        tenant_id=tenant_id,
        id=new_id(),
        login=person.login,
        name=person.name,
        title=person.title,
        employee_code=person.employee_code,
        locale=person.locale,
        password_hash=hash_password(person.password) if person.password else None,
        created_at=now,
    )
    session.add(added)
    session.flush()
    session.add(Scope(tenant_id=tenant_id, kind="person", person_id=added.id))
    session.add(Membership(tenant_id=tenant_id, person_id=added.id, unit_id=person.unit_id))
    session.flush()
    grant_role(session, person_id=added.id, role_key="employee", unit_id=person.unit_id)
    return added


def set_password(session: Session, *, person_id: UUID, password: str) -> None:
    """Give a person a new password."""
    session.execute(
        update(Person).where(Person.id == person_id).values(password_hash=hash_password(password))
    )


def place_person(session: Session, *, person_id: UUID, unit_ids: Collection[UUID]) -> None:
    """Make these the person's units, the first one primary."""
    tenant_id = tenant_of(session)
    session.execute(delete(Membership).where(Membership.person_id == person_id))
    session.execute(
        insert(Membership),
        [
            {
                "tenant_id": tenant_id,
                "person_id": person_id,
                "unit_id": unit_id,
                "is_primary": not i,
            }
            for i, unit_id in enumerate(dict.fromkeys(unit_ids))
        ],
    )
    access_changed(session, person_id)


def grant_role(session: Session, *, person_id: UUID, role_key: str, unit_id: UUID) -> None:
    """Let a person hold a role at a unit; holding it already is fine."""
    tenant_id = tenant_of(session)
    row = {"tenant_id": tenant_id, "person_id": person_id, "role_key": role_key, "unit_id": unit_id}
    session.execute(upsert(RoleGrant).values(row).on_conflict_do_nothing())
    access_changed(session, person_id)


def revoke_role(session: Session, *, person_id: UUID, role_key: str, unit_id: UUID) -> None:
    """Take a role at a unit away again."""
    session.execute(
        delete(RoleGrant).where(
            RoleGrant.person_id == person_id,
            RoleGrant.role_key == role_key,
            RoleGrant.unit_id == unit_id,
        )
    )
    access_changed(session, person_id)


def set_active(session: Session, *, person_id: UUID, active: bool) -> None:
    """Let a person in, or shut out at once: requests and sockets are refused from the next moment on."""
    session.execute(update(Person).where(Person.id == person_id).values(active=active))
    access_changed(session, person_id)


def access_changed(session: Session, person_id: UUID) -> None:
    """Note that a person's access changed: cached scopes end, open connections ask again."""
    session.execute(
        update(Person)
        .where(Person.id == person_id)
        .values(access_version=Person.access_version + 1)
        .execution_options(synchronize_session=False)
    )
    own_scope = select(Scope.id).where(Scope.kind == "person", Scope.person_id == person_id)
    record(
        session,
        AccessChanged(person_id=person_id),
        ref=person_id,
        scope_ids=session.scalars(own_scope).all(),
    )


def require_at(session: Session, caller: Caller, permission: str, unit_id: UUID) -> None:
    """Refuse unless the caller holds the permission at this unit or above it."""
    held_at = caller.units_with(permission)
    if not held_at or not session.scalar(queries.is_at_or_below(unit_id, held_at)):
        raise NotAllowed


def require_company(session: Session, caller: Caller, permission: str) -> None:
    """Refuse unless the caller holds the permission for the whole company: at a unit with none above it."""
    held_at = caller.units_with(permission)
    whole = queries.units_above(None).where(OrgUnit.id.in_(held_at)).limit(1)
    if not held_at or session.scalar(whole) is None:
        raise NotAllowed


def write_audit(
    session: Session,
    *,
    actor_id: UUID | None,
    action: str,
    subject: str,
    detail: str = "",
    now: datetime,
) -> None:
    """Add a line to the audit log, in the transaction of the act itself."""
    session.execute(
        insert(AuditEntry).inline(),
        {
            "tenant_id": tenant_of(session),
            "id": new_id(),
            "at": now,
            "actor_id": actor_id,
            "action": action,
            "subject": subject,
            "detail": detail[:AUDIT_TEXT_MAX],
        },
    )


def structure_changed(session: Session) -> None:
    """Note that the tree or its scopes changed: every cached set of scopes ends."""
    session.execute(
        update(Tenant)
        .where(Tenant.id == tenant_of(session))
        .values(structure_version=Tenant.structure_version + 1)
        .execution_options(synchronize_session=False)
    )


def _link_below(session: Session, unit_id: UUID, parent_id: UUID | None) -> None:
    """Give a new unit its row for itself and one for every unit above it."""
    tenant_id = tenant_of(session)
    session.add(
        OrgUnitClosure(tenant_id=tenant_id, ancestor_id=unit_id, descendant_id=unit_id, depth=0)
    )
    session.flush()
    if parent_id is not None:
        _link_subtree(session, unit_id, parent_id)


def _link_subtree(session: Session, unit_id: UUID, parent_id: UUID) -> None:
    """Pair everything at or above the parent with everything at or below the unit."""
    above, below = OrgUnitClosure.__table__.alias("above"), OrgUnitClosure.__table__.alias("below")
    pairs = select(
        literal(tenant_of(session)),
        above.c.ancestor_id,
        below.c.descendant_id,
        above.c.depth + below.c.depth + 1,
    ).where(
        above.c.tenant_id == below.c.tenant_id,
        above.c.descendant_id == parent_id,
        below.c.ancestor_id == unit_id,
    )
    columns = ["tenant_id", "ancestor_id", "descendant_id", "depth"]
    session.execute(insert(OrgUnitClosure).from_select(columns, pairs))


def count_people(session: Session) -> int:
    """Count the company's active persons."""
    return session.scalar(select(func.count()).select_from(Person).where(Person.active)) or 0
