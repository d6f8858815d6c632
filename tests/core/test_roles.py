"""The two logins that own nothing: made by any owner who may, kept within their rights."""

import secrets

import psycopg
import pytest
from sqlalchemy.engine import make_url

from app.core.roles import create_roles, roles_for
from app.core.settings import load_settings
from app.migrate import upgrade

RIGHTS = (
    "SELECT rolsuper, rolcreaterole, rolbypassrls, rolcanlogin FROM pg_roles WHERE rolname = %s"
)


@pytest.fixture
def superuser(servers):
    with psycopg.connect(servers[0], autocommit=True) as connection:
        yield connection


@pytest.fixture
def owned(superuser, servers):
    """A database whose owner may create roles and is no superuser."""
    owner = f"workspace_scratch_{secrets.token_hex(6)}"
    superuser.execute(f"CREATE ROLE {owner} LOGIN CREATEROLE PASSWORD 'plainly-invented-1'")
    superuser.execute(f"CREATE DATABASE {owner} OWNER {owner}")
    url = make_url(servers[0]).set(username=owner, password="plainly-invented-1", database=owner)
    yield load_settings(
        database_url=url.render_as_string(hide_password=False), database_role_prefix=owner
    )
    superuser.execute(f"DROP DATABASE {owner} WITH (FORCE)")
    for role in (f"{owner}_app", f"{owner}_worker", owner):
        superuser.execute(f"DROP ROLE IF EXISTS {role}")


def test_an_owner_who_is_no_superuser_brings_the_database_up_to_date_again_and_again(
    owned, superuser
):
    for _ in range(2):
        upgrade(owned)
    roles = roles_for(owned)
    for role in (roles.app, roles.worker):
        assert superuser.execute(RIGHTS, (role,)).fetchone() == (False, False, False, True)


def test_a_login_with_more_rights_than_it_should_have_loses_them(owned, servers, superuser):
    role = roles_for(owned).app
    superuser.execute(f"CREATE ROLE {role} SUPERUSER CREATEROLE BYPASSRLS NOLOGIN")
    with (
        psycopg.connect(owned.database_url, autocommit=True) as owner,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        create_roles(owner, owned)
    create_roles(superuser, owned)
    assert superuser.execute(RIGHTS, (role,)).fetchone() == (False, False, False, True)
