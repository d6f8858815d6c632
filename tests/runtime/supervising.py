"""Supervisors and servers of a test, in processes of their own: ``python -m tests.runtime.supervising NAME …``."""

import os
import sys
import time
from pathlib import Path

import psycopg

from app.runtime import embedded
from app.runtime.child import Program
from app.runtime.programs import ROOT, Site
from app.runtime.supervisor import Supervisor, options_from, run_until_signalled


def migrate() -> None:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (word text PRIMARY KEY)")
        connection.execute("INSERT INTO kept VALUES ('lasting') ON CONFLICT DO NOTHING")


def preparations(site: Site) -> list[Program]:
    name = os.environ.get("STAND_IN_PREPARATION", "migrate")
    module = "supervising" if name == "migrate" else "stand_ins"
    return [_program(site, "db upgrade", module, name)]


def programs(site: Site) -> list[Program]:
    api = os.environ.get("STAND_IN_API", "serve")
    return [
        _program(site, "api", "stand_ins", api, str(site.ports["api"])),
        _program(site, "gateway", "stand_ins", "serve", str(site.ports["gateway"])),
        _program(site, "worker", "stand_ins", "sleep"),
    ]


def _program(site: Site, name: str, module: str, *arguments: str) -> Program:
    argv = [sys.executable, "-m", f"tests.runtime.{module}", *arguments]
    return Program(name=name, argv=argv, env=site.env, cwd=ROOT)


def supervise(*arguments: str) -> None:
    options = options_from(["--no-build", *arguments])
    run_until_signalled(
        lambda stop: Supervisor(options, stop=stop, preparations=preparations, kept=programs)
    )


def hold_servers(folder: str) -> None:
    """Start embedded servers, say where, and wait to be killed."""
    servers = embedded.start(Path(folder))
    print(servers.database_url, flush=True)
    time.sleep(600)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
