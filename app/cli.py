"""Commands for operators (``bin/workspace …``)."""

import click

from app.commands.database import db
from app.commands.demo import demo
from app.commands.documents import docs
from app.commands.erp import erp
from app.commands.ledger import ledger
from app.commands.tenant import tenant


@click.group()
def main() -> None:
    """Operate a workspace."""


for group in (db, demo, docs, erp, ledger, tenant):
    main.add_command(group)

if __name__ == "__main__":
    main()
