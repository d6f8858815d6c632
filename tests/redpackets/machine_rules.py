"""Rules of the state machine about rules on figures: figures move, rules fire once, what fell is decided by people."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from redpackets.campaigns import jobs
from tests.redpackets.fake_figures import METRIC
from tests.redpackets.machine import BUDGET, TAKERS, TAPS, WHICH, MachineOfRewards
from tests.redpackets.told_things import UNTOLD, ToldBudget, ToldFigure, ToldFire, ToldRule
from tests.redpackets.world import DECIDERS, said

RULES_MAX = 4
#: Below, at and beyond what rules ask for; of targets and last years, too, there may be none, or nothing.
VALUES = st.sampled_from([None, 0, 999, 1_000, 1_099, 1_100, 5_000, 5_000, 5_000])
BASES = st.sampled_from([None, 0, 1_000, 1_000, 1_000])
TERMS = st.sampled_from([("value", 1_000), ("target", 1), ("target", 1.1), ("growth", 0.1)])
DECIDED = {"accept": "accepted", "reject": "rejected"}


class Ruling(MachineOfRewards):
    """Rules of rules on figures."""

    @initialize()
    def begin(self) -> None:
        """Begin with a rule about teams, which has fired for one of them, and one about persons."""
        super().begin()
        about = {"is_per_head": False, "last_day": None}
        cash, points = self.told.budgets[:2]
        self.make_rule("Olive", cash, ("value", 1_000), "units", 400, split="lucky", **about)
        self.make_rule("Kit", points, ("target", 1), "persons", 70, split="equal", **about)
        this_month = self.told.today.replace(day=1)
        self.told.figures[self.world.sales, this_month] = ToldFigure(Decimal(1_000))
        self.run_evaluation(workers=1)

    @precondition(lambda self: len(self.told.rules) < RULES_MAX)
    @rule(
        who=st.sampled_from(["Olive", "Kit"]),
        which=BUDGET,
        terms=TERMS,
        about=st.sampled_from(["units", "units", "persons", "their unit"]),
        amount=st.sampled_from([1, 70, 400, 1_600, 3_300]),
        is_per_head=st.booleans(),
        split=st.sampled_from(["equal", "lucky"]),
        last_day=st.sampled_from([None, None, 3, 12, 28]),
    )
    def keep_rule(self, who, which, terms, about, amount, is_per_head, split, last_day):
        award = {"is_per_head": is_per_head, "split": split, "last_day": last_day}
        self.make_rule(who, self.budget(which), terms, about, amount, **award)

    def make_rule(
        self,
        who: str,
        budget: ToldBudget,
        terms: tuple[str, float],
        about: str,
        amount: int,
        *,
        is_per_head: bool,
        split: str,
        last_day: int | None,
    ) -> None:
        """Ask for a rule and keep it; who left is no subject of a new one."""
        is_personal, is_for_unit = about != "units", about == "their unit"
        subjects = [self.world.sales, self.world.elsewhere]
        subjects = self.ids(["Ann", "Ben", "Sun"]) if is_personal else subjects
        kept = ToldRule(
            id=UNTOLD,
            owner=self.world.id_of(who),
            budget=budget,
            comparison=terms[0],
            threshold=Decimal(str(terms[1])),
            deadline_day=last_day,
            is_personal=is_personal,
            is_for_unit=is_for_unit,
            subjects=subjects,
            amount=amount,
            is_per_head=is_per_head,
            split="one" if is_personal and not is_for_unit else split,
            starts_on=self.told.today,
        )
        refusal = "redpackets.rule_refused" if self.misses_somebody(subjects) else ""
        body = self.written(kept) | {"on_behalf_of": str(self.world.company.root_id)}
        reply = self.post(who, "/kpi-rules", body)
        assert said(reply) == refusal, reply.json
        if not refusal:
            kept.id = UUID(reply.json["id"])
            self.told.rules.append(kept)

    def written(self, kept: ToldRule) -> dict[str, Any]:
        """Write a rule as it is asked for."""
        return {
            "name": "Any order",
            "metric": METRIC,
            "comparison": kept.comparison,
            "threshold": float(kept.threshold),
            "period": "month",
            "deadline_day": kept.deadline_day,
            "subjects": {
                "kind": "persons" if kept.is_personal else "units",
                "ids": [str(subject) for subject in kept.subjects],
            },
            "budget_id": str(kept.budget.id),
            "unit": kept.budget.unit,
            "per_head_minor" if kept.is_per_head else "total_minor": kept.amount,
            "split": kept.split,
            "audience": "unit" if kept.is_for_unit else "subject",
            "purpose": {"category": "sales", "text": "Target reached"},
            "kept_open_hours": 1,
        }

    @precondition(lambda self: self.told.rules)
    @rule(which=WHICH, changes=st.sampled_from([{"active": False}, {"active": True}, {}]))
    def change_rule(self, which, changes):
        """Stop a rule, let it go on, or ask for more; what fired keeps the terms it fired on."""
        kept = self.any_rule(which)
        refusal = ""
        if not changes:
            changes = {"threshold": float(kept.threshold * 2)}
            # Terms that nobody could make anew cannot be changed either.
            refusal = "redpackets.rule_refused" if self.misses_somebody(kept.subjects) else ""
        body = {"version": kept.version} | changes
        reply = self.world.phones["Olive"].patch(f"/kpi-rules/{kept.id}", body)
        assert said(reply) == refusal, reply.json
        if refusal:
            return
        kept.version, kept.is_active = reply.json["version"], changes.get("active", kept.is_active)
        kept.threshold = Decimal(str(changes.get("threshold", kept.threshold)))

    def misses_somebody(self, subjects: list[UUID]) -> bool:
        """Say whether somebody whom a rule names has left."""
        return not self.told.departed.isdisjoint(subjects)

    def any_rule(self, which: int) -> ToldRule:
        return self.told.rules[-1 - which % len(self.told.rules)]

    @precondition(lambda self: self.told.rules)
    @rule(
        which=WHICH,
        values=st.lists(VALUES, min_size=3, max_size=3),
        bases=st.tuples(BASES, BASES),
        doubt=st.sampled_from(["", "", "", "", "", "", "missing", "late"]),
        is_of_last_month=st.sampled_from([False, False, True]),
        is_heard=st.sampled_from([True, True, False]),
    )
    def figures_move(self, which, values, bases, doubt, is_of_last_month, is_heard):
        """Let the figures of all whom a rule is about be others."""
        kept = self.any_rule(which)
        first = self.told.today.replace(day=1)
        if is_of_last_month:
            first = (first - timedelta(days=1)).replace(day=1)
        for of, value in zip(kept.subjects, values, strict=False):
            figures = (None if figure is None else Decimal(figure) for figure in (value, *bases))
            place = {"is_missing": doubt == "missing", "is_late": doubt == "late"}
            self.told.figures[of, first] = ToldFigure(*figures, **place)
        if is_heard:
            self.run_evaluation(workers=1)

    @precondition(lambda self: any(kept.fires for kept in self.told.rules))
    @rule(
        which=WHICH,
        value=st.sampled_from([0, 1, 999, None]),
        decision=st.sampled_from(["", "accept", "accept", "reject"]),
        takers=TAKERS,
    )
    def figure_is_restated(self, which, value, decision, takers):
        """Let a figure fall below what it fired at: no money moves until somebody decides."""
        fired = [(kept, place) for kept in self.told.rules for place in kept.fires]
        kept, (first, subject) = fired[-1 - which % len(fired)]
        self.told.figures[subject, first].value = None if value is None else Decimal(value)
        self.run_evaluation(workers=1)
        fire = kept.fires[first, subject]
        for taker in takers:
            self.take(taker, fire.packet)
        if fire.proposal and decision:
            self.decide_about_fire(kept, fire, "Fay", decision)

    @precondition(lambda self: self.told.rules)
    @rule(times=TAPS, workers=st.sampled_from([1, 1, 2]))
    def evaluate(self, times, workers):
        """Let the timer come by, once or again, in one process or two: the same fires, each with its packet."""
        for _ in range(times):
            self.run_evaluation(workers)

    def run_evaluation(self, workers: int) -> None:
        """Run the job, and see that it did what was foretold."""
        space, tenant_id = self.world.company.space, str(self.world.company.tenant_id)
        run = space.jobs.functions[jobs.EVALUATE]
        with ThreadPoolExecutor(workers) as threads:
            list(threads.map(lambda _: run(space.workbench(), tenant_id=tenant_id), range(workers)))
        self.told.evaluate()
        for kept in self.told.rules:
            self.hear_of(kept)

    def hear_of(self, kept: ToldRule) -> None:
        """Read, as its owner, what a rule fired and why it did not."""
        phone = self.world.phones[self.world.name_of(kept.owner)]
        said_of_it = phone.get(f"/kpi-rules/{kept.id}/fires?limit=100").json
        fires = {(fire["period_from"], fire["subject"]["id"]): fire for fire in said_of_it["items"]}
        assert len(fires) == len(said_of_it["items"])
        assert fires.keys() == {(str(first), str(subject)) for first, subject in kept.fires}
        for (first, subject), fire in kept.fires.items():
            fire.packet.id = UUID(fires[str(first), str(subject)]["packet_id"])
        misses = {(m["period_from"], m["subject_id"], m["reason"]) for m in said_of_it["misses"]}
        assert misses == {(str(first), str(of), reason) for first, of, reason in kept.misses}

    def proposed(self) -> list[tuple[ToldRule, ToldFire]]:
        """List what fired and fell, oldest first."""
        fires = [(kept, fire) for kept in self.told.rules for fire in kept.fires.values()]
        return [(kept, fire) for kept, fire in fires if fire.proposal]

    @precondition(lambda self: self.proposed())
    @rule(
        which=WHICH,
        who=st.sampled_from(["Fay", "Fay", *DECIDERS]),
        decision=st.sampled_from(["accept", "reject"]),
        taps=TAPS,
    )
    def decide_proposal(self, which, who, decision, taps):
        found = self.proposed()
        self.decide_about_fire(*found[-1 - which % len(found)], who, decision, taps)

    def decide_about_fire(
        self, kept: ToldRule, fire: ToldFire, who: str, decision: str, taps: int = 1
    ) -> None:
        """Decide what becomes of a packet whose figure fell; what is answered is what was foretold."""
        assert fire.proposal is not None
        listed = self.world.phones["Olive"].get("/kpi-proposals?limit=100").json["items"]
        told: Any = {UUID(one["packet_id"]): one for one in listed}[fire.packet.id]
        assert (told["state"], told["value_now"]) == (fire.proposal.state, fire.proposal.value)
        person, state = self.world.id_of(who), DECIDED[decision]
        for tap in range(taps):
            refusal = self.told.refusal_to_decide_fire(kept, fire, person, state)
            refusal = "invalid_token" if self.is_gone(who) else refusal
            body = {"decision": decision, "reason": f"So be it {tap}"}
            reply = self.post(who, f"/kpi-proposals/{told['id']}/decision", body)
            assert said(reply) == refusal, reply.json
            if not refusal:
                self.told.decide_fire(fire, state, body["reason"])
                answer = (reply.json["state"], reply.json["reason"], reply.json["outcome"])
                proposal = fire.proposal
                assert answer == (proposal.state, proposal.reason, proposal.outcome)
