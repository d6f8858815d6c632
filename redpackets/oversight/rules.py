"""Pure rules of oversight: from when on a pattern is a question, rings among givers, and how patterns are named.

A name says whom and when a pattern is about, so that finding it again is not finding another.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from redpackets.bands import Band

SAME_RECEIVER = "same_receiver"
RING = "ring"
SPLIT = "split"
SELF_GIFT = "self_gift"
FLAG_KINDS = (SAME_RECEIVER, RING, SPLIT, SELF_GIFT)
RING_LENGTH_MAX = 4


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """From when on a pattern is flagged.

    ``receiver_percent``: of a giver's money to one receiver, in ``receiver_count`` gifts or more; a ring is of
    people who each give the next as large a part of their gifts, ``ring_count`` times or more. ``split_minor``:
    by unit, the amounts above which a packet needs (one more) approval.
    """

    window_days: int
    receiver_percent: int
    receiver_count: int
    ring_count: int
    split_minor: Mapping[str, Sequence[int]]


DEFAULTS = Thresholds(
    window_days=90, receiver_percent=50, receiver_count=6, ring_count=3, split_minor={}
)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A pattern that was found: its kind and name, whom it is about, the packets that show it, its figures."""

    kind: str
    pattern: str
    subject_ids: Sequence[UUID]
    packet_ids: Sequence[UUID]
    figures: Mapping[str, Any]
    window_from: datetime
    window_to: datetime


@dataclass(frozen=True, kw_only=True)
class Edge:
    """What one person gave another, again and again: how often, how much, when, by which packets."""

    giver_id: UUID
    receiver_id: UUID
    unit: str
    gift_count: int
    amount_minor: int
    first_at: datetime
    last_at: datetime
    packet_ids: Sequence[UUID]


def same_receiver(edge: Edge, total_minor: int, on: date) -> Finding:
    """Put it as a finding that much of somebody's money goes to one person."""
    return Finding(
        kind=SAME_RECEIVER,
        pattern=f"{edge.giver_id}:{edge.receiver_id}:{edge.unit}:{quarter_of(on)}",
        subject_ids=[edge.giver_id, edge.receiver_id],
        packet_ids=edge.packet_ids,
        figures={
            "unit": edge.unit,
            "gift_count": edge.gift_count,
            "amount_minor": edge.amount_minor,
            "total_minor": total_minor,
        },
        window_from=edge.first_at,
        window_to=edge.last_at,
    )


def ring(edges: Sequence[Edge], on: date) -> Finding:
    """Put it as a finding that gifts go round."""
    people = [edge.giver_id for edge in edges]
    return Finding(
        kind=RING,
        pattern=f"{':'.join(map(str, people))}:{edges[0].unit}:{quarter_of(on)}",
        subject_ids=people,
        packet_ids=[packet_id for edge in edges for packet_id in edge.packet_ids],
        figures={
            "unit": edges[0].unit,
            "gift_count": sum(edge.gift_count for edge in edges),
            "amount_minor": sum(edge.amount_minor for edge in edges),
        },
        window_from=min(edge.first_at for edge in edges),
        window_to=max(edge.last_at for edge in edges),
    )


def split(row: Any) -> Finding:
    """Put it as a finding that packets below a threshold are together above it."""
    return Finding(
        kind=SPLIT,
        pattern=f"{row.actor_id}:{row.budget_id}:{row.above_minor}:{row.day}",
        subject_ids=[row.actor_id],
        packet_ids=row.packet_ids,
        figures={
            "unit": row.unit,
            "budget_id": str(row.budget_id),
            "packet_count": row.packet_count,
            "amount_minor": int(row.together_minor),
            "threshold_minor": row.above_minor,
        },
        window_from=row.first_at,
        window_to=row.last_at,
    )


def self_gift(row: Any, on: date) -> Finding:
    """Put it as a finding that somebody gave to themselves."""
    return Finding(
        kind=SELF_GIFT,
        pattern=f"{row.giver_id}:{row.unit}:{quarter_of(on)}",
        subject_ids=[row.giver_id],
        packet_ids=row.packet_ids,
        figures={
            "unit": row.unit,
            "gift_count": row.gift_count,
            "amount_minor": row.amount_minor,
        },
        window_from=row.first_at,
        window_to=row.last_at,
    )


def steps_of(bands: Sequence[Band]) -> dict[str, list[int]]:
    """List, by unit, the amounts above which a policy asks for more approvals than below."""
    steps: dict[str, list[int]] = defaultdict(list)
    asked: dict[str, int] = defaultdict(int)
    for band in sorted(bands, key=lambda band: band.from_minor):
        if band.approvals > asked[band.unit] and band.from_minor > 1:
            steps[band.unit].append(band.from_minor - 1)
        asked[band.unit] = band.approvals
    return dict(steps)


def rings_among(edges: Iterable[Edge]) -> Iterator[tuple[Edge, ...]]:
    """Find every way in which gifts of one unit go round through two to four people, each once.

    A ring begins with its smallest id, so that it has one name.
    """
    by_giver: dict[tuple[UUID, str], list[Edge]] = defaultdict(list)
    for edge in edges:
        by_giver[edge.giver_id, edge.unit].append(edge)
    for first in [edge for given in by_giver.values() for edge in given]:
        if first.receiver_id > first.giver_id:
            yield from _closed((first,), by_giver)


def quarter_of(day: date) -> str:
    """Name the quarter of a day: what goes on in the next one is asked about again."""
    return f"{day.year}-Q{(day.month + 2) // 3}"


def days_around(day: date, count: int, *, until: date) -> list[date]:
    """List so many days before a day, the day itself and so many after it, none later than ``until``."""
    days = (day + timedelta(days=offset) for offset in range(-count, count + 1))
    return [each for each in days if each <= until]


def _closed(
    path: tuple[Edge, ...], by_giver: Mapping[tuple[UUID, str], list[Edge]]
) -> Iterator[tuple[Edge, ...]]:
    start, last = path[0].giver_id, path[-1]
    passed = {edge.giver_id for edge in path} | {last.receiver_id}
    may_go_on = len(path) + 2 <= RING_LENGTH_MAX
    for edge in by_giver.get((last.receiver_id, last.unit), ()):
        if edge.receiver_id == start:
            yield (*path, edge)
        elif may_go_on and edge.receiver_id > start and edge.receiver_id not in passed:
            yield from _closed((*path, edge), by_giver)
