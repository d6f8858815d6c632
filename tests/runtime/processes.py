"""Looking at the machine's processes from outside."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.builders.stream import LOOK_SECONDS, LOOK_SECONDS_MAX

MARK = "WORKSPACE_TEST_MARK"
PATIENCE_SECONDS = 60.0


def processes_of(folder: Path) -> dict[int, str]:
    """Living processes that were started for ``folder``, by number, with their command."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid() and _belongs(entry, folder):
            found[int(entry.name)] = _read(entry / "cmdline").replace(b"\0", b" ").decode()
    return found


def eventually(is_so: Callable[[], object]) -> bool:
    """Whether it comes to be so before patience ends."""
    deadline, pause = time.monotonic() + PATIENCE_SECONDS, LOOK_SECONDS
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(pause)
        pause = min(pause * 1.2, LOOK_SECONDS_MAX)
    return False


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    line = _read(Path(f"/proc/{pid}/stat")).decode()
    return bool(line) and line.rpartition(")")[2].split()[0] != "Z"


def _belongs(entry: Path, folder: Path) -> bool:
    if not is_alive(int(entry.name)):
        return False
    if f"{MARK}={folder}".encode() in _read(entry / "environ").split(b"\0"):
        return True
    # PostgreSQL writes its title over its environment, but lives in its data folder.
    with contextlib.suppress(OSError):
        return (entry / "cwd").readlink().is_relative_to(folder)
    return False


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
