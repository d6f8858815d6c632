"""Commands for operators (``bin/workspace …``).

A subject is imported when it is asked for: bringing a database up to date needs half of what serving does, and every
start waits for it.
"""

import importlib

import click

from app.core.starting import starting

#: By subject, the module that holds a group of this name.
SUBJECTS = {
    "db": "app.commands.database",
    "demo": "app.commands.demo",
    "docs": "app.commands.documents",
    "erp": "app.commands.erp",
    "ledger": "app.commands.ledger",
    "tenant": "app.commands.tenant",
}


class Subjects(click.Group):
    """Knows the subjects by name, and imports the one that is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name every subject."""
        return list(SUBJECTS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a subject; nothing, when there is none of this name."""
        if cmd_name not in SUBJECTS:
            return None
        with starting():
            module = importlib.import_module(SUBJECTS[cmd_name])
        found: click.Command = getattr(module, cmd_name)
        return found


@click.group(cls=Subjects)
def main() -> None:
    """Operate a workspace."""


if __name__ == "__main__":
    main()
