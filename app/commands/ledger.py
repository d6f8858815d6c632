"""``bin/workspace ledger …``: prove the ledger, and the heads to hand to somebody outside."""

import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import click
from sqlalchemy.orm import Session

from app.core.composition import workspace
from app.core.work import Database
from app.factory import create_app
from app.runtime.installation import installation_settings
from redpackets import chain
from redpackets.chain_checks import HandedHead, heads_not_found
from redpackets.verification import verify_ledger

#: A check of a large ledger takes longer than any request may.
STATEMENT_SECONDS = 600


@click.group()
def ledger() -> None:
    """Prove the ledger."""


@ledger.command()
@click.option(
    "--heads",
    "heads_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Heads as `ledger heads` printed them before; the chain of today must still hold them.",
)
@click.option("--company", "tenant_id", type=click.UUID, help="This company alone, by its id.")
def verify(heads_file: Path | None, tenant_id: UUID | None) -> None:
    """Recompute every company's balances and chain from its journal; exits with 1 and names what does not hold."""
    handed = _read_heads(heads_file.read_text()) if heads_file else {}
    broken = _visit(tenant_id, lambda session, visited: _verify(session, visited, handed))
    sys.exit(1 if broken else 0)


@ledger.command()
@click.option("--days", default=chain.HEADS_MAX, help="How many days back.")
@click.option("--company", "tenant_id", type=click.UUID, help="This company alone, by its id.")
def heads(days: int, tenant_id: UUID | None) -> None:
    """Print every company's daily heads and the head of now: company, day, position, hash."""
    _visit(tenant_id, lambda session, visited: _print_heads(session, visited, days))


def _visit(only: UUID | None, act: Callable[[Session, UUID], int]) -> int:
    """Act in every company, or in one, one after another, and add up what comes of it."""
    space = workspace(create_app(installation_settings()))
    space.database.close()
    database = Database(space.settings, statement_seconds=STATEMENT_SECONDS)
    try:
        total = 0
        for tenant_id in [only] if only else database.tenant_ids():
            with database.transaction(tenant_id) as session:
                total += act(session, tenant_id)
        return total
    finally:
        database.close()


def _verify(session: Session, tenant_id: UUID, handed: dict[UUID, list[HandedHead]]) -> int:
    found = verify_ledger(session)
    lost = heads_not_found(session, handed.get(tenant_id, []))
    holds = found.holds and not lost
    click.echo(f"{tenant_id}: {'holds' if holds else 'does not hold'}")
    for deviation in found.deviations:
        click.echo(f"  {deviation}")
    for head, instead in lost:
        click.echo(f"  position {head.position} was {head.hash_hex} when handed out, is {instead}")
    for alert in found.alerts:
        click.echo(f"  alert: {alert}")
    return len(found.deviations) + len(lost)


def _print_heads(session: Session, tenant_id: UUID, days: int) -> int:
    for head in session.scalars(chain.heads(before=None, limit=days)):
        click.echo(f"{tenant_id} {head.day} {head.position} {head.hash.hex()}")
    now = chain.read_head(session)
    if now.position:
        click.echo(f"{tenant_id} now {now.position} {now.hash.hex()}")
    return 0


def _read_heads(written: str) -> dict[UUID, list[HandedHead]]:
    """Read the lines of ``ledger heads`` by company."""
    heads: dict[UUID, list[HandedHead]] = {}
    for number, line in enumerate(written.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            tenant_id, _, position, hash_hex = line.split()
            head = HandedHead(position=int(position), hash_hex=hash_hex)
            heads.setdefault(UUID(tenant_id), []).append(head)
        except ValueError as error:
            raise click.ClickException(f"line {number} of the heads cannot be read") from error
    return heads
