"""A phone with the app open while the server gets another build of it."""

from typing import Any

import pytest

from tests.web.conftest import IN_BROWSER
from tests.web.phones import BrowserPhone

pytestmark = IN_BROWSER


class LostBuild:
    """What a page meets whose build is gone: its late files are not there, until it is loaded anew or for good."""

    def __init__(self, phone: BrowserPhone, *, for_good: bool = False) -> None:
        self.loads = 0
        self._for_good = for_good
        phone.page.on("request", self._count)
        phone.page.route("**/assets/*View-*.js", self._answer)
        phone.page.route("**/build.json", lambda route: route.fulfill(json={"id": "tomorrow"}))

    def _count(self, request: Any) -> None:
        self.loads += request.is_navigation_request()

    def _answer(self, route: Any) -> None:
        if self._for_good or not self.loads:
            route.fulfill(status=404, body="gone")
        else:
            route.continue_()


@pytest.fixture
def team(town):
    return town.unit("Updating")


def test_a_tap_on_a_screen_that_is_gone_loads_the_app_anew_there(team, open_phone):
    qiu = open_phone("Qiu", team)
    build = LostBuild(qiu)
    qiu.go("packets")
    qiu.see("[data-balance]")
    assert (qiu.page.url.endswith("/packets"), build.loads) == (True, 1)


def test_an_app_that_stays_broken_is_not_loaded_again_and_again(team, open_phone):
    rong = open_phone("Rong", team)
    build = LostBuild(rong, for_good=True)
    rong.go("packets")
    rong.see(".bar", "有新版本")
    rong.page.wait_for_timeout(1_000)
    assert build.loads == 1
