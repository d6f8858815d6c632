"""A company to look at: the demo company with its own ERP, or a company read from a drop folder.

Both come in as a customer's would: a tenant is founded, an ERP source is created and synchronised, and the
directory, the figures and the documents arrive through the bridge. Every step looks at what is there already,
so that a start that was cut off is simply begun again.
"""

import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy import select, update
from sqlalchemy.engine import make_url

import demo
from app.core.composition import Workspace
from app.core.settings import Settings
from app.core.work import Database
from app.people import queries, services
from app.people.models import Person, RoleGrant, Tenant
from app.people.passwords import hash_password
from app.people.services import NewPerson
from app.runtime.programs import demo_erp_url
from app.showcase_budgets import open_year_budgets
from app.showcase_rewards import set_up_rewards
from demo import company as demo_company
from demo.u8_schema import create_reader
from erp_bridge.engine import sync_source
from erp_bridge.mappings.loader import shipped_mapping
from erp_bridge.models import Source
from erp_bridge.services import create_source
from roledata.jobs import refresh_figures

SYNC_STATEMENT_SECONDS = 600
ROLES_BY_RANK = (
    "owner",
    "operator",
    "auditor",
    "sales_leader",
    "finance",
    "manager",
    "account_manager",
    "employee",
)
NEIGHBOUR = ("neighbour", "邻舍商行", "ma.linju", "马邻居")

Progress = Callable[[str, int], None]


@dataclass(frozen=True, kw_only=True)
class Showcase:
    """Which company is shown, and where its ERP is."""

    slug: str
    name: str
    currency: str
    time_zone: str
    connector: str
    mapping: str
    config: dict[str, Any]
    has_rewards: bool = False


def demo_showcase(settings: Settings, *, today: date) -> Showcase:
    """Found the demo's ERP, if it is not there, and say how the bridge reads it."""
    url = demo_erp_url(settings.database_url)
    _create_database(settings.database_url, make_url(url).database or "")
    demo.seed(url, today=today)
    return Showcase(
        slug="demo",
        name=demo_company.NAME,
        currency="CNY",
        time_zone="Asia/Shanghai",
        connector="u8_sql",
        mapping="u8",
        config=_reader_of(settings, url),
        has_rewards=True,
    )


def folder_showcase(folder: Path, mapping: str) -> Showcase:
    """Show the company whose files lie in a drop folder; it goes by the mapping's name."""
    found = shipped_mapping(mapping)
    return Showcase(
        slug=mapping,
        name=mapping.replace("_", " ").title(),
        currency=found.currency,
        time_zone=found.time_zone,
        connector="files",
        mapping=mapping,
        config={"folder": str(folder)},
    )


def show(space: Workspace, showcase: Showcase, *, progress: Progress) -> None:
    """Bring the company up and write its accounts to ``demo.json``."""
    accounts_file = space.settings.data_dir / "demo.json"
    password = _password_in(accounts_file) or _new_password()
    tenant_id = _found(space, showcase)
    source_id = _connect(space, tenant_id, showcase)
    _synchronise(space, tenant_id, source_id, progress)
    _furnish(space, tenant_id, password)
    if showcase.has_rewards:
        set_up_rewards(space, tenant_id)
    neighbour = _found_neighbour(space, password)
    accounts = _accounts(space, tenant_id, showcase.slug, password)
    accounts += _accounts(space, neighbour, NEIGHBOUR[0], password)
    _write_privately(accounts_file, json.dumps(accounts, ensure_ascii=False, indent=1))


def _found(space: Workspace, showcase: Showcase) -> UUID:
    now = space.now()
    with space.database.before_sign_in(showcase.slug) as session:
        tenant = session.scalar(queries.tenant_by_slug(showcase.slug))
        if tenant is None:
            tenant = services.create_tenant(
                session,
                slug=showcase.slug,
                name=showcase.name,
                currency=showcase.currency,
                time_zone=showcase.time_zone,
                now=now,
            )
        return tenant.id


def _connect(space: Workspace, tenant_id: UUID, showcase: Showcase) -> UUID:
    with space.database.transaction(tenant_id) as session:
        found = session.scalar(select(Source.id).where(Source.name == showcase.mapping))
        if found is not None:
            return found
        return create_source(
            session,
            name=showcase.mapping,
            connector=showcase.connector,
            mapping=showcase.mapping,
            config=showcase.config,
            secret_key=space.settings.secret_key,
            now=space.now(),
        ).id


def _synchronise(space: Workspace, tenant_id: UUID, source_id: UUID, progress: Progress) -> None:
    """Read the ERP and add up the figures in the foreground, with time for long statements."""
    settings = space.settings
    database = Database(settings, jobs=space.jobs, statement_seconds=SYNC_STATEMENT_SECONDS)
    try:
        report = sync_source(
            database, tenant_id, source_id, secret_key=settings.secret_key, progress=progress
        )
        if report.problem is not None:
            raise SystemExit(f"The ERP could not be read: {report.problem}")
        refresh_figures(replace(space.workbench(), database=database), tenant_id=str(tenant_id))
    finally:
        database.close()


def _furnish(space: Workspace, tenant_id: UUID, password: str) -> None:
    """Let everybody sign in, and give every leader's unit a reward budget for the year."""
    now = space.now()
    with space.database.transaction(tenant_id) as session:
        # One hash for all: they are the demo's people and share the printed password.
        session.execute(
            update(Person)
            .where(Person.password_hash.is_(None))
            .values(password_hash=hash_password(password))
        )
        open_year_budgets(session, session.get_one(Tenant, tenant_id), now)


def _found_neighbour(space: Workspace, password: str) -> UUID:
    """Found a second company with one owner, so that what must not cross can be tried."""
    slug, name, login, person = NEIGHBOUR
    with space.database.before_sign_in(slug) as session:
        tenant = session.scalar(queries.tenant_by_slug(slug))
        if tenant is not None:
            return tenant.id
        now = space.now()
        tenant = services.create_tenant(
            session, slug=slug, name=name, currency="CNY", time_zone="Asia/Shanghai", now=now
        )
        root = services.add_unit(session, code="root", name=name)
        new = NewPerson(login=login, name=person, unit_id=root.id, password=password)
        added = services.add_person(session, new, now=now)
        services.grant_role(session, person_id=added.id, role_key="owner", unit_id=root.id)
        return tenant.id


def _accounts(space: Workspace, tenant_id: UUID, slug: str, password: str) -> list[dict[str, str]]:
    """List every person who can sign in, with the role that ranks highest."""
    with space.database.transaction(tenant_id) as session:
        held = session.execute(select(RoleGrant.person_id, RoleGrant.role_key)).all()
        roles: dict[UUID, set[str]] = {}
        for person_id, role_key in held:
            roles.setdefault(person_id, set()).add(role_key)
        people = session.scalars(
            select(Person)
            .where(Person.active, Person.password_hash.is_not(None))
            .order_by(Person.login)
        ).all()
    accounts = [
        {
            "tenant": slug,
            "login": person.login,
            "password": password,
            "role": next(r for r in ROLES_BY_RANK if r in roles.get(person.id, {"employee"})),
            "name": person.name,
        }
        for person in people
    ]
    return sorted(accounts, key=lambda a: (ROLES_BY_RANK.index(a["role"]), a["login"]))


def _new_password() -> str:
    """Make a password that is easy to type on a phone and is nobody else's."""
    return f"demo-{secrets.randbelow(9000) + 1000}-{secrets.randbelow(9000) + 1000}"


def _password_in(file: Path) -> str | None:
    try:
        return str(json.loads(file.read_text())[0]["password"])
    except (OSError, ValueError, LookupError):
        return None


def _write_privately(file: Path, content: str) -> None:
    draft = file.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(content)
    draft.rename(file)


def _create_database(owner_url: str, name: str) -> None:
    with psycopg.connect(owner_url, autocommit=True) as connection:
        found = connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", (name,)
        ).fetchone()
        if found is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _reader_of(settings: Settings, url: str) -> dict[str, Any]:
    """Create the login that the bridge reads the ERP with; it may only look, and stays the same at every start."""
    erp = make_url(url)
    name = f"{erp.database}_reader"
    password = hmac.digest(settings.secret_key.encode(), name.encode(), "sha256").hex()
    with psycopg.connect(url) as connection:
        create_reader(connection, name, password)
    return {
        "host": erp.host or "127.0.0.1",
        "port": erp.port or 5432,
        "database": erp.database,
        "user": name,
        "password": password,
    }
