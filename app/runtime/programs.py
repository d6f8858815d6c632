"""The table of programs: what runs, with which arguments, and what is run once before.

To change what is started, change the tables in ``preparations`` and ``programs``, nothing else.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from app.core.places import PLACES
from app.runtime import web_build
from app.runtime.child import Program

ROOT = Path(__file__).resolve().parents[2]
LOOPBACK_PORTS = ("api", "gateway", "push", "rail")
#: Several times as many as work at once (``app/core/places.py``): in a rush most wait for a commit of them all.
API_THREADS = 6 * PLACES
RAIL_ENDPOINT = "WORKSPACE_RAIL_ENDPOINT"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the person who starts the product may choose."""

    host: str = "127.0.0.1"
    port: int = 8000
    data: Path = ROOT / "var"
    workers: int = 1
    is_empty: bool = False
    source: Path | None = None
    mapping: str | None = None
    #: Build the phone app where its sources have changed; without, it is served as it is.
    builds_app: bool = True

    @property
    def url(self) -> str:
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::", ""} else self.host  # noqa: S104
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def has_demo(self) -> bool:
        return not self.is_empty and self.source is None


@dataclass(frozen=True, kw_only=True)
class Site:
    """Everything the tables need to know about this start."""

    options: Options
    ports: Mapping[str, int]
    listener: int
    database_url: str
    redis_url: str
    secret_key: str

    @property
    def env(self) -> dict[str, str]:
        """The settings every program gets."""
        return {
            "WORKSPACE_ENV": "demo",
            "WORKSPACE_DATA_DIR": str(self.options.data),
            "WORKSPACE_PUBLIC_URL": self.options.url,
            "WORKSPACE_SECRET_KEY": self.secret_key,
            "WORKSPACE_FCM_ENDPOINT": f"http://127.0.0.1:{self.ports['push']}",
            "WORKSPACE_GATEWAY_PORT": str(self.ports["gateway"]),
            "WORKSPACE_PUSH_PORT": str(self.ports["push"]),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "DEMO_ERP_URL": demo_erp_url(self.database_url),
            "PYTHONUNBUFFERED": "1",
        } | self._rail_env

    @property
    def _rail_env(self) -> dict[str, str]:
        """The demo pays over a rail that pays nobody, unless the environment names another."""
        if not self.options.has_demo or RAIL_ENDPOINT in os.environ:
            return {}
        return {RAIL_ENDPOINT: f"http://127.0.0.1:{self.ports['rail']}"}


def demo_erp_url(database_url: str) -> str:
    """Say where the demo company's own ERP is: beside our database, as another one."""
    url = make_url(database_url)
    made = url.set(drivername="postgresql", database=f"{url.database}_erp")
    return made.render_as_string(hide_password=False)


def preparations(site: Site) -> list[Program]:
    """Run in this order, each to its good end, at every start: each knows what is done already."""
    options = site.options
    # The companies' commands bring the database up to date themselves: one process starts sooner than two.
    rows: list[tuple[str, list[str]]] = [("db upgrade", ["app.cli", "db", "upgrade"])]
    if options.source is not None:
        source = ["app.cli", "demo", "load", "--source", str(options.source)]
        rows = [("demo load", [*source, "--mapping", str(options.mapping)])]
    elif options.has_demo:
        rows = [("demo seed", ["app.cli", "demo", "seed"])]
    return [_python(site, name, arguments) for name, arguments in rows]


def beside(site: Site) -> list[Program]:
    """Run beside all others, each to its end; a bad end is told and refuses nothing."""
    if not site.options.builds_app or web_build.is_current():
        return []
    return [_python(site, "phone app", ["app.runtime.web_build"])]


def programs(site: Site) -> list[Program]:
    """Kept running, started in this order and stopped in the reverse."""
    rows: list[tuple[str, list[str]]] = [
        ("push", ["app.runtime.push_inbox"]),
        ("api", _granian(site)),
        ("gateway", ["app.runtime.gateway"]),
        ("worker", ["app.runtime.worker"]),
    ]
    if site.options.has_demo:
        rows.append(("demo", ["demo.live"]))
        rows.append(("rail", ["redpackets.payouts.fake_rail", str(site.ports["rail"])]))
    return [_python(site, name, arguments) for name, arguments in rows]


def front(site: Site) -> Program:
    """The public port; started before and stopped after all others, so that it always answers."""
    arguments = [
        *("app.runtime.front", "--listener", str(site.listener)),
        *("--api", str(site.ports["api"]), "--gateway", str(site.ports["gateway"])),
    ]
    return _python(site, "front", arguments, inherited=(site.listener,))


def _granian(site: Site) -> list[str]:
    return [
        *("granian", "--interface", "wsgi", "--http", "1", "--no-ws"),
        *("--host", "127.0.0.1", "--port", str(site.ports["api"])),
        *("--workers", str(site.options.workers), "--blocking-threads", str(API_THREADS)),
        *("--respawn-failed-workers", "--workers-kill-timeout", "4"),
        *("--http1-header-read-timeout", "10000", "wsgi:app"),
    ]


def _python(
    site: Site, name: str, arguments: Sequence[str], inherited: tuple[int, ...] = ()
) -> Program:
    argv = [sys.executable, "-m", *arguments]
    return Program(name=name, argv=argv, env=site.env, cwd=ROOT, inherited=inherited)
