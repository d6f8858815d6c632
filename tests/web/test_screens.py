"""Every screen, finished, in both themes: nothing grave for a screen reader, nothing too wide or too small for a thumb."""

import re

import pytest

from app.people.models import Person
from erp_bridge.connectors.egress import permit_hosts
from tests.builders.company import Company
from tests.builders.figures import connect_erp
from tests.builders.stream import wait_until
from tests.erp_bridge.approving import Desk, open_desk
from tests.erp_bridge.doubles.u8_gateway import U8Gateway, error
from tests.web.conftest import IN_BROWSER, skip_loudly
from tests.web.deciding import open_proposals, stage_deciding
from tests.web.phones import DESKTOP, Account, BrowserPhone
from tests.web.screens import AXE, SCREENS, faults, put_on, show, stage

pytestmark = IN_BROWSER
THEMES = ("light", "dark")
#: What a day at the desk goes over.
AT_THE_DESK = (
    "home",
    "card",
    "feed",
    "compose",
    "wallet",
    "my-wallet",
    "points",
    "redemption",
    "thanks",
    "send",
    "sent",
    "who-got-what",
    "documents",
    "messages",
    "people",
    "me",
    "payouts",
    "payout",
    "payout-released",
    "budgets",
    "budget",
    "rule",
    "rule-make",
    "proposals",
    "report",
)


@pytest.fixture(scope="module")
def ground(browser, town, account_of):
    """A team with something on each of its screens, and a phone for each of them."""
    if not AXE.exists():
        skip_loudly("the app's libraries are not installed (web/node_modules)")
    team = town.unit("门店一组")
    people = {
        "owner": account_of("周海", role="owner"),
        "leader": account_of("李青", team, role="sales_leader", employee_code="E901"),
        "finance": account_of("钱进", role="finance"),
        "member": account_of("王宁", team, role="account_manager", employee_code="E902"),
        "late": account_of("陈舟", team),
    }
    erp = connect_erp(town)
    with erp.batch():
        for who in ("leader", "member"):
            erp.employs_person(people[who].person_id, people[who].name)
        erp.write("customer", "C1", name="梅子商店")
        erp.order("1", "128000.00", seller="E002")
    ids = stage(people, str(team), "sales") | _documents(town, people["leader"])
    ids |= stage_deciding(people, str(team), sell=lambda: erp.order("2", "5000.00", seller="E002"))
    erp.order("2", "100.00", seller="E002")
    wait_until(lambda: open_proposals(people["finance"]), "the figure was restated", 60)
    nobody = Account(people["owner"].url, "", "", "")
    phones = {
        who: BrowserPhone(browser, one, language="zh-CN")
        for who, one in {**people, "nobody": nobody}.items()
    }
    yield phones, ids
    for phone in phones.values():
        phone.close()


def _documents(town: Company, leader: Account) -> dict[str, str]:
    """A document that waits for the leader, and one that the ERP did not take their decision on."""
    permit_hosts("127.0.0.1")
    with town.transaction() as session:
        person = session.get_one(Person, (town.tenant_id, leader.person_id))
    with U8Gateway(None) as gateway:
        desk = open_desk(town, gateway, person)
        waiting = desk.wait_for("PR1", 12_000, 800)
        decided = desk.wait_for("PR2", 99_000)
        gateway.acts.append(lambda _: error("40012", "该用户尚未登录开放平台"))
        assert desk.decide(decided, "reject", reason="超出本月预算，请下月再提").status_code == 202
        wait_until(lambda: _is_over(desk, decided["id"]), "the ERP has said no", 60)
    permit_hosts("")
    return {"document": waiting["id"], "decided": decided["id"]}


def _is_over(desk: Desk, approval_id: str) -> bool:
    return bool(desk.read(approval_id)["decision"]["state"] == "refused")


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_a_screen_can_be_read_and_hit_by_everybody(ground, screen):
    phones, ids = ground
    phone = phones[screen.who]
    show(phone, screen, ids)
    for theme in THEMES:
        put_on(phone, theme)
        assert (theme, faults(phone)) == (theme, [])
    assert phone.complaints == []


@pytest.fixture(scope="module")
def desk_phones(browser, ground):
    """The same people in English at a desk."""
    phones, _ = ground
    opened = {
        who: BrowserPhone(browser, phones[who].account, DESKTOP, language="en")
        for who in ("owner", "finance", "leader", "member")
    }
    yield opened
    for phone in opened.values():
        phone.close()


@pytest.mark.parametrize(
    "screen", [one for one in SCREENS if one.name in AT_THE_DESK], ids=lambda screen: screen.name
)
def test_a_screen_can_be_read_in_english_at_a_desk(ground, desk_phones, screen):
    phone = desk_phones[screen.who]
    show(phone, screen, ground[1])
    assert phone.page.locator("html").get_attribute("lang") == "en"
    assert not re.search(r"[a-z]+\.[a-z]+\.[a-z]+|\{\w+\}", phone.page.inner_text("body"))
    assert faults(phone) == []
    assert phone.complaints == []
