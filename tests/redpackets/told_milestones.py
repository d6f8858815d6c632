"""Which gifts milestones bring, and why they do not."""

from datetime import date, timedelta
from uuid import UUID

from tests.redpackets.told_rules import OfRules, approvals_for
from tests.redpackets.told_things import UNTOLD, ToldMilestone, ToldPacket

#: A gift that could not be given on its day is tried again for so long.
DAYS_CAUGHT_UP = 3
KEPT_OPEN = timedelta(days=7)


class OfMilestones(OfRules):
    """Predicts what rules on milestones give."""

    def give_gifts(self) -> None:
        """Let the timer come by all rules, in the order in which they were made."""
        for rule in self.milestones:
            for back in range(DAYS_CAUGHT_UP, -1, -1):
                on = self.today - timedelta(days=back)
                if rule.is_active and on >= rule.starts_on:
                    self._give_on(rule, on)

    def _give_on(self, rule: ToldMilestone, on: date) -> None:
        due = [
            person
            for person in sorted(self._celebrated(rule, on))
            if (person, on.year) not in rule.given
        ]
        for person in due:
            refusal = self.refusal_to_spend(self.in_force(rule.budget), rule.amount)
            if refusal:
                rule.last_refusal = refusal.removeprefix("redpackets.")
                return
            self._give(rule, person, on)
        if due:
            rule.last_refusal = ""

    def _celebrated(self, rule: ToldMilestone, on: date) -> set[UUID]:
        """List those of the team who are here and whose day it is; 29 February is the 28th in other years."""
        team = next(iter(self.units.values())) - self.departed
        days = {(on.month, on.day)}
        if (on + timedelta(days=1)).month == 3 and on.day == 28:
            days.add((2, 29))
        is_kept = rule.kind == "birthday"
        return {person for person in team if is_kept and self.birthdays.get(person) in days}

    def _give(self, rule: ToldMilestone, person: UUID, on: date) -> None:
        budget = self.in_force(rule.budget)
        packet = ToldPacket(
            id=UNTOLD,
            kind="milestone",
            budget=budget,
            total=rule.amount,
            count=1,
            sender=rule.owner,
            opens_at=self.now,
            expires_at=self.now + KEPT_OPEN,
            named={person: rule.amount},
            team=frozenset(),
            needed=approvals_for(budget.unit, rule.amount),
            greeting=rule.greeting,
        )
        rule.given[person, on.year] = packet
        self.place(packet)
