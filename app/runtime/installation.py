"""The settings of an installation on this machine, for commands that run beside ``bin/run``.

What the environment names counts; for the rest, the servers, ports and secrets that ``bin/run`` keeps in its data folder.
"""

import os
from pathlib import Path

from app.core.settings import Settings, load_settings
from app.runtime.datadir import DataDir
from app.runtime.postgres import EmbeddedPostgres
from app.runtime.programs import ROOT
from app.runtime.valkey import EmbeddedValkey

SECRET_FILE = "secret.key"  # noqa: S105 (a file name)


def installation_settings(data_dir: Path | None = None, **overrides: object) -> Settings:
    """Read the settings as the programs of this installation have them."""
    path = data_dir or Path(os.environ.get("WORKSPACE_DATA_DIR", ROOT / "var"))
    data = DataDir(path)
    ports = data.remembered()
    found: dict[str, object] = {"data_dir": path}
    if "DATABASE_URL" not in os.environ and "postgres" in ports:
        found["database_url"] = EmbeddedPostgres(data, ports["postgres"]).url
    if "REDIS_URL" not in os.environ and "valkey" in ports:
        found["redis_url"] = EmbeddedValkey(data, ports["valkey"]).url
    if "WORKSPACE_SECRET_KEY" not in os.environ and (path / SECRET_FILE).exists():
        found["secret_key"] = data.secret(SECRET_FILE)
    return load_settings(**(found | overrides))
