"""The state machine of rewards: people send, approve, grab, redeem and pay, through the API, in any order and at any time.

Each rule asks and compares the answer with what ``Told`` predicts; after each step ``ledger_rows`` compares the rows.
"""

from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from werkzeug.test import TestResponse

from tests.redpackets import ledger_rows
from tests.redpackets.told import BANDS, CNY, POINT, ToldBudget, ToldPacket
from tests.redpackets.world import (
    ALLOWANCE,
    DECIDERS,
    MEMBERS,
    World,
    fresh_key,
    said,
)

WHICH = st.integers(0, 7)
MANY = st.integers(1, 5)
TAPS = st.integers(1, 2)
OPEN_FOR = timedelta(hours=1)
BUDGETS_MAX = 7
TEAM = st.lists(st.sampled_from((*MEMBERS, "Mara")), min_size=1, max_size=3, unique=True)


class MachineOfRewards(RuleBasedStateMachine):
    """What all rules share: a world of its own for each game, requests that are remembered, the checks."""

    has_gate: ClassVar[bool]
    found_world: ClassVar[Any]

    @initialize()
    def begin(self) -> None:
        self.world: World = self.found_world()
        self.world.entrance.is_open = self.has_gate
        self.told = self.world.told
        self.history = ledger_rows.History()
        #: (who, path, body, key, answer) of what moved money under a key.
        self.paid: list[tuple[str, str, Any, str, TestResponse]] = []
        self.steps = 0

    def pay(self, who: str, path: str, body: Any) -> TestResponse:
        """Ask for something that moves money; what was answered is kept, to be asked for again."""
        key = fresh_key()
        reply = self.world.phones[who].pay(path, body, key=key)
        if not said(reply):
            self.paid.append((who, path, body, key, reply))
        return reply

    def post(self, who: str, path: str, body: Any = None) -> TestResponse:
        return self.world.phones[who].post(path, body)

    def ids(self, names: list[str]) -> list[UUID]:
        return [self.world.id_of(name) for name in names]

    def is_gone(self, who: str) -> bool:
        return self.world.id_of(who) in self.told.departed

    def any_packet(self, which: int) -> ToldPacket | None:
        """Pick a packet, the newest the most often."""
        return self.told.packets[-1 - which % len(self.told.packets)] if self.told.packets else None

    @invariant()
    def everything_holds(self) -> None:
        rows = ledger_rows.Rows(self.world)
        for check in ledger_rows.CHECKS:
            check(rows, self.told)
        self.history.i10_nothing_written_ever_changes(rows)
        self.steps += 1
        if self.steps % 8 == 0:
            assert self.world.rewards.verify().deviations == []

    def teardown(self) -> None:
        """Let everything come to its end: nothing stays held, reserved or in flight (I16)."""
        if not hasattr(self, "told"):
            return
        self.world.find_redis()
        self.world.entrance.is_open = True
        # Past the end of whatever was sent last.
        self.world.clock.move(days=8)
        self.world.move(0)
        self.world.run_jobs()
        self.world.seal()
        self.everything_holds()
        assert all(self.told.held(budget) == 0 for budget in self.told.budgets)
        assert self.world.rewards.verify().deviations == []


class Sending(MachineOfRewards):
    """Rules of budgets, of sending, of approving and of stopping."""

    def budget(self, which: int, unit: str | None = None) -> ToldBudget:
        found = [b for b in self.told.budgets if unit in (None, b.unit) and not b.give_only]
        return found[which % len(found)]

    def gift(self, budget: ToldBudget) -> dict[str, Any]:
        return {
            "budget_id": str(budget.id),
            "unit": budget.unit,
            "on_behalf_of": str(self.world.sales),
            "purpose": {"category": "recognition", "text": "Any order"},
        }

    def keep_packet(self, reply: TestResponse, who: str, budget: ToldBudget, **asked: Any) -> None:
        """Keep a packet that was sent, with what the policy asks for its amount."""
        now = self.told.now
        opens_at = asked.pop("opens_at", now)
        total = asked["total"]
        needed = sum(total > amount for amount in BANDS) if budget.unit == CNY else 0
        packet = ToldPacket(
            id=UUID(reply.json["id"]),
            budget=budget,
            sender=self.world.id_of(who),
            opens_at=opens_at,
            expires_at=asked.pop("expires_at", opens_at + OPEN_FOR),
            needed=needed,
            **asked,
        )
        self.told.place(packet)
        state = "pending_approval" if needed else "open" if packet.opened else "scheduled"
        assert reply.json["state"] == state or packet.named

    @rule(
        who=st.sampled_from(["Mara", "Mara", "Olive"]),
        kind=st.sampled_from(["equal", "lucky"]),
        which=WHICH,
        count=MANY,
        each=st.sampled_from([1, 40, 250, 330, 700]),
        odd=st.integers(0, 3),
        opens_in=st.sampled_from([0, 0, 0, 10]),
    )
    def send(self, who, kind, which, count, each, odd, opens_in):
        budget, total = self.budget(which), count * each + odd
        opens_at = self.told.now + timedelta(minutes=opens_in)
        times = {"opens_at": opens_at, "expires_at": opens_at + OPEN_FOR}
        body = self.gift(budget) | {"kind": kind, "total_minor": total, "count": count}
        body |= {"audience": {"scopes": [{"kind": "unit", "id": str(self.world.sales)}]}}
        body |= {name: at.isoformat() for name, at in times.items()}
        refusal = self.told.refusal_to_spend(budget, total)
        available = self.told.available(budget)
        reply = self.pay(who, "/red-packets", body)
        assert said(reply) == refusal, reply.json
        if refusal.endswith("insufficient_budget"):
            assert (reply.json["available"], reply.json["requested"]) == (available, total)
        if not refusal:
            self.keep_packet(
                reply, who, budget, kind=kind, total=total, count=count, named={}, **times
            )

    @rule(who=st.sampled_from(["Mara", "Olive"]), names=TEAM, which=WHICH, each=st.integers(1, 700))
    def send_to_names(self, who, names, which, each):
        budget = self.budget(which)
        named = {person: each + place for place, person in enumerate(self.ids(names))}
        body = self.gift(budget) | {
            "kind": "targeted",
            "expires_at": (self.told.now + OPEN_FOR).isoformat(),
            "receivers": [{"person_id": str(p), "amount_minor": a} for p, a in named.items()],
        }
        total = sum(named.values())
        refusal = self.told.refusal_to_spend(budget, total)
        if named.keys() & self.told.departed:
            refusal = "redpackets.receiver_refused"
        reply = self.pay(who, "/red-packets", body)
        assert said(reply) == refusal, reply.json
        if not refusal:
            self.keep_packet(
                reply, who, budget, kind="targeted", total=total, count=len(named), named=named
            )

    @rule(names=TEAM, which=WHICH, each=st.sampled_from([5, 60, 130, 700]))
    def grant(self, names, which, each):
        budget = self.budget(which)
        named = dict.fromkeys(self.ids(names), each)
        body = self.gift(budget) | {
            "receivers": [{"person_id": str(p), "amount_minor": a} for p, a in named.items()]
        }
        total = sum(named.values())
        refusals = {self.told.refusal_to_spend(budget, total)}
        if self.told.available(budget) < total:
            refusals = {"redpackets.insufficient_budget"}
        if named.keys() & self.told.departed:
            refusals = {"redpackets.receiver_refused"}
        reply = self.pay("Mara", "/grants", body)
        assert {said(reply)} == refusals, reply.json
        if not said(reply):
            [wave] = reply.json["waves"]
            seen = self.world.phones["Mara"].get(f"/red-packets/{wave['packet_id']}")
            days = {"expires_at": self.told.now + timedelta(days=7)}
            self.keep_packet(
                seen,
                "Mara",
                budget,
                kind="grant",
                total=total,
                count=len(named),
                named=named,
                **days,
            )

    @rule(who=st.sampled_from(MEMBERS), names=TEAM, each=st.sampled_from([5, 40, 90]))
    def thank(self, who, names, each):
        points = self.told.budgets[1]
        own = {f"{self.world.id_of(who)}"}
        named = dict.fromkeys(self.ids(names), each)
        total = sum(named.values())
        allowance = self.allowance_of(who)
        refusal = ""
        if self.is_gone(who):
            refusal = "invalid_token"
        elif {str(p) for p in named} & own or named.keys() & self.told.departed:
            refusal = "redpackets.receiver_refused"
        elif allowance is None and total <= ALLOWANCE:
            refusal = self.told.refusal_to_carve(points, ALLOWANCE)
        elif total > (self.told.available(allowance) if allowance else ALLOWANCE):
            refusal = "redpackets.insufficient_budget"
        body = {
            "receivers": [str(person) for person in named],
            "amount_minor": each,
            "unit": POINT,
            "text": "Stayed late to help",
        }
        reply = self.pay(who, "/kudos", body)
        assert said(reply) == refusal, reply.json
        if not refusal:
            allowance = allowance or self.open_allowance(who, reply.json["budget_id"])
            days = {"expires_at": self.told.now + timedelta(days=7)}
            self.keep_packet(
                reply,
                who,
                allowance,
                kind="kudos",
                total=total,
                count=len(named),
                named=named,
                **days,
            )

    def allowance_of(self, who: str) -> ToldBudget | None:
        return self.allowances.get(who)

    @property
    def allowances(self) -> dict[str, ToldBudget]:
        return self.__dict__.setdefault("_allowances", {})

    def open_allowance(self, who: str, budget_id: str) -> ToldBudget:
        """Keep an allowance: so much was carved out of the budget of points."""
        points = self.told.budgets[1]
        told = {
            "id": budget_id,
            "unit": POINT,
            "limit_minor": ALLOWANCE,
            "period_to": str(points.period_to),
            "version": 1,
            "give_only": True,
        }
        self.allowances[who] = self.world.keep_budget(told, parent=points)
        self.allowances[who].owner = self.world.id_of(who)
        return self.allowances[who]

    @precondition(lambda self: len(self.told.budgets) < BUDGETS_MAX)
    @rule(which=WHICH, amount=st.sampled_from([1, 300, 900, 2_000]), is_short=st.booleans())
    def carve(self, which, amount, is_short):
        parent = self.budget(which)
        period_to = min(parent.period_to, self.told.today) if is_short else parent.period_to
        refusal = self.told.refusal_to_carve(parent, amount)
        reply = self.world.rewards.open_budget(
            amount,
            unit=parent.unit,
            parent_id=str(parent.id),
            period_from=str(self.world.first_day),
            period_to=str(period_to),
        )
        assert said(reply) == refusal, reply.json
        if not refusal:
            self.world.keep_budget(reply.json, parent=parent)

    @rule(which=WHICH, limit=st.sampled_from([0, 1, 300, 2_000, 5_000, 7_000]))
    def change_limit(self, which, limit):
        budget = self.budget(which)
        refusal = self.told.refusal_to_change(budget, limit or 1)
        body = {"version": budget.version, "limit_minor": limit or 1}
        reply = self.world.phones["Olive"].patch(f"/budgets/{budget.id}", json=body)
        if refusal.endswith("period_closed") and budget.closed:
            assert said(reply) in (refusal, "version_conflict")
            return
        assert said(reply) == refusal, reply.json
        if not refusal:
            budget.limit, budget.version = limit or 1, reply.json["version"]


class Deciding(Sending):
    """Rules of approving and of stopping."""

    @precondition(lambda self: self.told.packets)
    @rule(
        which=WHICH,
        who=st.sampled_from(DECIDERS),
        decision=st.sampled_from(["approve", "approve", "approve", "reject"]),
        renounces=st.booleans(),
        taps=TAPS,
    )
    def decide(self, which, who, decision, renounces, taps):
        waiting = [p for p in self.told.packets if p.is_waiting] or self.told.packets
        packet = waiting[-1 - which % len(waiting)]
        person = self.world.id_of(who)
        body = {"decision": decision, "reason": "So be it", "renounce": renounces}
        for _ in range(taps):
            refusal = self.told.refusal_to_decide(packet, person, decision, renounces=renounces)
            refusal = "invalid_token" if self.is_gone(who) else refusal
            right = self.told.right_to_use(packet, person)
            reply = self.post(who, f"{packet.path}/approval", body)
            assert said(reply) == refusal.replace("again", ""), reply.json
            if refusal or right is None:
                continue
            if decision == "reject":
                packet.rejected_by, packet.ended = person, "rejected"
            else:
                packet.approved.append((person, right))
                self.told.open_if_due(packet)

    @precondition(lambda self: self.told.packets)
    @rule(which=WHICH, taps=TAPS)
    def cancel(self, which, taps):
        packet = self.any_packet(which)
        for _ in range(taps):
            refusal = ""
            if packet.held and packet.ended != "cancelled":
                refusal = "redpackets.already_claimed"
            elif packet.ended == "rejected":
                refusal = "redpackets.cancelled"
            elif packet.ended != "cancelled" and (
                packet.ended or self.told.now >= packet.expires_at
            ):
                refusal = "redpackets.expired"
            reply = self.post("Olive", f"{packet.path}/cancellation")
            assert said(reply) == refusal, reply.json
            packet.ended = packet.ended if refusal else "cancelled"

    @precondition(lambda self: self.told.packets)
    @rule(which=WHICH, taps=TAPS)
    def close(self, which, taps):
        packet = self.any_packet(which)
        for _ in range(taps):
            refusal = ""
            if packet.ended in ("cancelled", "rejected"):
                refusal = "redpackets.cancelled"
            elif not packet.ended and not packet.opened:
                refusal = "redpackets.not_open"
            reply = self.post("Olive", f"{packet.path}/closing")
            assert said(reply) == refusal, reply.json
            if not refusal and not packet.ended:
                packet.ended = "exhausted" if packet.is_empty else "expired"

    @precondition(lambda self: self.told.packets)
    @rule(which=WHICH, frozen=st.booleans())
    def freeze(self, which, frozen):
        packet = self.any_packet(which)
        refusal = ""
        if frozen != packet.frozen:
            if packet.ended in ("cancelled", "rejected"):
                refusal = "redpackets.cancelled"
            elif packet.ended or self.told.now >= packet.expires_at:
                refusal = "redpackets.expired"
        reply = self.post("Olive", f"{packet.path}/freeze", {"frozen": frozen, "reason": "Look"})
        assert said(reply) == refusal, reply.json
        if not refusal:
            packet.frozen = frozen
            self.told.open_if_due(packet)
