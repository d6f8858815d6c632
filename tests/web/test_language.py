"""The app in the reader's language, here and where they are told."""

from tests.builders.stream import wait_until
from tests.web.conftest import IN_BROWSER

pytestmark = IN_BROWSER


def test_the_language_that_is_chosen_is_that_of_page_and_pushes(town, open_phone):
    sun = open_phone("Sun", town.unit("Speaking"))
    sun.go("me")
    sun.page.get_by_role("radio", name="English").click()
    wait_until(lambda: sun.account.call("GET", "/me")["locale"] == "en", "the server knows", 20)
    assert (sun.page.title(), sun.page.locator("html").get_attribute("lang")) == ("Workspace", "en")

    sun.page.get_by_role("radio", name="中文").click()
    wait_until(lambda: sun.account.call("GET", "/me")["locale"] == "zh-CN", "the server knows", 20)
    assert sun.page.title() == "工作台"
    assert sun.complaints == []
