"""The company that the state machine plays with: everybody on their phones, a clock that stands, a Redis to lose."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Flask
from werkzeug.test import TestResponse

from app.core import clock
from app.core.composition import Workspace
from app.people.services import set_active
from app.runtime.addresses import free_port
from redpackets.budget_jobs import sweep_company
from redpackets.campaigns.ports import FIGURES
from redpackets.entrance import TOOL, Entrance
from redpackets.gate import Gate
from redpackets.jobs import _sweep_company
from redpackets.ledger_jobs import _seal
from tests.builders.clock import MovableClock
from tests.builders.company import Company, Phone, found_company
from tests.redpackets.fake_figures import FakeFigures
from tests.redpackets.gates import client_of
from tests.redpackets.rewards import Rewards
from tests.redpackets.told import Told
from tests.redpackets.told_things import BANDS, UNTOLD, ToldBudget, ToldLending

MEMBERS = ("Ann", "Ben", "Cao", "Dan")
#: The team, and who leads it.
RUSHERS = (*MEMBERS, "Mara")
#: Who may grab: the team, its manager, who oversees it, and somebody from elsewhere.
GRABBERS = (*MEMBERS, "Mara", "Olive", "Sun")
#: Olive has lent her right to Del; Mara leads the team and so is one of its receivers.
DECIDERS = ("Olive", "Dora", "Del", "Mara", "Ann")
#: Enough to see what leaving does, and enough who stay.
DEPARTED_MAX = 2
STOCK, PRICE = 4, 60
ALLOWANCE = 150
CASH, POINTS = 6_000, 2_500
DAYS_MAX = 8


class StillClock(MovableClock):
    """A clock that stands until it is moved, so that a game played again is the same game."""

    def __init__(self, day: int = 10) -> None:
        super().__init__()
        # Ten in the morning in Shanghai, by default far from the ends of the month.
        self._start = (
            clock.now().astimezone(UTC).replace(day=day, hour=2, minute=0, second=0, microsecond=0)
        )

    def __call__(self) -> datetime:
        return self._start + self._shift

    def move_within(self, minutes: int) -> None:
        """Move on or back, never before the beginning nor past the last day."""
        moved = self._shift + timedelta(minutes=minutes)
        if minutes and timedelta() <= moved <= timedelta(days=DAYS_MAX):
            self._shift = moved


class World:
    """One company; ``told`` is what its people were told so far."""

    def __init__(self, app: Flask, space: Workspace, still: StillClock) -> None:
        self.company = company = found_company(app, space, still)
        self.clock = still
        self.sales, self.elsewhere = company.unit("Sales"), company.unit("Warehouse")
        self.phones = self._people(company)
        self.rewards = Rewards(company, self.sales, self.phones["Olive"], self.phones["Mara"])
        self.entrance: Entrance = space.tools[TOOL]
        self._gate = self.entrance.gate
        self.told = self._told()
        space.ports[FIGURES] = FakeFigures(self.told.figures)
        self._open_for_business()

    def _people(self, company: Company) -> dict[str, Phone]:
        root, elsewhere = company.root_id, self.elsewhere
        places: dict[str, tuple[UUID, str | None]] = dict.fromkeys(MEMBERS, (self.sales, None))
        places |= {
            "Mara": (self.sales, "manager"),
            "Olive": (root, "owner"),
            "Dora": (root, "manager"),
            "Del": (root, None),
            "Sun": (elsewhere, None),
            "Fay": (root, "finance"),
            "Gus": (root, "finance"),
            "Kit": (root, "operator"),
        }
        return {
            name: company.phone(name, unit_id, role=role, employee_code=f"E-{name}")
            for name, (unit_id, role) in places.items()
        }

    def _told(self) -> Told:
        ids = {name: phone.person.id for name, phone in self.phones.items()}
        return Told(
            now=self.clock(),
            units={
                self.sales: frozenset(ids[name] for name in (*MEMBERS, "Mara")),
                self.elsewhere: frozenset({ids["Sun"]}),
            },
            overseers=frozenset(ids[name] for name in ("Olive", "Fay", "Gus", "Kit")),
            approvers=frozenset(ids[name] for name in ("Olive", "Dora", "Mara", "Fay", "Gus")),
            stock=STOCK,
            price=PRICE,
        )

    def _open_for_business(self) -> None:
        """Set up what everybody needs: budgets, a policy, a delegate, a catalogue, something to give."""
        cash, points = (
            self.keep_budget(self.rewards.open_budget(limit, unit=unit).json)
            for limit, unit in ((CASH, "CNY"), (POINTS, "POINT"))
        )
        assert cash.unit != points.unit
        bands = [
            {"unit": "CNY", "up_to_minor": up_to, "approvals": number}
            for number, up_to in enumerate((*BANDS, None))
        ]
        olive = self.phones["Olive"]
        made = [olive.post("/red-packet-policies", {"bands": bands})]
        made.append(self.lend("Olive", "Del", self.clock(), timedelta(days=30)))
        programme = {
            "name": "Thanks",
            "unit_id": str(self.company.root_id),
            "budget_id": str(points.id),
            "unit": "POINT",
            "allowance_minor": ALLOWANCE,
        }
        made.append(olive.pay("/kudos/programmes", programme))
        mug = {"name_zh": "马克杯", "name_en": "Mug", "price_points": PRICE, "stock": STOCK}
        made.append(self.phones["Kit"].post("/catalogue", mug | {"needs_approval": True}))
        assert [reply.status_code for reply in made] == [201] * 4, [r.json for r in made]
        self.item_id = made[-1].json["id"]

    def id_of(self, name: str) -> UUID:
        """Say who a person is."""
        person_id: UUID = self.phones[name].person.id
        return person_id

    def name_of(self, person_id: UUID) -> str:
        """Say what a person is called."""
        return next(name for name, phone in self.phones.items() if phone.person.id == person_id)

    def keep_budget(self, said: dict[str, Any], parent: ToldBudget | None = None) -> ToldBudget:
        """Keep a budget as its owner was told of it."""
        told = ToldBudget(
            id=UUID(said["id"]),
            unit=said["unit"],
            limit=said["limit_minor"],
            period_from=date.fromisoformat(said["period_from"]),
            period_to=date.fromisoformat(said["period_to"]),
            version=said["version"],
            owner=UUID(said["owner_id"]),
            parent=parent,
            give_only=said["give_only"],
            rolls_over=said["rolls_over"],
            recovers=said["recovers_unused"],
            cap=said["receive_cap_minor"],
        )
        self.told.budgets.append(told)
        return told

    def lend(self, who: str, to: str, starts_at: datetime, lasts: timedelta) -> TestResponse:
        """Let somebody lend their right to approve, and keep that they did."""
        place = {"starts_at": starts_at, "ends_at": starts_at + lasts}
        asked = {"delegate_id": str(self.id_of(to)), "from": place["starts_at"].isoformat()}
        asked["to"] = place["ends_at"].isoformat()
        reply = self.phones[who].post("/red-packet-delegations", asked)
        if not said(reply):
            lent_id = UUID(reply.json["id"])
            self.told.lent.append(ToldLending(lent_id, self.id_of(who), self.id_of(to), **place))
        return reply

    def move(self, minutes: int) -> None:
        """Let time pass, or a clock be set back; phones sign in anew as they do."""
        self.clock.move_within(minutes)
        self.told.now = self.clock()
        write = self.company.space.tools["token_key"].write
        for phone in self.phones.values():
            phone.token = write(phone.claims, now=self.clock())

    def leave(self, name: str) -> None:
        """Let somebody leave the company."""
        with self.company.transaction() as session:
            set_active(session, person_id=self.id_of(name), active=False)
        self.told.departed.add(self.id_of(name))

    def run_jobs(self) -> None:
        """Let everything be done that is due."""
        self.company.settle()
        bench = self.company.space.workbench()
        _sweep_company(bench, self.company.tenant_id)
        sweep_company(bench, self.company.tenant_id)
        self.company.settle()
        self.told.end_what_is_over()
        self._learn_budgets()

    def _learn_budgets(self) -> None:
        """Hear what budgets rolled over into."""
        if all(budget.id != UNTOLD for budget in self.told.budgets):
            return
        found = self.phones["Olive"].get("/budgets?limit=100").json["items"]
        heirs = {UUID(b["predecessor_id"]): b for b in found if b["predecessor_id"]}
        for budget in self.told.budgets:
            if budget.id == UNTOLD and budget.before and budget.before.id in heirs:
                budget.id = UUID(heirs[budget.before.id]["id"])

    def seal(self) -> None:
        """Let the sealer come by."""
        _seal(self.company.space.workbench(), self.company.tenant_id)

    def flush(self, keep: int = 0) -> None:
        """Lose the gates' keys, but for some of them."""
        client = self.company.space.redis
        pattern = f"redpackets:gate:{self.company.tenant_id.hex}:*"
        for key in sorted(client.scan_iter(pattern, count=1_000))[keep:]:
            client.delete(key)

    def lose_redis(self) -> None:
        """Let the gate talk to a port where nobody listens."""
        if self.entrance.gate is self._gate:
            port = free_port(None, taken=frozenset())
            self.entrance.gate = Gate(client_of(self.rewards, port))

    def find_redis(self) -> None:
        """Let the gate find its Redis again, with whatever it held."""
        self.entrance.gate = self._gate

    @contextmanager
    def another_process(self) -> Iterator[None]:
        """Take what follows to a server whose gate is off: this one hears nothing of it."""
        before, self.entrance.is_open = self.entrance.is_open, False
        yield
        self.entrance.is_open = before


def said(reply: TestResponse) -> str:
    """Say a refusal's code; "" for a yes."""
    return "" if reply.status_code in (200, 201, 204) else str(reply.json["code"])


def fresh_key() -> str:
    """Make a key as a phone does."""
    return str(uuid.uuid4())
