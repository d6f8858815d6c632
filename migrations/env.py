"""Runs migrations as the owner, in one transaction each, giving up quickly on locks."""

from alembic import context
from sqlalchemy import Connection, text

from app.core.db import Base
from app.models import all_models

LOCK_TIMEOUT = "5s"
target_metadata = Base.metadata
assert all_models


def run(connection: Connection) -> None:
    """Run what was asked for on the connection that the caller opened."""
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.commit()
    context.configure(
        connection=connection, target_metadata=target_metadata, transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
