"""Rules of the state machine about what becomes of points and of money that was won: redemptions, payouts."""

from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.redpackets.machine import WHICH, MachineOfRewards
from tests.redpackets.payouts.paying import answered
from tests.redpackets.told_things import CNY, POINT, ToldPayout, ToldRedemption
from tests.redpackets.world import MEMBERS, PRICE, said

OUTCOMES = {"paid": ("paid", ""), "failed": ("failed", "the account is closed")}


class Paying(MachineOfRewards):
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
            who = self.world.name_of(made.person)
            refusal = "invalid_token" if self.is_gone(who) else refusal
            reply = self.post(who, f"/redemptions/{made.id}/withdrawal")
        else:
            body = {"decision": verb, "reason": "So be it"}
            reply = self.post("Kit", f"/redemptions/{made.id}/decision", body)
        assert said(reply) == refusal, reply.json
        made.state = made.state if refusal else state

    @rule(is_released=st.booleans())
    def prepare_payout(self, is_released):
        owed = self.told.who_holds(CNY, (p.person.id for p in self.world.phones.values()))
        body = {"method": "payroll", "unit": CNY, "period": "2026-11"}
        reply = self.pay("Fay", "/payouts", body)
        assert said(reply) == ("" if owed else "redpackets.nothing_to_pay"), reply.json
        if owed:
            self.keep_payout(ToldPayout(UUID(reply.json["id"]), owed), is_released=is_released)

    def keep_payout(self, payout: ToldPayout, *, is_released: bool) -> None:
        """Keep a payout, which somebody may release at once."""
        self.told.payouts.append(payout)
        if is_released:
            self.decide_about_payout(payout, "Gus", approve=True)

    @precondition(lambda self: self.told.payouts)
    @rule(which=WHICH, who=st.sampled_from(["Gus", "Gus", "Fay"]), approve=st.booleans())
    def decide_payout(self, which, who, approve):
        self.decide_about_payout(
            self.told.payouts[-1 - which % len(self.told.payouts)], who, approve=approve
        )

    def decide_about_payout(self, payout: ToldPayout, who: str, *, approve: bool) -> None:
        """Decide about a payout; what is answered is what was foretold."""
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

    @precondition(lambda self: any(p.state == "released" and not p.rail for p in self.told.payouts))
    @rule(outcomes=st.lists(st.sampled_from(["paid", "failed"]), min_size=12, max_size=12))
    def take_results(self, outcomes):
        payout = next(p for p in self.told.payouts if p.state == "released" and not p.rail)
        file = self.world.phones["Fay"].get(f"/payouts/{payout.id}/file")
        codes = [line.split(",")[0] for line in file.data.decode("utf-8-sig").splitlines()[1:-1]]
        owed = {f"E-{self.world.name_of(person)}": person for person in payout.items}
        assert sorted(codes) == sorted(owed)
        results: list[Any] = [OUTCOMES[word] for word in outcomes[: len(codes)]]
        content = answered(file.data, file.headers["X-Content-Sha256"], *results)
        reply = self.pay("Fay", f"/payouts/{payout.id}/results", {"content": content})
        assert said(reply) == "", reply.json
        payout.state = "settled"
        for code, word in zip(codes, outcomes, strict=False):
            if word == "failed":
                del payout.items[owed[code]]
