"""The whole product on one machine, with stand-ins for its programs."""

import os
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from app.runtime.errors import StartRefusedError
from app.runtime.programs import Options
from app.runtime.supervisor import Supervisor, options_from
from tests.runtime.processes import eventually, kill, processes_of
from tests.runtime.running import Running

Supervise = Callable[..., Running]


def test_it_says_where_it_is_and_who_may_sign_in_and_then_that_it_is_ready(
    supervise: Supervise, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    account = '{"tenant": "acme", "login": "li", "password": "p", "role": "owner", "name": "Li"}'
    (tmp_path / "data" / "demo.json").write_text(f"[{account}]")

    running = supervise().until_ready()

    said = "\n".join(running.said)
    assert f"http://127.0.0.1:{running.port}" in said
    assert "acme" in said
    assert running.said[-1] == "ready"


def test_whatever_is_killed_comes_back_behind_the_same_address(supervise: Supervise) -> None:
    running = supervise().until_ready()
    for name in ("api", "gateway"):
        pid = running.pid_of(name)
        kill(pid)
        assert running.comes_back(name, after=pid)

    for command in ("app.runtime.front", "bin/postgres", "valkey-server", "sleep"):
        pid = pid_running(command, running)
        kill(pid)
        assert eventually(lambda: pid_or_none(command, running) not in {None, pid})  # noqa: B023

    assert eventually(lambda: kept_word(running) == "lasting")
    assert running.get("/")["status"] == 200


def test_asked_to_stop_it_leaves_nothing_behind(supervise: Supervise, tmp_path: Path) -> None:
    running = supervise().until_ready()
    running.process.send_signal(signal.SIGINT)
    running.words_at_end()

    assert running.process.returncode == 0
    assert processes_of(tmp_path) == {}


def test_killed_it_takes_everything_with_it(supervise: Supervise, tmp_path: Path) -> None:
    running = supervise().until_ready()
    kill(running.process.pid)
    assert eventually(lambda: not processes_of(tmp_path)), processes_of(tmp_path)

    again = supervise().until_ready()
    assert kept_word(again) == "lasting"


def test_a_port_that_is_taken_is_said_in_one_line(supervise: Supervise) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        running = supervise("--port", str(port))
        words = running.words_at_end()
    assert running.process.returncode == 1
    assert words == (
        f"workspace: Port {port} on 127.0.0.1 cannot be used (Address already in use); "
        "choose another with --port.\n"
    )


def test_a_second_run_on_the_same_data_is_refused(supervise: Supervise) -> None:
    first = supervise().until_ready()
    second = supervise()
    words = second.words_at_end()
    assert second.process.returncode == 1
    assert f"already in use by process {first.process.pid}" in words
    assert first.get("/")["status"] == 200


def test_two_copies_run_side_by_side(supervise: Supervise, tmp_path: Path) -> None:
    first = supervise(data=tmp_path / "one").until_ready()
    second = supervise(data=tmp_path / "two").until_ready()
    assert first.pid_of("api") != second.pid_of("api")


def test_a_database_that_cannot_be_reached_is_named_without_its_secret(
    supervise: Supervise,
) -> None:
    running = supervise(DATABASE_URL="postgresql://owner:hush@127.0.0.1:9/workspace")
    assert running.words_at_end() == ("workspace: DATABASE_URL: 127.0.0.1:9 does not let us in.\n")
    assert running.process.returncode == 1


def test_a_preparation_that_fails_ends_the_start(supervise: Supervise, tmp_path: Path) -> None:
    running = supervise(STAND_IN_PREPARATION="die")
    words = running.words_at_end()
    assert running.process.returncode == 1
    assert "I cannot live like this." in words
    assert words.endswith("workspace: db upgrade failed with exit code 3.\n")
    assert processes_of(tmp_path) == {}


def test_a_program_that_cannot_live_ends_the_start(supervise: Supervise, tmp_path: Path) -> None:
    running = supervise(STAND_IN_API="die")
    words = running.words_at_end()
    assert running.process.returncode == 1
    assert "api | I cannot live like this." in words
    assert processes_of(tmp_path) == {}


def test_a_disk_that_is_nearly_full_is_said_before_anything_starts(tmp_path: Path) -> None:
    nearly_full = Supervisor(
        Options(data=tmp_path), stop=threading.Event(), free_bytes=lambda _: 100 << 20
    )
    with pytest.raises(StartRefusedError, match="nearly full: 100 MB free, 500 MB needed"):
        nearly_full.run()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    supervisor = Supervisor(Options(data=tmp_path / "file" / "data"), stop=threading.Event())
    with pytest.raises(StartRefusedError, match="Cannot write to"):
        supervisor.run()


def test_a_source_needs_its_mapping() -> None:
    with pytest.raises(SystemExit):
        options_from(["--source", "/tmp"])


def test_relative_folders_are_those_of_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "drop").mkdir()
    options = options_from(["--data", "d", "--source", "drop", "--mapping", "adventureworks"])
    assert options.data == tmp_path / "d"
    assert options.source == tmp_path / "drop"
    assert not options.has_demo


def pid_running(command: str, running: Running) -> int:
    pid = pid_or_none(command, running)
    assert pid is not None, command
    return pid


def pid_or_none(command: str, running: Running) -> int | None:
    """The first process of the run whose command names ``command``."""
    for pid, line in sorted(processes_of(running.data.parent).items()):
        if command in line and pid != os.getpid():
            return pid
    return None


def kept_word(running: Running) -> str | None:
    password = (running.data / "postgres.password").read_text()
    port = Running.remembered_port(running.data, "postgres")
    url = f"postgresql://owner:{password}@127.0.0.1:{port}/workspace"
    try:
        with psycopg.connect(url) as connection:
            row = connection.execute("SELECT word FROM kept").fetchone()
    except psycopg.OperationalError:
        return None
    return None if row is None else str(row[0])
