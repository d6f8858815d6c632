"""A packet is sent from the phone as it was prepared, and met by thumbs that come too late."""

from datetime import UTC, datetime, timedelta

from tests.web.conftest import IN_BROWSER
from tests.web.deeds import budget_for

pytestmark = IN_BROWSER


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
