"""Rules of the state machine about taking: grabs, rushes, lost Redis, time and jobs, redemptions, payouts, repeats."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from werkzeug.test import TestResponse

from tests.redpackets.machine import TAPS, WHICH, Deciding
from tests.redpackets.payouts.paying import answered
from tests.redpackets.told import CNY, POINT, ToldPacket, ToldPayout, ToldRedemption
from tests.redpackets.world import GRABBERS, MEMBERS, PRICE, said

THREADS = 4
RUSHERS = (*MEMBERS, "Mara")
OUTCOMES = {"paid": ("paid", ""), "failed": ("failed", "the account is closed")}


def heard(reply: TestResponse) -> str:
    """Say what a grab came to: ``won``, ``again``, ``sold_out`` or a refusal's code."""
    if said(reply):
        return said(reply)
    if reply.json["result"] == "won" and not reply.json["first"]:
        return "again"
    return str(reply.json["result"])


class Grabbing(Deciding):
    """Rules of grabs, and of what befalls them."""

    def grab(self, who: str, packet: ToldPacket) -> TestResponse:
        return self.post(who, f"{packet.path}/grab")

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

    @precondition(lambda self: self.told.packets)
    @rule(who=st.sampled_from(GRABBERS), which=WHICH, taps=TAPS, elsewhere=st.booleans())
    def tap(self, who, which, taps, elsewhere):
        packet = self.any_packet(which)
        for _ in range(taps):
            expected = self.expected(packet, who)
            if elsewhere:
                with self.world.another_process():
                    reply = self.grab(who, packet)
            else:
                reply = self.grab(who, packet)
            assert heard(reply) in expected, (heard(reply), expected, reply.json)
            self.keep(packet, who, reply)

    @precondition(lambda self: self.told.packets)
    @rule(which=WHICH)
    def rush(self, which):
        """Let the team tap twice, all at once: every share goes to one of them, and repeats say the same."""
        packet = self.any_packet(which)
        before = {who: self.expected(packet, who) for who in RUSHERS}
        free = packet.count - len(packet.held)
        taps = [*RUSHERS, *RUSHERS]
        with ThreadPoolExecutor(THREADS) as threads:
            replies = list(threads.map(lambda who: self.grab(who, packet), taps))
        wins = [heard(reply) for reply in replies].count("won")
        for who, reply in zip(taps, replies, strict=True):
            self.keep(packet, who, reply)
            then = {"again", "sold_out"} if "won" in before[who] else set()
            assert heard(reply) in before[who] | then, reply.json
            assert heard(reply) != "sold_out" or packet.is_empty or wins == free
        hopeful = sum("won" in expected for expected in before.values())
        assert wins == (hopeful if packet.named else min(hopeful, free))

    @rule(who=st.sampled_from(MEMBERS))
    def leave(self, who):
        if len(self.told.departed) < 2:
            self.world.leave(who)

    @rule(minutes=st.sampled_from([1, 10, 30, 59, 61, -30, -60, 24 * 60]))
    def time_passes(self, minutes):
        self.world.move(minutes)

    @rule()
    def run_jobs(self):
        self.world.run_jobs()

    @rule()
    def seal(self):
        self.world.seal()

    @precondition(lambda self: self.has_gate)
    @rule(keep=st.integers(0, 4))
    def flush(self, keep):
        self.world.flush(keep)

    @precondition(lambda self: self.has_gate)
    @rule(is_there=st.booleans())
    def redis(self, is_there):
        if is_there:
            self.world.find_redis()
        else:
            self.world.lose_redis()

    @precondition(lambda self: self.paid)
    @rule(which=WHICH, is_other=st.booleans())
    def ask_again(self, which, is_other):
        """Repeat what moved money: the same answer and nothing moves; the same key with another wish is refused."""
        who, path, body, key, reply = self.paid[-1 - which % len(self.paid)]
        changed = body | {"unit": "USD"} if is_other and "unit" in body else body
        again = self.world.phones[who].pay(path, changed, key=key)
        if self.is_gone(who):
            assert said(again) == "invalid_token"
        elif changed is not body:
            assert said(again) == "idempotency_key_reused", again.json
        else:
            assert (again.status_code, again.json) == (reply.status_code, reply.json)
            assert again.headers["Idempotent-Replayed"] == "true"


class Paying(Grabbing):
    """Rules of what becomes of points and of money that was won."""

    @rule(who=st.sampled_from((*MEMBERS, "Mara")), quantity=st.integers(1, 3))
    def redeem(self, who, quantity):
        person, points = self.world.id_of(who), quantity * PRICE
        owned = self.told.wallets()[person, POINT]
        refusal = ""
        if self.is_gone(who):
            refusal = "invalid_token"
        elif self.told.pieces_left() < quantity:
            refusal = "redpackets.out_of_stock"
        elif owned < points:
            refusal = "redpackets.insufficient_points"
        body = {"item_id": self.world.item_id, "quantity": quantity, "price_points": PRICE}
        reply = self.pay(who, "/redemptions", body)
        assert said(reply) == refusal, reply.json
        if not refusal:
            made = ToldRedemption(UUID(reply.json["id"]), person, quantity, points)
            self.told.redemptions.append(made)

    @precondition(lambda self: self.told.redemptions)
    @rule(which=WHICH, verb=st.sampled_from(["approve", "decline", "fulfil", "withdraw"]))
    def handle(self, which, verb):
        made = self.told.redemptions[-1 - which % len(self.told.redemptions)]
        state = {"approve": "approved", "decline": "declined", "fulfil": "fulfilled"}.get(verb)
        state = state or "withdrawn"
        goes_from = {"approve": ("reserved",), "fulfil": ("approved",)}
        is_fit = made.state in (*goes_from.get(verb, ("reserved", "approved")), state)
        refusal = "" if is_fit else "redpackets.redemption_state"
        if verb == "withdraw":
            [who] = [n for n, p in self.world.phones.items() if p.person.id == made.person]
            refusal = "invalid_token" if self.is_gone(who) else refusal
            reply = self.post(who, f"/redemptions/{made.id}/withdrawal")
        else:
            body = {"decision": verb, "reason": "So be it"}
            reply = self.post("Kit", f"/redemptions/{made.id}/decision", body)
        assert said(reply) == refusal, reply.json
        made.state = made.state if refusal else state

    @rule()
    def prepare_payout(self):
        owed = self.told.who_holds(CNY, (p.person.id for p in self.world.phones.values()))
        body = {"method": "payroll", "unit": CNY, "period": "2026-11"}
        reply = self.pay("Fay", "/payouts", body)
        assert said(reply) == ("" if owed else "redpackets.nothing_to_pay"), reply.json
        if owed:
            self.told.payouts.append(ToldPayout(UUID(reply.json["id"]), owed))

    @precondition(lambda self: self.told.payouts)
    @rule(which=WHICH, who=st.sampled_from(["Gus", "Gus", "Fay"]), approve=st.booleans())
    def decide_payout(self, which, who, approve):
        payout = self.told.payouts[-1 - which % len(self.told.payouts)]
        refusal = ""
        if who == "Fay":
            refusal = "redpackets.payout_four_eyes"
        elif payout.state != "pending_approval" and approve == (payout.state == "rejected"):
            refusal = "redpackets.payout_decided"
        body = {"decision": "approve" if approve else "reject", "reason": "So be it"}
        reply = self.post(who, f"/payouts/{payout.id}/approval", body)
        assert said(reply) == refusal, reply.json
        if refusal or payout.state != "pending_approval":
            return
        payout.state = "released" if approve else "rejected"
        payout.items = payout.items if approve else {}

    @precondition(lambda self: any(p.state == "released" for p in self.told.payouts))
    @rule(outcomes=st.lists(st.sampled_from(["paid", "failed"]), min_size=12, max_size=12))
    def take_results(self, outcomes):
        payout = next(p for p in self.told.payouts if p.state == "released")
        file = self.world.phones["Fay"].get(f"/payouts/{payout.id}/file")
        codes = [line.split(",")[0] for line in file.data.decode("utf-8-sig").splitlines()[1:-1]]
        owed = {f"E-{self.name_of(person)}": person for person in payout.items}
        assert sorted(codes) == sorted(owed)
        results: list[Any] = [OUTCOMES[word] for word in outcomes[: len(codes)]]
        content = answered(file.data, file.headers["X-Content-Sha256"], *results)
        reply = self.pay("Fay", f"/payouts/{payout.id}/results", {"content": content})
        assert said(reply) == "", reply.json
        payout.state = "settled"
        for code, word in zip(codes, outcomes, strict=False):
            if word == "failed":
                del payout.items[owed[code]]

    def name_of(self, person: UUID) -> str:
        return next(n for n, p in self.world.phones.items() if p.person.id == person)
