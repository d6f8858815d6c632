"""The wallet says what is on its way to me and where it goes, on every phone of mine."""

from typing import Any

import pytest

from tests.web.conftest import IN_BROWSER
from tests.web.deeds import budget_for, send
from tests.web.screens import faults

pytestmark = IN_BROWSER


@pytest.fixture(scope="module")
def team(town: Any) -> Any:
    return town.unit("Being paid")


def test_what_is_on_its_way_to_me_is_back_on_my_screen_when_it_is_sent_back(
    account_of, open_phone, team
):
    owner, payer = account_of("Comptroller", role="owner"), account_of("Fay", role="finance")
    lan = open_phone("Lan", team, employee_code="E77")
    packet = send(owner, budget_for(owner, str(team)), str(team), 1_250, kind="equal", count=1)
    lan.account.call("POST", f"/red-packets/{packet['id']}/grab")
    asked = {"method": "payroll", "unit": "CNY", "period": "2026-11", "unit_id": str(team)}
    lan.go("me")
    lan.see("a[href='/wallet']").click()
    lan.see("[data-balance]", "¥12.50")
    payout = payer.call("POST", "/payouts", asked, is_payment=True)
    lan.see("[data-payout=prepared]", "¥12.50")
    lan.see("[data-underway]", "¥12.50")
    lan.see("[data-balance]", "¥0.00")
    assert faults(lan) == []
    said = {"decision": "reject", "reason": "月份有误"}
    owner.call("POST", f"/payouts/{payout['id']}/approval", said)
    lan.see("[data-payout=returned]", "退回")
    lan.see("[data-balance]", "¥12.50")
    lan.wait_gone("[data-underway]")
    lan.see("[data-entry=payout_failed]", "+¥12.50")
    assert lan.complaints == []


def test_a_new_account_is_on_all_my_screens_and_i_am_told(open_phone, team):
    hua = open_phone("Hua", team)
    other = hua.context.new_page()
    for tab in (hua.page, other):
        tab.goto("/wallet")
        tab.locator("[data-account=wechat]", has_text="未填写").wait_for()
    hua.page.click("[data-account-edit]")
    hua.see("[data-account-field]").fill("  ")
    hua.see("[data-account-save]:disabled")
    hua.page.fill("[data-account-field]", "open-hua")
    # What is typed is there after a look elsewhere.
    hua.page.click("header button")
    hua.see("[data-wallet]").click()
    hua.see("[data-account-edit]").click()
    hua.page.click("[data-account-save]")
    hua.see("[data-account=wechat]", "open-hua")
    other.locator("[data-account=wechat]", has_text="open-hua").wait_for()
    hua.page.click("[data-account-edit]")
    assert hua.see("[data-account-field]").input_value() == "open-hua"

    hua.visit("/messages")
    hua.see("[data-notice]", "收款账户已变更").click()
    hua.see("[data-account=wechat]", "open-hua")
    assert hua.complaints == []


def test_a_wallet_is_there_without_a_network(open_phone, team):
    tao = open_phone("Tao", team)
    tao.visit("/packets")
    tao.see("[data-wallet]").click()
    tao.see("[data-account=wechat]")
    tao.page.click("button[aria-label='返回']")
    tao.context.set_offline(True)
    tao.see("[data-wallet]").click()
    tao.see("[data-balance]", "¥0.00")
    tao.see("[data-account=wechat]")
    tao.see("main", "还没有发放过")
    assert tao.complaints == []
