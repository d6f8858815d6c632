"""What a rule cannot judge or pay is not fired: the reason is kept, the owner told once, and it is tried again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.people import services as people
from redpackets.campaigns import jobs
from tests.redpackets.campaigns.conftest import Drive, end_period, people_told


def month_of(drive: Drive):
    first = drive.today.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def test_a_missing_target_fires_nothing_and_is_told_once(drive: Drive):
    subjects = {"kind": "children", "ids": [str(drive.rewards.sales)]}
    rule = drive.rule(comparison="target", threshold=1, subjects=subjects)
    drive.sells("1", "100")
    for _ in range(3):
        drive.evaluate()

    assert drive.packets() == []
    misses = drive.fires(rule)["misses"]
    assert {m["reason"] for m in misses} == {"target_missing"}
    assert {m["subject_id"] for m in misses} >= {str(drive.north), str(drive.south)}
    assert drive.news().count("No target is set.") == len({m["period_from"] for m in misses})


def test_a_target_of_zero_divides_nothing(drive: Drive):
    drive.targets("Q", "0", *month_of(drive))
    rule = drive.rule(comparison="target", threshold=1)
    drive.sells("1", "100")
    drive.evaluate()

    assert (drive.packets(), drive.reasons(rule)) == ([], {"target_zero"})
    assert set(drive.news()) == {"The target is zero."}
    assert set(drive.news("zh")) == {"目标为零"}
    drive.targets("Q", "100", *month_of(drive))
    drive.evaluate()
    assert len(drive.packets()) == 1


def test_growth_over_nothing_is_not_growth(drive: Drive):
    rule = drive.rule(comparison="growth", threshold=0.1)
    drive.sells("1", "100")
    drive.evaluate()

    assert (drive.packets(), drive.reasons(rule)) == ([], {"base_zero"})


def test_a_stale_figure_waits_until_it_is_fresh(drive: Drive):
    rule = drive.rule()
    drive.company.settle()
    with drive.company.transaction() as session:
        session.execute(text("UPDATE erp_stream SET as_of = as_of - interval '1 day'"))
    drive.sells("1", "100")
    drive.evaluate()
    assert (drive.packets(), drive.reasons(rule)) == ([], {"figure_stale"})
    assert "The figure is out of date." in drive.news()
    assert "指标数据已过时" in drive.news("zh")
    assert drive.news() == ["The figure is out of date."]

    drive.erp.age(minutes=0)
    drive.evaluate()
    assert len(drive.packets()) == 1


def test_figures_that_never_landed_are_missing(drive: Drive):
    rule = drive.rule()
    with drive.company.transaction() as session:
        session.execute(text("UPDATE erp_stream SET as_of = NULL"))
    drive.evaluate()

    assert (drive.packets(), drive.reasons(rule)) == ([], {"figure_missing"})


def test_a_profit_of_which_a_cost_is_not_known_is_not_judged(drive: Drive):
    rule = drive.rule(metric="ordered_gross_profit", threshold=1)
    drive.erp.order("1", "100", seller=drive.erp.keys[drive.ann.person.id], cost=10)
    drive.sells("2", "100")
    drive.evaluate()

    assert (drive.packets(), drive.reasons(rule)) == ([], {"figure_missing"})


def test_an_exhausted_budget_leaves_nothing_half_done_and_is_tried_again(drive: Drive):
    poor = drive.rewards.open_budget(500).json
    rule = drive.rule(budget_id=poor["id"])
    drive.sells("1", "100")
    drive.evaluate()
    assert (drive.packets(), drive.reasons(rule)) == ([], {"insufficient_budget"})
    assert drive.fires(rule)["items"] == []
    assert drive.news() == ["The budget does not have enough left."]

    drive.owner.patch(f"/budgets/{poor['id']}", {"version": 1, "limit_minor": 888})
    drive.evaluate()
    assert [p.total_minor for p in drive.packets()] == [888]
    assert drive.rewards.verify().holds


def test_a_team_of_nobody_gets_no_packet_of_nothing(drive: Drive):
    empty = drive.company.unit("Empty", drive.rewards.sales)
    drive.erp.unit("X", empty)
    rule = drive.rule(subjects={"kind": "units", "ids": [str(empty)]})
    drive.erp.order("1", "100", org_unit_key="X")
    drive.evaluate()

    assert (drive.packets(), drive.reasons(rule)) == ([], {"scope_empty"})


def test_a_total_that_is_less_than_a_fen_each_is_not_cut(drive: Drive):
    drive.company.phone("Cai", drive.north)
    rule = drive.rule(total_minor=1)
    drive.sells("1", "100")
    drive.evaluate()

    assert (drive.packets(), drive.reasons(rule)) == ([], {"cannot_split"})


def test_a_rule_whose_owner_left_pays_nothing(drive: Drive):
    rule = drive.rule()
    with drive.company.transaction() as session:
        people.set_active(session, person_id=drive.owner.person.id, active=False)
    drive.sells("1", "100")
    drive.evaluate()

    assert drive.packets() == []
    boss = drive.company.phone("Second", role="owner")
    assert {m["reason"] for m in drive.fires(rule, by=boss)["misses"]} == {"owner_inactive"}


def test_a_rule_whose_owner_may_no_longer_spend_the_budget_pays_nothing(drive: Drive):
    boss = drive.company.phone("Second", role="owner")
    theirs = drive.rewards.open_budget(10_000, owner_id=str(boss.person.id)).json["id"]
    rule = drive.rule(budget_id=theirs)
    place = {"person_id": drive.owner.person.id}
    with drive.company.transaction() as session:
        people.revoke_role(session, **place, role_key="owner", unit_id=drive.company.root_id)
    drive.sells("1", "100")
    for _ in range(2):
        drive.evaluate()

    assert drive.packets() == []
    misses = drive.fires(rule, by=boss)["misses"]
    assert {m["reason"] for m in misses} == {"owner_not_allowed"}
    assert set(drive.news()) == {"Its owner may no longer spend its budget."}
    assert set(drive.news("zh")) == {"规则负责人已无权使用该预算"}
    assert people_told(drive.company) == {frozenset({"Olive", "Second"})}

    with drive.company.transaction() as session:
        people.grant_role(session, **place, role_key="manager", unit_id=drive.rewards.sales)
    drive.evaluate()
    assert len(drive.packets()) == 1


def test_who_owns_the_budget_needs_no_other_right_for_a_rule_of_theirs_to_go_on(drive: Drive):
    drive.rule()
    with drive.company.transaction() as session:
        people.revoke_role(
            session,
            person_id=drive.owner.person.id,
            role_key="owner",
            unit_id=drive.company.root_id,
        )
        owner_id = session.scalar(text("SELECT owner_id FROM redpackets_budget ORDER BY id DESC"))
    assert owner_id == drive.owner.person.id
    drive.sells("1", "100")
    drive.evaluate()
    assert len(drive.packets()) == 1


def test_a_rule_goes_on_in_what_its_budget_rolled_over_into(drive: Drive, clock):
    last = str(drive.today + timedelta(days=2))
    first = str(drive.today - timedelta(days=2))
    named = drive.rewards.open_budget(
        5_000, period_from=first, period_to=last, rolls_over=True
    ).json["id"]
    rule = drive.rule(budget_id=named)
    succeeded = end_period(drive.rewards, clock, days=4)
    drive.erp.age(minutes=0)
    drive.sells("1", "100")
    drive.evaluate()

    [packet] = drive.packets()
    assert str(packet.budget_id) == succeeded[named]
    assert "period_closed" not in drive.reasons(rule)
    assert drive.rewards.verify().holds


def test_a_rule_whose_budget_ended_for_good_says_so(drive: Drive, clock):
    last = str(drive.today + timedelta(days=2))
    named = drive.rewards.open_budget(5_000, period_to=last).json["id"]
    rule = drive.rule(budget_id=named)
    assert end_period(drive.rewards, clock, days=4) == {}
    drive.erp.age(minutes=0)
    drive.sells("1", "100")
    drive.evaluate()
    assert (drive.packets(), drive.reasons(rule)) == ([], {"period_closed"})


@pytest.mark.fault
def test_evaluations_at_once_fire_once(drive: Drive):
    subjects = {"kind": "children", "ids": [str(drive.rewards.sales)]}
    rule = drive.rule(subjects=subjects)
    with drive.erp.batch():
        drive.sells("1", "100")
        drive.sells("2", "100", by=drive.bo)
    space = drive.company.space
    space.jobs.functions["roledata.refresh"](
        space.workbench(), tenant_id=str(drive.company.tenant_id)
    )
    run = space.jobs.functions[jobs.EVALUATE]

    def evaluate(_: int) -> None:
        run(space.workbench(), tenant_id=str(drive.company.tenant_id))

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(evaluate, range(6)))

    assert len(drive.fires(rule)["items"]) == len(drive.packets()) == 2
    assert drive.rewards.verify().holds
