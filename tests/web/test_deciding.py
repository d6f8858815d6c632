"""Those who decide on rewards do it on their phones: payouts by four eyes, rules tried before they cost, budgets, restated figures."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.builders.company import Company
from tests.builders.figures import Erp
from tests.builders.stream import wait_until
from tests.web.conftest import IN_BROWSER
from tests.web.deciding import (
    earn,
    employ_seller,
    fires_of,
    keep_rule,
    open_proposals,
    plan_rain,
    prepare,
)
from tests.web.deeds import budget_for
from tests.web.phones import Account, BrowserPhone

pytestmark = IN_BROWSER
OpenPhone = Callable[..., BrowserPhone]


@pytest.fixture(scope="module")
def owner(account_of: Any) -> Account:
    account: Account = account_of("Keeper", role="owner")
    return account


@pytest.fixture
def earned(town: Company, account_of: Any, owner: Account) -> Callable[..., str]:
    """Let a new team earn something: each by name and employee number takes half of two yuan; gives the unit's id."""

    def let_earn(*team: str) -> str:
        unit = town.unit("Earning")
        leader = account_of("Leader", unit, role="sales_leader")
        budget_id = budget_for(owner, str(unit))
        for number, name in enumerate(team, start=1):
            taker = account_of(name, unit, employee_code=f"E{number:02}-{str(unit)[-6:]}")
            earn(leader, taker, budget_id, str(unit), 200)
        return str(unit)

    return let_earn


def results(file: Path, file_hash: str, *outcomes: tuple[str, str]) -> bytes:
    """Write what payroll says came of each row of its file."""
    lines = list(csv.reader(io.StringIO(file.read_bytes().decode("utf-8-sig"))))
    rows = [[*lines[0], "result", "reason"]]
    rows += [[*line, *outcome] for line, outcome in zip(lines[1:-1], outcomes, strict=True)]
    rows.append([*lines[-1], file_hash, ""])
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()


def hand_in(phone: BrowserPhone, content: bytes) -> None:
    """Choose a results file and hand it in."""
    file = {"name": "results.csv", "mimeType": "text/csv", "buffer": content}
    phone.page.set_input_files("[data-results-file]", files=[file])
    phone.see("[data-take]:enabled").click()


def test_a_payout_is_prepared_on_one_phone_and_released_on_another(
    open_phone: OpenPhone, earned: Any, tmp_path: Path
) -> None:
    unit_id = earned("Lin", "Zhao")
    fay, gus = open_phone("Fay", None, role="finance"), open_phone("Gus", None, role="finance")
    gus.visit("/payouts")
    gus.see("main .box, [data-payout]")
    fay.go("packets")
    fay.see("a[href='/payouts']").click()
    fay.see("[data-prepare]").click()
    fay.see("[data-unit]").select_option(unit_id)
    fay.page.click("[data-submit]")
    fay.see("[data-payout-state=pending_approval]", "¥")
    fay.see("[data-four-eyes]", "由你准备")
    assert fay.page.locator("[data-approve]").count() == 0

    payout_id = fay.page.url.rpartition("/")[2]
    gus.see(f"[data-payout='{payout_id}']", "待放行").click()
    gus.see("[data-item=Lin]")
    gus.page.click("[data-approve]")
    gus.see("[data-approve-sure]", "放行")
    fay.see("[data-payout-state=pending_approval]")
    gus.page.click("[data-approve-sure]")
    gus.see("[data-payout-state=released]")
    # It was open all the time: what the other did is on it by itself.
    fay.see("[data-payout-state=released]", "Gus")

    _hand_in_results(fay, tmp_path)
    gus.see("[data-payout-state=settled]")
    gus.see("[role=radio]", "未到账").click()
    gus.see("[data-item=Zhao]", "账户已注销")
    assert gus.page.locator("[data-item=Lin]").count() == 0
    assert (fay.complaints, gus.complaints) == ([], [])


def _hand_in_results(phone: BrowserPhone, folder: Path) -> None:
    """Download the payroll file and hand in its results: a wrong one, which costs nothing, then the right one."""
    with phone.page.expect_download() as found:
        phone.see("[data-download]").click()
    file = folder / found.value.suggested_filename
    found.value.save_as(file)
    file_hash = phone.see("[data-file] code").inner_text()
    good = results(file, file_hash, ("paid", ""), ("failed", "账户已注销"))
    hand_in(phone, good.replace(b",paid,", b",yes,"))
    phone.see("[data-fault]", "第 2 行")
    phone.see("[data-payout-state=released]")
    hand_in(phone, good)
    phone.see("[data-payout-state=settled]")


def test_who_is_paid_is_told_why_they_do_not_release_and_sends_it_back(
    open_phone: OpenPhone, earned: Any, town: Company, account_of: Any, owner: Account
) -> None:
    unit = town.unit("Paying themselves")
    budget_id = budget_for(owner, str(unit))
    hal = open_phone("Hal", unit, role="finance", role_at=town.root_id, employee_code="E77")
    earn(account_of("Boss", unit, role="sales_leader"), hal.account, budget_id, str(unit), 200)
    # Somebody else may release it; otherwise that is what Hal would be told.
    account_of("Ida", role="finance")
    payout_id = prepare(owner, str(unit))
    hal.visit(f"/payouts/{payout_id}")
    hal.see("[data-approve]").click()
    hal.see("[data-approve-sure]").click()
    hal.see("[data-said]", "发放对象包含你本人")
    hal.page.click("[data-reject]")
    hal.see("[data-reason]").fill("请按部门分开发放")
    hal.page.click("[data-reject-sure]")
    hal.see("[data-payout-state=rejected]", "请按部门分开发放")
    hal.visit("/packets")
    hal.see("[data-balance]", "¥")
    assert hal.complaints == []


def test_what_cannot_be_paid_is_told_with_the_reason(open_phone: OpenPhone, town: Company) -> None:
    unit = town.unit("Nobody owed")
    fay = open_phone("Fay", None, role="finance")
    fay.visit("/payouts/new")
    fay.see("[data-unit]").select_option(str(unit))
    fay.page.click("[data-submit]")
    fay.see("[data-refused]", "没有可发放的金额")
    assert fay.complaints == []


@pytest.fixture(scope="module")
def selling(town: Company, account_of: Any) -> tuple[Erp, str, str]:
    """A unit with a seller; gives the ERP, the unit, the seller's key."""
    return employ_seller(town, account_of)


def test_a_restated_figure_is_decided_by_somebody_with_no_part_in_it(
    open_phone: OpenPhone, selling: tuple[Erp, str, str], owner: Account, town: Company
) -> None:
    erp, unit_id, key = selling
    budget_id = budget_for(owner, unit_id)
    maker, fei = open_phone("Mako", None, role="owner"), open_phone("Fei", None, role="finance")
    lea = open_phone("Lea", UUID(unit_id), role="manager")
    rule_id = keep_rule(maker.account, budget_id, unit_id, name="大单奖", threshold=1_000_000)
    erp.order("BIG", "10000.00", seller=key)
    wait_until(lambda: fires_of(maker.account, rule_id), "the rule has fired", 60)
    for phone in (maker, fei):
        phone.visit("/kpi-proposals")
        phone.see("main .box", "没有等待决定的")
    erp.order("BIG", "1.00", seller=key)
    wait_until(lambda: open_proposals(fei.account), "the figure was restated", 60)
    # Both have looked all the time.
    maker.see("[data-proposal]", "大单奖")
    maker.see("[data-not-mine]", "由他人决定")
    lea.visit("/kpi-proposals")
    lea.see("[data-hidden]", "仅对有权限的人显示")
    fei.see("[data-proposal]", "大单奖")
    # There is no way to a rule that one may not see.
    links = [phone.page.locator("[data-proposal] a[href^='/kpi-rules']") for phone in (maker, fei)]
    assert [link.count() for link in links] == [1, 0]
    fei.see("[data-take-back]").click()
    fei.see("[data-reason]").fill("订单已取消")
    fei.see("[data-sure]", "¥88.88").click()
    fei.see("main .box", "没有等待决定的")
    maker.see("main .box", "没有等待决定的")
    maker.see("[role=radio]", "已收回").click()
    maker.see("[data-outcome]", "订单已取消")
    assert (maker.complaints, fei.complaints, lea.complaints) == ([], [], [])


def test_a_limit_is_changed_within_what_is_committed_and_the_owner_sees_it(
    open_phone: OpenPhone, town: Company, account_of: Any, owner: Account
) -> None:
    unit = town.unit("Spending")
    budget_id = budget_for(owner, str(unit))
    leader, team = account_of("Lead", unit, role="sales_leader"), account_of("Lou", unit)
    earn(leader, team, budget_id, str(unit), 4_000)
    fay = open_phone("Fay", None, role="finance")
    keeper = BrowserPhone(fay.context.browser, owner).open()
    keeper.visit(f"/budgets/{budget_id}")
    keeper.see("[data-budget-limit='100000']")
    fay.go("packets")
    fay.see("a[href='/budgets']").click()
    fay.see(f"[data-budget='{budget_id}']", "Keeper").click()
    fay.see("[data-change-limit]").click()
    fay.page.fill("[data-limit]", "39.99")
    fay.see(".wrong", "¥40.00")
    fay.page.fill("[data-limit]", "500")
    fay.see("[data-save]:enabled").click()
    fay.see("[data-budget-limit='50000']")
    keeper.see("[data-budget-limit='50000']")
    assert (fay.complaints, keeper.complaints) == ([], [])
    keeper.close()


def test_what_waits_to_be_released_is_on_the_home_of_those_who_may(
    open_phone: OpenPhone, earned: Any, account_of: Any
) -> None:
    unit_id = earned("Wu")
    gus = open_phone("Gus", None, role="finance")
    payout_id = prepare(account_of("Fay", role="finance"), unit_id)
    gus.see("[data-waiting=release]").click()
    gus.see(f"[data-payout='{payout_id}']", "待放行")
    with gus.page.expect_download() as found:
        gus.see("[data-tax-export]").click()
    assert found.value.suggested_filename.startswith("taxable-20")
    gus.visit("/messages")
    gus.see("[data-notice]", "有一笔发放等待放行").click()
    gus.see("[data-payout-state=pending_approval]")
    assert gus.complaints == []


def test_what_has_not_fallen_of_a_rain_is_withdrawn(
    open_phone: OpenPhone, town: Company, account_of: Any, owner: Account
) -> None:
    unit = town.unit("Dry")
    account_of("Dew", unit)
    rain_id = plan_rain(owner, budget_for(owner, str(unit)), str(unit))
    fay = open_phone("Fay", None, role="finance")
    fay.go("packets")
    fay.see("a[href='/rains']").click()
    fay.see(f"[data-rain='{rain_id}']").click()
    fay.see("[data-wave=scheduled]")
    fay.page.click("[data-cancel]")
    fay.see("[data-cancel-sure]").click()
    fay.see("[data-wave=cancelled]")
    assert fay.page.locator("[data-wave=scheduled]").count() == 0
    assert fay.complaints == []


def test_who_decides_on_nothing_has_no_way_there_and_is_told_so(
    open_phone: OpenPhone, town: Company
) -> None:
    lin = open_phone("Lin", town.unit("Plain"))
    lin.go("packets")
    lin.see("[data-balance]")
    for place in ("/payouts", "/budgets", "/kpi-rules", "/kpi-proposals", "/milestone-rules"):
        assert lin.page.locator(f"main a[href='{place}']").count() == 0
    for place in ("/payouts", "/milestone-rules"):
        lin.visit(place)
        lin.see("[role=alert]", "没有查看权限")
    assert lin.complaints == []


def test_an_auditor_looks_at_a_flag_and_says_what_it_came_to(
    open_phone: OpenPhone, town: Company, account_of: Any, owner: Account
) -> None:
    unit = town.unit("Giving to themselves")
    budget_id = budget_for(owner, str(unit))
    giver = account_of("Giver", unit, role="sales_leader")
    ada = open_phone("Ada", None, role="auditor")
    ada.go("packets")
    ada.see("a[href='/oversight/flags']").click()
    ada.see("main .box")
    earn(giver, giver, budget_id, str(unit), 500)
    ada.account.call("POST", "/oversight/scans")
    # It was flagged while the list was open.
    ada.see("[data-flag=self_gift]", "Giver")
    ada.page.click("[data-confirm]")
    ada.see("[data-note]").fill("已与本人核实")
    ada.page.click("[data-sure]")
    ada.see("main .box", "没有待查看的预警")
    ada.see("[role=radio]", "已确认").click()
    ada.see("[data-resolved]", "已与本人核实")

    ada.visit("/oversight/report")
    ada.see("[data-report-row]", "¥")
    with ada.page.expect_download() as found:
        ada.see("[data-export]").click()
    assert found.value.suggested_filename == "report-unit.csv"
    assert ada.complaints == []
