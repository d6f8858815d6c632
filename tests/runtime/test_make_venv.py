"""The virtual environment: made once, made anew when half of it is there, never somebody else's."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from app.runtime import make_venv
from tests.runtime.conftest import ROOT

LIST = "requirements.txt"
# Nothing to fetch: what is looked at here is the environment itself.
NOTHING = "# nothing is needed\n--no-index\n"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one where there was none; that takes longer than everything else here."""
    return made(listed(tmp_path_factory.mktemp("first")))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return listed(tmp_path)


@pytest.fixture
def whole(checkout: Path, first: Path) -> Path:
    """Give the checkout an environment that is there."""
    copied: Path = shutil.copytree(first, checkout / ".venv", symlinks=True)
    return copied


def listed(checkout: Path) -> Path:
    (checkout / LIST).write_text(NOTHING)
    return checkout


def made(checkout: Path) -> Path:
    venv = checkout / ".venv"
    make_venv.main(checkout, venv, [LIST])
    return venv


def test_it_is_made_with_the_proof_of_what_it_holds(first: Path) -> None:
    assert (first / "installed" / LIST).read_text() == NOTHING
    result = subprocess.run([first / "bin" / "python", "-c", ""], check=False)
    assert result.returncode == 0


def test_what_is_whole_is_left_alone(checkout: Path, whole: Path) -> None:
    mine = whole / "something-of-mine"
    mine.touch()
    made(checkout)
    assert mine.exists()


def test_a_changed_list_is_installed_into_what_is_there(checkout: Path, whole: Path) -> None:
    mine = whole / "something-of-mine"
    mine.touch()
    (checkout / LIST).write_text(NOTHING + "# changed\n")
    venv = made(checkout)
    assert mine.exists()
    assert "changed" in (venv / "installed" / LIST).read_text()


def test_half_an_environment_is_made_anew(checkout: Path, whole: Path) -> None:
    (whole / "bin" / "python").unlink()
    (whole / "half").touch()
    made(checkout)
    assert (whole / "bin" / "python").exists()
    assert not (whole / "half").exists()


def test_somebody_elses_folder_is_not_touched(checkout: Path) -> None:
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "thesis.txt").touch()
    with pytest.raises(SystemExit, match="is not an environment of ours"):
        made(checkout)
    assert (checkout / ".venv" / "thesis.txt").exists()


def test_a_machine_without_python_is_told_so(tmp_path: Path) -> None:
    for tool in ("sh", "dirname", "readlink", "cmp"):
        found = next(Path(p, tool) for p in os.defpath.split(":") if Path(p, tool).exists())
        (tmp_path / tool).symlink_to(found)
    result = subprocess.run(
        [str(tmp_path / "sh"), str(ROOT / "bin" / "run")],
        env={"PATH": str(tmp_path), "WORKSPACE_VENV": str(tmp_path / "none")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr.startswith("workspace: Python 3.11 or newer is needed")


def test_an_installed_environment_is_used_at_once_from_any_folder(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to("/bin/echo")
    (venv / "installed").mkdir()
    (venv / "installed" / LIST).write_bytes((ROOT / LIST).read_bytes())
    result = subprocess.run(
        [str(ROOT / "bin" / "run"), "--port", "8123"],
        cwd=tmp_path,
        env={"PATH": os.defpath, "WORKSPACE_VENV": "venv"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "-P -m app.runtime.supervisor --port 8123\n"
