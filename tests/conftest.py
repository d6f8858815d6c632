"""What all tests share: real servers, a migrated database for each test process, a company for each test.

A company is a tenant of its own, so tests neither clean up nor see each other.
"""

import fcntl
import gc
import os
import shutil
import tempfile
import uuid
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from flask import Flask
from sqlalchemy.engine import make_url

from app.core.composition import Workspace, workspace
from app.core.settings import Settings, load_settings
from app.factory import create_app
from app.migrate import upgrade
from app.runtime import embedded
from tests.builders import adventureworks as real
from tests.builders.clock import MovableClock
from tests.builders.company import Company, found_company
from tests.builders.system import System
from tests.spreading import LongestFirst
from tests.web.phones import BrowserPhone

ROLE_PREFIX = "workspace_test"
#: As many as Redis has unless told otherwise.
REDIS_DATABASES = 16
#: One for each checkout, so that two can be tested at once.
TEMPLATE = f"workspace_test_{zlib.crc32(__file__.encode()):08x}"


def pytest_configure(config: pytest.Config) -> None:
    """Start embedded servers once for the run, before any test process, unless the environment names servers."""
    given = "TEST_DATABASE_URL" in os.environ and "TEST_REDIS_URL" in os.environ
    if given or hasattr(config, "workerinput") or config.option.collectonly:
        return
    folder = tempfile.mkdtemp(prefix="workspace-test-")
    running = embedded.start(Path(folder))
    _spare_the_disk(running.database_url)
    os.environ["TEST_DATABASE_URL"] = running.database_url
    os.environ["TEST_REDIS_URL"] = running.redis_url
    config.add_cleanup(lambda: _stop(running, folder))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Spread the files over the test processes in our order, unless another is asked for."""
    return LongestFirst(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection(session: pytest.Session) -> None:
    """Look for no garbage while all is imported; there is none."""
    gc.disable()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Look for it again, but not among what was imported."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to a failure what each phone shows."""
    report = yield
    if report.failed:
        report.sections += [
            (f"phone of {one.account.name}", one.shown()) for one in BrowserPhone.in_hand
        ]
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say aloud what was not tested for want of something, so that a green run is not mistaken for more than it is."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = {str(report.longrepr[2]) for report in skipped if isinstance(report.longrepr, tuple)}
    for reason in sorted(reason for reason in reasons if "WERE NOT RUN" in reason):
        terminalreporter.write_line(reason.removeprefix("Skipped: "), red=True, bold=True)


def _spare_the_disk(owner_url: str) -> None:
    """A killed server keeps what it wrote without fsync too; only a power cut, which no test makes, needs it."""
    _execute(owner_url, "ALTER SYSTEM SET fsync = off")
    _execute(owner_url, "SELECT pg_reload_conf()")


def _stop(running: embedded.EmbeddedServers, folder: str) -> None:
    running.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def servers() -> tuple[str, str]:
    """Find the PostgreSQL of this run, and a database of Redis of this test process's own: some tests empty it."""
    redis_url = urlsplit(os.environ["TEST_REDIS_URL"])
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    number = (int(redis_url.path.strip("/") or 0) + process) % REDIS_DATABASES
    own = redis_url._replace(path=f"/{number}").geturl()
    return os.environ["TEST_DATABASE_URL"], own


@pytest.fixture(scope="session")
def database_url(servers: tuple[str, str]) -> Iterator[str]:
    """Make a migrated database for this test process."""
    with migrated_database(servers[0]) as url:
        yield url


@contextmanager
def migrated_database(owner_url: str) -> Iterator[str]:
    """Make a migrated database, from a template that is migrated once."""
    name = f"workspace_test_{uuid.uuid4().hex[:12]}"
    with (Path(tempfile.gettempdir()) / "workspace-test-template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _make_template(owner_url)
        _execute(owner_url, f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}"')
    yield _named(owner_url, name)
    _execute(owner_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def settings(
    database_url: str, servers: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """Give this test process settings of its own."""
    return load_settings(
        environment="test",
        database_url=database_url,
        database_role_prefix=ROLE_PREFIX,
        redis_url=servers[1],
        data_dir=tmp_path_factory.mktemp("data"),
        log_level="CRITICAL",
        person_limit="100000 per minute",
    )


@pytest.fixture(scope="session")
def app(settings: Settings) -> Iterator[Flask]:
    """Compose the application once for this test process."""
    made = create_app(settings)
    yield made
    workspace(made).database.close()


@pytest.fixture(scope="session")
def space(app: Flask) -> Workspace:
    """Open the application's shared workspace."""
    return workspace(app)


@pytest.fixture
def clock(space: Workspace) -> Iterator[MovableClock]:
    """Give the test a clock it can move."""
    moved = MovableClock()
    before, space.now = space.now, moved
    yield moved
    space.now = before


@pytest.fixture
def company(app: Flask, space: Workspace, clock: MovableClock) -> Company:
    """Found a fresh company with a root unit and nobody in it."""
    return found_company(app, space, clock)


@pytest.fixture
def other_company(app: Flask, space: Workspace, clock: MovableClock) -> Company:
    """Found a second company, for everything that must not cross."""
    return found_company(app, space, clock)


@pytest.fixture(scope="session")
def running_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Start every process of the product, with nothing in it; all tests of this process that need it share it."""
    system = System(tmp_path_factory.mktemp("system") / "data", "--empty")
    system.start()
    yield system
    assert system.stop() == 0


@pytest.fixture(scope="session")
def adventureworks(app: Flask, space: Workspace) -> real.AdventureWorks:
    """Load a whole real company once for this test process; without the data tests say so and are skipped."""
    if not real.FOLDER.is_dir():
        pytest.skip(real.NOT_FOUND)
    return real.load_adventureworks(found_company(app, space, MovableClock()))


@pytest.fixture
def scratch_database(servers: tuple[str, str]) -> Iterator[str]:
    """Make an empty database, not migrated."""
    name = f"workspace_scratch_{uuid.uuid4().hex[:12]}"
    _execute(servers[0], f'CREATE DATABASE "{name}"')
    yield _named(servers[0], name)
    _execute(servers[0], f'DROP DATABASE "{name}" WITH (FORCE)')


def _make_template(owner_url: str) -> None:
    """Migrate the template anew for each run of the suite; the first test process does it for all."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    with psycopg.connect(owner_url, autocommit=True) as connection:
        made = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
            (TEMPLATE,),
        ).fetchone()
        if made is not None and made[0] == run:
            return
        connection.execute(f'DROP DATABASE IF EXISTS "{TEMPLATE}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{TEMPLATE}"')
        upgrade(
            load_settings(
                database_url=_named(owner_url, TEMPLATE), database_role_prefix=ROLE_PREFIX
            )
        )
        connection.execute(f"COMMENT ON DATABASE \"{TEMPLATE}\" IS '{run}'")


def _execute(owner_url: str, statement: str) -> None:
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(statement)


def _named(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)
