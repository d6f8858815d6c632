"""Paying over a rail that goes wrong in every way it can: money is paid exactly once, or is back in the wallet."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from redpackets.payouts import jobs
from redpackets.payouts.fake_rail import FakeRail
from redpackets.payouts.rails import RAILS
from redpackets.payouts.transfer_rail import TransferRail

AMOUNT = 1_250


@pytest.fixture
def rail(space, clock):
    fake = FakeRail(clock)
    with httpx.Client(base_url=fake.url) as client:
        space.tools[RAILS]["wechat"] = TransferRail(client, wait_seconds=0.2)
        yield fake
        del space.tools[RAILS]["wechat"]
    fake.close()


@pytest.fixture
def lin(paying, rail):
    """Lin is owed something, and has said where to pay it."""
    phone = paying.member("Lin")
    named = phone.put("/wallet/account", {"rail": "wechat", "account": "open-lin"})
    assert named.status_code == 204
    paying.give(phone, AMOUNT)
    return phone


def over_rail(paying) -> str:
    return paying.released(method="rail", rail="wechat")


def push(paying, clock, *, rounds: int = 8, minutes: float = 61) -> None:
    """Let the sweep come by again and again."""
    paying.rewards.company.settle()
    for _ in range(rounds):
        clock.move(minutes=minutes)
        jobs._push_company(
            paying.rewards.company.space.workbench(), paying.rewards.company.tenant_id
        )


def sign_in_again(paying) -> None:
    """Hours went by: everybody's token has run out."""
    company, rewards = paying.rewards.company, paying.rewards
    paying.fay, paying.gus = (
        company.phone_of(paying.fay.person),
        company.phone_of(paying.gus.person),
    )
    rewards.manager = company.phone_of(rewards.manager.person)


def item_of(paying, payout):
    fay = paying.rewards.company.phone_of(paying.fay.person)
    [item] = fay.get(payout).json["items"]
    return item


#: What goes wrong on the way, call by call.
DETOURS = [
    "",
    "lost",
    "unanswered",
    "slow",
    "error_500",
    "error_500_after",
    "malformed",
    "twice",
    "lost lost error_500 unanswered",
    "query_lost query_malformed query_pending",
    "query_missing",
    "unanswered query_missing query_missing",
    "query_wrong_amount",
]
ENDS = {"refused": 2, "says_success": 2, "unconfirmed": 26}


@pytest.mark.fault
def test_whatever_goes_wrong_on_the_way_money_is_paid_exactly_once(paying, rail, lin, clock):
    """Whatever happens, the rail's books, ours and the wallet say the same in the end."""
    for round_number, detour in enumerate(DETOURS, start=1):
        rail.fail_next(*detour.split())
        payout = over_rail(paying)
        push(paying, clock)

        assert item_of(paying, payout)["state"] == "success", detour
        assert rail.paid["open-lin"] == [AMOUNT] * round_number, detour
        assert paying.balance("external_rail") == AMOUNT * round_number, detour
        assert (paying.balance("payout_in_flight"), paying.wallet(lin)) == (0, 0), detour
        sign_in_again(paying)
        paying.give(paying.rewards.company.phone_of(lin.person), AMOUNT)
    assert set(rail.sent) == set(rail.bills)
    assert len(rail.bills) == len(DETOURS)
    assert paying.rewards.verify().deviations == []


@pytest.mark.fault
def test_what_the_rail_did_not_pay_is_back_in_the_wallet(paying, rail, lin, clock):
    for fault, hours in ENDS.items():
        rail.fail_next(fault)
        payout = over_rail(paying)
        push(paying, clock, rounds=hours)

        assert item_of(paying, payout)["state"] == "failed", fault
        assert (paying.balance("payout_in_flight"), paying.wallet(lin)) == (0, AMOUNT), fault
        sign_in_again(paying)
    assert rail.paid == {}
    assert paying.balance("external_rail") == 0
    assert paying.rewards.verify().deviations == []


def test_a_person_who_does_not_confirm_is_waited_for_a_day(paying, rail, lin, clock):
    rail.fail_next("unconfirmed")
    payout = over_rail(paying)
    push(paying, clock, rounds=20)

    assert item_of(paying, payout)["state"] == "sent"
    assert paying.wallet(lin) == 0


@pytest.mark.fault
def test_a_number_that_never_arrives_is_given_up_after_a_day_and_not_before(
    paying, rail, lin, clock
):
    rail.fail_next(*["lost"] * 60)
    payout = over_rail(paying)
    push(paying, clock, rounds=25)
    assert item_of(paying, payout)["state"] == "unknown"
    assert paying.wallet(lin) == 0
    push(paying, clock, rounds=14)

    assert item_of(paying, payout)["state"] == "failed"
    assert paying.wallet(lin) == AMOUNT
    assert rail.bills == {}
    assert paying.rewards.verify().holds


@pytest.mark.fault
def test_an_amount_that_is_not_ours_never_ends_a_payout(paying, rail, lin, clock):
    rail.fail_next(*["query_wrong_amount"] * 40)
    payout = over_rail(paying)
    push(paying, clock, rounds=6)

    item = item_of(paying, payout)
    assert (item["state"], item["reason"]) == ("unknown", "the rail says 1251")
    assert (paying.balance("payout_in_flight"), paying.wallet(lin)) == (AMOUNT, 0)


@pytest.mark.fault
def test_a_worker_killed_between_the_call_and_its_answer_asks_before_it_sends(
    paying, rail, lin, clock, monkeypatch
):
    payout = paying.prepared(method="rail", rail="wechat")
    paying.gus.post(f"{payout}/approval", {"decision": "approve"})
    bench = paying.rewards.company.space.workbench()
    monkeypatch.setattr("redpackets.payouts.pushing.take_answer", _killed)
    with pytest.raises(KeyboardInterrupt):
        jobs._push_company(bench, paying.rewards.company.tenant_id)
    monkeypatch.undo()
    assert item_of(paying, payout)["state"] == "sent"
    push(paying, clock)

    assert item_of(paying, payout)["state"] == "success"
    assert (rail.paid["open-lin"], len(rail.sent)) == ([AMOUNT], 1)
    assert paying.rewards.verify().holds


@pytest.mark.fault
def test_many_workers_at_once_pay_everybody_once(paying, rail, clock):
    team = [paying.member(f"Member{number}") for number in range(8)]
    for number, phone in enumerate(team):
        phone.put("/wallet/account", {"rail": "wechat", "account": f"open-{number}"})
        paying.give(phone, 100 + number)
    rail.fail_next("unanswered", "lost", "twice", "error_500")
    payout = over_rail(paying)
    bench, tenant_id = paying.rewards.company.space.workbench(), paying.rewards.company.tenant_id
    for _ in range(4):
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda _: jobs._push_company(bench, tenant_id), range(4)))
        clock.move(hours=2)

    assert {account: sum(paid) for account, paid in rail.paid.items()} == {
        f"open-{number}": 100 + number for number in range(8)
    }
    fay = paying.rewards.company.phone_of(paying.fay.person)
    assert fay.get(payout).json["state"] == "settled"
    assert paying.balance("external_rail") == sum(100 + number for number in range(8))
    assert paying.rewards.verify().holds


def test_too_little_and_nowhere_to_pay_it_are_left_out(paying, rail):
    few, nowhere = paying.member("Few"), paying.member("Nowhere")
    few.put("/wallet/account", {"rail": "wechat", "account": "open-few"})
    paying.give(few, 9)
    paying.give(nowhere, 500)

    refused = paying.prepare(method="rail", rail="wechat")
    assert (refused.status_code, refused.json["code"]) == (409, "redpackets.nothing_to_pay")
    assert refused.json["left_out"] == {"below_minimum": 1, "no_account": 1}
    assert paying.prepare(method="rail", rail="wechat", unit="USD").status_code == 422
    assert nowhere.put("/wallet/account", {"rail": "none", "account": "x"}).status_code == 422


def test_our_number_is_kept_before_the_rail_hears_it_and_fits_its_form(paying, rail, lin, clock):
    payout = paying.prepared(method="rail", rail="wechat")
    item_id = item_of(paying, payout)["id"]
    assert rail.sent == []
    paying.gus.post(f"{payout}/approval", {"decision": "approve"})
    push(paying, clock)

    [number] = rail.bills
    assert number == item_id.replace("-", "")
    assert len(number) <= 32
    assert paying.gus.get(f"{payout}/file").status_code in (401, 409)


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_who_is_paid_elsewhere_than_before_hears_of_it(paying, lin):
    def heard() -> list[str]:
        paying.rewards.company.settle()
        items = lin.get("/notifications").json["items"]
        return [item["title"] for item in items if item["kind"] == "redpackets.payee_account"]

    assert heard() == ["Where you are paid was changed"]
    lin.put("/wallet/account", {"rail": "wechat", "account": "open-lin"})
    assert len(heard()) == 1, "it is the same account"
    lin.put("/wallet/account", {"rail": "wechat", "account": "open-other"})
    lin.put("/wallet/account", {"rail": "wechat", "account": "open-lin"})
    assert len(heard()) == 3
    told = paying.fay.get("/notifications").json["items"]
    assert [item for item in told if item["kind"] == "redpackets.payee_account"] == []
