"""Make the virtual environment, with the system's Python and nothing but its standard library.

``python make_venv.py ROOT VENV LIST…`` installs the pinned lists of requirements in ROOT. Finding
each package in the index takes most of the time, so that is done by several processes; installing
what they fetched is then one quick step. A copy of each list is left in VENV/installed as the proof
that all of it arrived; an environment of ours without that proof is made anew.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FETCHERS_MAX = 4
MARK = "made-by-workspace"
PROOFS = "installed"
PIP = ("--disable-pip-version-check", "--no-input", "-qq")


def main(root: Path, venv: Path, names: list[str]) -> None:
    """Install ``names`` unless somebody else did while we waited for our turn."""
    venv.parent.mkdir(parents=True, exist_ok=True)
    with venv.with_name(f"{venv.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        proofs = _proofs(venv)
        lists = {name: (root / name).read_bytes() for name in names}
        missing = {name: text for name, text in lists.items() if proofs.get(name) != text}
        if missing:
            _install(venv, missing, proofs)


def _proofs(venv: Path) -> dict[str, bytes]:
    """The lists of which all has arrived."""
    if not _runs(venv):
        return {}
    return {path.name: path.read_bytes() for path in (venv / PROOFS).glob("*")}


def _install(venv: Path, missing: dict[str, bytes], proofs: dict[str, bytes]) -> None:
    if not proofs:
        _make_anew(venv)
    print(f"workspace: installing {', '.join(missing)} into {venv} …", flush=True)
    with tempfile.TemporaryDirectory(prefix="workspace-wheels-") as wheels:
        _fetch(venv, _requirements(missing), Path(wheels))
        # From here on the environment is in between; without its proofs the next start would know.
        shutil.rmtree(venv / PROOFS, ignore_errors=True)
        _install_files(venv, sorted(Path(wheels).iterdir()))
    draft = venv / f"{PROOFS}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    for name, text in {**proofs, **missing}.items():
        (draft / name).write_bytes(text)
    draft.rename(venv / PROOFS)


def _make_anew(venv: Path) -> None:
    if venv.exists() and not (venv / MARK).exists() and any(venv.iterdir()):
        sys.exit(
            f"workspace: {venv} is not an environment of ours; remove it or set WORKSPACE_VENV."
        )
    shutil.rmtree(venv, ignore_errors=True)
    venv.mkdir()
    (venv / MARK).touch()
    pip = ["--without-pip"] if _has_pip() else []
    made = subprocess.run([sys.executable, "-m", "venv", *pip, str(venv)], check=False)
    if made.returncode != 0:
        sys.exit("workspace: this Python cannot make virtual environments (Debian: python3-venv).")


def _requirements(lists: dict[str, bytes]) -> list[str]:
    """The pinned requirements, without comments, options and references to other lists."""
    lines = b"\n".join(lists.values()).decode().splitlines()
    pins = {line.split("#")[0].strip() for line in lines}
    return sorted(pin for pin in pins if pin and not pin.startswith("-"))


def _fetch(venv: Path, requirements: list[str], wheels: Path) -> None:
    count = max(2, min(FETCHERS_MAX, os.cpu_count() or 1))
    shares = [share for n in range(count) if (share := requirements[n::count])]
    options = [*PIP, "--no-deps", "--only-binary", ":all:", "-d", str(wheels)]
    command = [*_pip(venv), "download", *options]
    fetchers = [subprocess.Popen([*command, *share]) for share in shares]
    failures = [fetcher.wait() for fetcher in fetchers]
    if any(failures):
        sys.exit("workspace: not every package could be fetched; see above.")


def _install_files(venv: Path, wheels: list[Path]) -> None:
    options = [*PIP, "--no-deps", "--no-compile", "--no-index"]
    command = [*_pip(venv), "install", *options, *map(str, wheels)]
    if wheels and subprocess.run(command, check=False).returncode != 0:
        sys.exit("workspace: the packages could not be installed; see above.")


def _pip(venv: Path) -> list[str]:
    """The environment's own pip where it has one, else the system's, working for it."""
    python = str(venv / "bin" / "python")
    if (venv / "bin" / "pip").exists():
        return [python, "-m", "pip"]
    return [sys.executable, "-m", "pip", "--python", python]


def _has_pip() -> bool:
    """Whether the system's own pip can install into another environment (22.3 and later)."""
    probe = [sys.executable, "-m", "pip", "--python", sys.executable, "--version"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def _runs(venv: Path) -> bool:
    try:
        result = subprocess.run(
            [str(venv / "bin" / "python"), "-c", ""], capture_output=True, check=False
        )
    except OSError:
        return False
    return result.returncode == 0


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
