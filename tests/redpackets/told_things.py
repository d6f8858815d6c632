"""What people remember of rewards: budgets, packets and what they came from, redemptions, payouts, lent rights."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

CNY, POINT = "CNY", "POINT"
#: CNY above the first amount needs one approval, above the second two.
BANDS = (1_500, 3_000)
#: Kinds that are given, not grabbed.
GIVEN = ("kudos", "grant", "milestone")
SHANGHAI = ZoneInfo("Asia/Shanghai")
#: The id of what was foreseen and not told yet.
UNTOLD = UUID(int=0)


def day_of(moment: datetime) -> date:
    """Say what day it is for the company."""
    return moment.astimezone(SHANGHAI).date()


@dataclass(eq=False)
class ToldBudget:
    """A budget as its owner was told."""

    id: UUID
    unit: str
    limit: int
    period_from: date
    period_to: date
    version: int
    owner: UUID
    parent: "ToldBudget | None" = None
    closed: bool = False
    #: Kudos allowances pay kudos only.
    give_only: bool = False
    rolls_over: bool = False
    recovers: bool = True
    #: The most that one person may receive from it.
    cap: int | None = None
    before: "ToldBudget | None" = None
    after: "ToldBudget | None" = None

    def covers(self, *days: date) -> bool:
        """Say whether all of these days are in its period."""
        return all(self.period_from <= day <= self.period_to for day in days)


@dataclass(eq=False)
class ToldRain:
    """A rain, or another gift of several packets that were decided on at once."""

    id: UUID
    cap: int | None
    waves: list["ToldPacket"] = field(default_factory=list)


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
    #: Whom it is for where nobody is named.
    team: frozenset[UUID]
    needed: int = 0
    is_even: bool = True
    rain: ToldRain | None = None
    greeting: str = ""
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

    @property
    def meant(self) -> set[UUID]:
        """Whom it is addressed to."""
        return set(self.named) if self.named else set(self.team)

    def free_for(self, person: UUID) -> bool:
        """Say whether a share is left that this person may take."""
        return person in self.named if self.named else not self.is_empty

    def next_share(self, person: UUID) -> tuple[int, int]:
        """Say between which bounds the next share of this person lies."""
        if person in self.named:
            return self.named[person], self.named[person]
        left, shares = self.total - self.claimed, self.count - len(self.held)
        if shares == 1:
            return left, left
        if self.is_even:
            return self.total // self.count, -(-self.total // self.count)
        return 1, left - (shares - 1)


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
    """A payout, and what it owes to whom; who was paid, and who got it back, is learned person by person."""

    id: UUID
    items: dict[UUID, int]
    rail: str = ""
    state: str = "pending_approval"
    paid: set[UUID] = field(default_factory=set)

    @property
    def in_flight(self) -> dict[UUID, int]:
        """What is neither paid nor back."""
        is_live = self.state in ("pending_approval", "released")
        left = {person: amount for person, amount in self.items.items() if person not in self.paid}
        return left if is_live else {}


@dataclass(eq=False)
class ToldLending:
    """A right to approve that somebody lent to somebody, for a time or until they take it back."""

    id: UUID
    lender: UUID
    delegate: UUID
    starts_at: datetime
    ends_at: datetime
    is_taken_back: bool = False

    def stands(self, now: datetime) -> bool:
        """Say whether the delegate may use it now."""
        return not self.is_taken_back and self.starts_at <= now < self.ends_at


@dataclass
class ToldFigure:
    """A figure as the ERP says it."""

    value: Decimal | None = None
    target: Decimal | None = None
    last_year: Decimal | None = None
    is_missing: bool = False
    is_late: bool = False


@dataclass(eq=False)
class ToldProposal:
    """A figure fell below what it fired at: what became of that."""

    value: Decimal
    id: UUID = UNTOLD
    state: str = "open"
    reason: str = ""
    outcome: str | None = None


@dataclass(eq=False)
class ToldFire:
    """A rule fired: on which terms, with which packet."""

    comparison: str
    threshold: Decimal
    packet: ToldPacket
    proposal: ToldProposal | None = None


@dataclass(eq=False)
class ToldRule:
    """A rule on a figure, what it fired, and why it did not: by (first day of the period, subject)."""

    id: UUID
    owner: UUID
    budget: ToldBudget
    comparison: str
    threshold: Decimal
    deadline_day: int | None
    is_personal: bool
    is_for_unit: bool
    subjects: list[UUID]
    amount: int
    is_per_head: bool
    split: str
    starts_on: date
    is_active: bool = True
    version: int = 1
    fires: dict[tuple[date, UUID], ToldFire] = field(default_factory=dict)
    misses: set[tuple[date, UUID, str]] = field(default_factory=set)


@dataclass(eq=False)
class ToldMilestone:
    """A rule on milestones, and what it gave: by (person, year)."""

    id: UUID
    owner: UUID
    budget: ToldBudget
    kind: str
    amount: int
    greeting: str
    starts_on: date
    is_active: bool = True
    version: int = 1
    last_refusal: str = ""
    given: dict[tuple[UUID, int], ToldPacket] = field(default_factory=dict)


@dataclass
class Memory:
    """All that was told to the people of one company."""

    now: datetime
    #: Who belongs to which unit, as long as they are here.
    units: dict[UUID, frozenset[UUID]]
    #: Who sees every packet.
    overseers: frozenset[UUID]
    #: Who may approve by a right of their own.
    approvers: frozenset[UUID]
    stock: int
    price: int
    departed: set[UUID] = field(default_factory=set)
    budgets: list[ToldBudget] = field(default_factory=list)
    packets: list[ToldPacket] = field(default_factory=list)
    rains: list[ToldRain] = field(default_factory=list)
    lent: list[ToldLending] = field(default_factory=list)
    rules: list[ToldRule] = field(default_factory=list)
    #: By subject and first day of the period.
    figures: dict[tuple[UUID, date], ToldFigure] = field(default_factory=dict)
    milestones: list[ToldMilestone] = field(default_factory=list)
    #: (month, day) by person.
    birthdays: dict[UUID, tuple[int, int]] = field(default_factory=dict)
    redemptions: list[ToldRedemption] = field(default_factory=list)
    payouts: list[ToldPayout] = field(default_factory=list)

    @property
    def today(self) -> date:
        return day_of(self.now)
