"""Become another program: die with the parent, change user if asked, then exec.

Run as a script with ``python -I -S launch.py PARENT SIGNAL IDENTITY PROGRAM ARGUMENT…``. It stands
apart from the parent's code because it must run between fork and exec, where a parent with threads
may not run Python. IDENTITY is one of

- ``same``: stay who we are;
- ``drop:UID:GID:CAPABILITY``: give up root; CAPABILITY (a number, or -1 for none) is kept so that
  a database below a folder only root may enter can still be reached;
- ``map:UID:GID``: a user namespace in which our own user appears as UID.
"""

import ctypes
import os
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
NO_SETUID_FIXUP = 1 << 2
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CLONE_NEWUSER = 0x10000000
CAPABILITY_VERSION_3 = 0x20080522
EXIT_REFUSED = 126


def main(arguments: list[str]) -> None:
    """Prepare this process and replace it; on refusal say why and leave with 126."""
    parent, death_signal, identity, *command = arguments
    try:
        become(identity)
        prove_reach(command[0])
        die_with(int(parent), int(death_signal))
        os.execv(command[0], command)  # noqa: S606 (no shell is the point)
    except OSError as refusal:
        sys.stderr.write(f"cannot run {command[0]} as {identity}: {refusal}\n")
        sys.exit(EXIT_REFUSED)


def become(identity: str) -> None:
    """Take on ``identity``."""
    kind, *numbers = identity.split(":")
    if kind == "drop":
        _drop(*map(int, numbers))
    elif kind == "map":
        _map(*map(int, numbers))


def prove_reach(binary: str) -> None:
    """Enter the working directory and look at ``binary`` again, as who we are now."""
    os.chdir(Path.cwd())
    if not os.access(binary, os.R_OK | os.X_OK):
        raise PermissionError(f"{binary} is out of reach")


def die_with(parent: int, death_signal: int) -> None:
    """Ask the kernel for ``death_signal`` when the parent dies, even by kill -9.

    Where the kernel has no such thing, left-overs are stopped by the next start.
    """
    if sys.platform != "linux":
        return
    _libc_call("prctl", PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        raise ProcessLookupError(f"parent {parent} is gone already")


def _drop(uid: int, gid: int, capability: int) -> None:
    keep = capability >= 0
    if keep:
        # Keeps capabilities over setuid, and lets access(2) respect them, by which PostgreSQL
        # looks for its own binaries.
        _libc_call("prctl", PR_SET_SECUREBITS, NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([gid])
    os.setgid(gid)
    os.setuid(uid)
    if keep:
        _hold_only(capability)
        _libc_call("prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0)


def _hold_only(capability: int) -> None:
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    bit = 1 << capability
    # Two halves of effective, permitted, inheritable; the capabilities we use are below 32.
    sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    _libc_call("capset", ctypes.byref(header), ctypes.byref(sets))


def _map(uid: int, gid: int) -> None:
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    _libc_call("unshare", CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {outer_uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {outer_gid} 1")


def _libc_call(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    # prctl reads machine words; plain ints would be passed as 32 bits.
    words = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in arguments]
    if getattr(libc, name)(*words) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


if __name__ == "__main__":
    main(sys.argv[1:])
