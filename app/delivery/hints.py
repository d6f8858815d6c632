"""Hints: "look now", told by the sequencer to every gateway through Redis.

A hint may be lost; whoever missed it looks a little later by himself. So nothing here ever raises to its caller,
and while Redis is away nothing waits for it. Publisher and listener are made in this file, on one channel.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import redis
import structlog
from prometheus_client import Counter

CHANNEL = "workspace:hints"
BEAT = "beat"
PAUSE_SECONDS = 2.0
LISTEN_SECONDS = 1.0

PUBLISHED = Counter("workspace_hints_published", "Hints given to Redis.")
LOST = Counter("workspace_hints_lost", "Hints that Redis did not take; the log repairs them.")
log = structlog.get_logger()


@dataclass
class HintPublisher:
    """Tells how far the logs have come; after a failure it says nothing for a while rather than wait again."""

    client: Any
    _silent_until: float = field(default=0.0)

    def publish(self, heads: Mapping[UUID, int]) -> None:
        """Tell every gateway, all tenants in one round trip."""
        self._tell([f"{tenant_id}:{head}" for tenant_id, head in heads.items()])

    def beat(self, name: str) -> None:
        """Tell oneself, to know that the way is open."""
        self._tell([f"{BEAT}:{name}"])

    def _tell(self, messages: list[str]) -> None:
        if time.monotonic() < self._silent_until:
            LOST.inc(len(messages))
            return
        try:
            with self.client.pipeline(transaction=False) as pipeline:
                for message in messages:
                    pipeline.publish(CHANNEL, message)
                pipeline.execute()
        except redis.RedisError as error:
            LOST.inc(len(messages))
            self._silent_until = time.monotonic() + PAUSE_SECONDS
            log.warning("hints_lost", kind=type(error).__name__)
        else:
            PUBLISHED.inc(len(messages))


def listen(client: Any) -> Iterator[tuple[str, str] | None]:
    """Yield (tenant or ``beat``, head or name) for each hint, and None in between; raises when Redis goes away."""
    with client.pubsub(ignore_subscribe_messages=True) as subscription:
        subscription.subscribe(CHANNEL)
        while True:
            message = subscription.get_message(timeout=LISTEN_SECONDS)
            yield _read(message["data"]) if message else None


def _read(data: bytes) -> tuple[str, str]:
    subject, _, what = data.decode(errors="replace").partition(":")
    return subject, what
