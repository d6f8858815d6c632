"""Servers and supervisors of a test's own, below a temporary folder, never left running."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.runtime import embedded
from app.runtime.addresses import free_port
from app.runtime.datadir import REMEMBERED
from app.runtime.embedded import EmbeddedServers
from tests.runtime.processes import MARK, eventually, processes_of
from tests.runtime.running import Running

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServers]:
    """Embedded servers shared by the tests of one file."""
    running = embedded.start(tmp_path_factory.mktemp("servers"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def prepared_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose stores have run once, to be copied: setting a database up takes seconds."""
    folder = tmp_path_factory.mktemp("prepared") / "data"
    embedded.start(folder).stop()
    (folder / REMEMBERED).unlink()
    return folder


@pytest.fixture
def supervise(tmp_path: Path, prepared_data: Path) -> Iterator[Callable[..., Running]]:
    """Start the supervisor with stand-ins for the product's programs."""
    started: list[Running] = []

    def start(*arguments: str, data: Path | None = None, **env: str) -> Running:
        port = free_port()
        folder = data or tmp_path / "data"
        if not folder.exists():
            subprocess.run(["cp", "-a", prepared_data, folder], check=True)
        command = [sys.executable, "-m", "tests.runtime.supervising", "supervise"]
        inherited = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
        process = subprocess.Popen(
            [*command, "--port", str(port), "--data", str(folder), *arguments],
            cwd=ROOT,
            env={**inherited, MARK: str(tmp_path), **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(Running(process, port, folder))
        return started[-1]

    yield start
    for running in started:
        running.process.send_signal(signal.SIGTERM)
        running.process.communicate(timeout=60)
    assert eventually(lambda: not processes_of(tmp_path)), processes_of(tmp_path)
