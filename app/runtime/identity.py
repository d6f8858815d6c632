"""As whom a database server runs: PostgreSQL refuses to be root, so root must lend it a user.

An ordinary user simply stays itself. Root tries, in this order, what the machine allows:
give up root; give up root but keep the right to pass folders only root may enter (a checkout below
``/root``); a user namespace, for containers that know no second user. What is chosen is proved by
running the server's own binary from inside the data folder before anything is created there.
"""

import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.runtime.errors import StartRefusedError

LAUNCH = Path(__file__).with_name("launch.py")
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
LENT_USERS = ("nobody", "daemon", "postgres")


@dataclass(frozen=True)
class Identity:
    """``code`` as ``launch.py`` understands it, and the owner the server's files must have."""

    code: str
    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Hand ``path`` with all below to this identity; a no-op unless root started us."""
        if path.stat().st_uid == self.uid:
            return
        if os.geteuid() != 0:
            raise StartRefusedError(f"{path} belongs to another user; run as its owner or as root.")
        for file in (path, *path.rglob("*")):
            os.chown(file, self.uid, self.gid, follow_symlinks=False)


def myself() -> Identity:
    """Whoever started us."""
    return Identity("same", os.geteuid(), os.getegid())


def launched(identity: Identity, argv: list[str], death_signal: int = signal.SIGTERM) -> list[str]:
    """The command that runs ``argv`` as ``identity`` and ends it when this process ends."""
    python = [sys.executable, "-I", "-S", str(LAUNCH)]
    return [*python, str(os.getpid()), str(int(death_signal)), identity.code, *argv]


def for_database(folder: Path, binary: Path) -> Identity:
    """The first identity under which ``binary`` runs and ``folder`` can be entered."""
    tried = []
    for identity in _candidates(folder):
        if failure := _failure(identity, folder, binary):
            tried.append(f"{identity.code}: {failure}")
        else:
            return identity
    reasons = "; ".join(tried) or "no user to run it as"
    raise StartRefusedError(f"PostgreSQL cannot run from {folder} here ({reasons}).")


def _candidates(folder: Path) -> Iterator[Identity]:
    uid, gid = os.geteuid(), os.getegid()
    if uid != 0 and _has_a_name(uid):
        yield myself()
        return
    lent = _lent_user(folder)
    if lent is None:
        return
    if uid == 0:
        for capability in (-1, CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
            code = f"drop:{lent.pw_uid}:{lent.pw_gid}:{capability}"
            yield Identity(code, lent.pw_uid, lent.pw_gid)
    yield Identity(f"map:{lent.pw_uid}:{lent.pw_gid}", uid, gid)


def _lent_user(folder: Path) -> pwd.struct_passwd | None:
    """The owner of the data where that is not root, so that its files stay its own."""
    owner = folder.stat().st_uid
    if owner != 0 and _has_a_name(owner):
        return pwd.getpwuid(owner)
    known = {user.pw_name: user for user in pwd.getpwall() if user.pw_uid != 0}
    return next((known[name] for name in LENT_USERS if name in known), None)


def _has_a_name(uid: int) -> bool:
    # initdb insists on an entry in the user database.
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _failure(identity: Identity, folder: Path, binary: Path) -> str:
    result = subprocess.run(
        launched(identity, [str(binary), "--version"]),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    if result.returncode == 0:
        return ""
    return (result.stderr.strip().splitlines() or [f"exit {result.returncode}"])[-1]
