"""Whom a change of figures concerns: those whose own nodes were touched, and nobody else."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import insert, literal
from sqlalchemy.orm import Session

from app.core.events import record
from app.core.work import tenant_of
from app.people.queries import scopes_of_persons
from roledata import holders, live, queries
from roledata.catalogue import FIGURE_PERMISSIONS, OWN, PERSONAL, Card, Catalogue
from roledata.events import CardsChanged
from roledata.models import Touch
from roledata.summaries import Refreshed

AUDIENCE_MAX = 500
ORDER_LINES = "sales_order_line"
_LIVE_OF_TABLE = {
    "stock_level": "stock_cover",
    "receivable_item": "ageing",
    "receivable_payment": "ageing",
    "approval_task": "tasks",
    "approval_line": "tasks",
}


@dataclass
class _News:
    """What one person is to hear: cards, and which of their nodes changed."""

    cards: set[str] = field(default_factory=set)
    nodes: set[UUID] = field(default_factory=set)

    def add(self, cards: Iterable[str], node_id: UUID) -> None:
        """Add the cards of a node, if there are any."""
        found = set(cards)
        if found:
            self.cards |= found
            self.nodes.add(node_id)


def note_live(session: Session, *, source_id: UUID, stream: str, batch_id: UUID) -> None:
    """Note for the next refresh whom a batch of stock, receivables or tasks concerns."""
    table = session.scalar(holders.table_of_stream(source_id, stream))
    kind = _LIVE_OF_TABLE.get(table or "")
    root_id = session.scalar(queries.root_unit_id())
    if kind is None or root_id is None:
        return
    leaves = live.LEAVES_OF_BATCH[kind](source_id, batch_id, root_id).subquery()
    tenant = literal(tenant_of(session)).label("tenant_id")
    rows = leaves.select().add_columns(tenant, literal(kind)).distinct()
    session.execute(insert(Touch).from_select(["leaf_id", "tenant_id", "live"], rows))


def tell_holders(session: Session, *, refreshed: Refreshed, catalogue: Catalogue) -> set[UUID]:
    """Tell each person once which of their cards changed; gives every node that did."""
    cards = _cards_by_node(session, refreshed, catalogue)
    news: dict[UUID, _News] = defaultdict(_News)
    for row in session.execute(holders.holders_at(list(cards), FIGURE_PERMISSIONS - {OWN})):
        news[row.person_id].add(_with(cards[row.unit_id], set(row.permissions)), row.unit_id)
    for row in session.execute(holders.holders_of_own(list(cards), OWN)):
        news[row.person_id].add(_with(cards[row.person_id], {OWN}), row.person_id)
    for row in session.execute(holders.active_persons(list(cards))):
        news[row.id].add(_with(cards[row.id], {PERSONAL}), row.id)
    _record(session, news, refreshed.data_version)
    return set(cards)


def _cards_by_node(
    session: Session, refreshed: Refreshed, catalogue: Catalogue
) -> dict[UUID, list[Card]]:
    found: dict[UUID, dict[str, Card]] = defaultdict(dict)
    for node_id, measure in refreshed.measures:
        found[node_id] |= {c.key: c for c in _cards_of_measure(catalogue, measure)}
    by_leaf: dict[UUID, dict[str, Card]] = defaultdict(dict)
    for leaf_id, kind in refreshed.live:
        by_leaf[leaf_id] |= {c.key: c for c in catalogue.cards.values() if c.live == kind}
    for leaf_id, cards in by_leaf.items():
        found[leaf_id] |= cards
    for row in session.execute(holders.units_above(list(by_leaf))):
        found[row.unit_id] |= by_leaf[row.leaf_id]
    return {node_id: list(cards.values()) for node_id, cards in found.items()}


def _cards_of_measure(catalogue: Catalogue, measure: str) -> list[Card]:
    """List the cards that show a measure, and those that read the same open orders."""
    of_orders = catalogue.metrics[measure].source == ORDER_LINES
    return [
        card
        for card in catalogue.cards.values()
        if measure in catalogue.measures_of(card) or (of_orders and card.live == "stock_cover")
    ]


def _with(cards: Iterable[Card], permissions: set[str]) -> set[str]:
    return {card.key for card in cards if permissions & set(card.permissions)}


def _record(session: Session, news: dict[UUID, _News], data_version: int) -> None:
    """Record one fact for all who hear the same."""
    alike: dict[tuple[Any, ...], list[UUID]] = defaultdict(list)
    for person_id, told in news.items():
        if told.cards:
            alike[tuple(sorted(told.cards)), tuple(sorted(told.nodes))].append(person_id)
    found = session.execute(scopes_of_persons(list(news)))
    scopes = {row.person_id: row.id for row in found}
    for (cards, nodes), persons in alike.items():
        fact = CardsChanged(cards=list(cards), nodes=list(nodes), data_version=data_version)
        for start in range(0, len(persons), AUDIENCE_MAX):
            hearers = [scopes[p] for p in persons[start : start + AUDIENCE_MAX]]
            record(session, fact, version=data_version, scope_ids=hearers)
