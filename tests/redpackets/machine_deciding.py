"""Rules of the state machine about decisions: approving, cancelling, closing, freezing, and lending the right to approve."""

from datetime import timedelta
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.redpackets.machine import TAPS, WHICH, MachineOfRewards
from tests.redpackets.told_things import ToldPacket
from tests.redpackets.world import DECIDERS, said

LENDINGS_MAX = 8
#: Ann has no right to lend; who was lent one cannot pass it on.
LENDERS = ("Olive", "Dora", "Mara", "Fay", "Del", "Ann")
DELEGATES = ("Del", "Dora", "Mara", "Ann", "Fay")
LENT_MINUTES = range(1, 90 * 24 * 60 + 1)


class Deciding(MachineOfRewards):
    """Rules of approving and of stopping."""

    @precondition(lambda self: self.told.packets)
    @rule(
        which=WHICH,
        who=st.sampled_from(DECIDERS),
        decision=st.sampled_from(["approve", "approve", "approve", "reject"]),
        renounces=st.booleans(),
        taps=TAPS,
    )
    def decide(self, which, who, decision, renounces, taps):
        waiting = [p for p in self.told.packets if p.is_waiting] or self.told.packets
        packet = waiting[-1 - which % len(waiting)]
        self.decide_about_packet(packet, who, decision, renounces=renounces, taps=taps)

    def decide_about_packet(
        self, packet: ToldPacket, who: str, decision: str, *, renounces: bool, taps: int = 1
    ) -> None:
        """Decide about a packet; what is answered is what was foretold."""
        person = self.world.id_of(who)
        body = {"decision": decision, "reason": "So be it", "renounce": renounces}
        for _ in range(taps):
            together = {
                one: self.told.refusal_to_decide(one, person, decision, renounces=renounces)
                for one in self.told.decided_with(packet)
            }
            refusal = next((word for word in together.values() if word not in ("", "again")), "")
            refusal = "invalid_token" if self.is_gone(who) else refusal
            reply = self.post(who, f"{packet.path}/approval", body)
            assert said(reply) == refusal, reply.json
            for one, word in together.items():
                if not refusal and not word:
                    self.keep_decision(one, person, decision)

    def keep_decision(self, packet: ToldPacket, person: UUID, decision: str) -> None:
        """Keep what somebody decided about one packet, and by whose right."""
        right = self.told.right_to_use(packet, person)
        assert right is not None
        if decision == "reject":
            packet.rejected_by, packet.ended = person, "rejected"
        else:
            packet.approved.append((person, right))
            self.told.open_if_due(packet)

    @precondition(lambda self: self.told.packets)
    @rule(which=WHICH, taps=TAPS)
    def cancel(self, which, taps):
        packet = self.any_packet(which)
        for _ in range(taps):
            refusal = ""
            if packet.held and packet.ended != "cancelled":
                refusal = "redpackets.already_claimed"
            elif packet.ended == "rejected":
                refusal = "redpackets.cancelled"
            elif packet.ended != "cancelled" and (
                packet.ended or self.told.now >= packet.expires_at
            ):
                refusal = "redpackets.expired"
            reply = self.post("Olive", f"{packet.path}/cancellation")
            assert said(reply) == refusal, reply.json
            packet.ended = packet.ended if refusal else "cancelled"

    @precondition(lambda self: self.told.packets)
    @rule(which=WHICH, taps=TAPS)
    def close(self, which, taps):
        packet = self.any_packet(which)
        for _ in range(taps):
            refusal = ""
            if packet.ended in ("cancelled", "rejected"):
                refusal = "redpackets.cancelled"
            elif not packet.ended and not packet.opened:
                refusal = "redpackets.not_open"
            reply = self.post("Olive", f"{packet.path}/closing")
            assert said(reply) == refusal, reply.json
            if not refusal and not packet.ended:
                packet.ended = "exhausted" if packet.is_empty else "expired"

    @precondition(lambda self: self.told.packets)
    @rule(which=WHICH, frozen=st.booleans())
    def freeze(self, which, frozen):
        packet = self.any_packet(which)
        refusal = ""
        if frozen != packet.frozen:
            if packet.ended in ("cancelled", "rejected"):
                refusal = "redpackets.cancelled"
            elif packet.ended or self.told.now >= packet.expires_at:
                refusal = "redpackets.expired"
        reply = self.post("Olive", f"{packet.path}/freeze", {"frozen": frozen, "reason": "Look"})
        assert said(reply) == refusal, reply.json
        if not refusal:
            packet.frozen = frozen
            self.told.open_if_due(packet)


class Delegating(Deciding):
    """Rules of lending the right to approve: who stands in for whom changes all the time, and so do their answers."""

    @precondition(lambda self: len(self.told.lent) < LENDINGS_MAX)
    @rule(
        who=st.sampled_from(LENDERS),
        to=st.sampled_from(DELEGATES),
        starts_in=st.sampled_from([0, 0, 30, -60]),
        lasts=st.sampled_from([1, 30, 30, 120, 0, 91 * 24 * 60]),
    )
    def lend(self, who, to, starts_in, lasts):
        refusal = ""
        if self.is_gone(who):
            refusal = "invalid_token"
        elif self.world.id_of(who) not in self.told.approvers:
            refusal = "not_allowed"
        elif who == to or self.is_gone(to) or starts_in < 0 or lasts not in LENT_MINUTES:
            refusal = "redpackets.delegation_refused"
        starts_at = self.told.now + timedelta(minutes=starts_in)
        reply = self.world.lend(who, to, starts_at, timedelta(minutes=lasts))
        assert said(reply) == refusal, reply.json

    @precondition(lambda self: any(p.is_waiting for p in self.told.packets))
    @rule(
        which=WHICH,
        loan=WHICH,
        renounces=st.sampled_from([True, True, False]),
        is_late=st.booleans(),
    )
    def decide_as_delegate(self, which, loan, renounces, is_late):
        """Let somebody decide by a right that they were lent, or just when it has ended."""
        waiting = [p for p in self.told.packets if p.is_waiting]
        lent = self.told.lent[-1 - loan % len(self.told.lent)]
        left = (lent.ends_at - self.told.now).total_seconds() // 60
        if is_late and 0 < left < 60:
            self.world.move(int(left))
        packet = waiting[-1 - which % len(waiting)]
        who = self.world.name_of(lent.delegate)
        self.decide_about_packet(packet, who, "approve", renounces=renounces)

    @precondition(lambda self: self.told.lent)
    @rule(which=WHICH, is_lender=st.sampled_from([True, True, False]), taps=TAPS)
    def take_back(self, which, is_lender, taps):
        loan = self.told.lent[-1 - which % len(self.told.lent)]
        who = self.world.name_of(loan.lender if is_lender else loan.delegate)
        refusal = "" if is_lender else "not_allowed"
        refusal = "invalid_token" if self.is_gone(who) else refusal
        for _ in range(taps):
            reply = self.world.phones[who].delete(f"/red-packet-delegations/{loan.id}")
            assert said(reply) == refusal, reply.json
        loan.is_taken_back = loan.is_taken_back or not refusal
