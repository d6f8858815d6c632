"""Both embedded servers as one thing, for the supervisor and for tests."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TypeVar

from app.runtime.addresses import free_port, is_free
from app.runtime.child import Child
from app.runtime.datadir import DataDir
from app.runtime.errors import StartRefusedError
from app.runtime.leftovers import clear_the_way
from app.runtime.postgres import EmbeddedPostgres
from app.runtime.valkey import EmbeddedValkey

START_TRIES = 3

Server = TypeVar("Server", EmbeddedPostgres, EmbeddedValkey)


@dataclass(frozen=True)
class EmbeddedServers:
    """A running PostgreSQL and a running Valkey, ended with this process at the latest."""

    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey
    _lock: IO[str]

    @property
    def database_url(self) -> str:
        """The database ``workspace``, as its owner and superuser."""
        return self.postgres.url

    @property
    def redis_url(self) -> str:
        return self.valkey.url

    @property
    def children(self) -> tuple[Child, Child]:
        return (self.postgres.child, self.valkey.child)

    def stop(self) -> None:
        """End both, the database with everything on disk."""
        self.valkey.child.stop()
        self.postgres.child.stop()
        self._lock.close()

    def kill_postgres(self) -> None:
        """End the database as a power cut would."""
        self.postgres.child.kill()

    def restart_postgres(self) -> None:
        """The database back under the same address, all committed data kept."""
        self.postgres.restart()

    def kill_valkey(self) -> None:
        """End Valkey as a power cut would."""
        self.valkey.child.kill()

    def restart_valkey(self) -> None:
        """Valkey back under the same address, empty."""
        self.valkey.restart()


def start(data_dir: Path) -> EmbeddedServers:
    """Bring both servers up below ``data_dir``; refused while another process has them up."""
    data = DataDir(data_dir)
    data.open()
    lock = data.hold("run")
    try:
        return EmbeddedServers(start_postgres(data), start_valkey(data), lock)
    except BaseException:
        lock.close()
        raise


def start_postgres(data: DataDir) -> EmbeddedPostgres:
    """The database of an installation whose lock the caller holds."""
    clear_the_way(data.path / "postgres")
    return _started(data, "postgres", partial(EmbeddedPostgres, data))


def start_valkey(data: DataDir) -> EmbeddedValkey:
    """The Valkey of an installation whose lock the caller holds."""
    return _started(data, "valkey", partial(EmbeddedValkey, data))


def _started(data: DataDir, name: str, make: Callable[[int], Server]) -> Server:
    """Start a server on its port, or on another if somebody was quicker to take that one."""
    for tries_left in reversed(range(START_TRIES)):
        server = make(free_port(data.remembered().get(name)))
        try:
            server.start()
        except StartRefusedError:
            if tries_left == 0 or is_free(server.port):
                raise
        else:
            data.remember({name: server.port})
            return server
    raise AssertionError("the last try either returns or raises")
