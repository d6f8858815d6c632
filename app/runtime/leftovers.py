"""Processes an earlier run left behind: found without doubt, then ended."""

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

PAUSE_SECONDS = 0.03
# The clock may have been set since; a stranger with the same name and number started much later.
START_SECONDS_APART_MAX = 60
PATIENCE = ((signal.SIGINT, 4.0), (signal.SIGQUIT, 2.0), (signal.SIGKILL, 2.0))


@dataclass(frozen=True)
class ProcessLine:
    """What the kernel tells everybody about a process."""

    name: str
    state: str
    parent: int
    started_at: float


def clear_the_way(cluster: Path) -> None:
    """Stop an earlier PostgreSQL on the files of ``cluster``, or forget the one that died.

    After a reboot the number in its pid file may belong to a stranger, which PostgreSQL would take
    for a living server; it would then refuse to start for ever.
    """
    pid_file = cluster / "postmaster.pid"
    with contextlib.suppress(FileNotFoundError):
        if (server := _server_of(pid_file)) is not None:
            _end(pid_file, server)
        pid_file.unlink()


def process_line(pid: int) -> ProcessLine | None:
    """Read ``/proc``; None where the process, or ``/proc``, is not there."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text()
        boot = Path("/proc/stat").read_text().partition("btime ")[2].split()[0]
    except OSError:
        return None
    # The name stands in brackets and may itself hold spaces and brackets.
    name, _, rest = line.partition("(")[2].rpartition(")")
    fields = rest.split()
    started_at = int(boot) + int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return ProcessLine(name, fields[0], int(fields[1]), started_at)


def end_orphans(known: set[int]) -> None:
    """End and bury the children we never started: a dead child's, handed to us by the kernel."""
    me = os.getpid()
    try:
        mine = Path(f"/proc/{me}/task/{me}/children").read_text().split()
    except OSError:
        return
    for pid in set(map(int, mine)) - known:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, os.WNOHANG)


def _server_of(pid_file: Path) -> int | None:
    """The number of the living server that wrote ``pid_file``."""
    lines = pid_file.read_text().splitlines()
    if len(lines) < 3 or not (lines[0].isdigit() and lines[2].isdigit()):
        return None
    process = process_line(int(lines[0]))
    if process is None or process.state == "Z" or process.name != "postgres":
        return None
    apart = abs(process.started_at - int(lines[2]))
    return int(lines[0]) if apart < START_SECONDS_APART_MAX else None


def _end(pid_file: Path, server: int) -> None:
    for how, seconds in PATIENCE:
        with contextlib.suppress(ProcessLookupError):
            os.kill(server, how)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not pid_file.exists() or _server_of(pid_file) is None:
                return
            time.sleep(PAUSE_SECONDS)
