"""Budgets: who opens and changes them, who sees them, and what their limit holds back."""

import pytest


def test_a_new_budget_has_all_of_its_limit_available(rewards):
    budget = rewards.budget()
    assert (budget["limit_minor"], budget["available_minor"]) == (100_000, 100_000)
    assert budget["owner_id"] == str(rewards.owner.person.id)
    assert rewards.verify().holds


def test_raising_and_lowering_the_limit_moves_money_from_and_to_the_treasury(rewards):
    path = f"/budgets/{rewards.budget_id}"
    raised = rewards.owner.patch(path, {"version": 1, "limit_minor": 150_000})
    lowered = rewards.owner.patch(path, {"version": 2, "limit_minor": 20_000, "name": "Less"})

    assert (raised.json["limit_minor"], raised.json["version"]) == (150_000, 2)
    assert (lowered.json["available_minor"], lowered.json["name"]) == (20_000, "Less")
    assert rewards.verify().holds


def test_the_limit_never_falls_below_what_is_held(rewards):
    rewards.send(total_minor=5_000)
    refused = rewards.owner.patch(
        f"/budgets/{rewards.budget_id}", {"version": 1, "limit_minor": 4_999}
    )

    assert (refused.status_code, refused.json["code"]) == (409, "redpackets.limit_too_low")
    assert refused.json["minimum"] == 5_000


def test_a_change_of_an_old_version_is_refused(rewards):
    path = f"/budgets/{rewards.budget_id}"
    rewards.owner.patch(path, {"version": 1, "name": "First"})
    refused = rewards.owner.patch(path, {"version": 1, "name": "Second"})

    assert (refused.status_code, refused.json["current_version"]) == (409, 2)


def test_who_spends_a_budget_may_not_open_or_change_one(rewards):
    asked = {"version": 1, "limit_minor": 1_000_000}
    assert rewards.manager.patch(f"/budgets/{rewards.budget_id}", asked).status_code == 403
    assert rewards.open_budget(by=rewards.manager).status_code == 403


def test_managers_see_the_budgets_of_their_unit_and_no_other(rewards):
    rewards.open_budget(unit_id=str(rewards.company.unit("Warehouse")))

    seen = rewards.manager.get("/budgets").json["items"]
    assert [budget["id"] for budget in seen] == [rewards.budget_id]
    assert rewards.team("Lin")[0].get("/budgets").json["items"] == []


def test_budgets_are_read_page_by_page(rewards):
    for number in range(4):
        rewards.open_budget(name=f"Budget {number}")
    first = rewards.owner.get("/budgets?limit=3").json
    second = rewards.owner.get(f"/budgets?limit=3&cursor={first['next_cursor']}").json

    ids = [budget["id"] for budget in first["items"] + second["items"]]
    assert len(set(ids)) == 5
    assert ids == sorted(ids, reverse=True)
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"limit_minor": -1}, "limit_minor"),
        ({"limit_minor": 1.5}, "limit_minor"),
        ({"unit": "XXX"}, "unit"),
        ({"period_to": "2000-01-01"}, "period_to"),
        ({"period_from": "2024-02-30"}, "period_from"),
        ({"owner_id": "01920000-0000-7000-8000-000000000000"}, "owner_id"),
        ({"name": " "}, "name"),
    ],
)
def test_a_budget_that_makes_no_sense_is_refused(rewards, changes, field):
    refused = rewards.open_budget(**changes)
    assert refused.status_code == 422
    assert list(refused.json["errors"]) == [field]


def test_a_cost_centre_that_does_not_exist_here_is_not_found(rewards, other_company):
    assert rewards.open_budget(unit_id=str(other_company.root_id)).status_code == 404


def test_a_budget_is_read_by_itself_by_those_who_see_it_in_the_list(rewards, other_company):
    path = f"/budgets/{rewards.budget_id}"
    read = rewards.owner.get(path)
    assert read.json == rewards.budget()
    assert read.json["owner_name"] == "Olive"
    [lin] = rewards.team("Lin")
    for phone in (lin, other_company.phone("Stranger", role="owner")):
        assert phone.get(path).status_code == 404


def test_the_packets_of_one_budget_are_listed_apart(rewards):
    other = rewards.open_budget(50_000).json["id"]
    sent = rewards.send(total_minor=1_000)
    rewards.send(total_minor=2_000, budget_id=other)
    [listed] = rewards.owner.get(f"/red-packets?budget_id={rewards.budget_id}").json["items"]
    assert sent.endswith(listed["id"])
    assert rewards.owner.get("/red-packets?budget_id=other").status_code == 422
