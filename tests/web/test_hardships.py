"""What phones go through: two tabs, a newer version, a lost sign-in, a killed gateway, flight mode, a wrong clock."""

import json
import re
from typing import Any

import pytest

from app.people import services
from tests.web.conftest import IN_BROWSER
from tests.web.deeds import budget_for, post, send
from tests.web.phones import BrowserPhone

pytestmark = IN_BROWSER
#: The phone lives on another day.
WRONG_CLOCK = """
  const Right = Date;
  const wrong = () => Right.now() + DAYS * 86400000;
  globalThis.Date = class extends Right {
    constructor(...given) { given.length ? super(...given) : super(wrong()); }
    static now() { return wrong(); }
  };
"""
#: As when its quarter of an hour is over: the phone holds it for good, the server does not.
SPOIL_TOKEN = """() => {
  const kept = JSON.parse(localStorage.getItem("workspace.session"));
  kept.access_token += "x";
  localStorage.setItem("workspace.session", JSON.stringify(kept));
}"""
NEWER_BUILD = json.dumps({"id": "of tomorrow"})


@pytest.fixture(scope="module")
def team(town):
    return town.unit("Hardships")


@pytest.fixture(scope="module")
def treasury(town, account_of, team):
    """Somebody with a budget, and the budget."""
    owner = account_of("Keeper", role="owner")
    return owner, budget_for(owner, str(team))


@pytest.fixture(scope="module")
def hua(browser, account_of, team):
    """Hua's phone, for all stories that leave it as it was."""
    phone = BrowserPhone(browser, account_of("Hua", team)).open()
    yield phone
    assert phone.complaints == []
    phone.close()


@pytest.fixture(scope="module")
def writer(account_of, team):
    return account_of("Writer", team, role="manager")


def compose(phone, text: str) -> None:
    phone.visit("/feed")
    phone.see("[data-compose]").click()
    phone.see("[data-audience] .tag")
    phone.page.fill("[data-body]", text)
    phone.wait_kept(text)


def arrives(page: Any, post_id: str, **options: Any) -> None:
    """Wait until a post is in the feed on the screen, let in by its reader where it waits above."""
    page.wait_for_selector(f"[data-fresh], [data-post='{post_id}']", **options)
    if page.locator("[data-fresh]").is_visible():
        page.click("[data-fresh]")
    page.wait_for_selector(f"[data-post='{post_id}']", **options)


def test_two_tabs_share_one_connection_and_the_second_takes_over(hua, writer, team):
    tab = hua.context.new_page()
    lines: list[str] = []
    tab.on("websocket", lambda socket: lines.append(socket.url))
    tab.goto("/feed")
    tab.wait_for_selector("nav.tabs")
    arrives(tab, post(writer, str(team), "两个页面都看得到"))
    assert lines == []

    hua.page.close()
    hua.page = tab
    arrives(tab, post(writer, str(team), "另一个页面接着听"))
    tab.goto("/home")
    hua.wait_live()
    assert lines != []


def test_a_newer_version_is_offered_and_taking_it_loses_no_draft(browser, account_of, team):
    phone = BrowserPhone(browser, account_of("Yun", team))
    phone.page.route("**/build.json", lambda route: route.fulfill(body=NEWER_BUILD))
    phone.open()
    phone.see(".bars", "有新版本")
    compose(phone, "写到一半，新版本来了")
    with phone.page.expect_navigation():
        phone.page.click(".bars button")
    phone.wait_written("写到一半，新版本来了")
    assert phone.complaints == []
    phone.close()


def test_a_sign_in_that_ends_in_the_middle_of_writing_keeps_the_text(browser, account_of, team):
    account = account_of("Qing", team)
    phone = BrowserPhone(browser, account).open()
    compose(phone, "还没写完")
    lost = {one["id"] for one in account.call("GET", "/sessions")["items"]}
    account.session = {}
    account.sign_in()
    phone.page.fill("[data-body]", "还没写完，又加了一句")
    for session_id in lost:
        account.call("DELETE", f"/sessions/{session_id}")
    phone.see("input[name=password]")
    phone.see(".tag.warn", "已保留")
    phone.page.fill("input[name=organization]", account.tenant)
    phone.page.fill("input[name=username]", account.login)
    phone.page.fill("input[name=password]", account.password)
    phone.page.click("button.main")
    phone.wait_written("还没写完，又加了一句")
    assert phone.complaints == []
    phone.close()


def test_a_gateway_that_is_killed_is_back_without_a_reload(hua, writer, team, running_system):
    hua.visit("/feed")
    hua.page.evaluate("window.notReloaded = true")
    running_system.kill("gateway")
    told = post(writer, str(team), "网关重启时发的")
    arrives(hua.page, told, timeout=60_000)
    assert hua.page.evaluate("window.notReloaded") is True


def test_a_packet_opened_in_flight_mode_is_paid_once_when_there_is_a_network(hua, treasury, team):
    owner, budget_id = treasury
    packet = send(owner, budget_id, str(team), 888, count=1)["id"]
    hua.visit(f"/red-packets/{packet}")
    hua.see("[data-open]")
    before = hua.account.call("GET", "/wallet/entries")["items"]
    hua.context.set_offline(True)
    hua.page.click("[data-open]")
    hua.see("main", "正在重试")
    hua.context.set_offline(False)
    assert hua.see("[data-amount]").inner_text() == "¥8.88"
    entries = hua.account.call("GET", "/wallet/entries")["items"]
    assert len(entries) == len(before) + 1


@pytest.mark.parametrize("days", [1, -1], ids=["ahead", "behind"])
def test_a_clock_that_is_wrong_by_a_day_hides_nothing_and_says_nothing_strange(
    days, browser, account_of, treasury, town
):
    unit = town.unit(f"Wrong by {days}")
    owner, budget_id = treasury
    account = account_of("Shi", unit)
    account.session = {}
    phone = BrowserPhone(browser, account)
    phone.context.add_init_script(WRONG_CLOCK.replace("DAYS", str(days)))
    packet = send(owner, budget_id, str(unit), 100, count=1)
    told = post(owner, str(unit), "刚刚发生", type="announcement")
    phone.sign_in()
    phone.see("[data-waiting=grab]")
    phone.go("messages")
    phone.see("[data-notice]", "刚刚")
    phone.visit(f"/posts/{told}")
    phone.see("[data-acknowledge]").click()
    # Today's are told by the hour alone.
    assert re.search(r"已确认 \d\d:\d\d$", phone.see(".done").inner_text())
    phone.visit("/me/sessions")
    phone.see("main li", "最近使用 刚刚")
    phone.visit(f"/red-packets/{packet['id']}")
    phone.see("[data-open]").click()
    phone.see("[data-amount]", "¥1.00")
    phone.page.evaluate(SPOIL_TOKEN)
    phone.visit("/packets")
    phone.see("[data-balance]", "¥1.00")
    assert phone.complaints == []
    phone.close()


def test_a_text_of_a_hundred_thousand_characters_is_kept_and_not_sent(hua):
    text = "长" * 100_000
    compose(hua, text)
    hua.see(".wrong", "100,000 / 20,000")
    assert hua.page.is_disabled("[data-send]")
    hua.page.reload()
    hua.wait_written(text)
    hua.page.fill("[data-body]", "")
    hua.wait_kept("")


def test_a_post_whose_audience_vanished_says_so_and_gives_the_text_back(browser, account_of, town):
    unit, elsewhere = town.unit("Dissolved"), town.unit("Elsewhere")
    phone = BrowserPhone(browser, account_of("Ming", unit)).open()
    compose(phone, "给原来的组")
    phone.context.set_offline(True)
    phone.page.click("[data-send]")
    phone.see("[data-pending]", "给原来的组")
    person_id = phone.account.person_id
    with town.transaction() as session:
        services.place_person(session, person_id=person_id, unit_ids=[elsewhere])
        services.revoke_role(session, person_id=person_id, role_key="employee", unit_id=unit)
        services.grant_role(session, person_id=person_id, role_key="employee", unit_id=elsewhere)
    phone.context.set_offline(False)
    phone.see("[data-pending] [role=alert]")
    phone.page.get_by_role("button", name="修改").click()
    phone.wait_written("给原来的组")
    assert phone.complaints == []
    phone.close()


def test_a_tap_answers_before_the_server_does(hua, writer, team):
    told = post(writer, str(team), "请确认", type="announcement")
    hua.visit(f"/posts/{told}")
    hua.see("[data-acknowledge]")
    held: list[Any] = []
    hua.page.route("**/acknowledgement", lambda route: held.append(route))  # noqa: PLW0108 - it must be told how to call
    hua.page.click("[data-acknowledge]")
    hua.see(".done", "已确认")
    for route in held:
        route.continue_()
    hua.page.unroute("**/acknowledgement")
