"""Rules of the state machine about rails: payouts over one that goes wrong, until every cent has arrived or is back."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from sqlalchemy import select

from redpackets.payouts.fake_rail import FakeRail
from redpackets.payouts.jobs import _push_company
from redpackets.payouts.models import PayoutBatch, PayoutItem
from redpackets.payouts.rails import RAILS
from redpackets.payouts.rules import RAIL_LEAST_MINOR
from redpackets.payouts.transfer_rail import TransferRail
from tests.redpackets.machine import Sending
from tests.redpackets.machine_paying import Paying
from tests.redpackets.told_things import CNY, ToldPayout
from tests.redpackets.world import MEMBERS, said

RAIL = "wechat"
FAULTS = st.lists(
    st.sampled_from(
        [
            "lost",
            "unanswered",
            "slow",
            "error_500",
            "error_500_after",
            "malformed",
            "twice",
            "says_success",
            "unconfirmed",
            "refused",
            "query_lost",
            "query_malformed",
            "query_missing",
            "query_wrong_amount",
            "query_pending",
        ]
    ),
    max_size=3,
)
#: After a day nothing arrives any more, and who did not confirm is not waited for; then the longest wait.
ROUNDS_MAX = 60
OVER_RAILS = select(PayoutBatch.id).where(PayoutBatch.rail.is_not(None))
ITEMS = select(PayoutItem).where(PayoutItem.batch_id.in_(OVER_RAILS))


class Railing(Paying, Sending):
    """Rules of rails."""

    @initialize()
    def begin(self) -> None:
        super().begin()
        self.rail = FakeRail(self.world.clock, late_seconds=0.3)
        self.http = httpx.Client(base_url=self.rail.url)
        space = self.world.company.space
        space.tools[RAILS][RAIL] = TransferRail(self.http, wait_seconds=0.2)
        #: Who said where they are paid.
        self.accounts: dict[UUID, str] = {}
        for who in MEMBERS[1:]:
            self.name(who, 1)
        self.give(dict(zip(self.ids([*MEMBERS]), (300, 700, 5, 90), strict=True)))

    def give(self, named: dict[UUID, int]) -> None:
        """Fill some wallets before the game."""
        cash = self.told.budgets[0]
        receivers = [{"person_id": str(p), "amount_minor": a} for p, a in named.items()]
        given = self.pay("Mara", "/grants", self.gift(cash) | {"receivers": receivers})
        [wave] = given.json["waves"]
        self.keep_gift("grant", {"id": wave["packet_id"]} | wave, "Mara", cash, named)

    @rule(who=st.sampled_from((*MEMBERS, "Mara")), number=st.integers(1, 2))
    def name_account(self, who, number):
        self.name(who, number)

    def name(self, who: str, number: int) -> None:
        """Say where somebody is paid."""
        account = f"open-{who}-{number}"
        body = {"rail": RAIL, "account": account}
        reply = self.world.phones[who].put("/wallet/account", body)
        assert said(reply) == ("invalid_token" if self.is_gone(who) else ""), reply.json
        if not said(reply):
            self.accounts[self.world.id_of(who)] = account

    @rule(is_released=st.sampled_from([True, True, False]))
    def prepare_payout_over_rail(self, is_released):
        owed = self.told.who_holds(CNY, (p.person.id for p in self.world.phones.values()))
        nowhere = owed.keys() - self.accounts.keys()
        few = {p for p, amount in owed.items() if amount < RAIL_LEAST_MINOR} - nowhere
        items = {p: amount for p, amount in owed.items() if p not in nowhere | few}
        body = {"method": "rail", "rail": RAIL, "unit": CNY, "period": "2026-11"}
        reply = self.pay("Fay", "/payouts", body)
        assert said(reply) == ("" if items else "redpackets.nothing_to_pay"), reply.json
        if items:
            made = ToldPayout(UUID(reply.json["id"]), items, rail=RAIL)
            self.keep_payout(made, is_released=is_released)
        else:
            left_out = {"no_account": len(nowhere), "below_minimum": len(few)}
            assert reply.json["left_out"] == {why: n for why, n in left_out.items() if n}

    def sent(self) -> list[ToldPayout]:
        """List what is on its way over the rail."""
        return [p for p in self.told.payouts if p.rail and p.state == "released"]

    @precondition(lambda self: self.sent())
    @rule(
        faults=FAULTS,
        minutes=st.sampled_from([0, 1, 61, 24 * 60]),
        workers=st.sampled_from([1, 1, 2]),
    )
    def push(self, faults, minutes, workers):
        """Let the sweep come by, while the rail goes wrong."""
        self.rail.fail_next(*faults)
        self.world.move(minutes)
        bench, tenant_id = self.world.company.space.workbench(), self.world.company.tenant_id
        with ThreadPoolExecutor(workers) as threads:
            list(threads.map(lambda _: _push_company(bench, tenant_id), range(workers)))
        self.hear_of_payouts()

    @rule()
    def run_jobs(self):
        self.world.run_jobs()
        self.hear_of_payouts()

    def hear_of_payouts(self) -> None:
        """Read, as who pays, what became of each item; it says what the rail's own books say."""
        for payout in self.sent():
            said_of_it = self.world.phones["Fay"].get(f"/payouts/{payout.id}").json
            for item in said_of_it["items"]:
                person = UUID(item["person_id"])
                if item["state"] == "success":
                    payout.paid.add(person)
                elif item["state"] == "failed":
                    payout.items.pop(person, None)
            payout.state = "released" if payout.in_flight else "settled"
            assert said_of_it["state"] == payout.state

    @invariant()
    def i12_the_rail_paid_what_our_books_say(self) -> None:
        """Each number is one item's, paid at most once; what is back in a wallet was not and will not be paid."""
        with self.world.company.transaction() as session:
            items = {item.out_bill_no: item for item in session.scalars(ITEMS)}
        bills = self.rail.bills
        assert bills.keys() <= items.keys()
        for number, item in items.items():
            is_paid = number in bills and bills[number].state == "SUCCESS"
            assert number not in bills or bills[number].amount == item.amount_minor
            assert item.state != "success" or is_paid
            assert item.state != "failed" or not is_paid
        paid = sum(bill.amount for bill in bills.values() if bill.state == "SUCCESS")
        assert paid == sum(map(sum, self.rail.paid.values()))

    def settle_all(self) -> None:
        """Let the sweep come by for days: nothing stays on its way (I16)."""
        for _ in range(ROUNDS_MAX):
            if not self.sent():
                return
            self.world.clock.move(minutes=61)
            self.world.move(0)
            _push_company(self.world.company.space.workbench(), self.world.company.tenant_id)
            self.hear_of_payouts()
        raise AssertionError("payouts over the rail do not come to an end")

    def teardown(self) -> None:
        try:
            if hasattr(self, "rail"):
                self.settle_all()
            super().teardown()
        finally:
            self.close_rail()

    def close_rail(self) -> None:
        if hasattr(self, "rail"):
            self.world.company.space.tools[RAILS].pop(RAIL, None)
            self.http.close()
            self.rail.close()
