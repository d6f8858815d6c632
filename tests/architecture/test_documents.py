"""Documents: what they say about the code is still so."""

import dataclasses
import re
import subprocess
from pathlib import Path

import pytest

from app.core.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
#: What a build makes is named too, and is not there before the first.
BUILT = {"web/dist"}


def test_every_setting_has_its_line():
    written = (ROOT / "docs" / "settings.md").read_text()
    variables = set(re.findall(r"^\| `(?:WORKSPACE_)?([A-Z_]+)`", written, re.MULTILINE))
    names = {"environment": "ENV"}
    assert variables == {names.get(f.name, f.name.upper()) for f in dataclasses.fields(Settings)}


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 120


def test_every_command_of_the_readme_exists():
    commands = set(re.findall(r"^(bin/[a-z]+)", README, re.MULTILINE))
    assert {"bin/run", "bin/check"} <= commands
    for command in commands:
        assert subprocess.run(["test", "-x", ROOT / command], check=False).returncode == 0, command


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_that_a_document_names_exists(path):
    named = re.findall(
        r"`((?:app|feeds|redpackets|roledata|erp_bridge|demo|tests|migrations|docs|bench|web)/[\w./-]+)`",
        path.read_text(),
    )
    assert [name for name in named if not (ROOT / name).exists() and name not in BUILT] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_between_documents_leads_somewhere(path):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_decisions_are_numbered_and_short():
    files = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [f.name[:4] for f in files] == [f"{i:04}" for i in range(1, len(files) + 1)]
    assert all(len(f.read_text().splitlines()) <= 60 for f in files)


def test_what_ci_runs_is_the_readmes_test_command():
    steps = [
        line
        for line in (ROOT / ".ci" / "run").read_text().splitlines()
        if line.strip() and not line.startswith(("#", "set ", "cd "))
    ]
    assert any("bin/check" in line for line in steps)
