"""The end of budgets: periods that are over, owners who left, and where what was unused goes."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text

from app.people.services import set_active
from redpackets.budget_jobs import sweep_budgets, sweep_company
from tests.redpackets.rewards import rewarding
from tests.redpackets.test_budget_tree import carve


def sweep(rewards):
    sweep_company(rewards.company.space.workbench(), rewards.company.tenant_id)


def leave(rewards, phone):
    with rewards.company.transaction() as session:
        set_active(session, person_id=phone.person.id, active=False)


def all_budgets(rewards):
    owner = rewards.company.phone_of(rewards.owner.person)
    return {b["id"]: b for b in owner.get("/budgets?limit=100").json["items"]}


def kinds(rewards):
    with rewards.company.transaction() as session:
        return session.execute(
            text("SELECT kind, amount_minor FROM redpackets_journal ORDER BY id")
        ).all()


@pytest.fixture
def days(rewards):
    """Say days around today as the API writes them."""
    today = rewards.company.clock().date()
    return lambda number: str(today + timedelta(days=number))


def test_what_is_unused_at_the_end_goes_back_to_the_treasury_once(rewards, clock):
    clock.move(days=32)
    for _ in range(2):
        sweep(rewards)

    closed = all_budgets(rewards)[rewards.budget_id]
    assert closed["closed_at"] is not None
    assert (closed["limit_minor"], closed["available_minor"]) == (0, 0)
    assert kinds(rewards) == [("allot", 100_000), ("recover", 100_000)]
    assert rewards.verify().holds


def test_before_its_last_day_is_over_a_budget_stays_open(rewards, clock):
    clock.move(days=29)
    sweep(rewards)
    assert all_budgets(rewards)[rewards.budget_id]["closed_at"] is None


def test_what_is_unused_goes_back_to_the_budget_above(rewards, days, clock):
    child = carve(rewards, period_to=days(5)).json["id"]
    rewards.send(budget_id=child, total_minor=10_000)
    clock.move(days=7)
    sweep(rewards)
    rewards.company.settle()
    assert all_budgets(rewards)[child]["closed_at"] is None, "its packet is settled only now"
    sweep(rewards)

    found = all_budgets(rewards)
    assert found[child]["closed_at"] is not None
    assert found[rewards.budget_id]["available_minor"] == 100_000
    assert found[rewards.budget_id]["allotted_minor"] == 0
    assert rewards.verify().holds


def test_what_was_spent_stays_spent_when_a_period_ends(rewards, days, clock):
    [lin] = rewards.team("Lin")
    child = carve(rewards, period_to=days(5)).json["id"]
    packet = rewards.send(budget_id=child, total_minor=10_000, count=1)
    lin.post(f"{packet}/grab")
    rewards.company.settle()
    clock.move(days=7)
    sweep(rewards)

    found = all_budgets(rewards)
    assert (found[child]["limit_minor"], found[child]["spent_minor"]) == (10_000, 10_000)
    assert found[rewards.budget_id]["available_minor"] == 90_000
    assert rewards.verify().holds


def test_what_rolls_over_goes_on_in_a_budget_of_the_next_period(rewards, days, clock):
    child = carve(
        rewards, period_from=days(0), period_to=days(9), rolls_over=True, receive_cap_minor=700
    ).json["id"]
    clock.move(days=11)
    sweep(rewards)

    found = all_budgets(rewards)
    [successor] = [b for b in found.values() if b["predecessor_id"] == child]
    assert (successor["period_from"], successor["period_to"]) == (days(10), days(19))
    assert (successor["name"], successor["available_minor"]) == ("Team", 30_000)
    assert (successor["parent_id"], successor["receive_cap_minor"]) == (rewards.budget_id, 700)
    assert (successor["rolls_over"], successor["closed_at"]) == (True, None)
    assert found[child]["limit_minor"] == 0
    assert found[rewards.budget_id]["allotted_minor"] == 30_000
    assert ("roll_over", 30_000) in kinds(rewards)
    assert rewards.verify().holds


def test_a_whole_tree_rolls_over_together(rewards, clock):
    rewards.owner.patch(f"/budgets/{rewards.budget_id}", {"version": 1, "rolls_over": True})
    child = carve(rewards, rolls_over=True).json["id"]
    clock.move(days=32)
    sweep(rewards)

    found = all_budgets(rewards)
    heirs = {b["predecessor_id"]: b for b in found.values() if b["predecessor_id"]}
    above, below = heirs[rewards.budget_id], heirs[child]
    assert (above["limit_minor"], above["allotted_minor"]) == (100_000, 30_000)
    assert (below["parent_id"], below["available_minor"]) == (above["id"], 30_000)
    assert found[rewards.budget_id]["closed_at"] is not None
    assert rewards.verify().holds


def test_a_child_does_not_roll_over_beyond_a_budget_that_ends(rewards, clock):
    child = carve(rewards, rolls_over=True).json["id"]
    clock.move(days=32)
    sweep(rewards)

    found = all_budgets(rewards)
    assert [b for b in found.values() if b["predecessor_id"]] == []
    assert found[child]["limit_minor"] == found[rewards.budget_id]["limit_minor"] == 0
    assert rewards.verify().holds


def test_months_roll_over_into_months(rewards, clock):
    today = clock().date()
    begins = date(today.year, today.month, 1)
    ends = date(today.year + today.month // 12, today.month % 12 + 1, 1) - timedelta(days=1)
    made = rewards.open_budget(period_from=str(begins), period_to=str(ends), rolls_over=True)
    clock.move(days=(ends - today).days + 2)
    sweep(rewards)
    [heir] = [b for b in all_budgets(rewards).values() if b["predecessor_id"] == made.json["id"]]
    assert heir["period_from"] == str(ends + timedelta(days=1))
    assert (date.fromisoformat(heir["period_to"]) + timedelta(days=1)).day == 1


def test_a_budget_that_neither_rolls_over_nor_recovers_waits_for_finance(rewards, days, clock):
    child = carve(rewards, period_to=days(5), recovers_unused=False).json["id"]
    clock.move(days=7)
    sweep(rewards)
    assert all_budgets(rewards)[child]["available_minor"] == 30_000

    finance = rewards.company.phone("Fin", role="finance")
    # A phone with nothing to say sends no body.
    path, key = f"/budgets/{child}/recovery", {"Idempotency-Key": "once"}
    recovered = finance.call("POST", path, headers=key)
    assert (recovered.status_code, recovered.json["available_minor"]) == (200, 0)
    assert finance.call("POST", path, headers=key).headers["Idempotent-Replayed"] == "true"
    assert all_budgets(rewards)[rewards.budget_id]["available_minor"] == 100_000
    assert rewards.verify().holds


def test_nothing_is_spent_from_or_carved_out_of_a_closed_budget(rewards):
    rewards.team("Lin")
    child = carve(rewards).json["id"]
    leave(rewards, rewards.company.phone_of(rewards.manager.person))
    sweep(rewards)
    asked = rewards.asked(budget_id=child)
    for refused in (
        rewards.owner.pay("/red-packets", asked),
        carve(rewards, 1, parent_id=child, owner_id=str(rewards.owner.person.id)),
        rewards.owner.patch(f"/budgets/{child}", {"version": 2, "limit_minor": 5}),
    ):
        assert (refused.status_code, refused.json["code"]) == (409, "redpackets.period_closed")


def test_a_leavers_budget_goes_back_what_waits_is_withdrawn_and_what_is_open_finishes(
    rewards, clock
):
    [lin] = rewards.team("Lin")
    child = carve(rewards).json["id"]
    opened = rewards.send(budget_id=child, total_minor=8_000, count=2, kind="equal")
    later = (clock() + timedelta(minutes=5)).isoformat()
    scheduled = rewards.send(budget_id=child, total_minor=5_000, opens_at=later)
    leave(rewards, rewards.manager)
    sweep(rewards)

    assert all_budgets(rewards)[rewards.budget_id]["available_minor"] == 92_000
    assert rewards.owner.get(scheduled).json["state"] == "cancelled"
    assert lin.post(f"{opened}/grab").json["result"] == "won"
    clock.move(hours=25)
    rewards.company.settle()
    sweep(rewards)

    found = all_budgets(rewards)
    assert (found[child]["limit_minor"], found[child]["spent_minor"]) == (4_000, 4_000)
    assert found[rewards.budget_id]["available_minor"] == 96_000
    assert rewards.verify().holds


def test_finance_recovers_by_hand_and_only_what_is_not_in_use(rewards):
    child = carve(rewards).json["id"]
    path = f"/budgets/{child}/recovery"
    in_use = rewards.owner.pay(path, {})
    assert (in_use.status_code, in_use.json["code"]) == (409, "redpackets.still_in_use")
    assert rewards.owner.post(path, {}).json["code"] == "idempotency_key_required"

    leave(rewards, rewards.manager)
    dora = rewards.company.phone("Dora", rewards.sales, role="manager")
    assert dora.pay(path, {}).status_code == 403
    recovered = rewards.owner.pay(path, {}, key="once")
    again = rewards.owner.pay(path, {}, key="once")
    assert (recovered.json["available_minor"], again.json) == (0, recovered.json)
    told = [
        e
        for e in rewards.company.events(rewards.owner)
        if e["ref"] == child and e["data"]["closed"]
    ]
    assert len(told) == 1
    assert rewards.verify().holds


def test_the_timer_visits_every_company_and_mixes_none(rewards, other_company):
    theirs = rewarding(other_company)
    leave(theirs, theirs.owner)
    sweep_budgets(rewards.company.bench(other_company))
    assert all_budgets(rewards)[rewards.budget_id]["closed_at"] is None
    with other_company.transaction() as session:
        closed = session.execute(text("SELECT closed_at FROM redpackets_budget")).scalar_one()
    assert closed is not None
