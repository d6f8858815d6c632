"""``bin/workspace db …``: look after the database's schema."""

import click

from app import migrate
from app.runtime.installation import installation_settings


@click.group()
def db() -> None:
    """Look after the database's schema."""


@db.command()
def upgrade() -> None:
    """Create roles and run the migrations that are missing."""
    migrate.upgrade(installation_settings())
    click.echo("The database is up to date.")


@db.command()
@click.argument("revision")
def downgrade(revision: str) -> None:
    """Go back to REVISION."""
    migrate.downgrade(installation_settings(), revision)


@db.command()
def draft() -> None:
    """Print the operations that would bring the database to the models."""
    click.echo(migrate.draft(installation_settings()))
