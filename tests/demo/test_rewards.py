"""The demo company rewards in full, made by its own people, once."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from app.core.composition import Workspace
from app.people.models import Tenant
from app.showcase_budgets import open_year_budgets
from app.showcase_rewards import WAVE_HOURS, set_up_rewards
from tests.builders.clock import MovableClock
from tests.builders.company import Company, Phone, found_company
from tests.builders.figures import Erp, connect_erp
from tests.redpackets.rewards import Rewards

ZONE = ZoneInfo("Asia/Shanghai")


@dataclass
class Demo:
    """A company with one region of two teams below sales, as the demo's people are placed."""

    company: Company
    region_id: UUID
    owner: Phone
    finance: Phone
    operator: Phone
    sales: Phone
    seller: Phone
    at: datetime
    erp: Erp

    def sell(self, net: str) -> None:
        """Let the seller sell something today."""
        self.erp.order("NOW", net, seller=self.erp.keys[self.seller.person.id])

    def begin(self) -> None:
        """Begin as ``bin/run`` does."""
        now = self.company.clock()
        with self.company.transaction() as session:
            tenant = session.get_one(Tenant, self.company.tenant_id)
            open_year_budgets(session, tenant, now)
        set_up_rewards(self.company.space, self.company.tenant_id)
        self.company.settle()

    def counts(self) -> dict[str, int]:
        """Count what the owner sees of each thing."""
        paths = ("/budgets", "/catalogue", "/kpi-rules", "/milestone-rules", "/rains")
        return {path: len(items(self.owner, f"{path}?limit=100")) for path in paths}


@pytest.fixture
def demo(company: Company) -> Demo:
    return found_demo(company)


@pytest.fixture(scope="module")
def begun(app: Flask, space: Workspace) -> Demo:
    """One that has begun, for all tests that change nothing in it."""
    demo = found_demo(found_company(app, space, MovableClock()))
    demo.begin()
    return demo


def found_demo(company: Company) -> Demo:
    centre = company.unit("Sales")
    region = company.unit("East", centre)
    teams = [company.unit(name, region) for name in ("Shanghai", "Hangzhou")]
    root = company.root_id
    demo = Demo(
        company=company,
        region_id=region,
        owner=company.phone("Shen", role="owner"),
        finance=company.phone("Qin", company.unit("Finance"), role="finance", role_at=root),
        operator=company.phone("Lei", company.unit("IT"), role="operator", role_at=root),
        sales=company.phone("Lu", centre, role="sales_leader"),
        seller=company.phone("Xu", teams[0], role="account_manager", employee_code="1104"),
        at=company.clock(),
        erp=connect_erp(company),
    )
    company.phone("He", region, role="sales_leader")
    for number, team in enumerate(teams):
        company.phone("Jiang", team, role="sales_leader")
        company.phone("Song", team, role="account_manager", employee_code=f"110{number}")
    sell_last_year(demo)
    return demo


def sell_last_year(demo: Demo) -> None:
    """Let the seller reach last March's target on the 20th, after a first order on the 9th."""
    march = date(demo.company.clock().year - 1, 3, 1)
    erp = demo.erp
    with erp.batch():
        erp.employs(demo.seller)
        key = erp.keys[demo.seller.person.id]
        erp.quota("Q1", "1000.00", march, march + timedelta(days=30), salesperson_key=key)
        erp.order("O1", "999.99", seller=key, on=march + timedelta(days=8))
        erp.order("O2", "0.01", seller=key, on=march + timedelta(days=19))
    demo.company.settle()


def items(phone: Phone, path: str) -> list[dict[str, Any]]:
    answer = phone.get(path)
    assert answer.status_code == 200, answer.json
    found: list[dict[str, Any]] = answer.json["items"]
    return found


def test_budgets_are_a_tree_from_the_company_to_its_teams(begun):
    budgets = {b["id"]: b for b in items(begun.owner, "/budgets?tree=true&limit=100")}
    team = next(b for b in budgets.values() if b["name"].startswith("Hangzhou"))
    line = [team["name"]]
    while team["parent_id"]:
        team = budgets[team["parent_id"]]
        line.append(team["name"])
    assert [name.split()[0] for name in line] == ["Hangzhou", "East", "Sales", "Headquarters"]


def test_a_packet_waits_for_whoever_may_approve_it_and_then_opens(demo):
    demo.begin()
    (waiting,) = items(demo.finance, "/red-packet-approvals")
    assert items(demo.owner, "/red-packet-approvals")[0]["packet_id"] == waiting["packet_id"]
    assert (waiting["sender"]["name"], waiting["approvals_needed"]) == ("Lu", 1)
    path = f"/red-packets/{waiting['packet_id']}"
    approved = demo.finance.post(f"{path}/approval", {"decision": "approve"})
    assert approved.status_code == 200, approved.json
    demo.company.settle()
    assert demo.seller.post(f"{path}/grab").json["result"] == "won"


def test_what_some_have_redeemed_waits_to_be_approved_and_to_be_handed_over(begun):
    waiting = items(begun.operator, "/redemptions?view=to_handle")
    assert sorted(one["state"] for one in waiting) == ["approved", "reserved"]
    assert all(one["person"]["id"] != str(begun.operator.person.id) for one in waiting)


def test_everybody_has_points_to_redeem_and_points_to_give(demo):
    demo.begin()
    (allowance,) = items(demo.seller, "/kudos/allowance")
    catalogue = items(demo.seller, "/catalogue")
    cheapest = min(catalogue, key=lambda item: item["price_points"])
    asked = {"item_id": cheapest["id"], "price_points": cheapest["price_points"]}
    assert demo.seller.pay("/redemptions", asked).status_code == 201
    assert allowance["available_minor"] == 100
    assert len(catalogue) == 3
    assert all(item["stock"] and item["name_zh"] != item["name_en"] for item in catalogue)


def test_the_rule_on_the_regions_would_have_fired_last_year(begun):
    rule = items(begun.owner, "/kpi-rules")[-1]
    added = {"id", "owner_id", "metric_unit", "active", "version"}
    same = {k: v for k, v in rule.items() if k not in added}
    preview = begun.owner.post("/kpi-rules/preview", same).json
    assert [i["on"] for i in preview["instances"] if i["met"]] == [f"{begun.at.year - 1}-03-20"]
    assert preview["total_minor"] == 8_888_00


def test_a_rain_falls_tomorrow_and_people_can_be_paid(begun):
    (rain,) = items(begun.owner, "/rains")
    waves = begun.owner.get(f"/rains/{rain['id']}").json["waves"]
    opens_at = [datetime.fromisoformat(wave["opens_at"]).astimezone(ZONE) for wave in waves]
    tomorrow = (begun.at + timedelta(days=1)).astimezone(ZONE).date()
    assert {wave["state"] for wave in waves} == {"scheduled"}
    assert {(at.date(), at.hour) for at in opens_at} == {(tomorrow, hour) for hour in WAVE_HOURS}
    wallet = begun.seller.get("/wallet").json["balances"]
    assert {b["unit"] for b in wallet if b["amount_minor"]} == {"CNY", "POINT"}


def test_a_payout_waits_for_somebody_else_to_release_it(demo):
    demo.begin()
    (payout,) = items(demo.owner, "/payouts")
    assert (payout["state"], payout["created_by_name"]) == ("pending_approval", "Qin")
    assert (payout["row_count"], payout["total_minor"]) == (3, 3 * 300_00)
    path = f"/payouts/{payout['id']}/approval"
    assert demo.owner.post(path, {"decision": "approve"}).json["state"] == "released"


def test_the_first_orders_of_a_month_fire_the_rule_on_all_of_sales(demo):
    demo.begin()
    demo.sell("101000.00")
    rule = items(demo.owner, "/kpi-rules")[0]
    demo.company.settle()
    (fire,) = demo.owner.get(f"/kpi-rules/{rule['id']}/fires").json["items"]
    assert (fire["subject"]["name"], fire["amount_minor"]) == ("Sales", 888_00)
    assert demo.seller.post(f"/red-packets/{fire['packet_id']}/grab").json["result"] == "won"


def test_a_second_beginning_changes_nothing_and_the_ledger_holds(begun):
    before = begun.counts()
    begun.begin()
    assert begun.counts() == before
    assert before == {
        # Five of the units, two of the company's, and what the leader of sales had to give.
        "/budgets": 8,
        "/catalogue": 3,
        "/kpi-rules": 2,
        "/milestone-rules": 1,
        "/rains": 1,
    }
    assert Rewards(begun.company, begun.company.root_id, begun.owner, begun.sales).verify().holds


def test_a_company_that_set_its_own_policy_is_left_alone(demo):
    bands = [{"unit": "CNY", "up_to_minor": None, "approvals": 1}]
    assert demo.owner.post("/red-packet-policies", {"bands": bands}).status_code == 201
    demo.begin()
    assert demo.counts()["/catalogue"] == 0


def test_a_leader_who_comes_later_gets_a_budget_of_the_treasury_where_the_one_above_is_spent(demo):
    demo.begin()
    budget = next(
        b for b in items(demo.owner, "/budgets?limit=100") if b["name"].startswith("East")
    )
    less = {"version": budget["version"], "limit_minor": budget["allotted_minor"]}
    assert demo.owner.patch(f"/budgets/{budget['id']}", less).status_code == 200
    suzhou = demo.company.unit("Suzhou", demo.region_id)
    demo.company.phone("Gu", suzhou, role="sales_leader")
    demo.begin()
    new = next(b for b in items(demo.owner, "/budgets?limit=100") if b["name"].startswith("Suzhou"))
    assert new["parent_id"] is None
    assert new["limit_minor"] > 0
