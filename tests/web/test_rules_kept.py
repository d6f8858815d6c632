"""A rule on a figure is tried on last year on the phone before it is kept, and then fires by itself."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from tests.builders.company import Company
from tests.builders.figures import Erp
from tests.web.conftest import IN_BROWSER
from tests.web.deciding import employ_seller
from tests.web.deeds import budget_for
from tests.web.phones import Account, BrowserPhone

pytestmark = IN_BROWSER
OpenPhone = Callable[..., BrowserPhone]


@pytest.fixture(scope="module")
def selling(town: Company, account_of: Any) -> tuple[Erp, str, str]:
    """A unit whose seller reached last March's target on the 20th; gives the ERP, the unit, the seller's key."""
    erp, unit_id, key = employ_seller(town, account_of)
    march = date(erp.today.year - 1, 3, 1)
    with erp.batch():
        erp.quota("Q1", "1000.00", march, march.replace(day=31), salesperson_key=key)
        erp.order("O1", "999.99", seller=key, on=march.replace(day=9))
        erp.order("O2", "0.01", seller=key, on=march.replace(day=20))
    return erp, unit_id, key


def test_a_rule_is_tried_on_last_year_before_it_is_kept_and_then_fires(
    open_phone: OpenPhone, selling: tuple[Erp, str, str], account_of: Any
) -> None:
    erp, unit_id, key = selling
    keeper: Account = account_of("Keeper", role="owner")
    budget_id = budget_for(keeper, unit_id)
    phone = open_phone("Tess", None, role="owner")
    _write_rule(phone, budget_id)
    assert phone.page.locator("[data-save]").count() == 0
    phone.see("[data-try]:enabled").click()
    phone.see("[data-summary]", "会触发 1 次，共 88.88")
    phone.see("[data-would-fire]", "Selling")
    # What was tried is not this any more.
    phone.page.fill("[data-amount]", "66.66")
    phone.see("[data-try]:enabled").click()
    phone.see("[data-summary]", "共 66.66")
    phone.see("[data-save]").click()
    phone.see("[data-rule-active=true]", "目标的 100%")
    phone.see("main", "还没有触发过")

    today = erp.today
    with erp.batch():
        erp.quota("Q2", "500.00", today.replace(day=1), _end_of(today), salesperson_key=key)
        for number in range(25):
            erp.order(f"N{number:02}", "20.00", seller=key, on=today)
    phone.see("[data-fire=Selling]", "¥66.66")
    _look_through_documents(phone)
    phone.page.click("[data-turn]")
    phone.see("[data-rule-active=false]", "已暂停")
    phone.page.click("[data-turn]")
    phone.see("[data-rule-active=true]")
    assert phone.complaints == []


def _look_through_documents(phone: BrowserPhone) -> None:
    """See the newest of 25 documents behind a fire, and then all."""
    phone.see("[data-documents]", "25 张 ERP 单据").click()
    phone.see("[data-document]", "SON00")
    assert phone.page.locator("[data-document]").count() == 20
    phone.page.click("[data-more-documents]")
    phone.see("[data-document]", "SON24")
    assert phone.page.locator("[data-document]").count() == 25
    assert phone.page.locator("[data-more-documents]").count() == 0


def _write_rule(phone: BrowserPhone, budget_id: str) -> None:
    """Write a rule: who reaches the month's target gets 88.88 yuan."""
    phone.visit("/kpi-rules/new")
    phone.see("[data-name]").fill("三月达标")
    phone.page.click("[data-audience]")
    phone.see("[role=checkbox]", "Selling").click()
    phone.page.locator("footer .button.main").click()
    phone.page.select_option("[data-budget]", budget_id)
    phone.page.fill("[data-amount]", "88.88")
    phone.page.fill("[data-purpose]", "月度目标达成")


def _end_of(day: date) -> date:
    following = day.replace(day=28).toordinal() + 4
    return date.fromordinal(following - date.fromordinal(following).day)
