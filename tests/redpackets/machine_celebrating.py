"""Rules of the state machine about milestones: birthdays come, gifts are given once a year, or later when they can be paid."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from redpackets.campaigns.jobs import _give_company
from tests.redpackets.machine import BUDGET, TAPS, WHICH, MachineOfRewards
from tests.redpackets.told_things import UNTOLD, ToldMilestone
from tests.redpackets.world import DEPARTED_MAX, RUSHERS, said

MILESTONES_MAX = 3
CELEBRATED = st.lists(st.sampled_from(RUSHERS), min_size=1, max_size=3, unique=True)
#: From before what is caught up with to what is still to come.
DAYS_AHEAD = st.integers(-4, 1)


class Celebrating(MachineOfRewards):
    """Rules of milestones."""

    @precondition(lambda self: len(self.told.milestones) < MILESTONES_MAX)
    @rule(
        who=st.sampled_from(["Olive", "Kit"]),
        which=BUDGET,
        amount=st.sampled_from([1, 90, 800, 1_600, 2_400]),
        # The day of joining is nobody's here: such a rule gives nothing.
        kind=st.sampled_from(["birthday", "birthday", "birthday", "anniversary"]),
        since=st.sampled_from([0, 0, 2, 3, 5]),
        names=CELEBRATED,
        ahead=DAYS_AHEAD,
    )
    def keep_milestone(self, who, which, amount, kind, since, names, ahead):
        budget = self.budget(which)
        kept = ToldMilestone(
            id=UNTOLD,
            owner=self.world.id_of(who),
            budget=budget,
            kind=kind,
            amount=amount,
            greeting=f"Milestone {len(self.told.milestones)}",
            starts_on=self.told.today - timedelta(days=since),
        )
        body = {
            "kind": kind,
            "unit_id": str(self.world.sales),
            "budget_id": str(budget.id),
            "unit": budget.unit,
            "amount_minor": amount,
            "purpose": "Any birthday",
            "greeting": kept.greeting,
            "starts_on": str(kept.starts_on),
        }
        reply = self.post(who, "/milestone-rules", body)
        assert not said(reply), reply.json
        kept.id = UUID(reply.json["id"])
        self.told.milestones.append(kept)
        self.know_birthdays(names, ahead)

    @rule(names=CELEBRATED, ahead=DAYS_AHEAD)
    def birthdays_are_known(self, names, ahead):
        self.know_birthdays(names, ahead)

    def know_birthdays(self, names: list[str], ahead: int) -> None:
        """Take over a file of birthdays, whole or not at all: nobody of it may have left."""
        day = self.told.today + timedelta(days=ahead)
        rows = [
            {"person_id": str(person), "kind": "birthday", "day": f"{day:%m-%d}"}
            for person in self.ids(names)
        ]
        is_refused = not self.told.departed.isdisjoint(self.ids(names))
        reply = self.world.phones["Olive"].put("/milestone-dates", {"rows": rows})
        assert said(reply) == ("redpackets.dates_refused" if is_refused else ""), reply.json
        if not is_refused:
            self.told.birthdays |= dict.fromkeys(self.ids(names), (day.month, day.day))

    @precondition(lambda self: self.told.milestones)
    @rule(which=WHICH, is_active=st.booleans(), amount=st.sampled_from([None, 50, 700]))
    def change_milestone(self, which, is_active, amount):
        """Stop a rule, let it go on, or give more: who was given something this year gets nothing more."""
        kept = self.told.milestones[-1 - which % len(self.told.milestones)]
        changes: dict[str, Any] = {"active": is_active}
        if amount:
            changes["amount_minor"] = amount
        body = {"version": kept.version} | changes
        reply = self.world.phones["Olive"].patch(f"/milestone-rules/{kept.id}", body)
        assert not said(reply), reply.json
        kept.version, kept.is_active = reply.json["version"], is_active
        kept.amount = amount or kept.amount

    @precondition(lambda self: self.told.milestones)
    @rule(
        times=TAPS,
        workers=st.sampled_from([1, 1, 2]),
        days=st.sampled_from([0, 0, 1]),
        leaver=st.sampled_from([None, None, None, "Ben", "Cao"]),
    )
    def morning_comes(self, times, workers, days, leaver):
        """Let the timer come by, once or again, in one process or two: each gift is given once, to who is still here."""
        if leaver and len(self.told.departed) < DEPARTED_MAX:
            self.world.leave(leaver)
        self.world.move(days * 24 * 60)
        company = self.world.company
        bench = company.space.workbench()
        for _ in range(times):
            with ThreadPoolExecutor(workers) as threads:
                list(threads.map(lambda _: _give_company(bench, company.tenant_id), range(workers)))
            for _ in range(workers):
                self.told.give_gifts()
        self.hear_of_gifts()

    def hear_of_gifts(self) -> None:
        """Read what rules gave, and why they did not."""
        olive = self.world.phones["Olive"]
        rules = olive.get("/milestone-rules?limit=100").json["items"]
        assert {(UUID(r["id"]), r["last_refusal"]) for r in rules} == {
            (kept.id, kept.last_refusal) for kept in self.told.milestones
        }
        untold = [p for p in self.told.packets if p.id == UNTOLD]
        told_of = {packet.id for packet in self.told.packets}
        given = [self._read(p["id"]) for p in self._listed() if UUID(p["id"]) not in told_of]
        found = {(p["greeting"], UUID(p["receivers"][0]["person"]["id"])): p["id"] for p in given}
        assert len(found) == len(given) == len(untold)
        for packet in untold:
            [person] = packet.named
            packet.id = UUID(found[packet.greeting, person])

    def _read(self, packet_id: str) -> Any:
        return self.world.phones["Olive"].get(f"/red-packets/{packet_id}").json

    def _listed(self) -> list[Any]:
        found, cursor = [], ""
        while cursor is not None:
            page = self.world.phones["Olive"].get(f"/red-packets?limit=100{cursor}").json
            found += [packet for packet in page["items"] if packet["kind"] == "milestone"]
            cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
        return found
