"""What becomes of packets: who may know of them, take from them and decide about them, and what they are told."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from tests.redpackets.told_budgets import OfBudgets
from tests.redpackets.told_things import GIVEN, ToldPacket, ToldRain


class OfPackets(OfBudgets):
    """Predicts answers about packets from the answers before."""

    def place(self, packet: ToldPacket) -> None:
        """Keep a packet that was sent."""
        self.packets.append(packet)
        self.open_if_due(packet)

    def open_if_due(self, packet: ToldPacket) -> None:
        """Note who is meant when a packet opens; an approver is no receiver."""
        is_due = not (packet.opened or packet.ended or packet.frozen or packet.is_waiting)
        if not is_due or self.now < packet.opens_at:
            return
        approvers = {person for pair in packet.approved for person in pair}
        packet.opened = True
        packet.members = frozenset(packet.meant - self.departed - approvers)
        if packet.kind in GIVEN:
            self._credit(packet)

    def _credit(self, packet: ToldPacket) -> None:
        """Give everybody who is here and below the budget's cap what they are meant to get."""
        for index, (person, amount) in enumerate(packet.named.items()):
            if person not in self.departed and "won" in self.outcomes(packet, person):
                packet.held[person] = (index, amount)

    def outcomes(self, packet: ToldPacket, person: UUID) -> set[str]:
        """Say what the next share comes to: ``won``, unless somebody then received more than the budget's cap."""
        if packet.budget.cap is None:
            return {"won"}
        least, most = packet.next_share(person)
        room = packet.budget.cap - self.received(packet.budget, person)
        found = {"won"} if least <= room else set()
        return found | ({"redpackets.receive_cap_reached"} if most > room else set())

    def is_at_cap(self, packet: ToldPacket, person: UUID) -> bool:
        """Say whether somebody has taken as many shares of a rain as one may."""
        if packet.rain is None or packet.rain.cap is None:
            return False
        return sum(person in wave.held for wave in packet.rain.waves) >= packet.rain.cap

    def cancel_rain(self, rain: ToldRain) -> None:
        """Withdraw what has not fallen and is not over."""
        for wave in rain.waves:
            if not wave.opened and not wave.ended and self.now < wave.expires_at:
                wave.ended = "cancelled"

    def is_insider(self, packet: ToldPacket, person: UUID) -> bool:
        return person in {packet.sender, packet.budget.owner, *self.overseers}

    def knows_of(self, packet: ToldPacket, person: UUID) -> bool:
        """Say whether somebody may know of a packet: its audience not before it is approved."""
        is_unheard = packet.is_waiting or packet.ended == "rejected"
        # One that lapsed while it waited is heard of as expired.
        addressed = person in packet.meant or person in packet.members
        return self.is_insider(packet, person) or (addressed and not is_unheard)

    def answer_to_grab(self, packet: ToldPacket, person: UUID) -> set[str]:
        """Predict: ``won``, ``again``, ``sold_out``, or a refusal's code; more than one where time has not told."""
        if person in self.departed:
            return {"invalid_token"}
        if person in packet.held:
            return {"again"}
        if not self.knows_of(packet, person):
            return {"not_found"}
        meant = packet.members if packet.opened else packet.meant
        if person not in meant:
            return {"redpackets.not_eligible"}
        return self._answer_to_one_meant(packet, person)

    def _answer_to_one_meant(self, packet: ToldPacket, person: UUID) -> set[str]:
        is_over = self.now >= packet.expires_at
        if packet.is_empty and packet.ended != "cancelled":
            # Whether it is told as over or as given away depends on whether it was settled in time.
            over = {"redpackets.expired"} if is_over else set()
            frozen = {"redpackets.frozen"} if packet.frozen else set()
            is_capped = not packet.ended and self.is_at_cap(packet, person)
            return {"redpackets.origin_cap_reached" if is_capped else "sold_out"} | over | frozen
        # What has opened stays open, even where a clock is set back.
        is_early = packet.is_waiting or (self.now < packet.opens_at and not packet.opened)
        ended = packet.ended == "expired" or (is_over and packet.opened)
        answers = (
            ("redpackets.cancelled", packet.ended in ("cancelled", "rejected")),
            ("redpackets.expired", ended),
            ("redpackets.frozen", packet.frozen and not packet.is_waiting),
            ("redpackets.not_open", is_early),
            ("redpackets.expired", is_over),
            ("redpackets.not_eligible", not packet.free_for(person)),
            ("redpackets.origin_cap_reached", self.is_at_cap(packet, person)),
            ("won", True),
        )
        answer = _first(answers)
        return self.outcomes(packet, person) if answer == "won" else {answer}

    def decided_with(self, packet: ToldPacket) -> list[ToldPacket]:
        """List a packet with those of its rain that wait for the same decision."""
        waves = packet.rain.waves if packet.rain else [packet]
        return [w for w in waves if w is packet or (w.is_waiting and self.now < w.expires_at)]

    def refusal_to_decide(
        self, packet: ToldPacket, person: UUID, decision: str, *, renounces: bool
    ) -> str:
        """Predict the answer to a decision: "" for one that counts, "again" for one that changes nothing, or a code."""
        rights, right = self.rights_of(person), self.right_to_use(packet, person)
        decided = "reject" if packet.rejected_by == person else ""
        decided = "approve" if person in {who for who, _ in packet.approved} else decided
        concerned = {person, right} & packet.meant
        answers = (
            ("not_found", not self.knows_of(packet, person) and not (packet.needed and rights)),
            ("redpackets.not_pending", not packet.needed),
            ("again", decided == decision),
            ("redpackets.already_decided", decided),
            ("redpackets.four_eyes", packet.sender in {person, *self.lenders_to(person)}),
            ("not_allowed", not rights),
            ("redpackets.not_pending", not packet.is_waiting or self.now >= packet.expires_at),
            ("again", right is None),
            ("redpackets.conflict_of_interest", concerned and (packet.named or not renounces)),
            ("", True),
        )
        return _first(answers)

    def lenders_to(self, person: UUID) -> list[UUID]:
        """List who lent somebody their right for now, in order, of those who are still here."""
        standing = (loan for loan in self.lent if loan.stands(self.now))
        return sorted({one.lender for one in standing if one.delegate == person} - self.departed)

    def rights_of(self, person: UUID) -> list[UUID]:
        """List by whose rights somebody may approve, their own first."""
        return [one for one in [person, *self.lenders_to(person)] if one in self.approvers]

    def right_to_use(self, packet: ToldPacket, person: UUID) -> UUID | None:
        """Find a right that was not used for this packet yet."""
        used = {right for _, right in packet.approved}
        return next((right for right in self.rights_of(person) if right not in used), None)

    def end_packets(self) -> None:
        """Let the jobs run: what is due opens, what is over ends."""
        for packet in self.packets:
            self.open_if_due(packet)
            if not packet.ended and packet.opened and packet.is_empty:
                packet.ended = "exhausted"
            elif not packet.ended and self.now >= packet.expires_at:
                packet.ended = "expired"


def _first(answers: Iterable[tuple[str, Any]]) -> str:
    """Say the first answer that applies."""
    return next(answer for answer, applies in answers if applies)
