"""Acknowledgements of sockets: noted at once, written together a moment later, only the highest of each device."""

from collections import defaultdict
from dataclasses import dataclass, field
from uuid import UUID

import gevent
import structlog

from app.core.composition import Claims, Workspace
from app.delivery import services
from app.delivery.deadline import AWAY, deadline

ACKNOWLEDGE_SECONDS = 1.0

log = structlog.get_logger()
Devices = dict[UUID, tuple[UUID, int]]


@dataclass
class Acknowledgements:
    """What the devices of this process's connections said since the last writing."""

    space: Workspace
    _waiting: dict[UUID, Devices] = field(default_factory=lambda: defaultdict(dict))

    def note(self, claims: Claims, device_id: UUID | None, seq: int) -> None:
        """Note how far a device is; a sign-in without a device has nothing to note."""
        if device_id is None:
            return
        devices = self._waiting[claims.tenant_id]
        _, highest = devices.get(device_id, (None, 0))
        devices[device_id] = (claims.person_id, max(seq, highest))

    def run(self) -> None:
        """Write them for ever."""
        while True:
            gevent.sleep(ACKNOWLEDGE_SECONDS)
            self.flush()

    def flush(self) -> None:
        """Write what was noted, a transaction for each company."""
        waiting, self._waiting = self._waiting, defaultdict(dict)
        for tenant_id, devices in waiting.items():
            try:
                with deadline(), self.space.database.transaction(tenant_id) as session:
                    # In one order, so that two gateways could only wait for each other.
                    for device_id, (person_id, seq) in sorted(devices.items()):
                        services.acknowledge(
                            session,
                            device_id=device_id,
                            person_id=person_id,
                            seq=seq,
                            now=self.space.now(),
                        )
            except AWAY as error:
                # The clients say it again with their next one.
                log.warning("acknowledgements_lost", kind=type(error).__name__)
