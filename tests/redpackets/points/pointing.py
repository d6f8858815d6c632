"""A company that rewards with points: a budget of points, a catalogue, people who redeem."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from werkzeug.test import TestResponse

from redpackets.points.jobs import expire_in_company
from tests.builders.company import Phone
from tests.redpackets.rewards import Rewards


@dataclass
class Pointing:
    """The rewarding company, with a budget of points and somebody who keeps the catalogue."""

    rewards: Rewards
    budget_id: str
    keeper: Phone
    phones: list[Phone] = field(default_factory=list)

    def give(self, amount: int, *phones: Phone) -> None:
        """Give each of these people so many points."""
        scopes = [{"kind": "person", "id": str(phone.person.id)} for phone in phones]
        packet = self.rewards.send(
            kind="equal",
            unit="POINT",
            total_minor=amount * len(phones),
            count=len(phones),
            budget_id=self.budget_id,
            audience={"scopes": scopes},
        )
        for phone in phones:
            assert phone.post(f"{packet}/grab").json["result"] == "won"

    def people_with(self, amount: int, *names: str) -> list[Phone]:
        """Add members of sales who have so many points each."""
        phones = self.rewards.team(*names)
        self.phones += phones
        self.give(amount, *phones)
        return phones

    def person_with(self, amount: int, name: str = "Lin") -> Phone:
        """Add one who has so many points."""
        [phone] = self.people_with(amount, name)
        return phone

    def offer(self, **changes: Any) -> dict[str, Any]:
        """Put a mug for 100 points into the catalogue, but for the changes."""
        mug = {"name_zh": "马克杯", "name_en": "Mug", "price_points": 100}
        added = self.keeper.post("/catalogue", mug | changes)
        assert added.status_code == 201, added.json
        return added.json

    def redeem(self, phone: Phone, item: dict[str, Any], **changes: Any) -> TestResponse:
        """Ask for a piece of an item at its price."""
        asked = {"item_id": item["id"], "price_points": item["price_points"]}
        return phone.pay("/redemptions", asked | changes)

    def reserved(self, phone: Phone, item: dict[str, Any], **changes: Any) -> str:
        """Redeem, and say the path of the redemption."""
        made = self.redeem(phone, item, **changes)
        assert made.status_code == 201, made.json
        return f"/redemptions/{made.json['id']}"

    def decide(
        self, redemption: str, decision: str, reason: str = "", by: Phone | None = None
    ) -> TestResponse:
        """Decide, as the keeper unless somebody else tries."""
        said = {"decision": decision, "reason": reason}
        return (by or self.keeper).post(f"{redemption}/decision", said)

    def balance(self, phone: Phone) -> int:
        """Say how many points somebody has."""
        found: int = phone.get("/points").json["balance_minor"]
        return found

    def stock(self, item: dict[str, Any]) -> int | None:
        """Say how many are left of an item."""
        items = self.keeper.get("/catalogue?view=kept&limit=100").json["items"]
        found: int | None = next(i for i in items if i["id"] == item["id"])["stock"]
        return found

    def night(self) -> None:
        """Let a night's work be done, and everybody hear of it."""
        expire_in_company(self.rewards.company.space.workbench(), self.rewards.company.tenant_id)
        self.rewards.company.settle()

    def move_to(self, year: int, month: int, day: int, hour: int = 12) -> None:
        """Move on to an hour of a day in Shanghai, when everybody signs in anew."""
        now = self.rewards.company.clock()
        then = datetime(year, month, day, hour, tzinfo=ZoneInfo("Asia/Shanghai"))
        self.rewards.company.clock.move(seconds=(then - now).total_seconds())
        for phone in (self.keeper, self.rewards.manager, *self.phones):
            phone.token = self.rewards.company.phone_of(phone.person).token

    def journal(self, phone: Phone) -> list[tuple[str, int]]:
        """List (kind, amount) of what moved somebody's points, as their wallet says it."""
        entries = phone.get("/wallet/entries?limit=100").json["items"]
        return [(entry["kind"], entry["amount_minor"]) for entry in reversed(entries)]

    def notices(self, kind: str) -> list[dict[str, Any]]:
        """List the notices of a kind that were made."""
        with self.rewards.company.transaction() as session:
            rows = session.execute(
                text("SELECT * FROM delivery_notice WHERE kind = :kind"), {"kind": kind}
            )
            return [dict(row) for row in rows.mappings()]


def pointing(rewards: Rewards) -> Pointing:
    """Give a company what it takes to reward with points."""
    opened = rewards.open_budget(
        1_000_000, unit="POINT", name="Points", period_from="2020-01-01", period_to="2099-12-31"
    )
    assert opened.status_code == 201, opened.json
    keeper = rewards.company.phone("Kit", role="operator")
    return Pointing(rewards, opened.json["id"], keeper)


def scope_of(points: Pointing, phone: Phone) -> UUID:
    """Say the personal scope of somebody."""
    with points.rewards.company.transaction() as session:
        found: UUID = session.execute(
            text("SELECT id FROM people_scope WHERE kind = 'person' AND person_id = :person_id"),
            {"person_id": phone.person.id},
        ).scalar_one()
    return found
