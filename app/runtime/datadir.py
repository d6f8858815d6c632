"""The data folder of one installation: who holds it, its secrets, and what it remembers."""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from app.runtime.errors import StartRefusedError

FREE_BYTES_MIN = 500 * 1024 * 1024
REMEMBERED = "runtime.json"


class DataDir:
    """DATA: everything an installation keeps, below one folder that can be moved as a whole."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    def open(self, *, free_bytes: Callable[[Path], int] | None = None) -> None:
        """Make the folder, or say why it cannot be used."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            probe = self.path / f".writable-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError as refusal:
            raise StartRefusedError(
                f"Cannot write to {self.path}: {refusal.strerror}."
            ) from refusal
        free = (free_bytes or _free_bytes)(self.path)
        if free < FREE_BYTES_MIN:
            raise StartRefusedError(
                f"The disk of {self.path} is nearly full: {free >> 20} MB free, "
                f"{FREE_BYTES_MIN >> 20} MB needed."
            )

    def hold(self, name: str) -> IO[str]:
        """Take the lock ``name`` until the returned file is closed or this process ends."""
        file = (self.path / f"{name}.lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise StartRefusedError(
                f"{self.path} is already in use by process {holder}; "
                "stop it first or choose another --data."
            ) from held
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        return file

    def secret(self, name: str) -> str:
        """The secret kept in file ``name``, made on first use; only its owner may read it."""
        path = self.path / name
        if not path.exists():
            draft = path.with_suffix(".draft")
            draft.unlink(missing_ok=True)
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(32))
            draft.rename(path)
        return path.read_text().strip()

    def remembered(self) -> dict[str, int]:
        """Ports chosen at an earlier start, by name; empty where nothing sensible is kept."""
        try:
            kept = json.loads((self.path / REMEMBERED).read_text())
        except (OSError, ValueError):
            return {}
        ports = kept.items() if isinstance(kept, dict) else ()
        return {name: port for name, port in ports if isinstance(port, int)}

    def remember(self, ports: Mapping[str, int]) -> None:
        """Keep ``ports`` besides what is remembered already."""
        draft = self.path / f"{REMEMBERED}.draft"
        draft.write_text(json.dumps(self.remembered() | dict(ports), indent=2, sort_keys=True))
        draft.rename(self.path / REMEMBERED)

    def log(self, name: str) -> Path:
        """The log file of child ``name``."""
        folder = self.path / "logs"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder / f"{name}.log"


def _free_bytes(path: Path) -> int:
    return shutil.disk_usage(path).free
