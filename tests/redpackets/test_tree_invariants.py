"""Any order of carving, changing, spending and ending keeps the tree of budgets whole, after every step."""

from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from app.core.callers import Caller
from app.core.errors import Refusal
from app.people.audiences import AudienceScope
from redpackets import services
from redpackets.budget_jobs import sweep_company
from redpackets.models import Budget
from tests.redpackets.rewards import Rewards

AMOUNTS = st.sampled_from([1, 50, 300, 900, 1_100])
WHICH = st.integers(0, 5)
LIMIT = 1_000


class TreeMachine(RuleBasedStateMachine):
    """Plays with the budgets of one company, which its subclass names."""

    rewards: ClassVar[Rewards]
    owner: ClassVar[Caller]
    member: ClassVar[Caller]

    def __init__(self) -> None:
        super().__init__()
        self.now = self.rewards.company.clock()
        today = self.now.date()
        made = self.rewards.open_budget(
            LIMIT, period_to=str(today + timedelta(days=8)), rolls_over=True
        )
        self.budget_ids = [UUID(made.json["id"])]
        self.packet_ids: list[UUID] = []

    @rule(above=WHICH, amount=AMOUNTS, rolls_over=st.booleans(), days=st.sampled_from([2, 8]))
    def carve(self, above, amount, rolls_over, days):
        parent_id = self._pick(self.budget_ids, above)

        def make(session):
            parent = session.get_one(Budget, (self.owner.tenant_id, parent_id))
            ends = min(parent.period_to, parent.period_from + timedelta(days=days))
            new = services.NewBudget(
                name="Below",
                owner_id=self.owner.person_id,
                unit_id=self.rewards.sales,
                unit="CNY",
                limit_minor=amount,
                period_from=parent.period_from,
                period_to=ends,
                parent_id=parent_id,
                rolls_over=rolls_over,
            )
            room = parent.available_minor if parent.closed_at is None else 0
            made = services.create_budget(session, caller=self.owner, new=new, now=self.now)
            assert amount <= room
            return made.id

        made = self._act(make)
        if made is not None:
            self.budget_ids.append(made)

    @rule(which=WHICH, limit=AMOUNTS)
    def change_limit(self, which, limit):
        budget_id = self._pick(self.budget_ids, which)

        def change(session):
            budget = session.get_one(Budget, (self.owner.tenant_id, budget_id))
            asked = services.BudgetChange(version=budget.version, limit_minor=limit)
            services.change_budget(
                session, caller=self.owner, budget_id=budget_id, change=asked, now=self.now
            )

        self._act(change)

    @rule(which=WHICH, total=AMOUNTS, seed=st.binary(min_size=32, max_size=32))
    def send(self, which, total, seed):
        new = _new_packet(self._pick(self.budget_ids, which), self.rewards.sales, total)
        sent = self._act(
            lambda session: (
                services.send_packet(
                    session, caller=self.owner, new=new, seed=seed, now=self.now
                ).id
            )
        )
        if sent is not None:
            self.packet_ids.append(sent)

    @rule(which=WHICH)
    def take_and_close(self, which):
        if not self.packet_ids:
            return
        place = {"packet_id": self._pick(self.packet_ids, which), "now": self.now}
        self._act(lambda session: services.grab(session, caller=self.member, **place))
        self._act(lambda session: services.close_packet(session, caller=self.owner, **place))

    @rule(days=st.sampled_from([1, 4]))
    def time_goes_by(self, days):
        self.now += timedelta(days=days)
        for packet_id in self.packet_ids:
            place = {"packet_id": packet_id, "now": self.now}
            self._act(lambda session, place=place: services.close_if_over(session, **place))
        bench = self.rewards.company.space.workbench()
        object.__setattr__(bench, "clock", lambda: self.now)
        sweep_company(bench, self.rewards.company.tenant_id)

    @invariant()
    def the_ledger_and_the_tree_hold(self):
        assert self.rewards.verify().deviations == []

    def _pick(self, ids, which):
        return ids[which % len(ids)]

    def _act(self, verb):
        try:
            with self.rewards.company.transaction() as session:
                return verb(session)
        except Refusal:
            return None


def test_any_order_of_carving_spending_and_ending_keeps_the_tree_whole(rewards):
    [lin] = rewards.team("Lin")

    class Machine(TreeMachine):
        pass

    Machine.rewards = rewards
    Machine.owner = rewards.company.caller(rewards.owner)
    Machine.member = rewards.company.caller(lin)
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=6,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def _new_packet(budget_id: UUID, unit_id: UUID, total: int) -> services.NewPacket:
    return services.NewPacket(
        kind="equal",
        unit="CNY",
        total_minor=total,
        share_count=1 if total == 1 else 2,
        min_minor=None,
        max_minor=None,
        budget_id=budget_id,
        on_behalf_of_id=unit_id,
        audience=[AudienceScope(kind="unit", id=unit_id)],
        purpose_category="recognition",
        purpose_text="Any order",
        purpose_evidence="",
        tax_class="wage_income",
        greeting="",
        opens_at=None,
        expires_at=None,
    )
