"""A company to test with: units, people with roles, and their phones."""

import copy
import uuid
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from app.core.callers import Caller
from app.core.composition import Claims, Workspace
from app.core.ids import new_id
from app.core.jobs import Workbench
from app.delivery.sequencer import Sequencer
from app.people import services
from app.people.models import Device, Person, SignIn
from tests.builders.clock import MovableClock

API = "/api/v1"


class Phone:
    """A signed-in person's phone: calls the API as its owner; paths are below ``/api/v1``."""

    def __init__(
        self, company: "Company", person: Person, token: str, claims: Claims, device_id: UUID
    ) -> None:
        self.company = company
        self.person = person
        self.token = token
        self.claims = claims
        self.device_id = device_id
        self.headers: dict[str, str] = {"Accept-Language": "en"}

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.call("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self.call("POST", path, json={} if json is None else json, **options)

    def put(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self.call("PUT", path, json={} if json is None else json, **options)

    def patch(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self.call("PATCH", path, json={} if json is None else json, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        return self.call("DELETE", path, **options)

    def call(
        self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any
    ) -> TestResponse:
        sent = {"Authorization": f"Bearer {self.token}"} | self.headers | (headers or {})
        client = self.company.app.test_client()
        return client.open(API + path, method=method, headers=sent, **options)

    def pay(self, path: str, json: Any = None, key: str | None = None) -> TestResponse:
        """POST something that moves money, under an Idempotency-Key."""
        return self.post(path, json, headers={"Idempotency-Key": key or str(uuid.uuid4())})


@dataclass
class Company:
    """A tenant of its own, with a root unit."""

    app: Flask
    space: Workspace
    clock: MovableClock
    tenant_id: UUID
    slug: str
    root_id: UUID
    _phones: dict[UUID, Phone] = field(default_factory=dict)

    def transaction(self) -> Any:
        """Open a unit of work as this company: ``with company.transaction() as session``."""
        return self.space.database.transaction(self.tenant_id)

    def unit(self, name: str, parent_id: UUID | None = None) -> UUID:
        """Add a unit, by default below the root."""
        with self.transaction() as session:
            return services.add_unit(
                session,
                code=f"{name}-{new_id().hex[-6:]}",
                name=name,
                parent_id=parent_id or self.root_id,
            ).id

    def person(
        self,
        name: str,
        unit_id: UUID | None = None,
        *,
        role: str | None = None,
        role_at: UUID | None = None,
        password: str | None = None,
        employee_code: str | None = None,
    ) -> Person:
        """Add a person to a unit (the root by default), with a role there or at ``role_at``."""
        unit_id = unit_id or self.root_id
        with self.transaction() as session:
            new = services.NewPerson(
                login=f"{name.lower()}-{new_id().hex[-6:]}",
                name=name,
                unit_id=unit_id,
                password=password,
                employee_code=employee_code,
            )
            added = services.add_person(session, new, now=self.clock())
            if role:
                services.grant_role(
                    session, person_id=added.id, role_key=role, unit_id=role_at or unit_id
                )
        return added

    def phone(self, name: str, unit_id: UUID | None = None, **options: Any) -> Phone:
        """Add a person and sign in on a phone of theirs."""
        return self.phone_of(self.person(name, unit_id, **options))

    def phone_of(self, person: Person) -> Phone:
        """Sign a person in on a fresh phone (without the cost of a password)."""
        now, device_id = self.clock(), new_id()
        with self.transaction() as session:
            device = Device(
                tenant_id=self.tenant_id,
                id=device_id,
                person_id=person.id,
                platform="test",
                name="Phone",
                last_seen_at=now,
            )
            opened = SignIn(
                tenant_id=self.tenant_id,
                id=new_id(),
                person_id=person.id,
                device_id=device_id,
                created_at=now,
                last_used_at=now,
                expires_at=now + timedelta(days=30),
            )
            session.add_all([device, opened])
        claims = Claims(self.tenant_id, person.id, opened.id)
        token = self.space.tools["token_key"].write(claims, now=now)
        return Phone(self, person, token, claims, device_id)

    def caller(self, phone: Phone) -> Caller:
        """Load who is calling from this phone, for tests of services."""
        with self.transaction() as session:
            return self.space.load_caller(session, phone.claims, self.clock())

    def bench(self, *others: "Company") -> Workbench:
        """Lay out what timers work with, as if there were no company but these: not those of all tests before."""
        bench = self.space.workbench()
        alone = copy.copy(bench.database)
        vars(alone)["tenant_ids"] = lambda: [one.tenant_id for one in (self, *others)]
        return replace(bench, database=alone)

    def settle(self) -> None:
        """Number what is committed and run the jobs that are due, until nothing is left to do."""
        sequencer = Sequencer(
            self.space.database, self.space.subscriptions, self.space.jobs, lambda _heads: None
        )
        for _ in range(20):
            sequenced = sequencer.drain()
            if not sequenced and not self._run_due_jobs():
                return
        raise AssertionError("the company does not come to rest")

    def events(self, phone: Phone, after: int = 0) -> list[dict[str, Any]]:
        """Settle, and read what the phone hears after a number, from the log."""
        self.settle()
        return phone.get(f"/sync?after={after}&limit=100").json["events"]

    def _run_due_jobs(self) -> int:
        with self.space.database.relay() as session:
            taken = session.execute(
                text(
                    "DELETE FROM procrastinate_jobs WHERE args ->> 'tenant_id' = :tenant AND status = 'todo'"
                    " AND (scheduled_at IS NULL OR scheduled_at <= :now) RETURNING id, task_name, args"
                ),
                {"tenant": str(self.tenant_id), "now": self.clock()},
            ).all()
        for job in sorted(taken, key=lambda row: row.id):
            self.space.jobs.functions[job.task_name](self.space.workbench(), **job.args)
        return len(taken)


def found_company(app: Flask, space: Workspace, clock: MovableClock) -> Company:
    """Found a company with a random short name."""
    slug = f"company-{uuid.uuid4().hex[:10]}"
    with space.database.before_sign_in(slug) as session:
        tenant = services.create_tenant(
            session, slug=slug, name=slug, currency="CNY", time_zone="Asia/Shanghai", now=clock()
        )
        root = services.add_unit(session, code="root", name="Headquarters")
    return Company(app, space, clock, tenant.id, slug, root.id)
