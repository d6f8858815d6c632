"""Kudos: thanks out of an allowance that can only be given, opened when first used, gone with the month."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from redpackets.budget_jobs import sweep_budgets
from redpackets.models import Budget
from tests.builders.company import Phone
from tests.redpackets.campaigns.conftest import (
    balance_of,
    end_period,
    open_points,
    packets_of,
    scopes_of,
    shares_of,
)
from tests.redpackets.rewards import Rewards


@pytest.fixture
def lin(rewards: Rewards) -> Phone:
    return rewards.team("Lin")[0]


@pytest.fixture
def zhao(rewards: Rewards) -> Phone:
    return rewards.team("Zhao")[0]


@pytest.fixture
def programme(rewards: Rewards) -> dict:
    return add_programme(rewards)


def add_programme(rewards: Rewards, *, limit_minor: int = 100_000, **changes) -> dict:
    asked = {
        "name": "Thanks",
        "unit_id": str(rewards.company.root_id),
        "budget_id": open_points(rewards, limit_minor),
        "unit": "POINT",
        "allowance_minor": 100,
    }
    added = rewards.owner.post("/kudos/programmes", asked | changes)
    assert added.status_code == 201, added.json
    return added.json


def thank(giver: Phone, *receivers: Phone, key: str | None = None, **changes):
    asked = {
        "receivers": [str(phone.person.id) for phone in receivers],
        "amount_minor": 30,
        "unit": "POINT",
        "text": "Stayed late to help",
        "value": "teamwork",
    }
    return giver.pay("/kudos", asked | changes, key=key)


def allowance(phone: Phone) -> dict:
    [found] = phone.get("/kudos/allowance").json["items"]
    return found


def count_allowances(rewards: Rewards) -> int:
    with rewards.company.transaction() as session:
        found = select(func.count()).select_from(Budget).where(Budget.give_only)
        return session.scalar(found) or 0


def test_everybody_of_the_unit_has_something_to_give_and_nothing_is_opened_by_looking(
    rewards, programme, lin
):
    seen = allowance(lin)
    assert (seen["allowance_minor"], seen["available_minor"], seen["given_minor"]) == (100, 100, 0)
    assert date.fromisoformat(seen["period_from"]).day == 1
    assert count_allowances(rewards) == 0


def test_thanks_go_to_who_is_named_in_equal_amounts(rewards, programme, lin, zhao):
    given = thank(lin, zhao, rewards.manager)
    assert given.status_code == 201, given.json

    [packet] = packets_of(rewards.company)
    assert (packet.kind, packet.split, packet.total_minor) == ("kudos", "named", 60)
    assert packet.on_behalf_of_id == rewards.sales
    assert (packet.purpose_category, packet.purpose_text) == ("teamwork", "Stayed late to help")
    shares = shares_of(rewards.company, packet.id)
    assert {(s.receiver_id, s.amount_minor) for s in shares} == {
        (zhao.person.id, 30),
        (rewards.manager.person.id, 30),
    }
    assert allowance(lin)["available_minor"] == 40
    assert rewards.verify().holds


def test_thanks_are_credited_at_once(rewards, programme, lin, zhao):
    thank(lin, zhao)
    assert (balance_of(zhao, "POINT"), balance_of(lin, "POINT")) == (30, 0)
    rewards.company.settle()
    assert packets_of(rewards.company)[0].state == "exhausted"


def test_more_than_is_left_is_refused_with_what_is_left(rewards, programme, lin, zhao):
    assert thank(lin, zhao, amount_minor=101).json["available"] == 100
    thank(lin, zhao, amount_minor=80)
    refused = thank(lin, zhao, rewards.manager, amount_minor=11)

    assert (refused.status_code, refused.json["code"]) == (409, "redpackets.insufficient_budget")
    assert (refused.json["available"], refused.json["requested"]) == (20, 22)
    assert len(packets_of(rewards.company)) == 1


def test_an_exhausted_programme_refuses_and_opens_nothing(rewards, lin, zhao):
    add_programme(rewards, limit_minor=150)
    assert thank(lin, zhao).status_code == 201
    refused = thank(zhao, lin)

    assert (refused.status_code, refused.json["available"]) == (409, 50)
    assert count_allowances(rewards) == 1
    assert rewards.verify().holds


def test_a_new_month_brings_a_new_allowance(rewards, programme, lin, zhao, clock):
    thank(lin, zhao, amount_minor=100)
    clock.move(days=32)
    again = rewards.company.phone_of(lin.person)

    assert allowance(again)["available_minor"] == 100
    assert thank(again, zhao).status_code == 201
    assert count_allowances(rewards) == 2


def test_what_was_not_given_goes_back_when_the_month_is_over(rewards, programme, lin, zhao, clock):
    thanks = thank(lin, zhao).json
    zhao.post(f"/red-packets/{thanks['id']}/grab")
    rewards.budget_id = programme["budget_id"]
    assert rewards.budget()["available_minor"] == 100_000 - 100
    clock.move(days=32)
    rewards.company.settle()
    sweep_budgets(rewards.company.bench())

    rewards.owner = rewards.company.phone_of(rewards.owner.person)
    assert rewards.budget()["available_minor"] == 100_000 - 30
    assert rewards.verify().holds


def test_the_closest_programme_counts_and_one_that_ended_does_not(rewards, programme, lin, zhao):
    near = add_programme(rewards, unit_id=str(rewards.sales), allowance_minor=500)
    assert allowance(lin)["allowance_minor"] == 500
    ended = rewards.owner.patch(f"/kudos/programmes/{near['id']}", {"version": 1, "active": False})
    assert (ended.status_code, ended.json["version"]) == (200, 2)
    assert allowance(lin)["allowance_minor"] == 100


def test_without_a_programme_there_is_nothing_to_give(rewards, programme, lin, zhao):
    refused = thank(lin, zhao, unit="CNY")
    assert (refused.status_code, refused.json["code"]) == (409, "redpackets.no_allowance")


def test_wrong_receivers_are_named_and_nothing_is_given(
    rewards, programme, lin, zhao, other_company
):
    wrong = {
        "receivers.1": ("duplicate_receiver", [zhao, zhao]),
        "receivers": ("required", []),
    }
    for path, (code, receivers) in wrong.items():
        refused = thank(lin, *receivers)
        assert refused.status_code == 422
        assert refused.json["errors"][path]["code"] == code
    oneself = thank(lin, zhao, lin)
    assert oneself.json["errors"]["receivers.1"]["code"] == "not_to_oneself"
    nobody = thank(lin, other_company.phone("Stranger"))
    assert nobody.json["errors"]["receivers.0"]["code"] == "receiver_not_active"
    many = thank(lin, receivers=[str(zhao.person.id)] * 11)
    assert many.json["errors"]["receivers"]["code"] == "too_many_items"
    assert packets_of(rewards.company) == []


def test_repeating_the_call_gives_once(rewards, programme, lin, zhao):
    first, second = (thank(lin, zhao, key="once") for _ in range(2))
    assert first.json["id"] == second.json["id"]
    assert allowance(lin)["given_minor"] == 30


def test_two_phones_of_one_giver_never_give_more_than_the_allowance(rewards, programme, lin, zhao):
    with ThreadPoolExecutor(6) as threads:
        replies = list(threads.map(lambda _: thank(lin, zhao), range(6)))

    assert sorted(r.status_code for r in replies) == [201] * 3 + [409] * 3
    assert (allowance(lin)["available_minor"], count_allowances(rewards)) == (10, 1)
    assert rewards.verify().holds


def test_only_the_receivers_see_an_envelope(rewards, programme, lin, zhao):
    thank(lin, zhao)
    rewards.company.settle()
    third = rewards.team("Qian")[0]

    [packet] = packets_of(rewards.company)
    assert len(scopes_of(rewards.company, packet.id)) == 1
    shown = [item for item in third.get("/feed").json["items"] if item["type"] == "packet"]
    assert shown == []
    assert third.post(f"/red-packets/{packet.id}/grab").status_code == 404


def test_programmes_are_kept_by_who_may_and_below_their_units(rewards, programme, lin):
    asked = {
        "name": "Mine",
        "unit_id": str(rewards.sales),
        "budget_id": programme["budget_id"],
        "unit": "POINT",
        "allowance_minor": 1,
    }
    for phone in (lin, rewards.manager):
        assert phone.post("/kudos/programmes", asked).status_code == 403
        assert phone.get("/kudos/programmes").status_code == 403
        change = {"version": 1, "allowance_minor": 10_000}
        path = f"/kudos/programmes/{programme['id']}"
        assert phone.patch(path, change).status_code == 403
    here = rewards.company.phone("Opal", rewards.sales, role="operator")
    assert here.patch(path, change).status_code == 404
    assert here.post("/kudos/programmes", asked).status_code == 404
    mismatch = rewards.owner.post("/kudos/programmes", asked | {"unit": "CNY"})
    assert mismatch.json["errors"]["unit"]["code"] == "unit_mismatch"


def test_only_who_may_spend_its_budget_says_how_much_a_programme_gives(rewards):
    made = add_programme(rewards, unit_id=str(rewards.sales))
    path = f"/kudos/programmes/{made['id']}"
    opal = rewards.company.phone("Opal", rewards.sales, role="operator")
    elsewhere = rewards.company.phone("Ewa", rewards.company.unit("Other"), role="operator")
    assert [item["id"] for item in opal.get("/kudos/programmes").json["items"]] == [made["id"]]

    for tried in ({"allowance_minor": 99_999}, {"active": True}, {"name": "Mine"}):
        assert opal.patch(path, {"version": 1} | tried).status_code == 404, tried
    assert elsewhere.patch(path, {"version": 1, "active": False}).status_code == 404
    assert rewards.owner.get("/kudos/programmes").json["items"][0]["allowance_minor"] == 100

    stopped = opal.patch(path, {"version": 1, "active": False})
    assert (stopped.status_code, stopped.json["active"]) == (200, False)


def test_thanks_go_on_in_what_the_programmes_budget_rolled_over_into(rewards, lin, zhao, clock):
    today = rewards.company.clock().date()
    named = rewards.open_budget(
        5_000,
        unit="POINT",
        unit_id=str(rewards.company.root_id),
        period_from=str(today - timedelta(days=2)),
        period_to=str(today + timedelta(days=2)),
        rolls_over=True,
    ).json["id"]
    add_programme(rewards, budget_id=named)
    succeeded = end_period(rewards, clock, days=4)
    lin, zhao = (rewards.company.phone_of(phone.person) for phone in (lin, zhao))

    assert thank(lin, zhao).status_code == 201
    with rewards.company.transaction() as session:
        found = session.scalars(select(Budget).where(Budget.give_only)).one()
    assert str(found.parent_id) == succeeded[named]
    assert rewards.verify().holds
