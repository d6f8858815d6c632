"""Fair for anybody to see: what is published before the first grab binds the split, what is revealed later proves it.

When a packet opens, its *commitment* is published: the SHA-256 of the canonical text below, in UTF-8, its lines
joined by a line feed, without one at the end. When it is settled, seed and shares are revealed; whoever kept the
commitment can tell that nothing was changed in between, and throw the dice again (``docs/verify_packet.py``).

    red packet 1
    packet id, in lower case with hyphens
    split: even, double_mean or named
    unit
    total, in minor units
    number of shares
    smallest share allowed
    largest share allowed
    seed, in lower-case hex
    the shares by index, in minor units, joined by commas

The split is redone like this. *Dice*: the digests SHA-256(seed ‖ counter), the counter 0, 1, 2 … in eight bytes, big
endian; each digest is four throws of eight bytes, big endian. A number from low to high, with n = high - low + 1: take
the next throw below 2^64 - 2^64 mod n; low + throw mod n. *even*: total // count each, the first total mod count
shares one more. *double_mean*: share by share, with ``left`` of the total and ``after`` shares still to come: low is
the larger of the smallest share and left - largest x after; high is the smallest of the largest share, of
left - smallest x after and of 2 x left // (after + 1) - smallest, but not below low; a number from low to high; the
last share is what is left. Both are then shuffled: for last = count - 1 down to 1, swap with a number from 0 to last.
*named*: the sender said each amount; there are no dice.
"""

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import NotFound
from redpackets import queries
from redpackets.lifecycle import is_insider, knows_of
from redpackets.models import Packet

ALGORITHM = "red packet 1"


def commitment_of(packet: Packet, amounts: Sequence[int]) -> bytes:
    """Hash what decides the packet: its split, its seed and its shares by index."""
    lines = (
        ALGORITHM,
        packet.id,
        packet.split,
        packet.unit,
        packet.total_minor,
        packet.share_count,
        packet.min_minor,
        packet.max_minor,
        packet.seed.hex(),
        ",".join(map(str, amounts)),
    )
    return hashlib.sha256("\n".join(map(str, lines)).encode()).digest()


def published(packet: Packet) -> str | None:
    """Say the commitment, in hex, from the opening on."""
    if packet.opened_at is None or packet.commitment is None:
        return None
    return packet.commitment.hex()


def read_fairness(session: Session, *, caller: Caller, packet_id: UUID) -> dict[str, Any]:
    """Say what proves a packet's split, to whoever may know of it; seed and shares once it is settled.

    Until then the audience is not told the amounts, as nowhere else either.
    """
    packet = session.get(Packet, (caller.tenant_id, packet_id))
    if packet is None or not knows_of(session, caller, packet_id):
        raise NotFound
    revealed = packet.settled_at is not None
    return {
        "packet_id": packet.id,
        "algorithm": ALGORITHM,
        "commitment": published(packet),
        "settled": revealed,
        "parameters": _parameters(packet, full=revealed or is_insider(session, caller, packet)),
        "seed": packet.seed.hex() if revealed else None,
        "shares": list(session.scalars(queries.amounts_of(packet_id))) if revealed else None,
    }


def _parameters(packet: Packet, *, full: bool) -> dict[str, Any]:
    seen = {"split": packet.split, "unit": packet.unit, "share_count": packet.share_count}
    if not full:
        return seen
    amounts = ("total_minor", "min_minor", "max_minor")
    return seen | {name: getattr(packet, name) for name in amounts}
