"""What is paid out to a person, as they see it themselves."""

import pytest

from redpackets.payouts.rails import RAILS
from tests.redpackets.payouts.paying import answered

PAID, FAILED = ("paid", ""), ("failed", "the account is closed")


@pytest.fixture
def rail(space):
    """A rail that is here, and that nobody speaks to."""
    space.tools[RAILS]["wechat"] = object()
    yield
    del space.tools[RAILS]["wechat"]


def stages(phone) -> list[tuple[str, int, str]]:
    items = phone.get("/wallet/payouts").json["items"]
    return [(item["state"], item["amount_minor"], item["reason"]) for item in items]


def test_each_sees_what_is_paid_to_them_and_how_far_it_came(paying):
    lin, zhao = paying.member("Lin", "E01"), paying.member("Zhao", "E02")
    paying.give(lin, 1_000)
    paying.give(zhao, 500)
    assert stages(lin) == []

    payout = paying.prepared()
    assert stages(lin) == [("prepared", 1_000, "")]
    paying.gus.post(f"{payout}/approval", {"decision": "approve"})
    assert stages(lin) == [("on_its_way", 1_000, "")]
    file = paying.fay.get(f"{payout}/file")
    results = answered(file.data, file.headers["X-Content-Sha256"], PAID, FAILED)
    paying.fay.pay(f"{payout}/results", {"content": results})
    assert stages(lin) == [("paid", 1_000, "")]
    assert stages(zhao) == [("returned", 500, "the account is closed")]


def test_what_was_sent_back_before_it_was_released_is_returned(paying):
    lin = paying.member("Lin", "E01")
    paying.give(lin, 1_000)
    payout = paying.prepared()
    paying.gus.post(f"{payout}/approval", {"decision": "reject", "reason": "Wrong month"})
    paying.prepared()

    first = lin.get("/wallet/payouts?limit=1").json
    second = lin.get(f"/wallet/payouts?limit=1&cursor={first['next_cursor']}").json
    assert [page["items"][0]["state"] for page in (first, second)] == ["prepared", "returned"]
    assert second["next_cursor"] is None


def test_all_that_is_on_its_way_is_added_up_whatever_the_page_shows(paying):
    lin, zhao = paying.member("Lin", "E01"), paying.member("Zhao", "E02")
    paying.give(zhao, 7)
    made = []
    for amount_minor in (1_000, 200, 30):
        paying.give(lin, amount_minor)
        made.append(paying.prepared())

    def underway(phone, query=""):
        page = phone.get(f"/wallet/payouts{query}").json
        return [(one["unit"], one["amount_minor"]) for one in page["on_its_way"]]

    assert underway(lin, "?limit=1") == underway(lin) == [("CNY", 1_230)]
    paying.gus.post(f"{made[0]}/approval", {"decision": "reject", "reason": "Wrong month"})
    paying.gus.post(f"{made[1]}/approval", {"decision": "approve"})
    assert underway(lin, "?limit=1") == [("CNY", 230)]
    assert underway(zhao) == []
    assert underway(paying.fay) == []


def test_each_reads_where_they_are_paid_over_which_rail(paying, rail):
    lin = paying.member("Lin")
    lin.put("/wallet/account", {"rail": "wechat", "account": "open-lin"})

    [named] = lin.get("/wallet/accounts").json["items"]
    assert (named["rail"], named["account"]) == ("wechat", "open-lin")
    [nowhere] = paying.fay.get("/wallet/accounts").json["items"]
    assert nowhere == {"rail": "wechat", "account": None, "changed_at": None}
