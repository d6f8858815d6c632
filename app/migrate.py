"""Bringing a database up to date: roles first, then the chain of migrations."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from alembic import command
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine
from sqlalchemy.engine import make_url

from app.core.db import Base
from app.core.roles import create_roles, plain_url, roles_for
from app.core.settings import Settings
from app.models import all_models

MIGRATIONS = Path(__file__).parent.parent / "migrations"


def upgrade(settings: Settings, revision: str = "head") -> None:
    """Create the roles and run what is missing; running it again changes nothing."""
    url = make_url(settings.database_url).set(drivername="postgresql+psycopg")
    with psycopg.connect(plain_url(url), autocommit=True) as connection:
        create_roles(connection, settings)
    _run(settings, lambda config: command.upgrade(config, revision))


def downgrade(settings: Settings, revision: str) -> None:
    """Go back to an earlier revision."""
    _run(settings, lambda config: command.downgrade(config, revision))


def draft(settings: Settings) -> str:
    """Write the operations that would bring the database to the models, as a draft of a migration."""
    assert all_models
    options = {"include_name": _is_ours}
    with _owner(settings) as connection:
        context = MigrationContext.configure(connection, opts=options)
        found = produce_migrations(context, Base.metadata)
    assert found.upgrade_ops is not None
    return render_python_code(found.upgrade_ops)


def _run(settings: Settings, act: Callable[[Config], None]) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["roles"] = roles_for(settings)
    with _owner(settings) as connection:
        config.attributes["connection"] = connection
        act(config)


@contextmanager
def _owner(settings: Settings) -> Iterator[Connection]:
    engine = create_engine(make_url(settings.database_url).set(drivername="postgresql+psycopg"))
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Leave out the tables of the job library and of the migration library itself."""
    return kind != "table" or not (name or "").startswith(("procrastinate_", "alembic_"))
