"""Histories of giving, planted through the verbs themselves at times of the test's choosing."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.people.audiences import AudienceScope
from redpackets import queries, services
from redpackets.oversight.jobs import scan_company
from redpackets.sending import NewPacket, Sender, place_packet
from tests.builders.company import Phone
from tests.redpackets.rewards import Rewards

PURPOSE = {
    "purpose_category": "thanks",
    "purpose_text": "Well done",
    "purpose_evidence": "",
    "tax_class": "wage_income",
    "greeting": "",
    "opens_at": None,
    "expires_at": None,
}


@dataclass(frozen=True, kw_only=True)
class Gift:
    """What somebody gave: to whom, how much, when, as which kind of packet."""

    giver: Phone
    receivers: tuple[Phone, ...]
    amount: int
    at: datetime
    kind: str = "kudos"
    takers: int = 99
    budget: str | None = None
    unit: str = "CNY"
    unit_id: UUID | None = None
    purpose: str = "thanks"


@dataclass
class Giving:
    """A company whose people give each other red packets, and an auditor."""

    rewards: Rewards
    auditor: Phone
    budget_id: str
    callers: dict[UUID, Caller] = field(default_factory=dict)

    def days_ago(self, days: float) -> datetime:
        """Say when it was so many days ago."""
        return self.rewards.company.clock() - timedelta(days=days)

    def plant(self, gifts: Iterable[Gift]) -> list[UUID]:
        """Let these gifts have been given and taken."""
        with self.rewards.company.transaction() as session:
            return [self._give(session, gift) for gift in gifts]

    def repeat(self, count: int, giver: Phone, receiver: Phone, **options: Any) -> list[UUID]:
        """Let one have given another so many times, a day apart, ending yesterday."""
        gifts = [
            Gift(
                giver=giver,
                receivers=(receiver,),
                at=self.days_ago(1 + number),
                **{"amount": 100} | options,
            )
            for number in range(count)
        ]
        return self.plant(gifts)

    def scan(self) -> list[dict[str, Any]]:
        """Have the patterns looked for, and read the open flags as the auditor."""
        company = self.rewards.company
        scan_company(company.space.workbench(), tenant_id=str(company.tenant_id))
        found: list[dict[str, Any]] = self.flags("?state=open&limit=100")
        return found

    def flags(self, query: str = "") -> list[dict[str, Any]]:
        """List flags as the auditor sees them."""
        found: list[dict[str, Any]] = self.auditor.get(f"/oversight/flags{query}").json["items"]
        return found

    def watch(self, **changes: Any) -> None:
        """Let patterns be flagged from other thresholds on."""
        read = self.auditor.get("/oversight/policy").json
        changed = self.auditor.put("/oversight/policy", read | changes)
        assert changed.status_code == 200, changed.json

    def open_budget(self) -> str:
        """Open another budget for a long time."""
        opened = self.rewards.open_budget(
            10_000_000, period_from="2020-01-01", period_to="2099-12-31"
        )
        found: str = opened.json["id"]
        return found

    def _give(self, session: Session, gift: Gift) -> UUID:
        picked = gift.kind not in {"equal", "lucky"}
        people = [self._caller(phone) for phone in gift.receivers]
        budget = session.scalars(queries.budget_locked(UUID(gift.budget or self.budget_id))).one()
        new = NewPacket(
            kind=gift.kind,
            unit=gift.unit,
            total_minor=gift.amount,
            share_count=len(people),
            min_minor=None,
            max_minor=None,
            budget_id=budget.id,
            on_behalf_of_id=gift.unit_id or self.rewards.sales,
            audience=[AudienceScope(kind="person", id=who.person_id) for who in people],
            receivers=tuple((who.person_id, gift.amount // len(people)) for who in people)
            if picked
            else (),
            **PURPOSE | {"purpose_category": gift.purpose},
        )
        actor = self._caller(gift.giver)
        sender = Sender(
            tenant_id=actor.tenant_id, person_id=actor.person_id, time_zone=actor.time_zone
        )
        packet = place_packet(
            session,
            sender=sender,
            budget=budget,
            new=new,
            scope_ids=_scopes(session, [who.person_id for who in people]),
            seed=bytes(32),
            now=gift.at,
        )
        for who in people[: gift.takers]:
            taken = services.grab(session, caller=who, packet_id=packet.id, now=gift.at)
            assert taken.result == "won"
        return packet.id

    def _caller(self, phone: Phone) -> Caller:
        if phone.person.id not in self.callers:
            self.callers[phone.person.id] = self.rewards.company.caller(phone)
        return self.callers[phone.person.id]


def giving(rewards: Rewards) -> Giving:
    """Give a company an auditor and a large budget that people give from."""
    made = Giving(rewards, rewards.company.phone("Ada", role="auditor"), "")
    made.budget_id = made.open_budget()
    return made


def _scopes(session: Session, person_ids: list[UUID]) -> list[UUID]:
    rows = session.scalars(
        text("SELECT id FROM people_scope WHERE kind = 'person' AND person_id = ANY(:ids)"),
        {"ids": person_ids},
    )
    return sorted(rows)
