"""Gates under test: what Redis holds for a packet, a gate of one's own, and a Redis that falls silent."""

import dataclasses
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.factory import connect_redis
from redpackets.entrance import TOOL, Entrance
from tests.builders.company import Phone
from tests.redpackets.rewards import Rewards, id_of


def entrance_of(rewards: Rewards) -> Entrance:
    """Find the way in of this test process."""
    entrance: Entrance = rewards.company.space.tools[TOOL]
    return entrance


@dataclass(frozen=True)
class Seen:
    """A gate as Redis holds it: who owns which share, which are free, who is a member."""

    generation: str
    free: list[int]
    owners: dict[UUID, int]
    settled: set[UUID]
    members: set[UUID]


def seen_gate(rewards: Rewards, packet: str) -> Seen | None:
    """Read a packet's gate; None where there is none."""
    client = rewards.company.space.redis
    marker = f"redpackets:gate:{rewards.company.tenant_id.hex}:{id_of(packet).hex}"
    generation = (client.hget(marker, "generation") or b"").decode()
    if not generation:
        return None
    members = b"".join(client.hvals(f"{marker}:{generation}:members"))
    owners = client.hgetall(f"{marker}:{generation}:owners")
    assert int(owners.pop(b"-")) == sum(index.endswith(b"!") for index in owners.values())
    return Seen(
        generation=generation,
        free=[int(index) for index in client.lrange(f"{marker}:{generation}:free", 0, -1)],
        owners={UUID(bytes=who): int(index.rstrip(b"!")) for who, index in owners.items()},
        settled={UUID(bytes=who) for who, index in owners.items() if index.endswith(b"!")},
        members={UUID(bytes=members[at : at + 16]) for at in range(0, len(members), 16)},
    )


def seen_shares(rewards: Rewards, packet: str) -> tuple[list[int], dict[UUID, int]]:
    """Read from the database which shares are free, and who holds which."""
    with rewards.company.transaction() as session:
        shares = session.execute(
            text(
                "SELECT index, state, holder_id FROM redpackets_share WHERE packet_id = :id"
                " ORDER BY index"
            ),
            {"id": id_of(packet)},
        ).all()
    free = [share.index for share in shares if share.state == "free"]
    return free, {s.holder_id: s.index for s in shares if s.state == "claimed"}


def keys_of(rewards: Rewards, packet: str) -> list[bytes]:
    """List all keys that Redis holds for a packet."""
    pattern = f"redpackets:gate:{rewards.company.tenant_id.hex}:{id_of(packet).hex}*"
    return list(rewards.company.space.redis.scan_iter(pattern, count=1_000))


def ask(rewards: Rewards, packet: str, phone: Phone) -> Any:
    """Ask the gate as this phone's request would, and claim nothing."""
    gate = entrance_of(rewards).gate
    return gate.ask(rewards.company.tenant_id, id_of(packet), phone.person.id)


def build(rewards: Rewards, packet: str) -> None:
    """Build the gate from the database, as the first grab does."""
    now = rewards.company.clock()
    entrance_of(rewards).build(rewards.company.tenant_id, id_of(packet), now)


@contextmanager
def silent_server() -> Iterator[int]:
    """Listen on a port, take every connection and never say a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    taken.append(server.accept()[0])
                except OSError:
                    return

        Thread(target=take, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        for connection in taken:
            connection.close()


def client_of(rewards: Rewards, port: int) -> Any:
    """Make a client as the factory does, for a server on this port."""
    settings = rewards.company.space.settings
    return connect_redis(dataclasses.replace(settings, redis_url=f"redis://127.0.0.1:{port}/0"))
