"""A colleague's page: what one person may know of another."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import NotFound, Texts
from app.core.work import tenant_of
from app.people import queries
from app.people.models import Person

#: Who runs or audits the directory sees every role; others those in their own line, up and down.
_SEES_ALL = ("people.manage", "people.audit")


def describe_colleague(
    session: Session, *, caller: Caller, person_id: UUID, language: str
) -> dict[str, Any]:
    """Say who somebody is, where, and which roles of theirs concern the caller."""
    person = session.get(Person, (tenant_of(session), person_id))
    if person is None or not person.active:
        raise NotFound
    return {
        "id": person.id,
        "name": person.name,
        "login": person.login,
        "title": person.title,
        "units": session.scalars(queries.units_of(person_id)).all(),
        "roles": _roles_seen(session, caller, person_id, language),
    }


def _roles_seen(
    session: Session, caller: Caller, person_id: UUID, language: str
) -> list[dict[str, Any]]:
    roles = session.execute(queries.roles_held(person_id)).all()
    if person_id != caller.person_id and not any(caller.may(right) for right in _SEES_ALL):
        line = set(session.scalars(queries.units_in_line(caller.unit_ids)))
        roles = [role for role in roles if role[3] in line]
    return [
        {"key": key, "name": Texts(zh, en).in_language(language), "unit_id": unit_id}
        for key, zh, en, unit_id in roles
    ]
