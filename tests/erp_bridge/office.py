"""An Odoo source at work in a company's own time: it is polled as the worker would, and judged."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.builders.company import Company
from tests.erp_bridge.bridge import connect
from tests.erp_bridge.doubles.odoo_server import OdooServer

SHANGHAI = ZoneInfo("Asia/Shanghai")
#: Years ahead, so that nothing else counts requests of the same day.
NOON, MIDNIGHT = (datetime(2031, 3, 3, hour, tzinfo=SHANGHAI) for hour in (12, 1))


def at(company: Company, moment: datetime) -> None:
    """Move the company's clock to a moment to come."""
    company.clock.move(seconds=(moment - company.clock()).total_seconds())


class Office:
    """An Odoo source at work in the company's time."""

    def __init__(self, company: Company, odoo: OdooServer, **settings: Any) -> None:
        self.company, self.odoo = company, odoo
        self.bridge = connect(company, "odoo", "odoo", **odoo.settings(**settings))
        self.path = f"/erp/sources/{self.bridge.source_id}"
        self._login = company.phone("Rowan", role="operator")

    def poll(self, **moved: float) -> None:
        """Time goes by, and whatever is due is read."""
        self.company.clock.move(**moved)
        self.company.space.jobs.timers["erp_bridge.poll_sources"][1](self.company.bench())
        self.company.settle()

    def judge(self) -> None:
        self.company.space.jobs.timers["erp_bridge.judge_freshness"][1](self.company.bench())
        self.company.settle()

    def told(self) -> dict[str, Any]:
        phone = self.company.phone_of(self._login.person)
        found: dict[str, Any] = phone.get(f"{self.path}/streams").json
        return found

    def stream(self, name: str = "sales_orders") -> dict[str, Any]:
        (found,) = [item for item in self.told()["items"] if item["name"] == name]
        return found
