"""What people were told about money, kept as they would keep it: by adding up answers, never by reading a table.

``Told`` predicts the answer to the next question from the answers to all before. It knows the rules as the design
words them, and none of the product's sums.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

CNY, POINT = "CNY", "POINT"
#: CNY above the first amount needs one approval, above the second two.
BANDS = (1_500, 3_000)
GIVEN = ("kudos", "grant")
SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(eq=False)
class ToldBudget:
    """A budget as its owner was told."""

    id: UUID
    unit: str
    limit: int
    period_to: date
    version: int
    parent: "ToldBudget | None" = None
    closed: bool = False
    #: Kudos allowances pay kudos only.
    give_only: bool = False
    #: Whose allowance it is.
    owner: UUID | None = None


@dataclass(eq=False)
class ToldPacket:
    """A packet as its sender was told, and who was told that they won which share of it."""

    id: UUID
    kind: str
    budget: ToldBudget
    total: int
    count: int
    sender: UUID
    opens_at: datetime
    expires_at: datetime
    #: Receivers with amounts of their own; empty where whoever comes takes one.
    named: dict[UUID, int]
    needed: int = 0
    #: (who approved, by whose right), in order.
    approved: list[tuple[UUID, UUID]] = field(default_factory=list)
    rejected_by: UUID | None = None
    opened: bool = False
    frozen: bool = False
    #: "", or how it ended: cancelled, rejected, expired, exhausted.
    ended: str = ""
    members: frozenset[UUID] = frozenset()
    held: dict[UUID, tuple[int, int]] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/red-packets/{self.id}"

    @property
    def claimed(self) -> int:
        return sum(amount for _, amount in self.held.values())

    @property
    def is_waiting(self) -> bool:
        """Whether approvals are missing."""
        return len(self.approved) < self.needed and not self.ended

    @property
    def is_empty(self) -> bool:
        return len(self.held) == self.count

    def free_for(self, person: UUID) -> bool:
        """Say whether a share is left that this person may take."""
        return person in self.named if self.named else not self.is_empty


@dataclass(eq=False)
class ToldRedemption:
    """Points that somebody asked something for."""

    id: UUID
    person: UUID
    quantity: int
    points: int
    state: str = "reserved"


@dataclass(eq=False)
class ToldPayout:
    """A payout, and what it owes to whom."""

    id: UUID
    items: dict[UUID, int]
    state: str = "pending_approval"


@dataclass
class Told:
    """All that was told to the people of one company."""

    now: datetime
    #: Those whom a packet for sales means, as long as they are here.
    sales: frozenset[UUID]
    #: Who sees every packet.
    overseers: frozenset[UUID]
    #: Who stands in for whom.
    stands_in: dict[UUID, UUID]
    #: Who may approve by a right of their own.
    approvers: frozenset[UUID]
    stock: int
    price: int
    departed: set[UUID] = field(default_factory=set)
    budgets: list[ToldBudget] = field(default_factory=list)
    packets: list[ToldPacket] = field(default_factory=list)
    redemptions: list[ToldRedemption] = field(default_factory=list)
    payouts: list[ToldPayout] = field(default_factory=list)

    @property
    def today(self) -> date:
        return self.now.astimezone(SHANGHAI).date()

    # Budgets

    def held(self, budget: ToldBudget) -> int:
        """Add up the packets that have not ended."""
        return sum(p.total for p in self.packets if p.budget is budget and not p.ended)

    def spent(self, budget: ToldBudget) -> int:
        """Add up what packets that ended gave away."""
        return sum(p.claimed for p in self.packets if p.budget is budget and p.ended)

    def allotted(self, budget: ToldBudget) -> int:
        """Add up the limits of the budgets below."""
        return sum(b.limit for b in self.budgets if b.parent is budget)

    def available(self, budget: ToldBudget) -> int:
        """Say what is left to put into packets or budgets below."""
        return budget.limit - self.allotted(budget) - self.held(budget) - self.spent(budget)

    def refusal_to_spend(self, budget: ToldBudget, total: int) -> str:
        """Say why a packet cannot be paid; "" if it can."""
        if budget.give_only:
            return "redpackets.give_only"
        if budget.closed or self.today > budget.period_to:
            return "redpackets.period_closed"
        if self.available(budget) < total:
            return "redpackets.insufficient_budget"
        return ""

    def refusal_to_change(self, budget: ToldBudget, limit: int) -> str:
        """Say why a limit cannot become another; "" if it can."""
        parent, more = budget.parent, limit - budget.limit
        if budget.closed:
            return "redpackets.period_closed"
        if limit < budget.limit - self.available(budget):
            return "redpackets.limit_too_low"
        return self.refusal_to_carve(parent, more) if parent and more > 0 else ""

    def refusal_to_carve(self, parent: ToldBudget, amount: int) -> str:
        """Say why so much cannot be carved out of a budget; "" if it can."""
        if parent.give_only:
            return "redpackets.give_only"
        if parent.closed:
            return "redpackets.period_closed"
        return "redpackets.insufficient_budget" if self.available(parent) < amount else ""

    # Packets

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
        packet.members = frozenset(self.meant(packet) - self.departed - approvers)
        if packet.kind in GIVEN:
            for index, (person, amount) in enumerate(packet.named.items()):
                if person not in self.departed:
                    packet.held[person] = (index, amount)

    def meant(self, packet: ToldPacket) -> set[UUID]:
        """List whom a packet is addressed to."""
        return set(packet.named) if packet.named else set(self.sales)

    def is_insider(self, packet: ToldPacket, person: UUID) -> bool:
        return person == packet.sender or person in self.overseers

    def knows_of(self, packet: ToldPacket, person: UUID) -> bool:
        """Say whether somebody may know of a packet: its audience not before it is approved."""
        is_unheard = packet.is_waiting or packet.ended == "rejected"
        # One that lapsed while it waited is heard of as expired.
        addressed = person in self.meant(packet) or person in packet.members
        return self.is_insider(packet, person) or (addressed and not is_unheard)

    def answer_to_grab(self, packet: ToldPacket, person: UUID) -> set[str]:
        """Predict: ``won``, ``again``, ``sold_out``, or a refusal's code; more than one where time has not told."""
        if person in self.departed:
            return {"invalid_token"}
        if person in packet.held:
            return {"again"}
        if not self.knows_of(packet, person):
            return {"not_found"}
        meant = packet.members if packet.opened else self.meant(packet)
        if person not in meant:
            return {"redpackets.not_eligible"}
        return self._answer_to_one_meant(packet, person)

    def _answer_to_one_meant(self, packet: ToldPacket, person: UUID) -> set[str]:
        is_over = self.now >= packet.expires_at
        if packet.is_empty and packet.ended != "cancelled":
            # Whether it is told as over or as given away depends on whether it was settled in time.
            over = {"redpackets.expired"} if is_over else set()
            frozen = {"redpackets.frozen"} if packet.frozen else set()
            return {"sold_out"} | over | frozen
        is_early = packet.is_waiting or self.now < packet.opens_at
        ended = packet.ended == "expired" or (is_over and packet.opened)
        answers = (
            ("redpackets.cancelled", packet.ended in ("cancelled", "rejected")),
            ("redpackets.expired", ended),
            ("redpackets.frozen", packet.frozen and not packet.is_waiting),
            ("redpackets.not_open", is_early),
            ("redpackets.expired", is_over),
            ("redpackets.not_eligible", not packet.free_for(person)),
            ("won", True),
        )
        return {_first(answers)}

    def refusal_to_decide(
        self, packet: ToldPacket, person: UUID, decision: str, *, renounces: bool
    ) -> str:
        """Predict the answer to a decision: "" for one that counts, "again" for one that changes nothing, or a code."""
        rights, right = self.rights_of(person), self.right_to_use(packet, person)
        decided = "reject" if packet.rejected_by == person else ""
        decided = "approve" if person in {who for who, _ in packet.approved} else decided
        concerned = {person, right} & self.meant(packet)
        answers = (
            ("not_found", not self.knows_of(packet, person) and not (packet.needed and rights)),
            ("redpackets.not_pending", not packet.needed),
            ("again", decided == decision),
            ("redpackets.already_decided", decided),
            ("redpackets.four_eyes", packet.sender in {person, self.stands_in.get(person)}),
            ("not_allowed", not rights),
            ("redpackets.not_pending", not packet.is_waiting or self.now >= packet.expires_at),
            ("again", right is None),
            ("redpackets.conflict_of_interest", concerned and (packet.named or not renounces)),
            ("", True),
        )
        return _first(answers)

    def rights_of(self, person: UUID) -> list[UUID]:
        """List by whose rights somebody may approve, their own first."""
        lender = self.stands_in.get(person)
        own = [person] if person in self.approvers else []
        return [*own, lender] if lender in self.approvers else own

    def right_to_use(self, packet: ToldPacket, person: UUID) -> UUID | None:
        """Find a right that was not used for this packet yet."""
        used = {right for _, right in packet.approved}
        return next((right for right in self.rights_of(person) if right not in used), None)

    def end_what_is_over(self) -> None:
        """Let the jobs run: what is due opens, what is over ends, budgets of past periods close."""
        for packet in self.packets:
            self.open_if_due(packet)
            if not packet.ended and packet.opened and packet.is_empty:
                packet.ended = "exhausted"
            elif not packet.ended and self.now >= packet.expires_at:
                packet.ended = "expired"
        for budget in reversed(self.budgets):
            self._reclaim_if_left(budget)
            self._close_if_over(budget)

    def _reclaim_if_left(self, budget: ToldBudget) -> None:
        """Give back what a leaver has not given away, and what comes back to them later."""
        if budget.owner in self.departed:
            budget.limit -= self.available(budget)
            budget.closed = True

    def _close_if_over(self, budget: ToldBudget) -> None:
        below = [b for b in self.budgets if b.parent is budget and not b.closed]
        is_over = self.today > budget.period_to
        if is_over and not budget.closed and not below and not self.held(budget):
            budget.limit -= self.available(budget)
            budget.closed = True

    # Wallets

    def wallets(self) -> Counter[tuple[UUID, str]]:
        """Say what everybody should have: what was won, less what was asked for or is being paid."""
        found: Counter[tuple[UUID, str]] = Counter()
        for packet in self.packets:
            for person, (_, amount) in packet.held.items():
                found[person, packet.budget.unit] += amount
        for redemption in self.redemptions:
            if redemption.state not in ("declined", "withdrawn"):
                found[redemption.person, POINT] -= redemption.points
        for payout in self.payouts:
            for person, amount in payout.items.items():
                found[person, CNY] -= amount
        return +found

    def pieces_left(self) -> int:
        """Say how many of the item are in stock."""
        kept = (r for r in self.redemptions if r.state not in ("declined", "withdrawn"))
        return self.stock - sum(redemption.quantity for redemption in kept)

    def reserved(self) -> int:
        """Add up the points that wait with the catalogue."""
        waiting = (r for r in self.redemptions if r.state in ("reserved", "approved"))
        return sum(redemption.points for redemption in waiting)

    def in_flight(self) -> int:
        """Add up what payouts that have not ended owe."""
        live = (p for p in self.payouts if p.state in ("pending_approval", "released"))
        return sum(sum(payout.items.values()) for payout in live)

    def who_holds(self, unit: str, people: Iterable[UUID]) -> dict[UUID, int]:
        """Say who of these people has anything of a unit."""
        wallets: Any = self.wallets()
        return {person: wallets[person, unit] for person in people if wallets[person, unit]}


def _first(answers: Iterable[tuple[str, Any]]) -> str:
    """Say the first answer that applies."""
    return next(answer for answer, applies in answers if applies)
