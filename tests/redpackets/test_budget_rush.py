"""Everybody at once at budgets and approvals: carvings, packets, decisions and the end of a period."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from time import sleep
from uuid import UUID

import pytest

from redpackets.budget_jobs import sweep_company
from redpackets.models import Budget
from tests.redpackets.test_approvals import ABOVE, approve, reject
from tests.redpackets.test_budget_tree import carve, read

pytestmark = pytest.mark.fault

THREADS = 6


def patiently(call):
    """Ask as a phone does: a server that is busy is asked again."""
    for _ in range(20):
        reply = call()
        if reply.status_code != 503:
            return reply
        sleep(0.05)
    return reply


def at_once(*calls):
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(patiently, calls))


def test_carvings_at_once_never_give_on_more_than_there_is(rewards):
    replies = at_once(*[lambda: carve(rewards, 40_000)] * 6)

    assert sorted(r.status_code for r in replies) == [201, 201, 409, 409, 409, 409]
    assert rewards.budget()["allotted_minor"] == 80_000
    assert rewards.verify().holds


def test_carvings_and_packets_at_once_share_one_budget(rewards):
    rewards.team("Lin")

    def send():
        return rewards.manager.pay("/red-packets", rewards.asked(total_minor=30_000))

    replies = at_once(*[lambda: carve(rewards, 30_000), send] * 3)
    assert sorted(r.status_code for r in replies) == [201, 201, 201, 409, 409, 409]
    budget = rewards.budget()
    assert budget["allotted_minor"] + budget["held_minor"] == 90_000
    assert rewards.verify().holds


def test_changes_above_and_below_at_once_neither_deadlock_nor_overdraw(rewards):
    children = [carve(rewards, 20_000).json["id"] for _ in range(2)]

    def change(budget_id, limit_minor):
        return rewards.owner.patch(
            f"/budgets/{budget_id}", {"version": 1, "limit_minor": limit_minor}
        )

    replies = at_once(
        lambda: change(children[0], 70_000),
        lambda: change(rewards.budget_id, 50_000),
        lambda: change(children[1], 70_000),
        lambda: change(children[0], 5_000),
        lambda: change(rewards.budget_id, 40_000),
        lambda: change(children[1], 5_000),
    )
    assert {r.status_code for r in replies} <= {200, 409}, [r.json for r in replies]
    assert rewards.verify().holds


def test_approvals_of_one_person_from_many_phones_are_one(rewards):
    rewards.approve_above(1_000, approvals=2)
    rewards.team("Lin")
    packet = rewards.send(**ABOVE)
    phones = [rewards.company.phone_of(rewards.owner.person) for _ in range(THREADS)]

    replies = at_once(*[lambda phone=phone: approve(phone, packet) for phone in phones])
    assert {r.status_code for r in replies} == {200}
    seen = rewards.manager.get(packet).json
    assert (seen["state"], len(seen["approvals"])) == ("pending_approval", 1)


def test_the_last_two_approvals_at_once_open_it_once(rewards):
    rewards.approve_above(1_000, approvals=2)
    [lin] = rewards.team("Lin")
    packet = rewards.send(**ABOVE)
    approvers = [rewards.owner, rewards.company.phone("Fin", role="finance")]

    at_once(*[lambda phone=phone: approve(phone, packet) for phone in approvers])
    assert rewards.manager.get(packet).json["state"] == "open"
    opened = [e for e in rewards.company.events(lin) if e["kind"] == "redpackets.packet_opened"]
    assert len(opened) == 1


def test_an_approval_and_a_rejection_at_once_are_one_or_the_other(rewards):
    rewards.approve_above(1_000)
    rewards.team("Lin")
    finance = rewards.company.phone("Fin", role="finance")
    for _ in range(4):
        packet = rewards.send(**ABOVE)
        replies = at_once(
            lambda packet=packet: approve(rewards.owner, packet),
            lambda packet=packet: reject(finance, packet),
            lambda packet=packet: rewards.manager.post(f"{packet}/cancellation"),
        )
        state = rewards.manager.get(packet).json["state"]
        held = 5_000 if state == "open" else 0
        assert {r.status_code for r in replies} <= {200, 409, 410}, [r.json for r in replies]
        assert rewards.budget()["held_minor"] == held
        rewards.manager.post(f"{packet}/cancellation")
    assert rewards.verify().holds


def test_a_period_that_ends_in_the_rush_loses_no_fen(rewards, clock):
    team = rewards.team("Lin", "Zhao", "Qian")
    last_day = str(clock().date() + timedelta(days=5))
    for number in range(4):
        child = carve(rewards, 900, period_to=last_day).json["id"]
        packet = rewards.send(budget_id=child, kind="equal", total_minor=900, count=3)
        _end_period(rewards, child)
        takers = [partial(phone.post, f"{packet}/grab") for phone in team]
        ends = [partial(rewards.manager.post, f"{packet}/closing"), *[partial(_sweep, rewards)] * 2]
        at_once(*takers[:number], *ends, *takers[number:])
        _sweep(rewards)

        found = read(rewards.owner, child)
        assert found["closed_at"] is not None
        assert found["limit_minor"] == found["spent_minor"]
    above = rewards.budget()
    limits = [read(rewards.owner, id_)["limit_minor"] for id_ in above["children"]]
    assert above["allotted_minor"] == sum(limits)
    assert rewards.verify().holds


def _end_period(rewards, budget_id):
    with rewards.company.transaction() as session:
        budget = session.get_one(Budget, (rewards.company.tenant_id, UUID(budget_id)))
        budget.period_to = budget.period_from


def _sweep(rewards):
    sweep_company(rewards.company.space.workbench(), rewards.company.tenant_id)
    return rewards.owner.get("/budgets")
