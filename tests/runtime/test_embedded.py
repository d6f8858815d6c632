"""Real servers out of wheels: kept data, kept addresses, nothing left behind."""

import os
import pwd
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.runtime import embedded
from app.runtime.child import Child, Program
from app.runtime.datadir import DataDir
from app.runtime.embedded import EmbeddedServers
from app.runtime.errors import StartRefusedError
from app.runtime.identity import Identity, for_database
from app.runtime.leftovers import clear_the_way
from tests.runtime.conftest import ROOT
from tests.runtime.processes import MARK, eventually, kill, processes_of

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def test_the_database_keeps_what_it_promises(servers: EmbeddedServers) -> None:
    settings = {
        name: value(servers, f"SHOW {name}")
        for name in ("fsync", "synchronous_commit", "data_checksums", "server_encoding")
    }
    assert settings == {
        "fsync": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "server_encoding": "UTF8",
    }


def test_nobody_gets_in_without_the_password(servers: EmbeddedServers) -> None:
    place = f"postgresql://owner@127.0.0.1:{servers.postgres.port}/workspace"
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(place)
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=servers.valkey.port, retry=Retry(NoBackoff(), 0)).ping()


def test_secrets_are_for_their_owner_only(servers: EmbeddedServers) -> None:
    folder = servers.postgres.child.log
    assert folder is not None
    files = [folder.parents[1] / name for name in ("postgres.password", "valkey.password")]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_killed_database_comes_back_on_its_port_with_its_data(servers: EmbeddedServers) -> None:
    execute(servers, "CREATE TABLE before AS SELECT 42 AS answer")
    address = servers.database_url

    servers.kill_postgres()
    servers.restart_postgres()

    assert servers.database_url == address
    assert value(servers, "SELECT answer FROM before") == 42


def test_a_killed_valkey_comes_back_on_its_port(servers: EmbeddedServers) -> None:
    address = servers.redis_url
    servers.kill_valkey()
    servers.restart_valkey()

    assert servers.redis_url == address
    with redis.Redis.from_url(address) as client:
        assert client.ping()


def test_after_a_reboot_the_pid_file_may_name_a_stranger(servers: EmbeddedServers) -> None:
    servers.kill_postgres()
    pid_file = cluster_of(servers) / "postmaster.pid"
    written = pid_file.read_text().split("\n", 1)[1]
    pid_file.write_text(f"{os.getpid()}\n{written}")

    servers.restart_postgres()

    assert value(servers, "SELECT 1") == 1


def test_an_earlier_database_that_still_lives_makes_way(servers: EmbeddedServers) -> None:
    clear_the_way(cluster_of(servers))
    assert eventually(lambda: not servers.postgres.child.is_running())

    servers.restart_postgres()
    assert value(servers, "SELECT 1") == 1


def test_a_second_start_on_the_same_folder_is_refused(servers: EmbeddedServers) -> None:
    with pytest.raises(StartRefusedError, match=f"in use by process {os.getpid()}"):
        embedded.start(cluster_of(servers).parent)


def test_stopping_leaves_no_process_and_a_second_start_finds_its_data(tmp_path: Path) -> None:
    first = embedded.start(tmp_path)
    execute(first, "CREATE TABLE kept ()")
    first.stop()
    assert eventually(lambda: not processes_of(tmp_path))

    second = embedded.start(tmp_path)
    try:
        assert second.database_url == first.database_url
        assert value(second, "SELECT count(*) FROM kept") == 0
    finally:
        second.stop()


def test_a_port_taken_meanwhile_is_given_up_for_another(tmp_path: Path) -> None:
    first = embedded.start(tmp_path)
    first.stop()
    with socket.create_server(("127.0.0.1", first.postgres.port)):
        second = embedded.start(tmp_path)
        try:
            assert second.postgres.port != first.postgres.port
            assert value(second, "SELECT 1") == 1
        finally:
            second.stop()


def test_half_a_cluster_is_made_again(tmp_path: Path) -> None:
    half = tmp_path / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")

    servers = embedded.start(tmp_path)
    try:
        assert value(servers, "SELECT 1") == 1
    finally:
        servers.stop()


def test_the_servers_die_with_the_process_that_started_them(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-m", "tests.runtime.supervising", "hold_servers", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, MARK: str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert urlsplit(holder.stdout.readline()).scheme == "postgresql"
        kill(holder.pid)

    assert eventually(lambda: not processes_of(tmp_path)), processes_of(tmp_path)


@as_root
def test_root_lends_the_database_a_user(servers: EmbeddedServers) -> None:
    pid = servers.postgres.child.pid
    assert Path(f"/proc/{pid}").stat().st_uid != 0
    assert cluster_of(servers).stat().st_uid == Path(f"/proc/{pid}").stat().st_uid


@as_root
def test_root_can_use_a_folder_that_only_root_may_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    servers = embedded.start(closed / "data")
    try:
        assert value(servers, "SELECT 1") == 1
    finally:
        servers.stop()


@as_root
def test_the_owner_of_the_folder_is_who_runs_it(tmp_path: Path) -> None:
    owner = next(user for user in pwd.getpwall() if user.pw_uid not in {0, 65534})
    os.chown(tmp_path, owner.pw_uid, owner.pw_gid)
    assert for_database(tmp_path, Path("/bin/true")).uid == owner.pw_uid


def test_a_user_namespace_hides_root(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    mapped = Identity(f"map:{nobody.pw_uid}:{nobody.pw_gid}", os.geteuid(), os.getegid())
    child = Child(
        Program(name="id", argv=["/usr/bin/id", "-u"], identity=mapped), tmp_path / "id.log"
    )
    child.start()
    eventually(lambda: not child.is_running())
    if child.exit_code != 0:
        pytest.skip(f"this kernel lends no user namespaces: {child.last_words(1)}")
    assert child.last_words() == [str(nobody.pw_uid)]


@pytest.fixture
def folder_of_nobody() -> Iterator[Path]:
    nobody = pwd.getpwnam("nobody")
    folder = Path(tempfile.mkdtemp(prefix="workspace-nobody-"))
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    yield folder
    shutil.rmtree(folder)


@as_root
def test_an_ordinary_user_can_run_them(folder_of_nobody: Path) -> None:
    code = "import sys; from pathlib import Path; from app.runtime import embedded;"
    code += "servers = embedded.start(Path(sys.argv[1])); servers.stop(); print('stopped')"
    try:
        result = subprocess.run(
            [sys.executable, "-c", code, str(folder_of_nobody)],
            cwd=ROOT,
            user="nobody",
            extra_groups=(),
            env={"PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    except PermissionError:
        pytest.skip(f"{sys.executable} is not for other users")
    assert result.stdout == "stopped\n", result.stderr


def execute(servers: EmbeddedServers, statement: str) -> None:
    with psycopg.connect(servers.database_url) as connection:
        connection.execute(statement)


def value(servers: EmbeddedServers, question: str) -> object:
    with psycopg.connect(servers.database_url) as connection:
        row = connection.execute(question).fetchone()
    assert row is not None
    return row[0]


def cluster_of(servers: EmbeddedServers) -> Path:
    log = servers.postgres.child.log
    assert log is not None
    return log.parents[1] / "postgres"


def test_a_port_that_somebody_was_quicker_to_take_is_given_up_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = DataDir(tmp_path / "data")
    data.open()
    with socket.create_server(("127.0.0.1", 0)) as quicker:
        offered = iter([quicker.getsockname()[1], embedded.free_port()])
        monkeypatch.setattr(embedded, "free_port", lambda _remembered: next(offered))
        server = embedded.start_valkey(data)
    try:
        assert server.is_ready()
        assert data.remembered()["valkey"] == server.port
    finally:
        server.child.stop()
