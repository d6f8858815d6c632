"""Who looks at what: tables behind the cards that somebody has open, so that their streams are asked for more often.

It lies in Redis for half a minute and may be lost: then streams are asked for at their ordinary pace.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import redis

from erp_bridge.canon import with_headers

ATTENTION = "erp_bridge.attention"
LASTS_SECONDS = 30
#: A process tells no more often than this, however often somebody looks.
TOLD_EVERY_SECONDS = 10.0
#: After a failure Redis is left alone for a while: whoever reads a card must not wait for it.
LEFT_ALONE_SECONDS = 5.0
COMPANIES_KEPT_MAX = 10_000
_KEY = "erp_bridge:watched"


class Attention:
    """Told by whoever answers cards, asked by whoever plans readings."""

    def __init__(self, client: Any, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._redis = client
        self._monotonic = monotonic
        self._told: dict[tuple[UUID, str], float] = {}
        self._left_alone_until = 0.0

    def note(self, tenant_id: UUID, tables: Collection[str], *, now: datetime) -> None:
        """Somebody looks at figures made of these tables (named as in `canon`)."""
        moment = self._monotonic()
        fresh = [t for t in with_headers(tables) if self._is_news(tenant_id, t, moment)]
        if not fresh or moment < self._left_alone_until:
            return
        members = {f"{tenant_id}|{table}": now.timestamp() for table in fresh}
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                pipe.zadd(_KEY, members)
                pipe.expire(_KEY, LASTS_SECONDS)
                pipe.execute()
        except redis.RedisError:
            self._left_alone_until = moment + LEFT_ALONE_SECONDS
            return
        if len(self._told) >= COMPANIES_KEPT_MAX:
            self._told.clear()
        self._told |= {(tenant_id, table): moment for table in fresh}

    def watched(self, now: datetime) -> dict[UUID, set[str]]:
        """The tables that are looked at, by company; none while Redis is away."""
        oldest = now.timestamp() - LASTS_SECONDS
        found: dict[UUID, set[str]] = defaultdict(set)
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                pipe.zremrangebyscore(_KEY, "-inf", f"({oldest}")
                pipe.zrange(_KEY, 0, -1)
                _, members = pipe.execute()
        except redis.RedisError:
            return found
        for member in members:
            tenant_id, _, table = member.decode().partition("|")
            found[UUID(tenant_id)].add(table)
        return found

    def _is_news(self, tenant_id: UUID, table: str, moment: float) -> bool:
        return moment - self._told.get((tenant_id, table), float("-inf")) >= TOLD_EVERY_SECONDS
