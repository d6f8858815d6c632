"""Audiences: from what a sender picks to the scope ids that everything else works with."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.ids import new_id
from app.core.work import tenant_of
from app.people import queries
from app.people.errors import AudienceEmpty, AudienceNotAllowed, AudienceUnknown
from app.people.models import OrgUnit, Person, Role, Scope
from app.people.services import structure_changed

SCOPE_COUNT_MAX = 50


@dataclass(frozen=True, kw_only=True)
class AudienceScope:
    """One pick: everybody (``tenant``), a ``unit`` with or without what is below, a ``role`` (at a unit), a ``person``."""

    kind: str
    id: UUID | None = None
    role: str | None = None
    include_below: bool = True


def resolve_audience(
    session: Session,
    *,
    caller: Caller,
    scopes: list[AudienceScope],
    permission: str,
    own_units: bool,
) -> list[UUID]:
    """Turn picks into scope ids, refusing those the caller may not address.

    A unit may be addressed by who holds ``permission`` there or above; with ``own_units``, by its members
    too. Everybody and roles everywhere need the permission at the root; a person may always be addressed.
    """
    if not scopes:
        raise AudienceEmpty
    found = [
        _resolve(session, caller, scope, position, permission, own_units=own_units)
        for position, scope in enumerate(scopes)
    ]
    return sorted(set(found))


def count_audience(session: Session, scope_ids: list[UUID]) -> int:
    """Count the active persons that an audience reaches."""
    people = queries.people_in_scopes(scope_ids).subquery()
    return session.scalar(select(func.count()).select_from(people)) or 0


def count_picks(session: Session, scopes: list[AudienceScope]) -> int:
    """Count whom picks would reach, before anything is sent; whether they may be addressed is asked then."""
    return count_audience(session, pick_scopes(session, scopes))


def pick_scopes(session: Session, scopes: list[AudienceScope]) -> list[UUID]:
    """Turn picks into scope ids without asking whether they may be addressed: nothing is sent to them."""
    return [_picked(session, scope, position) for position, scope in enumerate(scopes)]


def describe_audience(session: Session, scope_ids: list[UUID]) -> list[dict[str, str | None]]:
    """Say an audience in names: kind, id and the name of the unit, role or person."""
    rows = session.execute(
        select(
            Scope.kind, Scope.unit_id, Scope.role_key, Scope.person_id, OrgUnit.name, Person.name
        )
        .outerjoin(OrgUnit, (OrgUnit.tenant_id == Scope.tenant_id) & (OrgUnit.id == Scope.unit_id))
        .outerjoin(Person, (Person.tenant_id == Scope.tenant_id) & (Person.id == Scope.person_id))
        .where(Scope.id.in_(scope_ids))
        .order_by(Scope.id)
    )
    return [
        {
            "kind": kind,
            "id": str(unit_id or person_id) if unit_id or person_id else None,
            "role": role_key,
            "name": unit_name or person_name,
        }
        for kind, unit_id, role_key, person_id, unit_name, person_name in rows
    ]


def _picked(session: Session, scope: AudienceScope, position: int) -> UUID:
    match scope.kind:
        case "person":
            return _existing(session, position, "person", person_id=_id(scope, position))
        case "unit":
            kind = "unit_tree" if scope.include_below else "unit"
            return _existing(session, position, kind, unit_id=_id(scope, position))
        case "role" if scope.id is not None:
            return _role_at(session, scope, position)
    return _for_everybody(session, scope, position)


def _resolve(
    session: Session,
    caller: Caller,
    scope: AudienceScope,
    position: int,
    permission: str,
    *,
    own_units: bool,
) -> UUID:
    match scope.kind:
        case "person":
            return _existing(session, position, "person", person_id=_id(scope, position))
        case "unit":
            unit_id = _id(scope, position)
            kind = "unit_tree" if scope.include_below else "unit"
            found = _existing(session, position, kind, unit_id=unit_id)
            if not (own_units and unit_id in caller.unit_ids):
                _require_unit(session, caller, permission, unit_id)
            return found
        case "tenant" | "role" if scope.id is None:
            _require_root(session, caller, permission)
            return _for_everybody(session, scope, position)
        case "role":
            _require_unit(session, caller, permission, _id(scope, position))
            return _role_at(session, scope, position)
    raise AudienceUnknown(position)


def _existing(
    session: Session,
    position: int,
    kind: str,
    *,
    unit_id: UUID | None = None,
    person_id: UUID | None = None,
) -> UUID:
    scope = session.scalar(
        queries.scope_matching(kind, unit_id=unit_id, role_key=None, person_id=person_id)
    )
    if scope is None:
        raise AudienceUnknown(position)
    return scope.id


def _for_everybody(session: Session, scope: AudienceScope, position: int) -> UUID:
    if scope.kind == "tenant":
        return _existing(session, position, "tenant")
    return _role_scope(session, position, "role", scope.role, None)


def _role_at(session: Session, scope: AudienceScope, position: int) -> UUID:
    _existing(session, position, "unit", unit_id=scope.id)
    return _role_scope(session, position, "role_at", scope.role, scope.id)


def _role_scope(
    session: Session, position: int, kind: str, role_key: str | None, unit_id: UUID | None
) -> UUID:
    """Find a role's scope, or make it: they are few, and made when first addressed."""
    tenant_id = tenant_of(session)
    if role_key is None or session.get(Role, (tenant_id, role_key)) is None:
        raise AudienceUnknown(position)
    scope = session.scalar(
        queries.scope_matching(kind, unit_id=unit_id, role_key=role_key, person_id=None)
    )
    if scope is None:
        scope = Scope(
            tenant_id=tenant_id, id=new_id(), kind=kind, role_key=role_key, unit_id=unit_id
        )
        session.add(scope)
        structure_changed(session)
        session.flush()
    return scope.id


def _require_unit(session: Session, caller: Caller, permission: str, unit_id: UUID) -> None:
    held_at = caller.units_with(permission)
    if not held_at or not session.scalar(queries.is_at_or_below(unit_id, held_at)):
        raise AudienceNotAllowed


def _require_root(session: Session, caller: Caller, permission: str) -> None:
    roots = set(session.scalars(select(OrgUnit.id).where(OrgUnit.parent_id.is_(None))))
    if not roots & caller.units_with(permission):
        raise AudienceNotAllowed


def _id(scope: AudienceScope, position: int) -> UUID:
    if scope.id is None:
        raise AudienceUnknown(position)
    return scope.id
