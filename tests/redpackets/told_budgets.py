"""What is left of budgets, and where it goes at the end of a period or of somebody's time here."""

from datetime import date, timedelta
from uuid import UUID

from tests.redpackets.told_things import UNTOLD, Memory, ToldBudget

#: A budget, what it was carved out of, and so on.
LEVELS_MAX = 8


class OfBudgets(Memory):
    """Predicts answers about budgets from the answers before."""

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

    def received(self, budget: ToldBudget, person: UUID) -> int:
        """Add up what somebody got from a budget."""
        packets = (p for p in self.packets if p.budget is budget and person in p.held)
        return sum(packet.held[person][1] for packet in packets)

    def in_force(self, budget: ToldBudget) -> ToldBudget:
        """Of a budget and all that it rolled over into, find the one that pays today."""
        line = [budget]
        while line[-1].after:
            line.append(line[-1].after)
        return next((b for b in reversed(line) if b.covers(self.today)), budget)

    def refusal_to_spend(self, budget: ToldBudget, total: int, *days: date) -> str:
        """Say why a packet, or several that open on these days, cannot be paid; "" if they can."""
        if budget.give_only:
            return "redpackets.give_only"
        if budget.closed or not budget.covers(self.today, *days):
            return "redpackets.period_closed"
        if self.available(budget) < total:
            return "redpackets.insufficient_budget"
        return ""

    def refusal_to_give(self, budget: ToldBudget, total: int, *days: date) -> str:
        """Say the same of a rain or grant, whose money is looked at first."""
        if self.available(budget) < total:
            return "redpackets.insufficient_budget"
        return self.refusal_to_spend(budget, total, *days)

    def refusal_to_change(self, budget: ToldBudget, limit: int) -> str:
        """Say why a limit cannot become another; "" if it can."""
        parent, more = budget.parent, limit - budget.limit
        if budget.closed:
            return "redpackets.period_closed"
        if limit < budget.limit - self.available(budget):
            return "redpackets.limit_too_low"
        return self.refusal_to_carve(parent, more) if parent and more > 0 else ""

    def refusal_to_carve(self, parent: ToldBudget, amount: int, *days: date) -> str:
        """Say why so much, for these days, cannot be carved out of a budget; "" if it can."""
        if parent.give_only:
            return "redpackets.give_only"
        if parent.closed:
            return "redpackets.period_closed"
        if not parent.covers(*days):
            return "redpackets.outside_parent"
        if days and len(_line(parent)) >= LEVELS_MAX:
            return "redpackets.tree_too_deep"
        return "redpackets.insufficient_budget" if self.available(parent) < amount else ""

    def refusal_to_recover(self, budget: ToldBudget) -> str:
        """Say why a budget cannot be taken back by hand; "" if it can."""
        is_over = budget.closed or self.today > budget.period_to
        return "" if is_over or budget.owner in self.departed else "redpackets.still_in_use"

    def recover(self, budget: ToldBudget) -> None:
        """Give back what is not held; what nobody has seen yet is withdrawn."""
        for packet in self.packets:
            if packet.budget is budget and not packet.opened and not packet.ended:
                packet.ended = "cancelled"
        if not budget.closed or self.available(budget):
            self._close(budget)
            budget.limit -= self.available(budget)

    def end_budgets(self) -> None:
        """Let the timer come by: what leavers left goes back, then what is over closes, level by level."""
        for budget in [b for b in reversed(self.budgets) if self._goes_back(b)]:
            self.recover(budget)
        seen: list[ToldBudget] = []
        while over := [b for b in reversed(self.budgets) if b not in seen and self._is_over(b)]:
            seen += over
            for budget in over:
                if self._is_over(budget):
                    self._end(budget)

    def _goes_back(self, budget: ToldBudget) -> bool:
        is_left = budget.owner in self.departed
        if not budget.closed:
            return is_left
        return self.available(budget) > 0 and (is_left or budget.recovers)

    def _is_over(self, budget: ToldBudget) -> bool:
        below = [b for b in self.budgets if b.parent is budget and not b.closed]
        is_over = self.today > budget.period_to
        return is_over and not budget.closed and not below and not self.held(budget)

    def _end(self, budget: ToldBudget) -> None:
        """Close a budget; what is left goes on into the next period, or back."""
        self._close(budget)
        unused = self.available(budget)
        heir = self._heir(budget) if budget.rolls_over and unused else None
        if heir is not None:
            _shift(budget, heir, unused)
        elif budget.recovers:
            budget.limit -= unused

    def _close(self, budget: ToldBudget) -> None:
        budget.closed = True
        budget.version += 1

    def _heir(self, budget: ToldBudget) -> ToldBudget | None:
        """Find the budget of the next period, or see that one is opened where the one above reaches so far."""
        if budget.after is not None:
            return budget.after
        period = following(budget.period_from, budget.period_to)
        parent = budget.parent
        if parent is not None and not parent.covers(*period):
            parent = self._heir(parent) if parent.rolls_over else None
            if parent is None or not parent.covers(*period):
                return None
        budget.after = ToldBudget(
            id=UNTOLD,
            unit=budget.unit,
            limit=0,
            period_from=period[0],
            period_to=period[1],
            version=1,
            owner=budget.owner,
            parent=parent,
            give_only=budget.give_only,
            rolls_over=budget.rolls_over,
            recovers=budget.recovers,
            cap=budget.cap,
            before=budget,
        )
        self.budgets.append(budget.after)
        return budget.after


def _line(budget: ToldBudget) -> list[ToldBudget]:
    """List a budget and all above it."""
    return [budget, *(_line(budget.parent) if budget.parent else ())]


def following(begins: date, ends: date) -> tuple[date, date]:
    """Say the next period: as many whole months, or else as many days."""
    after = ends + timedelta(days=1)
    if (begins.day, after.day) != (1, 1):
        return after, after + (ends - begins)
    last, day = after, begins
    while day < after:
        day, last = _next_month(day), _next_month(last)
    return after, last - timedelta(days=1)


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _shift(old: ToldBudget, new: ToldBudget, amount: int) -> None:
    """Let limits follow the money, up to what both were carved out of."""
    old.limit -= amount
    new.limit += amount
    if old.parent is not new.parent:
        assert old.parent is not None
        assert new.parent is not None
        _shift(old.parent, new.parent, amount)
