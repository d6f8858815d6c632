"""Verbs of the catalogue: what points can be redeemed for, kept by whoever may for its unit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import NotAllowed, NotFound, VersionConflict
from app.core.ids import new_id
from app.people.models import OrgUnit
from app.people.queries import is_at_or_below
from app.people.services import write_audit
from redpackets.points import queries
from redpackets.points.models import CatalogueItem

CATALOGUE = "redpackets.catalogue"


@dataclass(frozen=True, kw_only=True)
class NewItem:
    """An item to offer: to the people of a unit and below, or to everybody."""

    unit_id: UUID | None
    name_zh: str
    name_en: str
    description_zh: str
    description_en: str
    price_points: int
    stock: int | None
    per_person_limit: int | None
    needs_approval: bool
    active: bool
    tax_class: str
    cash_value_fen: int


def add_item(session: Session, *, caller: Caller, new: NewItem, now: datetime) -> CatalogueItem:
    """Put an item into the catalogue."""
    if new.unit_id and session.get(OrgUnit, (caller.tenant_id, new.unit_id)) is None:
        raise NotFound
    if not may_keep(session, caller, new.unit_id):
        raise NotAllowed
    item = CatalogueItem(tenant_id=caller.tenant_id, id=new_id(), created_at=now, **vars(new))
    session.add(item)
    session.flush()
    _audit(session, "add_item", item, caller, now)
    return item


def change_item(
    session: Session,
    *,
    caller: Caller,
    item_id: UUID,
    version: int,
    changes: Mapping[str, Any],
    now: datetime,
) -> CatalogueItem:
    """Change what is named, knowing the version; whoever saw the old price is asked again."""
    item = session.scalar(queries.item_locked(item_id))
    if item is None:
        raise NotFound
    if not may_keep(session, caller, item.unit_id):
        is_seen = session.scalar(queries.is_offered_to(item_id, caller.unit_ids))
        raise NotAllowed if is_seen else NotFound
    if version != item.version:
        raise VersionConflict(current_version=item.version)
    for name, value in changes.items():
        setattr(item, name, value)
    item.version += 1
    session.flush()
    _audit(session, "change_item", item, caller, now)
    return item


def may_keep(session: Session, caller: Caller, unit_id: UUID | None) -> bool:
    """Say whether the caller keeps the catalogue of a unit, or of the whole company."""
    held_at = caller.units_with(CATALOGUE)
    if not held_at:
        return False
    asked = is_at_or_below(unit_id, held_at) if unit_id else queries.is_root_among(held_at)
    return bool(session.scalar(asked))


def _audit(session: Session, verb: str, item: CatalogueItem, caller: Caller, now: datetime) -> None:
    offered = "on offer" if item.active else "not on offer"
    stock = "unlimited" if item.stock is None else f"{item.stock} left"
    write_audit(
        session,
        actor_id=caller.person_id,
        action=f"redpackets.{verb}",
        subject=f"catalogue_item:{item.id}",
        detail=f"{item.name_en}: {item.price_points} points, {stock}, {offered}",
        now=now,
    )
