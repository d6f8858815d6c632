"""Starting: nothing is looked through for garbage meanwhile, and afterwards it is again."""

import gc
import subprocess
import sys
from pathlib import Path

import click
import pytest

from app import cli
from app.core.starting import starting

ROOT = Path(__file__).parents[2]
#: Says what of the business's code was imported for a command.
SAYS_WHAT_IT_NEEDED = """
import sys
from app import cli
cli.main(sys.argv[1:], standalone_mode=False)
print(sorted(name for name in sys.modules if name.endswith((".register", ".routes", ".services"))))
"""


@pytest.fixture(autouse=True)
def _thawed():
    yield
    gc.enable()


def test_nothing_is_collected_while_starting_and_what_stays_is_left_alone():
    before = gc.get_freeze_count()
    with starting():
        assert not gc.isenabled()
        kept = [[number] for number in range(100)]

    assert gc.isenabled()
    assert gc.get_freeze_count() >= before + len(kept)


def test_a_start_that_fails_collects_again():
    with pytest.raises(RuntimeError, match="no database"), starting():
        raise RuntimeError("no database")

    assert gc.isenabled()


def test_a_command_imports_no_more_than_its_subject():
    command = [sys.executable, "-c", SAYS_WHAT_IT_NEEDED, "db", "--help"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "[]"


@pytest.mark.parametrize("subject", cli.SUBJECTS)
def test_every_subject_has_commands(subject):
    context = click.Context(cli.main)
    group = cli.main.get_command(context, subject)
    assert isinstance(group, click.Group)
    assert group.name == subject
    assert group.list_commands(context) != []
