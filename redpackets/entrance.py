"""The way in: past the gate where there is one, by the database alone where not; the answers are the same.

The gate spares the database those who come too late and lets it write winners together. Whatever is unclear goes the
ordinary way, and what comes of it corrects the gate: a stale gate wastes a call, never money.
"""

from collections.abc import Callable
from datetime import datetime
from time import monotonic, sleep
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.composition import Claims, Workspace
from app.core.errors import Refusal
from app.core.subscriptions import Handling
from app.core.work import Database, tenant_of
from app.people.standing import StandingSignIns
from redpackets.claiming import Claim, Taken
from redpackets.events import PacketOpened
from redpackets.gate import Gate, Said, read_ground
from redpackets.grabbing import Grabbed
from redpackets.winners import OutcomeUnknown, Winners

#: How long a latecomer waits for a gate that is being built, or for the last winners' commits.
PATIENCE_SECONDS = 0.3
PAUSE_SECONDS = 0.01
ASKED_MAX = 60
TOOL = "redpackets.entrance"
NOBODY = UUID(int=0)


class Entrance:
    """Lets callers in to packets; one for each process."""

    def __init__(self, space: Workspace) -> None:
        settings = space.settings
        self.is_open = settings.gate
        self.gate = Gate(space.redis)
        writing = Database(settings, is_routine=True)
        self.winners = Winners(writing, settle=self.gate.settle)
        self._space = space
        self._answer_seconds = settings.request_seconds_max
        self._sign_ins = StandingSignIns(
            space.database, token_seconds=settings.access_token_seconds
        )

    def grab(
        self, claims: Claims, packet_id: UUID, *, by_database: Callable[[], Grabbed]
    ) -> Grabbed:
        """Give the caller a share; ``by_database`` is the ordinary way, with every check and every refusal."""
        now = self._space.now()
        if not self.is_open or not self._sign_ins.stands(claims, now):
            return by_database()
        with self.winners.room():
            said = self._ask(claims, packet_id, now)
            if said.word == "sold_out":
                return Grabbed(result="sold_out")
            if said.index is not None:
                grabbed = self._write(claims, packet_id, said.index, now)
                if grabbed is not None:
                    return grabbed
            if said.word == "won":
                self.gate.release(claims.tenant_id, packet_id, claims.person_id, said)
        return self._ordinary(claims, packet_id, said, by_database)

    def _ask(self, claims: Claims, packet_id: UUID, now: datetime) -> Said:
        """Ask the gate until it says something clear; it is built where there is none."""
        place, until = (
            (claims.tenant_id, packet_id, claims.person_id),
            monotonic() + PATIENCE_SECONDS,
        )
        said = self.gate.ask(*place)
        for _ in range(ASKED_MAX):
            if said.word == "build":
                self.build(claims.tenant_id, packet_id, now)
            elif said.word in {"wait", "taken"} and monotonic() < until:
                with self._space.places.lent():
                    sleep(PAUSE_SECONDS)
            else:
                break
            said = self.gate.ask(*place)
        return said

    def on_packet_opened(self, session: Session, fact: PacketOpened, handling: Handling) -> None:
        """Build the gate of a packet as it opens, before its audience hears of it."""
        tenant_id = tenant_of(session)
        if self.is_open and self.gate.ask(tenant_id, fact.packet_id, NOBODY).word == "build":
            ground = read_ground(session, fact.packet_id, handling.now)
            self.gate.build(tenant_id, fact.packet_id, ground, handling.now)

    def build(self, tenant_id: UUID, packet_id: UUID, now: datetime) -> None:
        """Build the gate of a packet from the database."""
        with self._space.database.transaction(tenant_id) as session:
            ground = read_ground(session, packet_id, now)
        self.gate.build(tenant_id, packet_id, ground, now)

    def _write(self, claims: Claims, packet_id: UUID, index: int, now: datetime) -> Grabbed | None:
        """Have a winner written and wait for the commit; None when the claim was not true."""
        claim = Claim(
            packet_id=packet_id,
            person_id=claims.person_id,
            sign_in_id=claims.session_id,
            index=index,
            now=now,
        )
        try:
            answer = self.winners.submit(claims.tenant_id, claim)
            with self._space.places.lent():
                taken = answer.result(self._answer_seconds)
        except (OutcomeUnknown, TimeoutError):
            return Grabbed(result="pending")
        return None if taken is None else _won(taken)

    def _ordinary(
        self, claims: Claims, packet_id: UUID, said: Said, by_database: Callable[[], Grabbed]
    ) -> Grabbed:
        """Go the way without a gate, and tell the gate what it did not know."""
        try:
            grabbed = by_database()
        except Refusal:
            if said.word == "won":
                # It was given out and could not be claimed, so nobody has it.
                self.gate.forget(claims.tenant_id, packet_id, said.generation)
            raise
        if grabbed.first and grabbed.index is not None:
            owner = (packet_id, claims.person_id, grabbed.index)
            self.gate.settle(claims.tenant_id, [owner])
        elif said.word in {"stranger", "taken"}:
            self.gate.forget(claims.tenant_id, packet_id, said.generation)
        return grabbed


def _won(taken: Taken) -> Grabbed:
    return Grabbed(
        result="won",
        first=taken.first,
        index=taken.index,
        amount_minor=taken.amount_minor,
        unit=taken.unit,
    )
