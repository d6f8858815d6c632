"""Claiming: the one door through which a free share becomes somebody's, with wallet, journal and fact in one piece.

One claim takes whatever share is next; claims of a gate's winners and of named receivers are for certain shares and
are written together. Each is checked against the rows: what a gate said counts for nothing here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, TextClause
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.core.work import tenant_of
from redpackets import grab_queries
from redpackets.rules import wallet_kind

#: More claims than this are never committed together: a commit stays short.
TOGETHER_MAX = 200
#: Kinds that are given, not grabbed: their named shares are credited when the packet opens.
CREDITED_KINDS = frozenset({"kudos", "milestone", "grant"})


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A person's claim to one certain share; ``sign_in_id`` is who asked, checked with everything else."""

    packet_id: UUID
    person_id: UUID
    sign_in_id: UUID | None
    index: int
    now: datetime

    @property
    def place(self) -> tuple[int, int]:
        """Packet and person, as numbers: they are compared and looked up faster than ids."""
        return self.packet_id.int, self.person_id.int


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A share that a person holds; ``first`` when this claim made it theirs."""

    index: int
    amount_minor: int
    unit: str
    first: bool


def packet_key(packet_id: UUID) -> str:
    """Name the packet's lock."""
    return f"redpackets.packet:{packet_id}"


def person_key(packet_id: UUID, person_id: UUID) -> str:
    """Name the lock of a person's taps on a packet."""
    return f"{packet_key(packet_id)}:{person_id}"


def enter(session: Session, packet_id: UUID, person_id: UUID) -> None:
    """Queue up behind an ending packet and behind one's own other taps."""
    keys = {"packet_key": packet_key(packet_id), "person_key": person_key(packet_id, person_id)}
    session.execute(grab_queries.ENTER_GRAB, keys)


def claim(
    session: Session, *, packet_id: UUID, person_id: UUID, unit: str, is_named: bool, now: datetime
) -> Row[Any] | None:
    """Take the next free share, or one's own of a packet with names; None only when none was free."""
    values = {
        "packet_id": packet_id,
        "person_id": person_id,
        "unit": unit,
        "now": now,
        "wallet_id": new_id(),
        "wallet_kind": wallet_kind(unit),
        "entry_id": new_id(),
    }
    if is_named:
        return session.execute(grab_queries.CLAIM_OWN, values).one_or_none()
    taken = session.execute(grab_queries.CLAIM, values).one_or_none()
    while taken is None and _await_free(session, values):
        taken = session.execute(grab_queries.CLAIM, values).one_or_none()
    return taken


def claim_together(session: Session, claims: Sequence[Claim]) -> list[Taken | None]:
    """Write what a gate gave out, for one company at once; answers in the order of the claims.

    A person who holds a share already gets that one. None: the claim is not true (the share is gone, the packet not
    open to this person, …); only a grab of their own can say why.
    """
    assert len(claims) <= TOGETHER_MAX
    leaders = _one_each(claims)
    _enter_together(session, leaders)
    answered = _write(session, grab_queries.CLAIM_TOGETHER, leaders)
    answers: list[Taken | None] = []
    for claim_ in claims:
        taken = answered.get(claim_.place)
        answers.append(taken)
        if taken is not None and taken.first:
            # The person's other taps hear of the same share.
            answered[claim_.place] = replace(taken, first=False)
    return answers


def claim_all_named(session: Session, packet_id: UUID, now: datetime) -> None:
    """Credit the shares of a packet that is given and not grabbed to their receivers, as it opens.

    What a departed receiver or one at their cap was meant to get stays free and goes back to the budget at the end.
    """
    packet = session.execute(grab_queries.credited_packet(packet_id)).one()
    if packet.kind not in CREDITED_KINDS or packet.frozen_at is not None:
        return
    named: Sequence[Any] = session.execute(grab_queries.shares_named(packet_id)).all()
    if packet.receive_cap_minor is not None:
        named = _below_cap(session, packet.budget_id, packet.receive_cap_minor, named)
    claims = [
        Claim(
            packet_id=packet_id,
            person_id=share.receiver_id,
            sign_in_id=None,
            index=share.share_index,
            now=now,
        )
        for share in named
    ]
    if claims:
        _write(session, grab_queries.CLAIM_NAMED, _one_each(claims))


def received(session: Session, budget_id: UUID, person_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Add up what persons claimed from a budget so far; no other grab of theirs adds to it until we commit."""
    keys = [f"redpackets.received:{budget_id}:{person_id}" for person_id in sorted(person_ids)]
    session.execute(grab_queries.ENTER_CAP, {"keys": keys})
    rows: Any = session.execute(grab_queries.received_from(budget_id, person_ids))
    return {person_id: int(amount) for person_id, amount in rows}


def _await_free(session: Session, values: dict[str, Any]) -> bool:
    """Wait for somebody who is taking a share; False when no share is free, taken or about to be."""
    index = session.execute(grab_queries.FREE_SHARE, values).scalar()
    if index is None:
        return False
    savepoint = session.begin_nested()
    state = session.execute(grab_queries.AWAIT_SHARE, values | {"index": index}).scalar_one()
    if state == "free":
        # They gave it back, and its lock is ours: nobody can take it before we do.
        savepoint.commit()
    else:
        savepoint.rollback()
    return True


def _below_cap(
    session: Session, budget_id: UUID, cap_minor: int, named: Sequence[Any]
) -> list[Any]:
    before = received(session, budget_id, [share.receiver_id for share in named])
    return [
        share
        for share in named
        if before.get(share.receiver_id, 0) + share.amount_minor <= cap_minor
    ]


def _one_each(claims: Iterable[Claim]) -> list[Claim]:
    """Keep one claim of each person and for each share, in the order in which everybody locks."""
    by_person = {claim_.place: claim_ for claim_ in reversed(list(claims))}
    by_share = {(c.packet_id.int, c.index): c for c in by_person.values()}
    return sorted(by_share.values(), key=lambda claim_: claim_.place)


def _enter_together(session: Session, claims: Sequence[Claim]) -> None:
    packets = list(dict.fromkeys(packet_key(claim_.packet_id) for claim_ in claims))
    persons = [person_key(claim_.packet_id, claim_.person_id) for claim_ in claims]
    keys = orjson.dumps(packets + persons).decode()
    session.execute(grab_queries.ENTER_TOGETHER, {"keys": keys, "packets": len(packets)})


def _write(
    session: Session, statement: TextClause, claims: Sequence[Claim]
) -> dict[tuple[int, int], Taken]:
    """Move shares, wallets and journal, and record a fact for each share taken; who holds one already is told so."""
    asked = [
        {
            "place": place,
            "packet_id": claim_.packet_id,
            "person_id": claim_.person_id,
            "sign_in_id": claim_.sign_in_id,
            "index": claim_.index,
            "moment": claim_.now,
            # As every fact writes its times, whatever the time zone of the database.
            "told_at": claim_.now,
            "wallet_id": new_id(),
            "entry_id": new_id(),
        }
        for place, claim_ in enumerate(claims)
    ]
    values = {"tenant_id": tenant_of(session), "claims": orjson.dumps(asked).decode()}
    return {
        claims[place].place: Taken(index=index, amount_minor=amount_minor, unit=unit, first=first)
        for place, index, amount_minor, unit, first in session.execute(statement, values)
    }
