"""The gate: a copy in Redis of who may take which share, asked before the database and never believed about money.

For each packet a *marker* names the *generation* of its keys: the ``free`` shares (a list of indexes), their
``owners`` (person → index, with ``!`` once that is committed) and the ``members`` (in buckets, 16 bytes each). Whoever
is given an index must still claim it in the database; whoever owns one already is given the same again, so a call
may be repeated, by the client library too. A list that is missing looks like an empty one: so there is no gate
without a marker, and sold out is believed only when every share has an owner and every owner's commit was heard of.

Keys expire with their packet. What is committed past the gate corrects it; where that cannot be, it is forgotten
and built anew.
"""

import secrets
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import redis
from psycopg.rows import namedtuple_row
from sqlalchemy.orm import Session

from app.core.breaking import Breaker
from app.core.combining import Combined
from app.core.work import driver_connection
from redpackets import grab_queries
from redpackets.gate_scripts import ASK, FORGET, LEAVE_OPEN, OPEN, RELEASE, SETTLE

#: Who began to build a gate and vanished is replaced after this long.
BUILDING_SECONDS = 2
#: More are never asked for in one script: Redis does nothing else meanwhile.
ASKED_TOGETHER_MAX = 100
#: How long a packet that can have no gate is not looked at again.
UNGATED_SECONDS = 1
KEPT_BEYOND_END_SECONDS = 60
#: What a marker names outlives it.
SPARE_SECONDS = 60


@dataclass(frozen=True)
class Said:
    """What the gate said: ``won`` with an index to claim, ``mine`` with the one held, ``sold_out``, or why it cannot say.

    ``taken``: all shares are given out, not all are committed.
    ``build``: there is no gate and the caller may build it; ``wait``: somebody does. ``stranger``: no member.
    ``none``: such a packet has no gate. ``away``: no word from Redis.
    """

    word: str
    generation: str = ""
    index: int | None = None


AWAY = Said("away")


@dataclass(frozen=True)
class Ground:
    """What a gate is built from, as ``grab_queries.GATE_GROUND`` gives it."""

    share_count: int
    expires_at: datetime
    free: str
    taken: str
    holders: bytes
    members: bytes


class Gate:
    """The gates of all packets, over one Redis."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._breaker = Breaker()
        self._ask = client.register_script(ASK)
        self._asked = Combined(self._ask_together, most=ASKED_TOGETHER_MAX)
        self._open = client.register_script(OPEN)
        self._leave_open = client.register_script(LEAVE_OPEN)
        self._settle = client.register_script(SETTLE)
        self._release = client.register_script(RELEASE)
        self._forget = client.register_script(FORGET)

    def ask(self, tenant_id: UUID, packet_id: UUID, person_id: UUID) -> Said:
        """Ask for a share; the same person is given the same one until the gate is built anew."""
        return self._asked((_marker(tenant_id, packet_id), person_id.bytes))

    def build(self, tenant_id: UUID, packet_id: UUID, ground: Ground | None, now: datetime) -> None:
        """Put up a gate over what the database says, or note for a moment that there can be none."""
        marker = _marker(tenant_id, packet_id)
        if ground is None:
            self._call(self._leave_open, [marker], [UNGATED_SECONDS * 1000])
            return
        generation = secrets.token_hex(6)
        seconds = max(1, int((ground.expires_at - now).total_seconds())) + KEPT_BEYOND_END_SECONDS
        members, lasts = f"{marker}:{generation}:members", seconds + SPARE_SECONDS
        if self._try(self._put_members, members, ground.members, lasts) is None:
            return
        shares = [ground.share_count, ground.free, ground.taken, ground.holders]
        self._call(self._open, [marker], [generation, seconds, *shares])

    def settle(self, tenant_id: UUID, owners: list[tuple[UUID, UUID, int]]) -> None:
        """Note which (packet, person, index) are committed, whatever the gate thought of them."""
        markers = [_marker(tenant_id, packet_id) for packet_id, _, _ in owners]
        settled = [value for _, person_id, index in owners for value in (person_id.bytes, index)]
        if owners:
            self._call(self._settle, markers, settled)

    def release(self, tenant_id: UUID, packet_id: UUID, person_id: UUID, said: Said) -> None:
        """Note that the share which was given out is somebody else's."""
        released = [said.generation, person_id.bytes, said.index]
        self._call(self._release, [_marker(tenant_id, packet_id)], released)

    def forget(self, tenant_id: UUID, packet_id: UUID, generation: str) -> None:
        """Take down a gate that was wrong, unless it is a newer one by now; who asks next builds it anew."""
        self._call(self._forget, [_marker(tenant_id, packet_id)], [generation])

    def _ask_together(self, asked: Sequence[tuple[str, bytes]]) -> list[Said]:
        """Ask for many (marker, person): for each what it would have been told alone."""
        markers, persons = zip(*asked, strict=True)
        said = self._call(self._ask, markers, [BUILDING_SECONDS * 1000, *persons])
        return [_said(*each) for each in said] if said else [AWAY] * len(asked)

    def _put_members(self, key: str, members: bytes, seconds: int) -> Any:
        if not members:
            return []
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.hset(key, mapping=_in_buckets(members))
            pipeline.expire(key, seconds)
            return pipeline.execute()

    def _call(self, script: Any, keys: Sequence[str], arguments: list[Any]) -> Any:
        """Run a script; None when there is no word from Redis."""
        return self._try(script, keys, arguments)

    def _try(self, command: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Call Redis; None when it does not answer or was lately found not to."""
        if not self._breaker.lets_through():
            return None
        try:
            answer = command(*arguments, **options)
        except redis.RedisError:
            self._breaker.failed()
            return None
        self._breaker.worked()
        return answer or []


def read_ground(session: Session, packet_id: UUID, now: datetime) -> Ground | None:
    """Read what a packet's gate is built from; None where it can have none."""
    with driver_connection(session).cursor(binary=True, row_factory=namedtuple_row) as cursor:
        cursor.execute(grab_queries.GATE_GROUND, {"packet_id": packet_id, "now": now})
        found: Any = cursor.fetchone()
    if found is None:
        return None
    return Ground(
        share_count=found.share_count,
        expires_at=found.expires_at,
        free=found.free or "",
        taken=found.taken or "",
        holders=found.holders or b"",
        members=found.members or b"",
    )


def _said(word: bytes, generation: bytes, index: bytes | None = None) -> Said:
    return Said(word.decode(), generation.decode(), None if index is None else int(index))


def _marker(tenant_id: UUID, packet_id: UUID) -> str:
    return f"redpackets:gate:{tenant_id.hex}:{packet_id.hex}"


def _in_buckets(members: bytes) -> dict[bytes, bytes]:
    """Sort persons of 16 bytes each by their last byte."""
    buckets: defaultdict[int, list[bytes]] = defaultdict(list)
    for at in range(0, len(members), 16):
        buckets[members[at + 15]].append(members[at : at + 16])
    return {bytes([last]): b"".join(persons) for last, persons in buckets.items()}
