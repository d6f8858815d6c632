"""Presence: which devices have an open socket, in Redis, under keys that end by themselves.

It may be lost, and then nobody is known: that is told apart from everybody being away.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import redis
import structlog

REFRESH_SECONDS = 15
LASTS_SECONDS = 40
BATCH_SIZE = 1_000

log = structlog.get_logger()
Place = tuple[UUID, UUID]


@dataclass
class Presence:
    """Says and reads who is present; a place is a tenant and a device."""

    client: Any

    def show(self, places: Iterable[Place]) -> None:
        """Say that these devices are connected, for the next while."""
        try:
            with self.client.pipeline(transaction=False) as pipeline:
                for place in places:
                    pipeline.set(_key(place), b"1", ex=LASTS_SECONDS)
                pipeline.execute()
        except redis.RedisError as error:
            log.warning("presence_not_shown", kind=type(error).__name__)

    def hide(self, place: Place) -> None:
        """Say that a device has gone."""
        try:
            self.client.delete(_key(place))
        except redis.RedisError as error:
            log.warning("presence_not_hidden", kind=type(error).__name__)

    def present(self, places: Collection[Place]) -> set[Place] | None:
        """Say which of these devices are connected; None when nobody can tell."""
        found: set[Place] = set()
        listed = list(places)
        try:
            for start in range(0, len(listed), BATCH_SIZE):
                batch = listed[start : start + BATCH_SIZE]
                values = self.client.mget([_key(place) for place in batch])
                found |= {place for place, value in zip(batch, values, strict=True) if value}
        except redis.RedisError as error:
            log.warning("presence_unknown", kind=type(error).__name__)
            return None
        return found


def _key(place: Place) -> str:
    tenant_id, device_id = place
    return f"presence:{tenant_id}:{device_id}"
