"""Points are redeemed on one phone and handed over on another; whatever goes wrong between takes them once or not at all."""

from typing import Any

import pytest

from tests.web.conftest import IN_BROWSER
from tests.web.deeds import budget_for, give_points, offer, redeem
from tests.web.phones import BrowserPhone
from tests.web.screens import faults

pytestmark = IN_BROWSER


@pytest.fixture(scope="module")
def team(town: Any) -> Any:
    return town.unit("Redeeming")


@pytest.fixture(scope="module")
def owner(account_of: Any) -> Any:
    return account_of("Bursar", role="owner")


@pytest.fixture(scope="module")
def budget_id(owner: Any, team: Any) -> str:
    return budget_for(owner, str(team), "POINT")


@pytest.fixture
def lin(open_phone: Any, owner: Any, budget_id: str, team: Any) -> BrowserPhone:
    """A member of the team with five hundred points."""
    phone: BrowserPhone = open_phone("Lin", team)
    give_points(owner, budget_id, str(team), 500, phone.account)
    return phone


def choose(phone: BrowserPhone, item: dict[str, Any]) -> None:
    """Open the catalogue, and an item of it."""
    phone.visit("/points")
    phone.see("[data-points]", "500")
    phone.see(f"[data-item='{item['id']}']").click()
    phone.see("[data-redeem]")


def redemptions(phone: BrowserPhone) -> list[tuple[str, int, int]]:
    items = phone.account.call("GET", "/redemptions")["items"]
    return [(one["state"], one["quantity"], one["points"]) for one in items]


def test_what_is_redeemed_is_approved_and_handed_over_and_both_phones_see_it(
    town, open_phone, owner, team, lin
):
    keeper = open_phone("Kit", town.root_id, role="operator")
    hoodie = offer(owner, str(team), "连帽衫", 200, stock=3, needs_approval=True)
    keeper.go("packets")
    keeper.see("[data-to='/redemptions']").click()
    keeper.see("[role=radio][aria-checked=true]", "待批准")

    lin.go("packets")
    lin.see("[data-to='/points']").click()
    lin.see(f"[data-item='{hoodie['id']}']").click()
    lin.see("[data-one-more]").click()
    lin.see("[data-left]", "100 积分")
    assert faults(lin) == []
    lin.page.click("[data-redeem]")
    lin.see("[data-state=reserved]", "待批准")
    redemption_id = lin.page.url.rpartition("/")[2]

    keeper.see(f"[data-redemption='{redemption_id}']").click()
    keeper.see("[data-person]", "Lin")
    keeper.page.click("[data-decide=approve]")
    keeper.see("[data-decide=fulfil]").click()
    lin.see("[data-state=approved]", "待发放")
    # Tapping twice to approve has handed nothing over.
    keeper.see("[data-fulfil-sure]").click()
    lin.see("[data-state=fulfilled]", "已发放")
    keeper.see("[data-state=fulfilled]")
    assert keeper.page.locator("[data-decide]").count() == 0
    assert redemptions(lin) == [("fulfilled", 2, 400)]
    lin.visit("/points")
    lin.see("[data-points]", "100")
    assert lin.complaints == keeper.complaints == []


def test_a_refusal_says_why_where_the_notice_leads_and_gives_the_points_back(
    town, open_phone, owner, team, lin
):
    keeper = open_phone("Kai", town.root_id, role="operator")
    leave = offer(owner, str(team), "半天假", 300, needs_approval=True)
    redemption_id = redeem(lin.account, leave)
    lin.go("messages")
    keeper.visit(f"/redemptions/{redemption_id}")
    keeper.see("[data-decline]").click()
    keeper.see("[data-reason-field]").fill("本周人手不足")
    keeper.page.click("[data-decline-sure]")
    keeper.see("[data-state=declined]")

    lin.see("[data-notice]", "未通过").click()
    lin.see("[data-reason]", "本周人手不足")
    lin.visit("/points")
    lin.see("[data-points]", "500")
    assert lin.complaints == keeper.complaints == []


def test_a_price_that_changed_is_told_before_any_point_is_taken(owner, team, lin):
    mug = offer(owner, str(team), "马克杯", 100)
    choose(lin, mug)
    lin.page.click("[data-one-more]")
    owner.call("PATCH", f"/catalogue/{mug['id']}", {"version": 1, "price_points": 120})
    lin.page.click("[data-redeem]")
    told = lin.see("[data-refusal]").inner_text()
    assert "100" in told
    assert "120" in told
    assert redemptions(lin) == []

    assert lin.page.input_value("[data-quantity]") == "2"
    lin.see("[data-redeem]", "240").click()
    lin.see("[data-state=approved]")
    assert redemptions(lin) == [("approved", 2, 240)]
    assert lin.complaints == []


def test_a_lost_answer_takes_points_once_and_nothing_typed_is_lost(owner, team, lin):
    mug = offer(owner, str(team), "茶杯", 150)
    choose(lin, mug)
    lin.lose_answer("/redemptions")
    lin.page.click("[data-redeem]")
    lin.see("[data-uncertain]")
    assert len(redemptions(lin)) == 1

    lin.visit("/points")
    lin.see(f"[data-item='{mug['id']}']").click()
    lin.see("[data-uncertain]")
    lin.page.click("[data-redeem]")
    lin.see("[data-state=approved]")
    assert redemptions(lin) == [("approved", 1, 150)]


def test_what_was_changed_after_a_lost_answer_takes_no_more_points_unasked(owner, team, lin):
    pen = offer(owner, str(team), "钢笔", 100)
    choose(lin, pen)
    lin.lose_answer("/redemptions")
    lin.page.click("[data-redeem]")
    lin.see("[data-uncertain]")
    lin.page.click("[data-one-more]")
    lin.page.click("[data-redeem]")
    lin.see("[data-gone]", "1 件")
    assert redemptions(lin) == [("approved", 1, 100)]
    lin.page.click("[data-gone] a")
    lin.see("[data-state=approved]")


def test_who_comes_too_late_for_the_last_piece_is_told_so(account_of, owner, budget_id, team, lin):
    other = account_of("Quick", team)
    give_points(owner, budget_id, str(team), 500, other)
    lamp = offer(owner, str(team), "台灯", 100, stock=1)
    choose(lin, lamp)
    redeem(other, lamp)
    lin.page.click("[data-redeem]")
    lin.see("[data-refusal]", "刚刚被兑完")
    assert redemptions(lin) == []
    lin.see("[data-redeem]:disabled")


@pytest.mark.parametrize("typed", ["0", "-1", "1.5", "两个", "6"])
def test_a_number_of_pieces_that_makes_no_sense_cannot_be_sent(owner, team, lin, typed):
    mug = offer(owner, str(team), "杯垫", 100)
    choose(lin, mug)
    lin.page.fill("[data-quantity]", typed)
    lin.see("[data-redeem]:disabled")
    assert redemptions(lin) == []


def test_a_redemption_is_taken_back_and_the_points_are_there_again(owner, team, lin):
    redemption_id = redeem(lin.account, offer(owner, str(team), "雨伞", 400))
    lin.visit(f"/redemptions/{redemption_id}")
    lin.see("[data-withdraw]").click()
    lin.see("[data-withdraw-sure]").click()
    lin.see("[data-state=withdrawn]", "积分已退回")
    lin.visit("/points")
    lin.see("[data-points]", "500")
    assert lin.complaints == []


def test_a_keeper_offers_an_item_changes_it_and_takes_it_off_and_others_may_not(
    town, open_phone, lin
):
    keeper = open_phone("Kim", town.root_id, role="operator")
    keeper.visit("/points/catalogue")
    keeper.see("[data-add]").click()
    keeper.see("[data-name-zh]").fill("露营灯")
    keeper.page.fill("[data-name-en]", "Camping lamp")
    keeper.page.fill("[data-price]", "0")
    keeper.see("[data-save-item]:disabled")
    keeper.page.fill("[data-price]", "90")
    keeper.page.fill("[data-stock]", "7")
    assert faults(keeper) == []
    keeper.page.click("[data-save-item]")
    kept = keeper.see("[data-kept]", "露营灯")
    lin.visit("/points")
    lin.see("[data-item]", "90 积分")

    kept.click()
    keeper.see("[data-active]").click()
    keeper.page.click("[data-save-item]")
    keeper.see("[data-kept] .tag", "已下架")
    lin.visit("/points")
    lin.see("[data-points]")
    lin.wait_gone("[data-item]:has-text('露营灯')")
    lin.visit("/points/catalogue")
    lin.see(".box[role=alert]", "没有查看权限")
    assert keeper.complaints == []


def test_a_redemption_of_somebody_else_is_nobodys_to_see(account_of, owner, budget_id, team, lin):
    other = account_of("Shy", team)
    give_points(owner, budget_id, str(team), 500, other)
    lin.visit(f"/redemptions/{redeem(other, offer(owner, str(team), '书', 50))}")
    lin.see(".box[role=alert]", "没有查看权限")
