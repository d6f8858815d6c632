"""A gateway's ear: hears hints, and knows when it is deaf."""

import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import gevent
import redis
import structlog
from prometheus_client import Gauge

from app.delivery.hints import BEAT, PAUSE_SECONDS, HintPublisher, listen
from app.delivery.hub import Hub

BEAT_SECONDS = 5.0
FIRST_BEAT_SECONDS = 0.5

HEARD = Gauge("workspace_gateway_hears_hints", "Whether this process hears its own hints.")
log = structlog.get_logger()


@dataclass
class Ear:
    """Listens for one process, and sends hints to itself to know that the way is open."""

    hub: Hub
    #: A Redis client for listening alone.
    listener: Any
    publisher: HintPublisher
    name: str = field(default_factory=lambda: uuid4().hex)
    _heard_at: float = field(default=0.0)
    _is_deaf: bool = field(default=False)

    def listen(self) -> None:
        """Hear hints for ever; while Redis is away there are none, and the hub looks by itself."""
        while True:
            try:
                for hint in listen(self.listener):
                    self._hear(hint)
                    if self._is_deaf:
                        # The line may be dead without anybody having said so.
                        self._is_deaf = False
                        break
            except redis.RedisError as error:
                log.warning("hints_not_heard", kind=type(error).__name__)
                gevent.sleep(PAUSE_SECONDS)

    def _hear(self, hint: tuple[str, str] | None) -> None:
        if hint is None:
            return
        subject, what = hint
        if subject == BEAT:
            if what == self.name:
                self._heard_at = time.monotonic()
            return
        try:
            self.hub.hint(UUID(subject))
        except ValueError:
            log.warning("hint_not_understood")

    def beat(self) -> None:
        """Send a hint to oneself again and again; who does not hear it is deaf, and lives by looking."""
        gevent.sleep(FIRST_BEAT_SECONDS)
        while True:
            sent_at = time.monotonic()
            self.publisher.beat(self.name)
            gevent.sleep(BEAT_SECONDS)
            self._is_deaf = self._heard_at < sent_at
            HEARD.set(not self._is_deaf)
            if self._is_deaf:
                log.warning("gateway_is_deaf")
