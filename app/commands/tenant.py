"""``bin/workspace tenant …``: found companies."""

import re

import click

from app.core import clock
from app.core.composition import workspace
from app.factory import create_app
from app.people import services
from app.people.services import NewPerson
from app.runtime.installation import installation_settings

SLUG = re.compile(r"^[a-z0-9][a-z0-9-]{1,38}$")


@click.group()
def tenant() -> None:
    """Found companies."""


@tenant.command()
@click.argument("slug")
@click.option("--name", required=True, help="The company's name.")
@click.option("--operator", required=True, help="The login of its first person, an operator.")
@click.option("--currency", default="CNY", show_default=True)
@click.option("--time-zone", default="Asia/Shanghai", show_default=True)
@click.password_option(help="The operator's password.")
def create(
    slug: str, name: str, operator: str, currency: str, time_zone: str, password: str
) -> None:
    """Found the company SLUG with a root unit and one operator, who sets up the rest."""
    if not SLUG.match(slug):
        raise click.BadParameter(
            "2 to 39 of a-z, 0-9 and -, not beginning with -", param_hint="SLUG"
        )
    space, now = workspace(create_app(installation_settings())), clock.now()
    with space.database.before_sign_in(slug) as session:
        services.create_tenant(
            session, slug=slug, name=name, currency=currency, time_zone=time_zone, now=now
        )
        root = services.add_unit(session, code="root", name=name)
        person = NewPerson(login=operator, name=operator, unit_id=root.id, password=password)
        added = services.add_person(session, person, now=now)
        services.grant_role(session, person_id=added.id, role_key="operator", unit_id=root.id)
    click.echo(f"{name} is founded; {operator} signs in with company {slug}.")
