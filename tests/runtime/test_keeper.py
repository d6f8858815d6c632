"""Children: kept alive, ended whole, never alone."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.runtime import logs
from app.runtime.child import Child, Program
from app.runtime.errors import StartRefusedError
from app.runtime.keeper import (
    DEATHS_BEFORE_READY_MAX,
    PAUSE_SECONDS_MAX,
    STEADY_SECONDS,
    Keeper,
    StoppedError,
    Watched,
)
from tests.runtime.processes import eventually, is_alive, kill


class Scene:
    """A keeper, and what it said."""

    def __init__(self, folder: Path) -> None:
        self.stop = threading.Event()
        self.said: list[str] = []
        self.keeper = Keeper(self.said.append, stop=self.stop)
        self._folder = folder

    def child(self, name: str, code: str) -> Child:
        program = Program(name=name, argv=[sys.executable, "-c", code], stop_seconds=1)
        return Child(program, self._folder / f"{name}.log")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    yield scene
    scene.keeper.stop(scene.keeper.names, 5)


SLEEP = "import time; time.sleep(600)"
FAMILY = "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); print(p.pid, flush=True); p.wait()"
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"


def test_a_child_that_is_killed_comes_back(scene: Scene) -> None:
    child = scene.child("worker", SLEEP)
    scene.keeper.start(child)
    first = child.pid
    assert first is not None
    kill(first)

    scene.keeper.wait_until(lambda: child.pid != first and child.is_running())
    assert scene.said[0] == "worker ended (signal 9) and is started again"


def test_the_last_words_of_the_dead_are_passed_on(scene: Scene) -> None:
    scene.keeper.start(scene.child("worker", "import sys; sys.exit('no key')"))
    scene.keeper.wait_until(lambda: len(scene.said) >= 2)
    assert scene.said[:2] == [
        "worker ended (exit code 1) and is started again",
        "  worker | no key",
    ]


def test_the_pauses_grow_up_to_a_limit_and_shrink_after_a_steady_time() -> None:
    watched = Watched(Child(Program(name="x", argv=["x"]), None), started_at=0)
    pauses = []
    for _ in range(10):
        watched.died(now=1)
        assert watched.again_at is not None
        pauses.append(watched.again_at - 1)
    assert pauses == sorted(pauses)
    assert pauses[-1] == PAUSE_SECONDS_MAX

    watched.died(now=STEADY_SECONDS + 1)
    assert watched.again_at == pytest.approx(STEADY_SECONDS + 1 + pauses[0])


def test_a_child_that_keeps_dying_ends_the_start(scene: Scene) -> None:
    scene.keeper.start(scene.child("api", "raise SystemExit(3)"))

    def patience_ends() -> bool:
        scene.keeper.refuse_the_restless()
        return False

    with pytest.raises(StartRefusedError, match="api keeps dying"):
        scene.keeper.wait_until(patience_ends)
    assert sum("exit code 3" in line for line in scene.said) == DEATHS_BEFORE_READY_MAX


def test_a_dead_child_leaves_no_family(scene: Scene) -> None:
    child = scene.child("api", FAMILY)
    child.start()
    assert eventually(child.last_words)
    grandchild = int(child.last_words()[0])

    child.kill()
    assert eventually(lambda: not is_alive(grandchild))


def test_who_does_not_listen_is_ended_all_the_same(scene: Scene) -> None:
    child = scene.child("worker", STUBBORN)
    scene.keeper.start(child)
    assert eventually(lambda: child.last_words() == ["up"])

    scene.keeper.stop(["worker"], 0.1)
    assert child.exit_code == -9
    assert scene.keeper.names == []


def test_a_preparation_must_end_well(scene: Scene) -> None:
    scene.keeper.run_once(scene.child("db upgrade", "pass"))
    with pytest.raises(StartRefusedError, match="demo seed failed with exit code 4"):
        scene.keeper.run_once(scene.child("demo seed", "raise SystemExit(4)"))


def test_a_wish_to_stop_interrupts_a_preparation(scene: Scene) -> None:
    child = scene.child("demo seed", SLEEP)
    threading.Timer(0.3, scene.stop.set).start()
    with pytest.raises(StoppedError):
        scene.keeper.run_once(child)
    assert not child.is_running()


def test_large_logs_are_put_away_and_few_are_kept(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    for generation in range(6):
        with log.open("w") as file:
            file.write(f"{generation}\n")
            file.truncate(logs.ROTATE_BYTES)
        logs.rotate(log)
    kept = {path.name: path.read_bytes()[:1] for path in tmp_path.iterdir()}
    assert kept == {"api.log.1": b"5", "api.log.2": b"4", "api.log.3": b"3"}


def test_small_logs_stay_and_their_end_is_read(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_text("".join(f"line {number}\n" for number in range(10_000)))
    logs.rotate(log)
    assert logs.tail(log, 2) == ["line 9998", "line 9999"]
