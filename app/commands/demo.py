"""``bin/workspace demo …``: the companies that ``bin/run`` shows."""

from collections import Counter
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from app import showcase
from app.core import clock
from app.core.composition import workspace
from app.factory import create_app
from app.migrate import upgrade
from app.runtime.installation import installation_settings

DEMO_ZONE = ZoneInfo("Asia/Shanghai")


@click.group()
def demo() -> None:
    """Bring up a company to look at."""


@demo.command()
def seed() -> None:
    """Found the demo company with its ERP; what is there already is kept."""
    settings = installation_settings()
    upgrade(settings)
    space = workspace(create_app(settings))
    today = clock.now().astimezone(DEMO_ZONE).date()
    showcase.show(space, showcase.demo_showcase(settings, today=today), progress=_Counted())


@demo.command()
@click.option(
    "--source", required=True, type=click.Path(path_type=Path, exists=True, file_okay=False)
)
@click.option("--mapping", required=True)
def load(source: Path, mapping: str) -> None:
    """Bring up the company whose files lie in SOURCE."""
    settings = installation_settings()
    upgrade(settings)
    space = workspace(create_app(settings))
    showcase.show(space, showcase.folder_showcase(source, mapping), progress=_Counted())


class _Counted:
    """Says how many rows of each stream came, once it is through."""

    def __init__(self) -> None:
        self._rows: Counter[str] = Counter()

    def __call__(self, stream: str, rows: int) -> None:
        self._rows[stream] += rows
        if rows == 0 and self._rows[stream]:
            click.echo(f"  {stream}: {self._rows[stream]:,} rows")
