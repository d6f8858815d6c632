"""A figure on the phone: what it is made of moves with it, and it is shared once."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.builders.company import Company
from tests.builders.figures import connect_erp
from tests.web.conftest import IN_BROWSER
from tests.web.phones import BrowserPhone

pytestmark = IN_BROWSER
#: The key of whom the ERP employs first.
SELLER = "E001"


@pytest.fixture(scope="module")
def team(town: Company) -> Any:
    return town.unit("Selling")


@pytest.fixture(scope="module")
def leader(browser: Any, account_of: Any, team: Any) -> Iterator[BrowserPhone]:
    phone = BrowserPhone(browser, account_of("Larch", team, role="sales_leader"))
    yield phone.open()
    phone.close()


@pytest.fixture(scope="module")
def erp(town: Company, leader: BrowserPhone) -> Any:
    """An ERP in which the leader has sold something."""
    connected = connect_erp(town)
    with connected.batch():
        connected.employs_person(leader.account.person_id, leader.account.name)
        connected.write("customer", "C1", name="Plum Store")
        connected.order("1", "1280.00", seller=SELLER)
    return connected


def test_the_documents_behind_a_figure_move_with_it(leader, erp):
    leader.visit("/cards/sales")
    leader.see("td", "1,280.00")
    with erp.batch():
        erp.order("2", "720.00", seller=SELLER)
    leader.see("td", "720.00")
    assert leader.complaints == []


def test_a_figure_is_shared_once_though_the_first_answer_was_lost(leader, erp):
    answered: list[int] = []

    def lose_the_first_answer(route: Any) -> None:
        reply = route.fetch()
        answered.append(reply.status)
        if len(answered) == 1:
            route.abort()
        else:
            route.fulfill(response=reply)

    leader.page.route("**/shares", lose_the_first_answer)
    leader.visit("/cards/sales")
    leader.see("[data-share]").click()
    leader.see("[role=dialog] textarea").fill("看看这个月")
    leader.see("[data-share-send]").click()
    leader.see("[role=dialog] [role=alert]")
    leader.see("[data-share-send]").click()
    leader.page.locator("[data-share-send]").wait_for(state="hidden")

    leader.visit("/feed")
    leader.see("[data-post]", "看看这个月")
    assert answered == [201, 201]
    assert leader.page.locator("[data-post]", has_text="看看这个月").count() == 1
    assert leader.complaints == []
