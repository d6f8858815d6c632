"""A sales organisation whose figures come from an ERP and whose rewards come from a budget."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.delivery.models import NoticeRow
from app.people.models import Person, Scope
from redpackets.budget_jobs import sweep_company
from redpackets.campaigns import jobs, services
from redpackets.campaigns.ports import FIGURES
from redpackets.models import Packet, PacketScope, Share
from tests.builders.clock import MovableClock
from tests.builders.company import Company, Phone
from tests.builders.figures import Erp, connect_erp
from tests.redpackets.rewards import Rewards, rewarding

SEED = b"a seed for tests"
PERIOD_DAYS = 800


@dataclass
class Drive:
    """Two teams below sales, an ERP that says what they sell, a budget that rewards them."""

    rewards: Rewards
    erp: Erp
    north: UUID
    south: UUID
    ann: Phone  # sells in the north
    bo: Phone  # sells in the south

    @cached_property
    def finance(self) -> Phone:
        """Somebody who approves for the whole company."""
        return self.company.phone("Fei", role="finance")

    @property
    def company(self) -> Company:
        return self.rewards.company

    @property
    def owner(self) -> Phone:
        return self.rewards.owner

    @property
    def today(self) -> date:
        return self.erp.today

    def sells(self, key: str, net: str, *, by: Phone | None = None, on: date | None = None) -> None:
        """Write an order of a seller, Ann unless somebody else."""
        self.erp.order(key, net, seller=self.erp.keys[(by or self.ann).person.id], on=on)

    def targets(self, key: str, amount: str, first: date, last: date) -> None:
        """Set what Ann is to sell."""
        self.erp.quota(key, amount, first, last, salesperson_key=self.erp.keys[self.ann.person.id])

    def asked(self, **changes: Any) -> dict[str, Any]:
        """Write a rule: 100 yuan ordered in a month in the north → 8.88 yuan to its team."""
        return {
            "name": "A strong month",
            "metric": "ordered_net",
            "comparison": "value",
            "threshold": 10_000,
            "period": "month",
            "subjects": {"kind": "units", "ids": [str(self.north)]},
            "budget_id": self.rewards.budget_id,
            "unit": "CNY",
            "total_minor": 888,
            "on_behalf_of": str(self.rewards.sales),
            "purpose": {"category": "sales", "text": "Target reached"},
            "greeting": "恭喜",
        } | changes

    def rule(self, **changes: Any) -> str:
        """Keep a rule as the owner, and say its id."""
        made = self.owner.post("/kpi-rules", self.asked(**changes))
        assert made.status_code == 201, made.json
        return made.json["id"]

    def preview(self, **changes: Any) -> dict[str, Any]:
        """Try a rule against a past year."""
        seen = self.owner.post("/kpi-rules/preview", self.asked(**changes))
        assert seen.status_code == 200, seen.json
        return seen.json

    def evaluate(self) -> None:
        """Let the job run that evaluates all rules, then everything that follows."""
        space = self.company.space
        run = space.jobs.functions[jobs.EVALUATE]
        self.company.settle()
        run(space.workbench(), tenant_id=str(self.company.tenant_id))
        self.company.settle()

    def evaluate_at(self, rule_id: str, now: Any) -> list[UUID]:
        """Evaluate one rule as of a moment."""
        with self.company.transaction() as session:
            return services.evaluate_rule(
                session,
                figures=self.company.space.ports[FIGURES],
                rule_id=UUID(rule_id),
                seed=SEED,
                now=now,
            )

    def fires(self, rule_id: str, by: Phone | None = None) -> dict[str, Any]:
        """Read what a rule fired and why it did not."""
        seen = (by or self.owner).get(f"/kpi-rules/{rule_id}/fires?limit=100")
        assert seen.status_code == 200, seen.json
        return seen.json

    def reasons(self, rule_id: str) -> set[str]:
        return {miss["reason"] for miss in self.fires(rule_id)["misses"]}

    def packets(self) -> list[Packet]:
        return packets_of(self.company)

    def news(self, language: str = "en") -> list[str]:
        """What the owner was told of campaigns."""
        return told(self.company, language)


def packets_of(company: Company) -> list[Packet]:
    with company.transaction() as session:
        return list(session.scalars(select(Packet).order_by(Packet.id)))


def shares_of(company: Company, packet_id: UUID) -> list[Share]:
    with company.transaction() as session:
        found = select(Share).where(Share.packet_id == packet_id).order_by(Share.index)
        return list(session.scalars(found))


def scopes_of(company: Company, packet_id: UUID) -> set[UUID]:
    with company.transaction() as session:
        found = select(PacketScope.scope_id).where(PacketScope.packet_id == packet_id)
        return set(session.scalars(found))


def told(company: Company, language: str = "en") -> list[str]:
    company.settle()
    with company.transaction() as session:
        found = select(NoticeRow).where(NoticeRow.kind == "redpackets.campaigns")
        rows = session.scalars(found.order_by(NoticeRow.id))
        return [row.texts["body"][language] for row in rows]


def notices_of(company: Company) -> list[tuple[str, frozenset[str]]]:
    """Say what was told of campaigns, and to whom."""
    company.settle()
    with company.transaction() as session:
        found = select(NoticeRow).where(NoticeRow.kind == "redpackets.campaigns")
        rows = session.scalars(found.order_by(NoticeRow.id)).all()
        return [(row.texts["body"]["en"], _names(session, row.scope_ids)) for row in rows]


def people_told(company: Company) -> set[frozenset[str]]:
    """Say to whom notices of campaigns went, group by group."""
    return {names for _, names in notices_of(company)}


def end_period(rewards: Rewards, clock: MovableClock, *, days: float) -> dict[str, Any]:
    """Let a budget's period end and roll over; gives what it rolled over into, by what it was."""
    clock.move(days=days)
    sweep_company(rewards.company.space.workbench(), rewards.company.tenant_id)
    rewards.owner = rewards.company.phone_of(rewards.owner.person)
    items = rewards.owner.get("/budgets?limit=100").json["items"]
    return {b["predecessor_id"]: b["id"] for b in items if b["predecessor_id"]}


def balance_of(phone: Phone, unit: str) -> int:
    balances = phone.get("/wallet").json["balances"]
    return sum(b["amount_minor"] for b in balances if b["unit"] == unit)


def open_points(rewards: Rewards, limit_minor: int = 100_000) -> str:
    """Open a budget of points for the whole company."""
    today = rewards.company.clock().date()
    opened: TestResponse = rewards.open_budget(
        limit_minor,
        unit="POINT",
        unit_id=str(rewards.company.root_id),
        period_from=str(today - timedelta(days=PERIOD_DAYS)),
        period_to=str(today + timedelta(days=PERIOD_DAYS)),
    )
    assert opened.status_code == 201, opened.json
    return opened.json["id"]


def _names(session: Session, scope_ids: list[UUID]) -> frozenset[str]:
    found = select(Person.name).join(Scope, Scope.person_id == Person.id)
    return frozenset(session.scalars(found.where(Scope.id.in_(scope_ids))))


@pytest.fixture
def drive(company: Company) -> Drive:
    rewards = rewarding(company)
    today = company.clock().date()
    rewards.budget_id = rewards.open_budget(
        1_000_000,
        period_from=str(today - timedelta(days=PERIOD_DAYS)),
        period_to=str(today + timedelta(days=PERIOD_DAYS)),
    ).json["id"]
    north, south = company.unit("North", rewards.sales), company.unit("South", rewards.sales)
    erp = connect_erp(company)
    made = Drive(
        rewards=rewards,
        erp=erp,
        north=north,
        south=south,
        ann=company.phone("Ann", north, role="account_manager"),
        bo=company.phone("Bo", south, role="account_manager"),
    )
    with erp.batch():
        erp.employs(made.ann)
        erp.employs(made.bo)
    return made
