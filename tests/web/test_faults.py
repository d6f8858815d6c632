"""What is on the screen stays there when it cannot be read anew, and the phone says so."""

from typing import Any

from tests.web.conftest import IN_BROWSER
from tests.web.deeds import post
from tests.web.screens import faults

pytestmark = IN_BROWSER
PAGE = 20
POSTS = PAGE + 3


def _fail(phone: Any, pattern: str) -> None:
    phone.page.route(pattern, lambda route: route.fulfill(status=500, body="broken"))


def _mend(phone: Any) -> None:
    phone.page.unroute_all()


def test_a_screen_that_cannot_be_read_anew_says_so_and_keeps_what_it_shows(town, open_phone):
    team = town.unit("Failing")
    tang = open_phone("Tang", team)
    post(tang.account, str(team), "早上好")
    tang.visit("/feed")
    tang.see("[data-post]", "早上好")
    tang.go("packets")
    tang.see("[data-balance]")
    for screen, shown, api in (
        ("home", ".entries a", "**/api/v1/home"),
        ("packets", "[data-balance]", "**/api/v1/wallet"),
        ("feed", "[data-post]", "**/api/v1/feed?*"),
    ):
        _fail(tang, api)
        tang.visit(f"/{screen}")
        tang.see(shown)
        tang.see("[data-stale]")
        assert (screen, faults(tang)) == (screen, [])
        _mend(tang)
        tang.page.click("[data-stale] button")
        tang.wait_gone("[data-stale]")
    assert tang.complaints == []


def test_the_next_page_of_the_feed_can_be_asked_for_again(town, open_phone):
    team = town.unit("Paging")
    xu = open_phone("Xu", team)
    for number in range(POSTS):
        post(xu.account, str(team), f"第 {number} 条\n\n" + "很长的一段。" * 60)
    _fail(xu, "**/api/v1/feed?*cursor=*")
    xu.visit("/feed")
    xu.see("[data-post]", f"第 {POSTS - PAGE} 条").scroll_into_view_if_needed()
    xu.page.keyboard.press("End")
    xu.see("[data-more]")
    _mend(xu)
    xu.page.click("[data-more]")
    xu.see("[data-post]", "第 0 条")
    assert xu.complaints == []
