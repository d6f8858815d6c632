"""Budgets as a tree: carved out of the one above, and never more than it."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.people.services import set_active
from tests.redpackets.rewards import rewarding


def carve(rewards, limit_minor=30_000, *, by=None, **changes):
    """Carve a budget out of the sales budget, for the manager unless somebody else owns it."""
    own = {"parent_id": rewards.budget_id, "owner_id": str(rewards.manager.person.id)}
    return rewards.open_budget(limit_minor, by=by, **own | {"name": "Team"} | changes)


def read(phone, budget_id):
    items = phone.get("/budgets?limit=100").json["items"]
    return next(item for item in items if item["id"] == budget_id)


def treasury_entries(rewards):
    with rewards.company.transaction() as session:
        return session.execute(
            text(
                "SELECT j.kind, j.amount_minor FROM redpackets_journal j"
                " JOIN redpackets_fund_account a ON a.kind = 'treasury'"
                " AND a.id IN (j.debit_account_id, j.credit_account_id) ORDER BY j.id"
            )
        ).all()


def test_a_budget_is_carved_out_of_what_the_one_above_has_available(rewards):
    child = carve(rewards).json
    parent = rewards.budget()

    assert (child["parent_id"], child["available_minor"]) == (rewards.budget_id, 30_000)
    assert (parent["allotted_minor"], parent["available_minor"]) == (30_000, 70_000)
    assert parent["children"] == [child["id"]]
    assert treasury_entries(rewards) == [("allot", 100_000)]
    assert rewards.verify().holds


def test_a_budget_is_never_carved_larger_than_what_is_available(rewards):
    rewards.send(total_minor=80_000)
    refused = carve(rewards, 20_001)

    assert (refused.status_code, refused.json["code"]) == (409, "redpackets.insufficient_budget")
    assert (refused.json["available"], refused.json["requested"]) == (20_000, 20_001)
    assert rewards.budget()["children"] == []
    assert rewards.verify().holds


def test_raising_and_lowering_a_carved_budget_moves_money_between_the_two(rewards):
    path = f"/budgets/{carve(rewards).json['id']}"
    rewards.owner.patch(path, {"version": 1, "limit_minor": 50_000})
    assert rewards.budget()["available_minor"] == 50_000
    rewards.owner.patch(path, {"version": 2, "limit_minor": 10_000})
    assert rewards.budget()["available_minor"] == 90_000
    refused = rewards.owner.patch(path, {"version": 3, "limit_minor": 100_001})

    assert (refused.status_code, refused.json["requested"]) == (409, 90_001)
    assert treasury_entries(rewards) == [("allot", 100_000)]
    assert rewards.verify().holds


def test_the_one_above_cannot_fall_below_what_it_gave_on(rewards):
    carve(rewards)
    refused = rewards.owner.patch(
        f"/budgets/{rewards.budget_id}", {"version": 1, "limit_minor": 29_999}
    )
    assert (refused.status_code, refused.json["minimum"]) == (409, 30_000)


def test_a_packet_from_a_carved_budget_leaves_the_others_alone(rewards):
    [lin] = rewards.team("Lin")
    child = carve(rewards).json["id"]
    packet = rewards.send(budget_id=child, total_minor=30_000, count=1)
    lin.post(f"{packet}/grab")
    rewards.company.settle()

    assert read(rewards.owner, child)["spent_minor"] == 30_000
    assert rewards.budget()["available_minor"] == 70_000
    assert rewards.verify().holds


def test_who_owns_a_budget_may_carve_it_and_who_only_spends_it_may_not(rewards):
    child = carve(rewards).json["id"]
    dora = rewards.company.phone("Dora", rewards.sales, role="manager")
    assert carve(rewards, 100, by=rewards.manager, parent_id=child).status_code == 201
    assert carve(rewards, 100, by=dora, parent_id=child).status_code == 403
    assert carve(rewards, 100, by=rewards.team("Lin")[0]).status_code == 404
    assert carve(rewards, 100, by=rewards.manager).status_code == 403


def test_owners_change_what_was_carved_out_of_theirs_and_see_it(rewards):
    child = carve(rewards).json["id"]
    [lin] = rewards.team("Lin")
    lins = carve(rewards, 100, by=rewards.manager, parent_id=child, owner_id=str(lin.person.id))
    path = f"/budgets/{lins.json['id']}"

    changed = rewards.manager.patch(path, {"version": 1, "limit_minor": 200})
    assert (changed.status_code, changed.json["limit_minor"]) == (200, 200)
    assert lin.patch(path, {"version": 2, "limit_minor": 300}).status_code == 403
    assert [b["id"] for b in lin.get("/budgets").json["items"]] == [lins.json["id"]]


def test_a_tree_is_listed_from_above_to_below(rewards):
    child = carve(rewards).json["id"]
    grandchild = carve(rewards, 10, parent_id=child).json["id"]
    first = rewards.owner.get("/budgets?tree=true&limit=2").json
    rest = rewards.owner.get(f"/budgets?tree=true&cursor={first['next_cursor']}").json
    ids = [b["id"] for b in first["items"] + rest["items"]]
    assert ids == [rewards.budget_id, child, grandchild]
    assert rewards.owner.get("/budgets?tree=perhaps").status_code == 422


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"unit": "POINT"}, "unit", "redpackets.unit_mismatch"),
        ({"period_to": 31}, "period_to", "redpackets.outside_parent"),
        ({"period_from": -31}, "period_from", "redpackets.outside_parent"),
        ({"unit_id": "elsewhere"}, "unit_id", "redpackets.outside_parent"),
    ],
)
def test_a_carved_budget_lies_within_the_one_above(rewards, changes, field, code):
    today = rewards.company.clock().date()
    asked = {
        name: str(today + timedelta(days=value)) if isinstance(value, int) else value
        for name, value in changes.items()
    }
    if asked.get("unit_id"):
        asked["unit_id"] = str(rewards.company.unit("Warehouse"))
    refused = carve(rewards, **asked)
    assert (refused.status_code, refused.json["code"]) == (422, code)
    assert list(refused.json["errors"]) == [field]
    assert rewards.budget()["available_minor"] == 100_000


def test_the_period_above_covers_those_below_when_it_is_changed(rewards):
    carve(rewards)
    today = rewards.company.clock().date()
    refused = rewards.owner.patch(
        f"/budgets/{rewards.budget_id}", {"version": 1, "period_to": str(today)}
    )
    assert refused.json["errors"]["period_to"]["code"] == "outside_parent"


def test_budgets_are_carved_eight_levels_deep_and_no_deeper(rewards):
    above = rewards.budget_id
    for level in range(2, 9):
        made = carve(rewards, 1_000 - level, parent_id=above)
        assert made.status_code == 201, made.json
        above = made.json["id"]
    refused = carve(rewards, 10, parent_id=above)
    assert (refused.status_code, refused.json["code"]) == (409, "redpackets.tree_too_deep")


def test_caps_owners_and_what_happens_at_the_end_can_be_changed(rewards):
    path = f"/budgets/{rewards.budget_id}"
    asked = {
        "version": 1,
        "receive_cap_minor": 500,
        "rolls_over": True,
        "recovers_unused": False,
        "owner_id": str(rewards.manager.person.id),
    }
    changed = rewards.owner.patch(path, asked).json
    assert {name: changed[name] for name in asked} == asked | {"version": 2}
    freed = rewards.owner.patch(path, {"version": 2, "receive_cap_minor": None}).json
    assert (freed["receive_cap_minor"], freed["rolls_over"]) == (None, True)
    refused = rewards.owner.patch(path, {"version": 3, "rolls_over": 1})
    assert refused.json["errors"]["rolls_over"]["code"] == "not_a_boolean"


def test_a_give_only_allowance_pays_no_ordinary_packet_and_is_not_carved(rewards):
    rewards.team("Lin")
    allowance = carve(rewards, give_only=True).json["id"]
    refused = rewards.manager.pay("/red-packets", rewards.asked(budget_id=allowance))
    assert (refused.status_code, refused.json["code"]) == (409, "redpackets.give_only")
    assert carve(rewards, 10, parent_id=allowance).json["code"] == "redpackets.give_only"


def test_allowances_are_left_out_of_a_page_of_budgets_or_listed_alone(rewards):
    team = carve(rewards).json["id"]
    allowances = [carve(rewards, 10, give_only=True).json["id"] for _ in range(3)]

    def listed(query):
        page = rewards.owner.get(f"/budgets?{query}").json
        return [budget["id"] for budget in page["items"]], page["next_cursor"]

    assert listed("give_only=false&limit=2") == ([team, rewards.budget_id], None)
    assert listed("give_only=false&tree=true&limit=2") == ([rewards.budget_id, team], None)
    assert listed("give_only=true") == (allowances[::-1], None)
    assert len(listed("limit=100")[0]) == 5
    assert rewards.owner.get("/budgets?give_only=perhaps").status_code == 422


def test_another_companys_budget_is_neither_carved_nor_recovered(rewards, other_company):
    theirs = rewarding(other_company)
    assert carve(theirs, parent_id=rewards.budget_id).status_code == 404
    path = f"/budgets/{rewards.budget_id}/recovery"
    assert theirs.owner.pay(path, {}).status_code == 404
    assert rewards.budget()["available_minor"] == 100_000


def test_owner_and_the_one_above_hear_of_a_change(rewards):
    child = carve(rewards).json["id"]
    for phone in (rewards.owner, rewards.manager):
        heard = [e for e in rewards.company.events(phone) if e["ref"] == child]
        assert [e["kind"] for e in heard] == ["redpackets.budget_changed"]
        assert heard[0]["data"]["limit_minor"] == 30_000


def test_who_manages_budgets_there_hears_of_a_change_and_only_owners_get_notices(rewards):
    company = rewards.company
    here = company.phone("Fay", rewards.sales, role="finance")
    elsewhere = company.phone("Ward", company.unit("Warehouse"), role="finance")
    team = carve(rewards).json["id"]
    with company.transaction() as session:
        set_active(session, person_id=rewards.manager.person.id, active=False)
    assert rewards.owner.pay(f"/budgets/{team}/recovery").status_code == 200

    def heard(phone):
        return [e["kind"] for e in company.events(phone) if e["ref"] == team]

    def notices(phone):
        items = phone.get("/notifications").json["items"]
        return [item["link"] for item in items if item["kind"] == "redpackets.budget"]

    assert set(heard(here)) == {"redpackets.budget_changed"}
    assert heard(elsewhere) == []
    assert notices(rewards.owner) == [f"/budgets/{team}"]
    assert notices(here) == []
