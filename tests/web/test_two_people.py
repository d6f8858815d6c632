"""Two people and their phones: what one does, the other sees, without a reload."""

import re
import uuid

from tests.web.conftest import IN_BROWSER, PASSWORD
from tests.web.deeds import approve_above, budget_for, send
from tests.web.phones import Account, BrowserPhone

pytestmark = IN_BROWSER


def test_somebody_signs_in_and_a_wrong_password_is_told(town, browser, running_system):
    person = town.person("Shan", town.unit("Arriving"), password=PASSWORD)
    wrong = Account(running_system.url, town.slug, person.login, "something else")
    phone = BrowserPhone(browser, wrong)
    phone.visit("/red-packets/none?x=1")
    for name, typed in (
        ("organization", town.slug),
        ("username", person.login),
        ("password", "no"),
    ):
        phone.page.fill(f"input[name={name}]", typed)
    phone.page.click("button.main")
    phone.see("[role=alert]")

    wrong.password = PASSWORD
    phone.sign_in()
    assert phone.complaints == []
    phone.close()


def test_a_post_appears_at_a_colleague_without_moving_what_is_read(town, open_phone):
    team = town.unit("Reading")
    lin, wei = open_phone("Lin", team), open_phone("Wei", team)
    wei.go("feed")
    wei.see("main", "还没有动态")

    lin.write("今天的陈列已经换好")

    wei.see("[data-fresh]", "1 条新内容").click()
    wei.see("[data-post]", "今天的陈列已经换好")
    lin.see("[data-post]", "今天的陈列已经换好")
    lin.wait_gone("[data-pending]")
    assert lin.complaints == wei.complaints == []


def test_an_announcement_does_not_move_what_is_read(town, open_phone):
    team = town.unit("Reading on")
    boss, lan = open_phone("Head", team, role="manager"), open_phone("Lan", team)
    boss.write("正在读的动态")
    lan.go("feed")
    lan.see("[data-fresh], [data-post]")
    if lan.page.locator("[data-fresh]").count():
        lan.page.click("[data-fresh]")
    read = lan.see("[data-post]", "正在读的动态")
    before = read.bounding_box()

    boss.write("请确认盘点时间", announcement=True)

    lan.see("[data-fresh]", "1 条新内容")
    assert read.bounding_box() == before
    lan.page.click("[data-fresh]")
    lan.see(".pinned [data-acknowledge]")
    assert boss.complaints == lan.complaints == []


def test_an_announcement_stays_on_top_until_acknowledged_and_its_reach_moves(town, open_phone):
    team = town.unit("Announcing")
    boss, ming = open_phone("Boss", team, role="manager"), open_phone("Ming", team)
    boss.write("周五下午盘点", announcement=True)
    boss.see("[data-post]", "周五下午盘点").locator("[data-reach]").click()
    boss.see("[data-missing]", "Ming")

    ming.see("[data-waiting=acknowledge]").click()
    ming.see(".pinned [data-acknowledge]").click()
    ming.wait_gone(".pinned")

    acknowledged = boss.see("[data-step=acknowledged]", "1")
    assert re.search(r"已确认\s*1\b", acknowledged.inner_text())
    assert boss.complaints == ming.complaints == []


def test_a_packet_waits_for_approval_is_opened_and_the_amount_is_in_the_wallet(
    town, account_of, open_phone
):
    team = town.unit("Rewarding")
    owner = account_of("Treasurer", role="owner")
    budget_for(owner, str(team))
    approve_above(owner, 1_000)
    boss, ying = open_phone("Chief", team, role="sales_leader"), open_phone("Ying", team)
    approver = open_phone("Deputy", town.root_id, role="owner")

    boss.visit("/packets/send")
    boss.page.fill("[data-total]", "12.34")
    boss.page.fill("[data-count]", "1")
    boss.page.fill("[data-purpose]", "首单")
    boss.page.fill("[data-greeting]", "开门红")
    boss.page.click("[data-submit]")
    boss.see("[data-state=pending_approval]", "等待审批")

    approver.see("[data-waiting=decide]").click()
    approver.see("[data-approval]", "首单").locator("[data-approve]").click()
    approver.see("main", "这里没有红包")

    boss.see("li", "已批准")
    ying.see("[data-waiting=grab]").click()
    ying.see("[data-open]").click()
    assert ying.see("[data-amount]").inner_text() == "¥12.34"
    boss.see("li", "Ying")
    ying.visit("/packets")
    ying.see("[data-balance]", "¥12.34")
    boss.see("[data-proof]").click()
    boss.see("[data-verdict=holds]")
    assert boss.complaints == ying.complaints == approver.complaints == []


def test_a_packet_is_frozen_under_a_thumb_and_goes_on_and_a_rejection_says_why(
    town, account_of, open_phone
):
    team = town.unit("Freezing")
    owner = account_of("Keeper", role="owner")
    budget_id = budget_for(owner, str(team))
    approve_above(owner, 1_000)
    boss, ting = open_phone("Head", team, role="sales_leader"), open_phone("Ting", team)
    small = send(boss.account, budget_id, str(team), 600)["id"]
    ting.visit(f"/red-packets/{small}")
    ting.see("[data-open]")

    boss.visit(f"/red-packets/{small}")
    boss.see("[data-freeze]").click()
    boss.page.fill("input[maxlength='500']", "先核对名单")
    boss.page.click("[data-freeze-sure]")
    ting.see("[data-state=frozen]")
    boss.see("[data-freeze]", "解除冻结").click()
    boss.page.fill("input[maxlength='500']", "核对完毕")
    boss.page.click("[data-freeze-sure]")
    ting.see("[data-open]").click()
    ting.see("[data-amount]")

    large = send(boss.account, budget_id, str(team), 2_000)["id"]
    owner.call(
        "POST", f"/red-packets/{large}/approval", {"decision": "reject", "reason": "预算留给下月"}
    )
    boss.visit("/packets/sent")
    boss.see(f"[data-sent='{large}']", "未通过").click()
    boss.see("li", "预算留给下月")
    assert boss.complaints == ting.complaints == []


def test_what_is_written_without_a_network_goes_out_once_when_it_is_back(town, open_phone):
    team = town.unit("Travelling")
    hua, tao = open_phone("Hua", team), open_phone("Tao", team)
    hua.go("feed")
    hua.page.click("[data-compose]")
    hua.page.wait_for_selector("[data-audience] .tag")
    hua.context.set_offline(True)
    hua.page.fill("[data-body]", "隧道里写的")
    hua.page.click("[data-send]")
    hua.see("[data-pending]", "隧道里写的")
    hua.see(".bar.warn")

    hua.context.set_offline(False)

    hua.wait_gone("[data-pending]")
    tao.go("feed")
    tao.see("[data-fresh]").click()
    assert tao.page.locator("[data-post]", has_text="隧道里写的").count() == 1
    assert hua.page.locator("[data-post]", has_text="隧道里写的").count() == 1


def test_the_app_opens_to_content_without_a_network_and_keeps_a_draft(town, open_phone):
    team = town.unit("Flying")
    yun = open_phone("Yun", team, is_installed=True)
    yun.write("起飞之前")
    yun.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    yun.visit("/feed/compose")
    yun.page.wait_for_selector("[data-audience] .tag")
    yun.page.fill("[data-body]", "写了一半")
    yun.page.wait_for_timeout(500)

    yun.context.set_offline(True)
    yun.visit("/feed")
    yun.see("[data-post]", "起飞之前")
    yun.page.click("[data-compose]")
    yun.wait_written("写了一半")
    assert yun.complaints == []


def test_a_link_to_what_is_not_mine_says_so_and_back_after_signing_out_shows_nothing(
    town, open_phone
):
    other = open_phone("Mei", town.unit("Elsewhere"))
    other.write("只给我们组")
    link = other.see("[data-post]", "只给我们组").get_attribute("data-post")
    qing = open_phone("Qing", town.unit("Outside"))

    for path in (f"/posts/{link}", f"/posts/{link}/reach", f"/red-packets/{uuid.uuid4()}"):
        qing.visit(path)
        qing.see("[role=alert]", "没有查看权限")

    qing.visit("/me")
    qing.see("[data-sign-out]").click()
    qing.page.get_by_role("button", name="退出登录").last.click()
    qing.page.wait_for_url("**/sign-in*")
    qing.page.go_back()
    qing.see("input[name=password]")
    assert qing.page.evaluate("indexedDB.databases().then(all => all.length)") == 0
