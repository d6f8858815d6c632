"""A manager whose phone decides what waits in a U8 behind its gateway."""

from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from werkzeug.test import TestResponse

from app.core.ids import new_id
from app.people.models import Person
from erp_bridge.approvals.jobs import send_decision
from erp_bridge.approvals.refreshing import refresh_tasks
from erp_bridge.connectors import u8_approvals
from erp_bridge.models import Employee, Source
from erp_bridge.opening import open_source
from tests.builders.company import Company, Phone
from tests.erp_bridge.bridge import Bridge, connect
from tests.erp_bridge.doubles.server import Asked
from tests.erp_bridge.doubles.u8_gateway import U8Gateway

#: The people as the ERP knows them: Ash leads the company, Beech leads sales, Cedar sells.
BOSS, MANAGER, SELLER = "1", "2", "3"
REQUISITION = "purchaserequisition"


@dataclass
class Desk:
    """A gateway, the bridge that asks it, the people, and the phones of an operator and of the manager."""

    company: Company
    gateway: U8Gateway
    bridge: Bridge
    people: dict[str, Person]
    operator: Phone
    manager: Phone

    def let_decide(self, person: Person, erp_user: str, **more: Any) -> TestResponse:
        said = {"person_id": str(person.id), "erp_user": erp_user, **more}
        return self.operator.post(self.approvers_path, said)

    @property
    def approvers_path(self) -> str:
        return f"/erp/sources/{self.bridge.source_id}/approvers"

    def approvers(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.operator.get(self.approvers_path).json["items"]
        return found

    def posts(self) -> list[Asked]:
        """What was written to the ERP, whatever came of it."""
        return [asked for asked in self.gateway.asked if asked.method == "POST"]

    def document(self, code: str) -> dict[str, Any]:
        (found,) = [one for one in self.gateway.kept[REQUISITION] if one["code"] == code]
        return found

    def ask(self, code: str, *amounts: int, of: str | None = MANAGER) -> None:
        """A requisition comes in, with a line for each amount."""
        entry = [{"inventorycode": "P1", "quantity": "2", "money": str(one)} for one in amounts]
        document = {"code": code, "date": "2026-03-02", "personcode": SELLER, "maker": "Cedar"}
        self.gateway.kept.setdefault(REQUISITION, []).append(
            {**document, "memory": "办公补货", "entry": entry, "_auditor": of}
        )

    def look(self) -> None:
        """A reading of the source looks what waits, as if its documents had not been read for long."""
        u8_approvals._KEPT.read.clear()
        with self.company.transaction() as session:
            source = session.scalars(select(Source).where(Source.id == self.bridge.source_id)).one()
        space = self.company.space
        with closing(open_source(source, secret_key=space.settings.secret_key)) as opened:
            refresh_tasks(space.database, opened, changed=(), now=self.company.clock)

    def wait_for(self, code: str, *amounts: int) -> dict[str, Any]:
        """A requisition comes in and is read."""
        self.ask(code, *amounts)
        self.look()
        return self.shown(code)

    def shown(self, code: str, state: str = "pending") -> dict[str, Any]:
        (found,) = [one for one in self.listed(state) if one["code"] == code]
        return self.read(found["id"])

    def listed(self, state: str = "pending") -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.manager.get(f"/approvals?state={state}").json["items"]
        return items

    def read(self, approval_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.manager.get(f"/approvals/{approval_id}").json
        return found

    def decide(
        self, shown: dict[str, Any], decision: str = "approve", key: str | None = None, **more: Any
    ) -> TestResponse:
        said = {"decision": decision, "version": shown["version"], **more}
        return self.manager.pay(f"/approvals/{shown['id']}/decision", said, key)

    def sign_in_again(self) -> None:
        """So much time has passed that the manager's token ran out."""
        self.manager = self.company.phone_of(self.people[MANAGER])

    def send(self) -> None:
        """The worker takes the next step of every decision that is under way."""
        under_way = "SELECT id FROM erp_decision WHERE settled_at IS NULL"
        for (decision_id,) in self.bridge.rows(under_way):
            send_decision(
                self.company.space.workbench(),
                tenant_id=str(self.company.tenant_id),
                decision_id=str(decision_id),
            )

    def entries(self) -> list[tuple[Any, ...]]:
        """Every step of every decision, in order: what stays for ever."""
        return self.bridge.rows("SELECT state, code FROM erp_decision_entry ORDER BY id")


def open_desk(company: Company, gateway: U8Gateway, manager: Person | None = None) -> Desk:
    """Three people whom the ERP knows; only the manager may decide."""
    names = {BOSS: "Ash", MANAGER: "Beech", SELLER: "Cedar"}
    gateway.kept["person"] = [{"code": code, "name": name} for code, name in names.items()]
    settings = gateway.settings(approvals_seconds=0)
    bridge = connect(company, "u8_openapi", "u8_openapi", **settings)
    people = {code: company.person(name) for code, name in names.items()}
    people[MANAGER] = manager or people[MANAGER]
    with company.transaction() as session:
        for code, person in people.items():
            session.add(_employee(bridge, code, person))
    operator = company.phone("Hazel", role="operator")
    phone = company.phone_of(people[MANAGER])
    desk = Desk(company, gateway, bridge, people, operator, phone)
    assert desk.let_decide(people[MANAGER], MANAGER).status_code == 201
    return desk


def _employee(bridge: Bridge, code: str, person: Person) -> Employee:
    return Employee(
        tenant_id=bridge.company.tenant_id,
        source_id=bridge.source_id,
        source_key=code,
        name=person.name,
        active=True,
        person_id=person.id,
        hash=b"",
        batch_id=new_id(),
        seen_at=bridge.company.clock(),
    )
