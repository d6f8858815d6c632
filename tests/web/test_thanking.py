"""Thanks go from a colleague's page to their phone, out of what somebody may give this month, once."""

from typing import Any

import pytest

from tests.web.conftest import IN_BROWSER
from tests.web.deeds import budget_for, let_thank
from tests.web.phones import BrowserPhone
from tests.web.screens import faults

pytestmark = IN_BROWSER


@pytest.fixture(scope="module")
def team(town: Any, account_of: Any) -> Any:
    """A unit whose people may give a hundred points a month."""
    unit_id = town.unit("Thanking")
    owner = account_of("Almoner", role="owner")
    let_thank(owner, budget_for(owner, str(unit_id), "POINT"), str(unit_id), 100)
    return unit_id


def left(phone: BrowserPhone) -> int:
    [allowance] = phone.account.call("GET", "/kudos/allowance")["items"]
    return int(allowance["available_minor"])


def write(phone: BrowserPhone, amount: str, text: str = "谢谢你顶班") -> None:
    phone.see("[data-amount]").fill(amount)
    phone.page.fill("[data-text]", text)


def test_thanks_from_a_colleagues_page_are_on_their_phone_at_once(open_phone, team):
    mei, bo = open_phone("Mei", team), open_phone("Bo", team)
    bo.go("packets")
    bo.see("[data-balance]", "¥0.00")
    mei.visit(f"/people/{bo.account.person_id}")
    mei.see("[data-thank]").click()
    mei.see("[data-receiver]", "Bo")
    write(mei, "30")
    mei.page.click("[data-give]")
    mei.page.wait_for_url("**/red-packets/*")
    mei.see("[data-state=credited]", "已送达")

    bo.see("[data-balance]", "30 积分")
    bo.go("messages")
    bo.see("[data-notice]").click()
    bo.see("main", "谢谢你顶班")
    assert bo.see("[data-amount]").inner_text() == "30 积分"
    mei.visit("/packets")
    mei.see("[data-to='/kudos']").click()
    mei.see("[data-left]", "70 积分")
    assert mei.complaints == bo.complaints == []


def test_several_are_chosen_by_name_and_each_gets_as_much(open_phone, account_of, team):
    mu = open_phone("Mu", team)
    others = [account_of(name, team) for name in ("Thankful Fern", "Thankful Gale")]
    mu.visit("/kudos")
    mu.see("[data-choose]").click()
    mu.see("[data-find]").fill("Thankful")
    for other in others:
        mu.see(f"[data-pick='{other.person_id}']").click()
    assert faults(mu) == []
    assert mu.page.locator(f"[data-pick='{mu.account.person_id}']").count() == 0
    mu.page.click("[data-chosen]")
    write(mu, "50")
    mu.see("[data-give]", "100 积分").click()
    mu.page.wait_for_url("**/red-packets/*")
    for other in others:
        assert other.call("GET", "/points")["balance_minor"] == 50
    assert left(mu) == 0
    assert mu.complaints == []


def test_thanks_whose_answer_was_lost_are_given_once(open_phone, account_of, team):
    ma, ru = open_phone("Ma", team), account_of("Ru", team)
    ma.visit(f"/kudos?person={ru.person_id}")
    ma.see("[data-receiver]")
    write(ma, "60")
    ma.lose_answer("/kudos")
    ma.page.click("[data-give]")
    ma.see("[data-uncertain]")
    ma.see("[data-left]", "40 积分")
    ma.page.click("[data-give]")
    ma.page.wait_for_url("**/red-packets/*")
    assert (left(ma), ru.call("GET", "/points")["balance_minor"]) == (40, 60)


@pytest.mark.parametrize(
    ("amount", "text"),
    [("0", "谢谢"), ("1.5", "谢谢"), ("五", "谢谢"), ("101", "谢谢"), ("5", "  ")],
)
def test_thanks_that_make_no_sense_cannot_be_sent(open_phone, account_of, team, amount, text):
    phone, other = open_phone("Min", team), account_of("Ning", team)
    phone.visit(f"/kudos?person={other.person_id}")
    phone.see("[data-receiver]")
    write(phone, amount, text)
    phone.see("[data-give]:disabled")
    assert left(phone) == 100


def test_who_has_nothing_to_give_is_not_asked_to(town, open_phone, account_of):
    elsewhere = town.unit("Without thanks")
    phone, other = open_phone("Xu", elsewhere), account_of("Ye", elsewhere)
    phone.visit(f"/people/{other.person_id}")
    phone.see("[data-write]")
    phone.visit("/packets")
    phone.see("[data-balance]")
    assert phone.page.locator("[data-thank], [data-to='/kudos']").count() == 0
    phone.visit("/kudos")
    phone.see(".box", "没有可送出的额度")
