"""Database roles: who connects as whom.

The *owner* (``DATABASE_URL``) runs migrations. The *app* role serves requests and jobs and sees one
tenant at a time. The *worker* role sees every tenant's outbox, event log and jobs, and nothing else.
Unless their URLs are given, both are logins derived from the owner's URL, with passwords derived
from the secret key, so that every node that shares the key connects alike.
"""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, sql
from sqlalchemy.engine import URL, make_url

from app.core.settings import Settings

_HAS_MORE_RIGHTS = """
    SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls FROM pg_roles WHERE rolname = %s
"""


@dataclass(frozen=True)
class Roles:
    """The names of the two roles that own nothing."""

    app: str
    worker: str


def roles_for(settings: Settings) -> Roles:
    """Name the roles of this installation, by its database unless a prefix is set."""
    prefix = settings.database_role_prefix or _owner_url(settings).database or "workspace"
    return Roles(app=f"{prefix}_app", worker=f"{prefix}_worker")


def app_url(settings: Settings) -> URL:
    """Say where and as whom requests and jobs connect."""
    if settings.database_app_url:
        return _with_driver(settings.database_app_url)
    return _as_role(settings, roles_for(settings).app)


def worker_url(settings: Settings) -> URL:
    """Say where and as whom the sequencer and the job runner connect."""
    if settings.database_worker_url:
        return _with_driver(settings.database_worker_url)
    return _as_role(settings, roles_for(settings).worker)


def plain_url(url: URL) -> str:
    """Write a URL as libpq reads it, password included."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def create_roles(connection: Connection[object], settings: Settings) -> None:
    """Create or refresh the two logins; skipped for those whose URL is given."""
    roles = roles_for(settings)
    if not settings.database_app_url:
        _create_login(connection, roles.app, _password(settings, roles.app))
    if not settings.database_worker_url:
        _create_login(connection, roles.worker, _password(settings, roles.worker))


def _create_login(connection: Connection[object], name: str, password: str) -> None:
    found: Any = connection.execute(_HAS_MORE_RIGHTS, (name,)).fetchone()
    # Only a superuser may say of a role that is there that it is none, so it is said where it is not so.
    rights = "" if found == (False,) else " NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS"
    statement = f"{'ALTER' if found else 'CREATE'} ROLE {{}} LOGIN{rights} PASSWORD {{}}"
    connection.execute(sql.SQL(statement).format(sql.Identifier(name), sql.Literal(password)))


def _as_role(settings: Settings, role: str) -> URL:
    return _owner_url(settings).set(username=role, password=_password(settings, role))


def _password(settings: Settings, role: str) -> str:
    key = settings.secret_key.encode()
    return hmac.new(key, f"database role {role}".encode(), hashlib.sha256).hexdigest()


def _owner_url(settings: Settings) -> URL:
    return _with_driver(settings.database_url)


def _with_driver(url: str) -> URL:
    return make_url(url).set(drivername="postgresql+psycopg")
