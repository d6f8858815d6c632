"""``bin/workspace erp rotate-keys``: after the installation's key was changed."""

from collections.abc import Callable, Iterator
from uuid import UUID

import click

from app.core.composition import Workspace
from erp_bridge.rotation import Rotated, rotate_batch


def rotate_keys_command(
    open_workspace: Callable[[], Workspace], tenant_id_of: Callable[[Workspace, str], UUID]
) -> click.Command:
    """The command, for an application that is composed when it runs."""

    @click.command("rotate-keys")
    @click.option("--company", default=None, help="this company alone")
    def rotate_keys(company: str | None) -> None:
        """Seal every secret anew under WORKSPACE_SECRET_KEY; may be cut off and begun again.

        Before it, the key that was in use moves to WORKSPACE_FORMER_SECRET_KEYS; after it, it may go.
        """
        space = open_workspace()
        tenants = [tenant_id_of(space, company)] if company else None
        sealed, unreadable = 0, 0
        for tenant_id in tenants or space.database.tenant_ids(suspended=True):
            for done in _batches(space, tenant_id):
                sealed += done.sources
                unreadable += len(done.unreadable)
                click.echo(f"{tenant_id}: {done.sources} sources sealed anew")
                for name in done.unreadable:
                    click.echo(f"{tenant_id}: {name}", err=True)
        click.echo(f"{sealed} sources were sealed anew.")
        if unreadable:
            raise click.ClickException(
                f"{unreadable} sources cannot be read with any key of this installation: "
                "add the key they were sealed under to WORKSPACE_FORMER_SECRET_KEYS, "
                "or enter their secrets anew."
            )

    return rotate_keys


def _batches(space: Workspace, tenant_id: UUID) -> Iterator[Rotated]:
    after = None
    while True:
        with space.database.transaction(tenant_id) as session:
            done = rotate_batch(
                session, secret_key=space.settings.secret_key, after=after, now=space.now()
            )
        if done.last is None:
            return
        after = done.last
        yield done
