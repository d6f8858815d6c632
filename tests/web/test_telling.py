"""What people tell each other and how it is found: notifications, search, colleagues, mentions, photos."""

import io

import pytest
from PIL import Image

from tests.web.conftest import IN_BROWSER
from tests.web.deeds import post
from tests.web.phones import BrowserPhone

pytestmark = IN_BROWSER
BADGE = "nav.tabs a[href='/messages'] b"
#: What follows the last pixel of a picture is not looked at, but weighs.
HEAVY_BYTES = 30 * 1024 * 1024


@pytest.fixture(scope="module")
def team(town):
    return town.unit("Telling")


@pytest.fixture(scope="module")
def lin(browser, account_of, team):
    """Lin's phone, for all stories of this file."""
    phone = BrowserPhone(browser, account_of("林青", team)).open()
    yield phone
    assert phone.complaints == []
    phone.close()


@pytest.fixture
def heavy_photo(tmp_path):
    """A photo of thirty megabytes."""
    stream = io.BytesIO()
    Image.new("RGB", (3_000, 2_000), "teal").save(stream, "JPEG")
    path = tmp_path / "holiday.jpg"
    path.write_bytes(stream.getvalue().ljust(HEAVY_BYTES, b"\0"))
    return path


def test_what_is_read_on_one_device_is_read_on_the_other(browser, account_of, town):
    unit = town.unit("Two devices")
    boss, rui = account_of("Boss", unit, role="manager"), account_of("Rui", unit)
    phone, desk = BrowserPhone(browser, rui).open(), BrowserPhone(browser, rui).open()
    for text in ("周五盘点", "周六培训"):
        post(boss, str(unit), text, type="announcement", response="seen")
    phone.see(BADGE, "2")
    desk.see(BADGE, "2")

    phone.go("messages")
    phone.see("[data-notice].unread", "周五盘点").click()
    phone.see("main article", "周五盘点")
    desk.see(BADGE, "1")

    desk.go("messages")
    desk.see("[data-read-all]").click()
    desk.wait_gone(".unread")
    phone.page.go_back()
    phone.wait_gone(".unread")
    phone.wait_gone(BADGE)
    assert phone.complaints == desk.complaints == []
    phone.close()
    desk.close()


def test_two_characters_find_a_post_and_its_people_and_are_offered_again(lin, account_of, team):
    wei = account_of("季小伟", team)
    post(wei, str(team), "季度盘点安排在周五")
    lin.visit("/feed")
    lin.see("[data-search]").click()
    lin.see("[role=status]", "两个字")
    lin.page.fill("[data-words]", "盘点")
    lin.page.press("[data-words]", "Enter")
    lin.see("[data-post]", "季度盘点安排在周五")
    lin.page.fill("[data-words]", "鱻鱻")
    lin.see("[role=status]", "没有找到「鱻鱻」")
    lin.page.fill("[data-words]", "")
    lin.see("[data-recent]", "盘点").click()
    lin.see("[data-post]", "季度盘点安排在周五")

    lin.page.fill("[data-words]", "季小")
    lin.see("[data-person]", "季小伟").click()
    lin.see("[data-colleague]", "季小伟")
    lin.see("[data-write]").click()
    lin.see("[data-audience]", "季小伟")


def test_the_directory_goes_down_to_a_unit_and_its_members(lin, account_of, team):
    account_of("何方", team)
    lin.visit("/messages")
    lin.see("[data-people]").click()
    lin.see("[data-unit]").click()
    lin.see(f"[data-unit='{team}']").click()
    lin.see("[data-person]", "何方").click()
    lin.see("[data-colleague]", "何方")
    lin.page.go_back()
    lin.see("[data-person]", "何方")


def test_who_is_mentioned_is_told_and_leads_to_the_person(lin, browser, account_of, team):
    mei = BrowserPhone(browser, account_of("苏小梅", team)).open()
    lin.visit("/feed/compose")
    lin.see("[data-audience] .tag")
    lin.page.locator("[data-body]").press_sequentially("请看 @苏小")
    lin.see("[data-mention]", "苏小梅").click()
    lin.page.locator("[data-body]").press_sequentially("这一版")
    assert lin.page.input_value("[data-body]") == "请看 @苏小梅 这一版"
    lin.page.click("[data-send]")

    mei.see(BADGE)
    mei.go("messages")
    mei.see("[data-notice]", "林青 提到了你").click()
    mei.see(".prose a.mention", "@苏小梅").click()
    mei.see("[data-colleague]", "苏小梅")
    assert mei.complaints == []
    mei.close()


def test_a_heavy_photo_waits_with_its_draft_and_goes_out_when_there_is_a_network(
    lin, account_of, team, heavy_photo
):
    lin.visit("/feed/compose")
    lin.see("[data-audience] .tag")
    lin.page.set_input_files("[data-photos]", heavy_photo)
    lin.see("[data-photo] img")
    lin.page.fill("[data-body]", "新陈列")
    lin.wait_kept("新陈列", photos=1)
    lin.page.reload()
    lin.see("[data-photo] img")
    lin.wait_written("新陈列")
    # The list is where sending leads to; it is there when the network goes.
    lin.visit("/feed")
    lin.see("[data-compose]").click()
    lin.see("[data-photo] img")
    lin.see("[data-audience] .tag")

    lin.context.set_offline(True)
    lin.page.click("[data-send]")
    lin.see("[data-pending]", "1 张图片")
    lin.context.set_offline(False)
    lin.wait_gone("[data-pending]")
    lin.see("[data-post]", "新陈列").locator("[data-picture]").wait_for()

    reader = account_of("Reader", team)
    shown = next(one for one in reader.call("GET", "/feed")["items"] if one["body"] == "新陈列")
    assert [(one["width"], one["height"]) for one in shown["attachments"]] == [(2_048, 1_365)]
