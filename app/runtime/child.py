"""One child process: started, watched, stopped, and never left behind."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from app.runtime import logs
from app.runtime.identity import Identity, launched, myself

KILL_SECONDS = 5.0


def _nothing_to_prepare() -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run, as whom, and which signals end it: gently, at once."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = Path("/")
    identity: Identity = field(default_factory=myself)
    stop_signal: signal.Signals = signal.SIGTERM
    hurry_signal: signal.Signals = signal.SIGKILL
    stop_seconds: float = 5.0
    inherited: Sequence[int] = ()
    before_start: Callable[[], None] = _nothing_to_prepare


class Child:
    """A program and, while it runs, its process."""

    def __init__(self, program: Program, log: Path | None) -> None:
        """``log`` is None for a program that speaks to the person at the terminal."""
        self.program = program
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._swept = True

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def exit_code(self) -> int | None:
        """None while it runs or was never started; minus the signal that killed it."""
        if self._process is None:
            return None
        code = self._process.poll()
        if code is not None:
            self._sweep()
        return code

    def is_running(self) -> bool:
        return self._process is not None and self.exit_code is None

    def start(self) -> None:
        """Run the program in a session of its own, so that Ctrl-C reaches only the supervisor."""
        program = self.program
        program.before_start()
        with self._output() as output:
            self._process = subprocess.Popen(
                launched(program.identity, list(program.argv), program.stop_signal),
                cwd=program.cwd,
                env={**os.environ, **program.env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                start_new_session=True,
                pass_fds=program.inherited,
            )
        self._swept = False

    def signal_stop(self) -> None:
        """Ask it to end; ``finish`` waits."""
        if self._process is not None and self.is_running():
            self._process.send_signal(self.program.stop_signal)

    def finish(self, seconds: float) -> None:
        """Wait ``seconds`` for the end it was asked for, then leave it no choice."""
        if self._process is None:
            return
        for hurry in (self.program.hurry_signal, signal.SIGKILL):
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                self._process.send_signal(hurry)
                seconds = KILL_SECONDS
        self._process.wait()
        self._sweep()

    def stop(self) -> None:
        """End it gently, or else firmly."""
        self.signal_stop()
        self.finish(self.program.stop_seconds)

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._sweep()

    def last_words(self, lines: int = 12) -> list[str]:
        """The end of its log."""
        return logs.tail(self.log, lines) if self.log else []

    def _output(self) -> AbstractContextManager[IO[bytes] | None]:
        if self.log is None:
            return contextlib.nullcontext()
        logs.rotate(self.log)
        return self.log.open("ab")

    def _sweep(self) -> None:
        """End what a dead child left running in its process group.

        Only once, and as soon as its death is seen: later the number may belong to somebody else.
        """
        if self._process is None or self._swept:
            return
        self._swept = True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
