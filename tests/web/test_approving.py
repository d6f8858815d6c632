"""A manager decides on the phone what waits in the ERP, and sees how it goes there."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from erp_bridge.connectors.egress import permit_hosts
from tests.builders.company import Company
from tests.builders.stream import wait_until
from tests.builders.system import System
from tests.erp_bridge.approving import MANAGER, Desk, open_desk
from tests.erp_bridge.doubles.u8_gateway import U8Gateway
from tests.web.conftest import IN_BROWSER, PASSWORD
from tests.web.phones import Account, BrowserPhone

pytestmark = IN_BROWSER


@pytest.fixture
def town(running_system: System) -> Iterator[Company]:
    """Found a company for each try: an ERP is connected to it once."""
    wait_until(running_system.is_ready, "everything is back", 180)
    yield running_system.company()
    running_system.hang_up()


@pytest.fixture
def desk(town: Company) -> Iterator[Desk]:
    permit_hosts("127.0.0.1")
    manager = town.person("Beech", town.unit("Deciding"), password=PASSWORD)
    with U8Gateway(None) as gateway:
        yield open_desk(town, gateway, manager)
    permit_hosts("")


def test_a_document_comes_is_read_and_decided_and_the_erp_confirms_it(
    desk: Desk, town: Company, browser: Any, running_system: System
) -> None:
    login = desk.people[MANAGER].login
    account = Account(running_system.url, town.slug, login, PASSWORD, "Beech").sign_in()
    phone = BrowserPhone(browser, account).open()
    _approve(phone, desk)
    _decide_what_was_changed(phone, desk)
    assert phone.complaints == []
    phone.close()


def _approve(phone: BrowserPhone, desk: Desk) -> None:
    desk.ask("PR1", 100, 250)
    desk.look()
    # It came while the phone was open: the home says so by itself.
    phone.see("[data-waiting=approve]", "1").click()
    phone.see("[data-document=PR1]", "350.00").click()
    phone.see("[data-line]")
    assert phone.page.locator("[data-line]").count() == 2
    phone.page.fill("[data-opinion]", "同意采购")
    phone.see("[data-approve]").click()
    phone.see("[data-write-back=confirmed]", "ERP 已确认")
    phone.see("[data-approval-state=approved]")
    ((_, _, said),) = desk.gateway.workflow.done
    assert (said["person_code"], said["agree"], said["opinion"]) == (MANAGER, "1", "同意采购")


def _decide_what_was_changed(phone: BrowserPhone, desk: Desk) -> None:
    """What was changed in the ERP after it was shown is not approved, and the phone says why."""
    desk.ask("PR2", 100)
    desk.look()
    phone.visit("/approvals")
    phone.see("[data-document=PR2]").click()
    phone.see("[data-line]")
    desk.gateway.before_get = lambda: _change_under_way(desk)
    phone.see("[data-approve]").click()
    phone.see("[data-write-back=refused]", "单据在此期间被修改")
    phone.see("[data-approval-state=pending]", "900.00")

    phone.see("[data-reject]").click()
    phone.page.fill("[data-reason]", "超出预算")
    phone.see("[data-reject-sure]").click()
    phone.see("[data-write-back=confirmed]", "超出预算")
    phone.visit("/approvals")
    phone.see("[data-no-documents]")
    phone.page.get_by_role("radio", name=re.compile("已处理")).click()
    phone.see("[data-document=PR2]", "已驳回")


def _change_under_way(desk: Desk) -> None:
    """Change the document once its decision is on its way: a reading before the tap would have shown it."""
    if desk.bridge.rows("SELECT FROM erp_decision WHERE settled_at IS NULL"):
        desk.document("PR2")["entry"][0]["money"] = "900"
