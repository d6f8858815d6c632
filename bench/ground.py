"""The ground of every benchmark: servers, a migrated database, a company with people, their tokens."""

import argparse
import dataclasses
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psutil
import psycopg
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.composition import Claims, Workspace, workspace
from app.core.ids import new_id
from app.core.settings import Settings, load_settings
from app.factory import create_app
from app.migrate import upgrade
from app.people import queries, services
from app.people.models import Device, OrgUnit, RoleGrant, SignIn
from app.runtime import embedded, programs
from app.runtime.addresses import free_port
from app.runtime.child import Child, Program

SECRET_KEY = "a-key-for-benchmarks-only-and-for-nothing-else"
#: Counted as always, but never reached: the load of many people comes from few of them here.
PERSON_LIMIT = "100000000 per minute"
ROWS = 10_000
ROW_TABLE = f"""
    CREATE TABLE bench_row (id integer PRIMARY KEY, name text NOT NULL, amount_minor bigint NOT NULL);
    INSERT INTO bench_row SELECT n, 'row number ' || n, n * 100 FROM generate_series(1, {ROWS}) n;
    VACUUM ANALYZE bench_row
"""


@dataclass(frozen=True)
class Person:
    """Somebody of the company, signed in on one device."""

    id: UUID
    device_id: UUID
    claims: Claims
    token: str


@dataclass
class Company:
    """A tenant of its own with a root unit."""

    space: Workspace
    id: UUID
    root_id: UUID

    def transaction(self) -> AbstractContextManager[Session]:
        """Work as this company, committed at the end."""
        return self.space.database.transaction(self.id)

    def add_unit(self, name: str, parent_id: UUID | None = None) -> UUID:
        """Add a unit, by default below the root."""
        with self.transaction() as session:
            parent = parent_id or self.root_id
            return services.add_unit(session, code=name, name=name, parent_id=parent).id

    def add_people(
        self, name: str, count: int, unit_id: UUID | None = None, *, roles: Sequence[str] = ()
    ) -> list[Person]:
        """Add people ``name-1 …`` to a unit, with these roles there, each signed in on a device."""
        unit_id = unit_id or self.root_id
        with self.transaction() as session:
            return [
                self._add_person(session, f"{name}-{n}", unit_id, roles)
                for n in range(1, count + 1)
            ]

    def caller(self, person: Person) -> Caller:
        """Say who is calling, as a request of this person would find it."""
        with self.transaction() as session:
            return self.space.load_caller(session, person.claims, self.space.now())

    def people_with(self, role: str) -> list[Person]:
        """Sign everybody in who holds a role, each on a device."""
        with self.transaction() as session:
            holders = select(RoleGrant.person_id).where(RoleGrant.role_key == role).distinct()
            return [self._sign_in(session, id_) for id_ in session.scalars(holders).all()]

    def _add_person(
        self, session: Session, login: str, unit_id: UUID, roles: Sequence[str]
    ) -> Person:
        new = services.NewPerson(login=login, name=login, unit_id=unit_id)
        person_id = services.add_person(session, new, now=self.space.now()).id
        for role in roles:
            services.grant_role(session, person_id=person_id, role_key=role, unit_id=unit_id)
        return self._sign_in(session, person_id)

    def _sign_in(self, session: Session, person_id: UUID) -> Person:
        """Sign a person in, without the cost of a password."""
        now = self.space.now()
        device = Device(
            tenant_id=self.id,
            id=new_id(),
            person_id=person_id,
            platform="bench",
            name="Phone",
            last_seen_at=now,
        )
        sign_in = SignIn(
            tenant_id=self.id,
            id=new_id(),
            person_id=person_id,
            device_id=device.id,
            created_at=now,
            last_used_at=now,
            expires_at=now + timedelta(days=1),
        )
        session.add_all([device, sign_in])
        claims = Claims(self.id, person_id, sign_in.id)
        return Person(person_id, device.id, claims, self.token(claims))

    def token(self, claims: Claims) -> str:
        token: str = self.space.tools["token_key"].write(claims, now=self.space.now())
        return token


@dataclass
class Ground:
    """Servers with a migrated database, and the application composed over them in this process."""

    folder: Path
    servers: embedded.EmbeddedServers
    settings: Settings
    app: Flask
    #: The same for all benchmarks of a run: they share one gateway.
    gateway_port: int = field(default_factory=free_port)
    _children: dict[str, Child] = field(default_factory=dict)

    @property
    def space(self) -> Workspace:
        return workspace(self.app)

    def found_company(self) -> Company:
        """Found a company with a root unit and nobody in it."""
        now, slug = self.space.now(), f"bench-{new_id().hex[-12:]}"
        with self.space.database.before_sign_in(slug) as session:
            tenant = services.create_tenant(
                session, slug=slug, name=slug, currency="CNY", time_zone="Asia/Shanghai", now=now
            )
            root = services.add_unit(session, code="root", name="Headquarters")
        return Company(self.space, tenant.id, root.id)

    def company(self, slug: str) -> Company:
        """Find a company that is there already."""
        with self.space.database.before_sign_in(slug) as session:
            tenant = session.scalars(queries.tenant_by_slug(slug)).one()
        with self.space.database.transaction(tenant.id) as session:
            roots = select(OrgUnit.id).where(OrgUnit.parent_id.is_(None), OrgUnit.tree == "admin")
            return Company(self.space, tenant.id, session.scalars(roots).one())

    def owner_connection(self) -> "psycopg.Connection[tuple[object, ...]]":
        """Connect as the database's owner, past every policy, each statement its own transaction."""
        return psycopg.connect(self.servers.database_url, autocommit=True)

    def tidy_up(self) -> None:
        """Do now what autovacuum would have done by the time a company has this much."""
        with self.owner_connection() as connection:
            connection.execute("VACUUM ANALYZE")

    def programs(self, **ports: int) -> dict[str, Program]:
        """The programs as ``bin/run`` starts them, by name, on free ports."""
        names = [name for name in programs.LOOPBACK_PORTS if name not in ports]
        for name in names:
            ports[name] = free_port(taken=frozenset(ports.values()))
        site = programs.Site(
            options=programs.Options(data=self.folder, is_empty=True),
            ports=ports,
            listener=-1,
            database_url=self.servers.database_url,
            redis_url=self.servers.redis_url,
            secret_key=SECRET_KEY,
        )
        # The ERPs of benchmarks run on this machine too.
        limits = {"WORKSPACE_PERSON_LIMIT": PERSON_LIMIT, "WORKSPACE_ERP_HOSTS": "127.0.0.1"}
        return {
            program.name: dataclasses.replace(program, env={**program.env, **limits})
            for program in programs.programs(site)
        }

    def start(self, program: Program) -> Child:
        """Run a program until the ground is cleared; one that an earlier benchmark left running is used again."""
        if program.name not in self._children:
            child = Child(program, self.folder / f"{program.name}.log")
            child.start()
            self._children[program.name] = child
        return self._children[program.name]

    def stores_cpu_seconds(self) -> float:
        """CPU time that PostgreSQL and Valkey have used so far."""
        return sum(cpu_seconds(child) for child in self.servers.children)

    def database_cpu_seconds(self) -> float:
        """CPU time that PostgreSQL has used so far."""
        return sum(cpu_seconds(c) for c in self.servers.children if "postgres" in c.name)

    def clear(self) -> None:
        """Stop everything, last started first."""
        for child in reversed(self._children.values()):
            child.stop()
        self.space.database.close()


def cpu_seconds(child: Child) -> float:
    """CPU time used so far by a program's whole process tree, the dead of the tree included."""
    assert child.pid is not None
    root = psutil.Process(child.pid)
    total = 0.0
    for process in [root, *root.children(recursive=True)]:
        try:
            total += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return total


def settings_of(folder: Path, database_url: str, redis_url: str) -> Settings:
    """The product's settings on this ground, the same in every process of a benchmark."""
    return load_settings(
        environment="demo",
        data_dir=folder,
        database_url=database_url,
        redis_url=redis_url,
        secret_key=SECRET_KEY,
        log_level="WARNING",
        # Benchmarks tap on more threads than an api process has.
        database_pool_size=20,
    )


@contextmanager
def prepared_ground() -> Iterator[Ground]:
    """Bring everything up in a temporary folder, and take it away again."""
    # Asked to end early, clear up all the same.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = Path(tempfile.mkdtemp(prefix="workspace-bench-"))
    # The servers give up root; their folder must let them through.
    folder.chmod(0o755)
    servers = embedded.start(folder)
    try:
        settings = settings_of(folder, servers.database_url, servers.redis_url)
        upgrade(settings)
        with psycopg.connect(servers.database_url, autocommit=True) as connection:
            for statement in ROW_TABLE.split(";"):
                connection.execute(statement.encode())
        ground = Ground(folder, servers, settings, create_app(settings))
        try:
            yield ground
        finally:
            ground.clear()
    finally:
        servers.stop()
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Options:
    """How long to measure."""

    rounds: int
    seconds: float
    is_quick: bool
    rows: int | None = None


Measure = Callable[[Ground, Options], None]


def run(measure: Measure, description: str | None) -> None:
    """Run one benchmark on a ground of its own; the module's docstring is the help."""
    options = options_of(description)
    with prepared_ground() as ground:
        measure(ground, options)


def options_of(description: str | None) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a smoke run of a few seconds")
    parser.add_argument("--rows", type=int, help="how many the bridge's large load is of")
    said = parser.parse_args()
    if said.quick:
        return Options(rounds=1, seconds=0.1, is_quick=True, rows=said.rows)
    return Options(rounds=5, seconds=3.0, is_quick=False, rows=said.rows)
