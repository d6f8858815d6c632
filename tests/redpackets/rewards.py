"""A company that gives: an owner who opens budgets, a manager who sends packets, a team that takes them."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from werkzeug.test import TestResponse

from redpackets.verification import Verification, verify_ledger
from tests.builders.company import Company, Phone


@dataclass
class Rewards:
    """A company with a sales unit, its owner and its manager on their phones, and one budget for sales."""

    company: Company
    sales: UUID
    owner: Phone
    manager: Phone
    budget_id: str = field(default="")

    def open_budget(
        self, limit_minor: int = 100_000, *, by: Phone | None = None, **changes: Any
    ) -> TestResponse:
        """Open a budget for sales around today, as the owner unless somebody else tries."""
        asked = self.budget_asked(limit_minor=limit_minor, **changes)
        return (by or self.owner).pay("/budgets", asked)

    def budget_asked(self, **changes: Any) -> dict[str, Any]:
        """Write a budget of 1,000 yuan for sales around today, but for the changes."""
        today = self.company.clock().date()
        return {
            "name": "Rewards",
            "unit_id": str(self.sales),
            "unit": "CNY",
            "limit_minor": 100_000,
            "period_from": str(today - timedelta(days=30)),
            "period_to": str(today + timedelta(days=30)),
        } | changes

    def asked(self, **changes: Any) -> dict[str, Any]:
        """Write a lucky packet of 10 yuan in 5 shares for everybody in sales, but for the changes."""
        return {
            "kind": "lucky",
            "unit": "CNY",
            "total_minor": 1_000,
            "count": 5,
            "budget_id": self.budget_id,
            "on_behalf_of": str(self.sales),
            "audience": {"scopes": [{"kind": "unit", "id": str(self.sales)}]},
            "purpose": {"category": "recognition", "text": "A strong month"},
            "greeting": "恭喜发财 🧧",
        } | changes

    def send(self, **changes: Any) -> str:
        """Send a packet as the manager and say its path."""
        sent = self.manager.pay("/red-packets", self.asked(**changes))
        assert sent.status_code == 201, sent.json
        return f"/red-packets/{sent.json['id']}"

    def approve_above(self, amount_minor: int, approvals: int = 1, **asked: Any) -> int:
        """Let packets above an amount need so many approvals, and say the policy's version."""
        bands = [
            {"unit": "CNY", "up_to_minor": amount_minor, "approvals": 0},
            {"unit": "CNY", "up_to_minor": None, "approvals": approvals} | asked,
        ]
        made = self.owner.post("/red-packet-policies", {"bands": bands})
        assert made.status_code == 201, made.json
        version: int = made.json["version"]
        return version

    def team(self, *names: str) -> list[Phone]:
        """Add members of sales on their phones."""
        return [self.company.phone(name, self.sales) for name in names]

    def budget(self) -> dict[str, Any]:
        """Read the budget as its owner sees it."""
        items = self.owner.get("/budgets?limit=100").json["items"]
        return next(item for item in items if item["id"] == self.budget_id)

    def verify(self) -> Verification:
        """Prove the ledger from its rows."""
        with self.company.transaction() as session:
            return verify_ledger(session)

    def free_shares(self, packet: str) -> int:
        """Count, in the database, the shares that nobody's committed grab has taken."""
        with self.company.transaction() as session:
            return session.execute(
                text(
                    "SELECT count(*) FROM redpackets_share"
                    " WHERE packet_id = :packet_id AND state = 'free'"
                ),
                {"packet_id": id_of(packet)},
            ).scalar_one()


def rewarding(company: Company, *, limit_minor: int = 100_000) -> Rewards:
    """Give a company what it takes to reward."""
    sales = company.unit("Sales")
    rewards = Rewards(
        company,
        sales,
        owner=company.phone("Olive", role="owner"),
        manager=company.phone("Mara", sales, role="manager"),
    )
    opened = rewards.open_budget(limit_minor)
    assert opened.status_code == 201, opened.json
    rewards.budget_id = opened.json["id"]
    return rewards


def id_of(packet: str) -> UUID:
    """Say the id at the end of a packet's path."""
    return UUID(packet.rpartition("/")[2])


def amount_of(reply: TestResponse) -> int:
    """Say what a grab won."""
    amount: int = reply.json["share"]["amount_minor"]
    return amount
