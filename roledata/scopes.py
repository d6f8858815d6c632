"""Whose figures somebody may see. A scope is made here and nowhere else; no scope is 404, never "no filter".

Permissions are held at units and reach everything below; ``roledata.own`` is about oneself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import NotFound
from roledata import queries
from roledata.catalogue import COMPANY, OWN, PERSONAL, SALES, Card

UNIT, PERSON = "unit", "person"
UNIT_PERMISSIONS = (COMPANY, SALES)
_RESOLVER = object()


@dataclass(frozen=True)
class ScopedNode:
    """A unit or person whose figures the caller was found to be allowed to see."""

    id: UUID
    kind: str
    name: str
    #: Proof that the resolver made it.
    made_by: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse to be made by anybody but the resolver."""
        assert self.made_by is _RESOLVER, "only the resolver makes scoped nodes"


@dataclass(frozen=True)
class Scope:
    """Nodes without overlap whose figures may be added up; ``cost``: whether costs and margins may be seen."""

    nodes: tuple[ScopedNode, ...]
    cost: bool

    def __post_init__(self) -> None:
        """Refuse to be empty: an empty filter would be no filter."""
        assert self.nodes

    @property
    def node_ids(self) -> tuple[UUID, ...]:
        return tuple(node.id for node in self.nodes)

    @property
    def unit_ids(self) -> list[UUID]:
        return [node.id for node in self.nodes if node.kind == UNIT]

    @property
    def person_ids(self) -> list[UUID]:
        return [node.id for node in self.nodes if node.kind == PERSON]


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """Somebody who looks at figures: a caller, or the owner of a watch."""

    person_id: UUID
    name: str
    primary_unit_id: UUID | None
    grants: Mapping[str, frozenset[UUID]]

    def units_for(self, card: Card) -> frozenset[UUID]:
        """The units at which the viewer holds a permission of this card."""
        held = (self.grants.get(p, frozenset()) for p in card.permissions if p in UNIT_PERMISSIONS)
        return frozenset().union(*held)

    def has_own(self, card: Card) -> bool:
        """Whether the card shows the viewer's own figures."""
        return PERSONAL in card.permissions or (
            OWN in card.permissions and bool(self.grants.get(OWN))
        )


def viewer_of(caller: Caller) -> Viewer:
    """Look at figures as the caller."""
    primary = caller.unit_ids[0] if caller.unit_ids else None
    return Viewer(
        person_id=caller.person_id,
        name=caller.name,
        primary_unit_id=primary,
        grants=caller.grants,
    )


def scope_of_subject(session: Session, node_id: UUID) -> Scope:
    """The figures of one unit or person for a rule of the company: who made the rule was asked when it was made."""
    name = session.scalar(queries.name_of_unit(node_id))
    if name is not None:
        return Scope((ScopedNode(node_id, UNIT, name, _RESOLVER),), cost=True)
    person = session.execute(queries.person_with_units(node_id)).first()
    if person is None:
        raise NotFound
    return Scope((ScopedNode(node_id, PERSON, person.name, _RESOLVER),), cost=True)


class Resolver:
    """Finds the scopes of one viewer; reads the units in question once."""

    def __init__(self, session: Session, viewer: Viewer) -> None:
        self._session = session
        self.viewer = viewer
        held = (viewer.grants.get(permission, frozenset()) for permission in UNIT_PERMISSIONS)
        self._granted: frozenset[UUID] = frozenset().union(*held)
        self._names: dict[UUID, str] = {}
        self._above: dict[UUID, frozenset[UUID]] = {}
        if self._granted:
            self._look_up(
                {*self._granted, *([viewer.primary_unit_id] if viewer.primary_unit_id else [])}
            )

    def default(self, card: Card) -> Scope:
        """All the figures of this card that the viewer may see."""
        units = self.viewer.units_for(card)
        tops = [
            self._node(unit_id, UNIT)
            for unit_id in sorted(units)
            if not (self._above[unit_id] & units) - {unit_id}
        ]
        if self.viewer.has_own(card) and not self._is_below(self.viewer.primary_unit_id, units):
            tops.append(self._self())
        return self._scope(tops)

    def named(self, card: Card, node_id: UUID) -> Scope:
        """The figures of one unit or person, if the viewer may see them on this card."""
        if node_id == self.viewer.person_id and self.viewer.has_own(card):
            return self._scope([self._self()])
        units = self.viewer.units_for(card)
        if not units:
            raise NotFound
        self._look_up({node_id})
        if self._is_below(node_id, units):
            return self._scope([self._node(node_id, UNIT)])
        return self._scope([self._person(node_id, units)])

    def has(self, card: Card) -> bool:
        """Whether the viewer has this card at all."""
        return bool(self.viewer.units_for(card)) or self.viewer.has_own(card)

    def _person(self, person_id: UUID, units: frozenset[UUID]) -> ScopedNode:
        row = self._session.execute(queries.person_with_units(person_id)).first()
        if row is None or row.unit_id is None:
            raise NotFound
        self._look_up({row.unit_id})
        if not self._is_below(row.unit_id, units):
            raise NotFound
        self._names[row.id] = row.name
        self._above[row.id] = self._above[row.unit_id]
        return self._node(row.id, PERSON)

    def _self(self) -> ScopedNode:
        own, primary = self.viewer.person_id, self.viewer.primary_unit_id
        self._names[own] = self.viewer.name
        self._above[own] = self._above.get(primary, frozenset()) if primary else frozenset()
        return self._node(own, PERSON)

    def _scope(self, nodes: list[ScopedNode]) -> Scope:
        if not nodes:
            raise NotFound
        with_cost = self.viewer.grants.get(COMPANY, frozenset())
        return Scope(tuple(nodes), all(self._above[node.id] & with_cost for node in nodes))

    def _node(self, node_id: UUID, kind: str) -> ScopedNode:
        return ScopedNode(node_id, kind, self._names[node_id], _RESOLVER)

    def _is_below(self, unit_id: UUID | None, units: frozenset[UUID]) -> bool:
        return unit_id is not None and bool(self._above.get(unit_id, frozenset()) & units)

    def _look_up(self, unit_ids: set[UUID]) -> None:
        wanted = unit_ids - set(self._above)
        if not wanted:
            return
        for row in self._session.execute(queries.units_in_grants(wanted, self._granted)):
            self._names[row.id], self._above[row.id] = row.name, frozenset(row.above)
