"""The state machine of rewards: people send, approve, grab, redeem and pay, through the API, in any order and at any time.

Each rule asks and compares the answer with what ``Told`` predicts; after each step ``ledger_rows`` compares the rows.
"""

from datetime import date, timedelta
from typing import Any, ClassVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from werkzeug.test import TestResponse

from tests.redpackets import ledger_rows
from tests.redpackets.told_rules import approvals_for
from tests.redpackets.told_things import POINT, ToldBudget, ToldPacket, day_of
from tests.redpackets.world import ALLOWANCE, GRABBERS, MEMBERS, World, fresh_key, said

#: Of packets and other things that are made: the newest the most often.
WHICH = st.sampled_from([0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7])
#: Of budgets: any alike, and at times one that has ended.
BUDGET = st.integers(0, 9)
MANY = st.integers(1, 5)
TAPS = st.integers(1, 2)
OPEN_FOR = timedelta(hours=1)
#: Who taps a packet as soon as it is sent.
TAKERS = st.lists(st.sampled_from(GRABBERS), max_size=3)
TEAM = st.lists(st.sampled_from((*MEMBERS, "Mara")), min_size=1, max_size=3, unique=True)


class MachineOfRewards(RuleBasedStateMachine):
    """What all rules share: a world of its own for each game, requests that are remembered, the checks."""

    has_gate: ClassVar[bool]
    found_world: ClassVar[Any]
    #: On which day of the month a game begins.
    first_day: ClassVar[int] = 10

    @initialize()
    def begin(self) -> None:
        self.world: World = self.found_world(self.first_day)
        self.world.entrance.is_open = self.has_gate
        self.told = self.world.told
        self.history = ledger_rows.History()
        #: (who, path, body, key, answer) of what moved money under a key.
        self.paid: list[tuple[str, str, Any, str, TestResponse]] = []
        #: By who gives, and the first day of the month.
        self.allowances: dict[tuple[str, date], ToldBudget] = {}
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

    def budget(self, which: int) -> ToldBudget:
        """Pick a budget that pays packets; now and then one that has ended, and will refuse."""
        found = [b for b in self.told.budgets if not b.give_only]
        ended = [b for b in found if b.closed]
        found = ended if ended and which == 9 else [b for b in found if not b.closed] or found
        return found[which % len(found)]

    def any_packet(self, which: int) -> ToldPacket:
        """Pick a packet."""
        return self.told.packets[-1 - which % len(self.told.packets)]

    def grab(self, who: str, packet: ToldPacket) -> TestResponse:
        return self.post(who, f"{packet.path}/grab")

    def take(self, who: str, packet: ToldPacket) -> None:
        """Tap, and hear what was foretold."""
        expected = self.expected(packet, who)
        reply = self.grab(who, packet)
        assert heard(reply) in expected, (heard(reply), expected, reply.json)
        self.keep(packet, who, reply)

    def expected(self, packet: ToldPacket, who: str) -> set[str]:
        """Predict; who just left may hear from the gate, for a second, what gives nothing away."""
        found = self.told.answer_to_grab(packet, self.world.id_of(who))
        if self.is_gone(who) and self.has_gate:
            found |= {"again"} if self.world.id_of(who) in packet.held else set()
            found |= {"sold_out"} if packet.is_empty else set()
        return found

    def keep(self, packet: ToldPacket, who: str, reply: TestResponse) -> None:
        """Keep what somebody won for ever, or see that it is what they hold."""
        word, person = heard(reply), self.world.id_of(who)
        if word not in ("won", "again"):
            return
        self.told.open_if_due(packet)
        share = (reply.json["share"]["index"], reply.json["share"]["amount_minor"])
        assert reply.json["share"]["unit"] == packet.budget.unit
        assert packet.held.setdefault(person, share) == share
        assert packet.named.get(person, share[1]) == share[1]
        cap = packet.budget.cap
        assert word == "again" or cap is None or self.told.received(packet.budget, person) <= cap

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


def heard(reply: TestResponse) -> str:
    """Say what a grab came to: ``won``, ``again``, ``sold_out`` or a refusal's code."""
    if said(reply):
        return said(reply)
    if reply.json["result"] == "won" and not reply.json["first"]:
        return "again"
    return str(reply.json["result"])


class Sending(MachineOfRewards):
    """Rules of sending and giving."""

    def gift(self, budget: ToldBudget) -> dict[str, Any]:
        return {
            "budget_id": str(budget.id),
            "unit": budget.unit,
            "on_behalf_of": str(self.world.sales),
            "purpose": {"category": "recognition", "text": "Any order"},
        }

    def keep_packet(
        self, said_of_it: Any, who: str, budget: ToldBudget, **asked: Any
    ) -> ToldPacket:
        """Keep a packet that was sent, with what the policy asks for its amount, or for all that was decided with it."""
        opens_at = asked.pop("opens_at", self.told.now)
        needed = approvals_for(budget.unit, asked.pop("decided", asked["total"]))
        packet = ToldPacket(
            id=UUID(said_of_it["id"]),
            budget=budget,
            sender=self.world.id_of(who),
            opens_at=opens_at,
            expires_at=asked.pop("expires_at", opens_at + OPEN_FOR),
            team=self.told.units[self.world.sales],
            needed=needed,
            **asked,
        )
        self.told.place(packet)
        state = "pending_approval" if needed else "open" if packet.opened else "scheduled"
        assert said_of_it["state"] == state or packet.named
        return packet

    @rule(
        who=st.sampled_from(["Mara", "Mara", "Olive"]),
        kind=st.sampled_from(["equal", "lucky"]),
        which=BUDGET,
        count=MANY,
        each=st.sampled_from([1, 40, 250, 330, 700]),
        odd=st.integers(0, 3),
        opens_in=st.sampled_from([0, 0, 0, 10]),
        takers=TAKERS,
    )
    def send(self, who, kind, which, count, each, odd, opens_in, takers):
        total = count * each + odd
        packet = self.send_packet(who, kind, self.budget(which), count, total, opens_in)
        for taker in takers if packet else ():
            self.take(taker, packet)

    @rule(
        who=st.sampled_from(["Mara", "Olive"]),
        total=st.sampled_from([1_600, 3_100]),
        count=MANY,
        opens_in=st.sampled_from([0, 0, 10]),
    )
    def send_much(self, who, total, count, opens_in):
        self.send_packet(who, "lucky", self.told.budgets[0], count, total, opens_in)

    def send_packet(
        self, who: str, kind: str, budget: ToldBudget, count: int, total: int, opens_in: int
    ) -> ToldPacket | None:
        """Send a packet to the team, unless it is refused; what is answered is what was foretold."""
        opens_at = self.told.now + timedelta(minutes=opens_in)
        times = {"opens_at": opens_at, "expires_at": opens_at + OPEN_FOR}
        body = self.gift(budget) | {"kind": kind, "total_minor": total, "count": count}
        body |= {"audience": {"scopes": [{"kind": "unit", "id": str(self.world.sales)}]}}
        body |= {name: at.isoformat() for name, at in times.items()}
        refusal = self.told.refusal_to_spend(budget, total, day_of(opens_at))
        available = self.told.available(budget)
        reply = self.pay(who, "/red-packets", body)
        assert said(reply) == refusal, reply.json
        if refusal.endswith("insufficient_budget"):
            assert (reply.json["available"], reply.json["requested"]) == (available, total)
        if refusal:
            return None
        asked = {"kind": kind, "total": total, "count": count, "named": {}} | times
        return self.keep_packet(reply.json, who, budget, is_even=kind == "equal", **asked)

    @rule(
        who=st.sampled_from(["Mara", "Olive"]),
        names=TEAM,
        which=BUDGET,
        each=st.integers(1, 700),
        takers=TAKERS,
    )
    def send_to_names(self, who, names, which, each, takers):
        named = {person: each + place for place, person in enumerate(self.ids(names))}
        self.send_named(who, self.budget(which), named, takers)

    def send_named(
        self, who: str, budget: ToldBudget, named: dict[UUID, int], takers: list[str]
    ) -> None:
        """Send each of some their own amount; who taps at once is told what was foretold."""
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
            asked = {"kind": "targeted", "total": total, "count": len(named), "named": named}
            packet = self.keep_packet(reply.json, who, budget, **asked)
            for taker in takers:
                self.take(taker, packet)

    @rule(names=TEAM, which=BUDGET, each=st.sampled_from([5, 60, 130, 700]))
    def grant(self, names, which, each):
        budget = self.budget(which)
        named = dict.fromkeys(self.ids(names), each)
        body = self.gift(budget) | {
            "receivers": [{"person_id": str(p), "amount_minor": a} for p, a in named.items()]
        }
        total = sum(named.values())
        refusal = self.told.refusal_to_give(budget, total)
        if named.keys() & self.told.departed:
            refusal = "redpackets.receiver_refused"
        reply = self.pay("Mara", "/grants", body)
        assert said(reply) == refusal, reply.json
        if not refusal:
            [wave] = reply.json["waves"]
            self.keep_gift("grant", {"id": wave["packet_id"]} | wave, "Mara", budget, named)

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
        elif allowance and allowance.closed:
            refusal = "redpackets.period_closed"
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
            self.keep_gift("kudos", reply.json, who, allowance, named)

    def keep_gift(
        self, kind: str, said_of_it: Any, who: str, budget: ToldBudget, named: dict[UUID, int]
    ) -> None:
        """Keep what is credited as it opens; it may wait for approval for a week."""
        asked = {"kind": kind, "total": sum(named.values()), "count": len(named), "named": named}
        until = self.told.now + timedelta(days=7)
        self.keep_packet(said_of_it, who, budget, expires_at=until, **asked)

    def allowance_of(self, who: str) -> ToldBudget | None:
        """Find what somebody may give this month; None before they first gave."""
        return self.allowances.get((who, self.told.today.replace(day=1)))

    def open_allowance(self, who: str, budget_id: str) -> ToldBudget:
        """Keep an allowance: so much was carved out of the budget of points, for the month."""
        points, first = self.told.budgets[1], self.told.today.replace(day=1)
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        allowance = ToldBudget(
            id=UUID(budget_id),
            unit=POINT,
            limit=ALLOWANCE,
            period_from=max(first, points.period_from),
            period_to=min(last, points.period_to),
            version=1,
            owner=self.world.id_of(who),
            parent=points,
            give_only=True,
        )
        self.told.budgets.append(allowance)
        self.allowances[who, first] = allowance
        return allowance
