"""What people were told about money, kept as they would keep it: by adding up answers, never by reading a table.

``Told`` predicts the answer to the next question from the answers to all before. It knows the rules as the design
words them, and none of the product's sums. What it remembers is in ``told_things``.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from tests.redpackets.told_milestones import OfMilestones
from tests.redpackets.told_things import CNY, POINT


class Told(OfMilestones):
    """All that was told to the people of one company, and what follows from it."""

    def end_what_is_over(self) -> None:
        """Let the jobs run: what is due opens, what is over ends, budgets of past periods close."""
        self.end_packets()
        self.end_budgets()

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
        return sum(sum(payout.in_flight.values()) for payout in self.payouts)

    def who_holds(self, unit: str, people: Iterable[UUID]) -> dict[UUID, int]:
        """Say who of these people has anything of a unit."""
        wallets: Any = self.wallets()
        return {person: wallets[person, unit] for person in people if wallets[person, unit]}
