"""Whom a packet is for: an audience as it is picked, or receivers by name."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.people.audiences import AudienceScope, count_audience, resolve_audience
from app.people.queries import scopes_of_persons
from redpackets import queries
from redpackets.errors import ReceiverRefused, ScopeEmpty


def scopes_addressed(
    session: Session, caller: Caller, scopes: list[AudienceScope], permission: str
) -> list[UUID]:
    """Resolve an audience; nobody, a person twice or one who is not here is refused."""
    if not scopes:
        raise ScopeEmpty
    _require_active(session, scopes)
    scope_ids = resolve_audience(
        session, caller=caller, scopes=scopes, permission=permission, own_units=False
    )
    if not count_audience(session, scope_ids):
        raise ScopeEmpty
    return scope_ids


def scopes_of_receivers(session: Session, person_ids: Sequence[UUID]) -> list[UUID]:
    """Find the personal scopes of receivers by name; each must be active, and named once."""
    active = set(session.scalars(queries.active_among(person_ids)))
    errors: dict[str, str] = {}
    seen: set[UUID] = set()
    for position, person_id in enumerate(person_ids):
        if person_id in seen:
            errors[f"receivers.{position}.person_id"] = "duplicate_receiver"
        elif person_id not in active:
            errors[f"receivers.{position}.person_id"] = "receiver_not_active"
        seen.add(person_id)
    if errors:
        raise ReceiverRefused(errors)
    return [row.id for row in session.execute(scopes_of_persons(person_ids))]


def _require_active(session: Session, scopes: list[AudienceScope]) -> None:
    named = {i: scope.id for i, scope in enumerate(scopes) if scope.kind == "person" and scope.id}
    active = set(session.scalars(queries.active_among(list(named.values()))))
    seen: set[UUID] = set()
    for position, person_id in named.items():
        if person_id in seen:
            raise ReceiverRefused({f"audience.scopes.{position}": "duplicate_receiver"})
        if person_id not in active:
            raise ReceiverRefused({f"audience.scopes.{position}": "receiver_not_active"})
        seen.add(person_id)
