"""Who may approve: by a right of one's own, or by one that somebody lent and still has."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.people.queries import is_at_or_below
from redpackets import approval_queries as queries
from redpackets.approval_models import ApprovalRequest
from redpackets.bands import APPROVING, PLACES
from redpackets.models import Packet

Rights = dict[UUID, dict[str, frozenset[UUID]]]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What a person may approve with: by whose right, which permissions at which units; and for whom they stand in."""

    rights: Rights
    lenders: frozenset[UUID]


def standing_of(session: Session, caller: Caller, now: datetime) -> Standing:
    """Gather the caller's own rights to approve, then those lent to the caller now."""
    own = {permission: caller.units_with(permission) for permission in APPROVING}
    lenders = list(session.scalars(queries.rights_lent_to(caller.person_id, now)))
    rights: Rights = {caller.person_id: own}
    if lenders:
        rights |= _rights_of(session, lenders)
    return Standing(rights=rights, lenders=frozenset(lenders))


def whose_rights(
    session: Session, standing: Standing, request: ApprovalRequest, packet: Packet
) -> list[UUID]:
    """List by whose right this packet may be decided, the caller's own first."""
    return [
        person_id
        for person_id, held in standing.rights.items()
        if _reaches(session, held[request.permission], request, packet)
    ]


def rights_by_kind(session: Session, standing: Standing) -> dict[tuple[str, str], Collection[UUID]]:
    """Put all rights together: for each permission, and each place it may be asked at, the units where it counts."""
    together: dict[tuple[str, str], Collection[UUID]] = {}
    for permission in APPROVING:
        units = frozenset[UUID]().union(*(held[permission] for held in standing.rights.values()))
        for place in PLACES:
            together[permission, place] = _counting(session, units, place)
    return together


def may_approve(session: Session, caller: Caller, packet: Packet, now: datetime) -> bool:
    """Say whether the caller is one of those a packet waits, or waited, for."""
    request = session.scalar(queries.request_of(packet.id))
    if request is None:
        return False
    return bool(whose_rights(session, standing_of(session, caller, now), request, packet))


def approvers_of(
    session: Session, request: ApprovalRequest, packet: Packet, now: datetime
) -> list[UUID]:
    """List who shall hear that a packet waits: who may approve it and their delegates, not its sender."""
    own = session.scalars(
        queries.approvers_at(request.permission, request.held_at, packet.cost_centre_id)
    ).all()
    standing_in = session.scalars(queries.delegates_of(own, now)).all()
    return sorted({*own, *standing_in} - {packet.actor_id})


def _rights_of(session: Session, person_ids: Collection[UUID]) -> Rights:
    found: dict[UUID, dict[str, set[UUID]]] = {id_: defaultdict(set) for id_ in person_ids}
    for person_id, permissions, unit_id in session.execute(queries.grants_of(person_ids)):
        for permission in permissions:
            found[person_id][permission].add(unit_id)
    return {
        person_id: {permission: frozenset(held[permission]) for permission in APPROVING}
        for person_id, held in found.items()
    }


def _reaches(
    session: Session, unit_ids: frozenset[UUID], request: ApprovalRequest, packet: Packet
) -> bool:
    counting = _counting(session, unit_ids, request.held_at)
    return bool(counting) and bool(session.scalar(is_at_or_below(packet.cost_centre_id, counting)))


def _counting(session: Session, unit_ids: frozenset[UUID], place: str) -> Collection[UUID]:
    if place == "cost_centre" or not unit_ids:
        return unit_ids
    return frozenset(session.scalars(queries.top_units(unit_ids)))
