"""A packet is sent from the phone as it was prepared, and met by thumbs that come too late."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.builders.stream import wait_until
from tests.web.conftest import IN_BROWSER
from tests.web.deeds import budget_for, send
from tests.web.phones import BrowserPhone

pytestmark = IN_BROWSER
CLAIMED = "section:has(h2:text('领取情况')) li b.digits"
SECONDS_TO_EXPIRE = 6


@pytest.fixture(scope="module")
def team(town: Any) -> Any:
    return town.unit("Opening")


@pytest.fixture(scope="module")
def sender(account_of: Any, team: Any) -> Any:
    """A leader of the unit, who may spend its budget."""
    return account_of("Captain", team, role="sales_leader")


@pytest.fixture(scope="module")
def packet_of(account_of: Any, sender: Any, team: Any) -> Callable[..., dict[str, Any]]:
    budget_id = budget_for(account_of("Bursar", role="owner"), str(team))
    return lambda total_minor, **changes: send(sender, budget_id, str(team), total_minor, **changes)


@pytest.fixture
def deaf_phone(browser: Any, account_of: Any, team: Any) -> Any:
    """Somebody's phone that hears no events, so that their thumb is the first to learn what has happened."""
    phone = BrowserPhone(browser, account_of("Late", team))
    phone.page.route_web_socket("**/socket.io/**", lambda _socket: None)
    yield phone
    phone.close()


def test_a_packet_goes_out_with_its_category_and_at_its_time(town, account_of, open_phone):
    team = town.unit("Preparing")
    budget_for(account_of("Treasurer", role="owner"), str(team))
    boss = open_phone("Foreman", team, role="sales_leader")
    boss.visit("/packets/send")
    boss.see("[data-total]").fill("8")
    boss.page.fill("[data-count]", "2")
    boss.page.select_option("[data-category]", "recognition")
    boss.page.fill("[data-purpose]", "季度之星")
    for field, days in (("[data-opens]", 2), ("[data-expires]", 5)):
        picked = datetime.now(UTC) + timedelta(days=days)
        boss.page.fill(field, picked.strftime("%Y-%m-%dT%H:%M"))
    boss.page.click("[data-submit]")
    boss.see("[data-state=scheduled]")

    packet_id = boss.page.url.rpartition("/")[2]
    packet = boss.account.call("GET", f"/red-packets/{packet_id}")
    opens, ends = (datetime.fromisoformat(packet[name]) for name in ("opens_at", "expires_at"))
    assert packet["purpose"]["category"] == "recognition"
    assert ends - opens == timedelta(days=3)
    assert boss.complaints == []


def test_what_ten_people_take_adds_up_on_the_senders_screen(
    browser, account_of, sender, packet_of, team
):
    takers = [account_of(f"Taker {number}", team) for number in range(10)]
    packet = packet_of(8_888, count=10)
    phone = BrowserPhone(browser, sender).open()
    phone.visit(f"/red-packets/{packet['id']}")
    phone.see("main", "还没有人领取")

    with ThreadPoolExecutor(10) as crowd:
        path = f"/red-packets/{packet['id']}/grab"
        taken = list(crowd.map(lambda taker: taker.call("POST", path), takers))

    claimed = phone.page.locator(CLAIMED)
    wait_until(lambda: claimed.count() == 10, "all ten are on the screen", 30)
    amounts = [round(float(text.removeprefix("¥")) * 100) for text in claimed.all_inner_texts()]
    assert sum(amounts) == 8_888
    assert len(taken) == 10
    assert phone.complaints == []
    phone.close()


def test_who_has_a_share_sees_who_got_what_where_the_sender_lets_them(
    open_phone, account_of, packet_of, team
):
    quick, lan = account_of("Rapid", team), open_phone("Lan", team)
    shown, hidden = packet_of(1_000, shows_claims=True), packet_of(1_000)
    for packet in (shown, hidden):
        quick.call("POST", f"/red-packets/{packet['id']}/grab")
    lan.visit(f"/red-packets/{shown['id']}")
    lan.see("[data-open]")
    assert lan.page.locator("[data-claims]").count() == 0
    lan.page.click("[data-open]")
    lan.see("[data-claims] [data-claim=Rapid]")
    lan.see("[data-claims] [data-claim=Lan]")
    lan.see("[data-claims]", "手气最佳")

    lan.visit(f"/red-packets/{hidden['id']}")
    lan.page.click("[data-open]")
    lan.see("[data-amount]")
    assert lan.page.locator("[data-claims]").count() == 0
    assert lan.complaints == []


def test_a_packet_opened_in_one_of_two_tabs_is_open_in_both(open_phone, packet_of, team):
    juan = open_phone("Juan", team)
    packet = packet_of(1_200)
    other = juan.context.new_page()
    for tab in (juan.page, other):
        tab.goto(f"/red-packets/{packet['id']}")
        tab.locator("[data-open]").wait_for()
    juan.page.click("[data-open]")
    shown = juan.see("[data-amount]").inner_text()
    other.locator("[data-amount]").wait_for()
    assert other.locator("[data-amount]").inner_text() == shown

    juan.visit("/packets")
    assert juan.see("[data-balance]").inner_text() == shown
    assert juan.complaints == []


def test_a_thumb_that_comes_after_the_last_share_is_told_so(
    deaf_phone, account_of, packet_of, team
):
    quick = account_of("Quick", team)
    packet = packet_of(300, count=1)
    deaf_phone.visit(f"/red-packets/{packet['id']}")
    deaf_phone.see("[data-open]")
    quick.call("POST", f"/red-packets/{packet['id']}/grab")
    deaf_phone.page.click("[data-open]")
    deaf_phone.see("[data-sold-out]", "手慢了")
    deaf_phone.see("[data-state=exhausted]")
    assert deaf_phone.complaints == []


def test_a_thumb_that_comes_after_the_end_is_told_so(deaf_phone, packet_of):
    ends = datetime.now(UTC) + timedelta(seconds=SECONDS_TO_EXPIRE)
    packet = packet_of(300, count=1, expires_at=ends.isoformat())
    deaf_phone.visit(f"/red-packets/{packet['id']}")
    deaf_phone.see("[data-open]")
    wait_until(lambda: datetime.now(UTC) > ends, "the packet is over", SECONDS_TO_EXPIRE + 5)
    deaf_phone.page.click("[data-open]")
    deaf_phone.see("[data-state=expired]", "已过期")
    assert deaf_phone.complaints == []
