"""Rules of the state machine about budgets: carving, changing, caps, the end of periods, recovery by hand."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.redpackets.machine import BUDGET, TAPS, MachineOfRewards, Sending
from tests.redpackets.told_things import ToldBudget
from tests.redpackets.world import MEMBERS, said

BUDGETS_MAX = 10
#: Of how many days, from yesterday on; None for as long as the budget above.
DAYS = st.sampled_from([None, 1, 2, 4])
CAPS = st.sampled_from([None, None, 300, 700])
OWNERS = st.sampled_from(["Olive", "Olive", *MEMBERS])


class Carving(MachineOfRewards):
    """Rules of what a budget is carved out of, and how large it is."""

    @precondition(lambda self: len(self.told.budgets) < BUDGETS_MAX)
    @rule(which=BUDGET, amount=st.sampled_from([1, 300, 900, 2_000]), days=DAYS)
    def carve(self, which, amount, days):
        self.open_below(self.budget(which), amount, days)

    def open_below(self, parent: ToldBudget, amount: int, days: int | None, **terms: object) -> str:
        """Ask for a budget carved out of another; gives the refusal, which is the one foretold."""
        first, last = parent.period_from, parent.period_to
        if days is not None:
            first = max(first, self.told.today - timedelta(days=1))
            last = first + timedelta(days=days - 1)
        refusal = self.told.refusal_to_carve(parent, amount, first, last)
        owner = terms.get("owner_id")
        if owner in self.told.departed:
            refusal = "redpackets.owner_unknown"
        reply = self.world.rewards.open_budget(
            amount,
            unit=parent.unit,
            parent_id=str(parent.id),
            period_from=str(first),
            period_to=str(last),
            **terms | ({"owner_id": str(owner)} if owner else {}),
        )
        assert said(reply) == refusal, reply.json
        if not refusal:
            self.world.keep_budget(reply.json, parent=parent)
        return refusal

    @rule(which=BUDGET, limit=st.sampled_from([1, 300, 2_000, 5_000, 7_000]))
    def change_limit(self, which, limit):
        budget = self.budget(which)
        refusal = self.told.refusal_to_change(budget, limit)
        self.change(budget, refusal, limit_minor=limit)
        budget.limit = budget.limit if refusal else limit

    def change(self, budget: ToldBudget, refusal: str, **changes: object) -> None:
        """Change a budget as its owner last saw it."""
        body = {"version": budget.version} | changes
        reply = self.world.phones["Olive"].patch(f"/budgets/{budget.id}", json=body)
        assert said(reply) == refusal, reply.json
        budget.version = budget.version if refusal else reply.json["version"]


class Budgeting(Carving, Sending):
    """Rules of what a budget comes to: caps, periods that end and go on, leavers, recovery by hand."""

    @initialize()
    def begin(self) -> None:
        """Begin with a budget that goes on, of somebody who may leave, with one below; and one that is waited for."""
        super().begin()
        cash = self.told.budgets[0]
        dan = self.world.id_of("Dan")
        self.open_below(cash, 2_000, 4, owner_id=dan, rolls_over=True, receive_cap_minor=300)
        self.open_below(self.told.budgets[-1], 500, 4, rolls_over=True)
        self.open_below(cash, 900, 2, recovers_unused=False)

    @precondition(lambda self: len(self.told.budgets) < BUDGETS_MAX)
    @rule(
        which=BUDGET,
        amount=st.sampled_from([300, 900, 2_000]),
        days=DAYS,
        owner=OWNERS,
        cap=CAPS,
        rolls_over=st.booleans(),
        recovers=st.booleans(),
    )
    def carve_with_terms(self, which, amount, days, owner, cap, rolls_over, recovers):
        self.open_below(
            self.budget(which),
            amount,
            days,
            owner_id=self.world.id_of(owner),
            receive_cap_minor=cap,
            rolls_over=rolls_over,
            recovers_unused=recovers,
        )

    @precondition(lambda self: self.capped())
    @rule(who=st.sampled_from(MEMBERS), which=BUDGET, each=st.sampled_from([60, 200, 350]))
    def send_towards_cap(self, who, which, each):
        """Send somebody more from a budget of which nobody may receive more than its cap."""
        found = self.capped()
        named = {self.world.id_of(who): each}
        self.send_named("Mara", found[which % len(found)], named, [who, who])

    def capped(self) -> list[ToldBudget]:
        """List the budgets with a cap that pay now."""
        return [b for b in self.told.budgets if b.cap and b.covers(self.told.today)]

    @rule(which=BUDGET, cap=st.sampled_from([None, 100, 300, 700]))
    def change_cap(self, which, cap):
        budget = self.budget(which)
        refusal = "redpackets.period_closed" if budget.closed else ""
        self.change(budget, refusal, receive_cap_minor=cap)
        budget.cap = budget.cap if refusal else cap

    @rule(which=BUDGET, rolls_over=st.booleans(), recovers=st.booleans())
    def change_end(self, which, rolls_over, recovers):
        budget = self.budget(which)
        refusal = "redpackets.period_closed" if budget.closed else ""
        self.change(budget, refusal, rolls_over=rolls_over, recovers_unused=recovers)
        if not refusal:
            budget.rolls_over, budget.recovers = rolls_over, recovers

    @rule(which=BUDGET, who=st.sampled_from(["Fay", "Fay", "Olive", "Mara"]), taps=TAPS)
    def recover(self, which, who, taps):
        found = [b for b in self.told.budgets if not b.give_only]
        found = [b for b in found if not self.told.refusal_to_recover(b)] or found
        budget = found[which % len(found)] if which < 8 else self.budget(which)
        for _ in range(taps):
            refusal = self.told.refusal_to_recover(budget)
            refusal = "not_allowed" if who == "Mara" else refusal
            reply = self.pay(who, f"/budgets/{budget.id}/recovery", {})
            assert said(reply) == refusal, reply.json
            if not refusal:
                self.told.recover(budget)

    @rule(days=st.sampled_from([1, 1, 2]))
    def days_pass(self, days):
        self.world.move(days * 24 * 60)
        self.world.run_jobs()
