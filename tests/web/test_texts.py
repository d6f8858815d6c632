"""The app has words for what the server says by a code."""

import re
from pathlib import Path

import pytest

from redpackets.models import MOVEMENTS

TEXTS = Path(__file__).parents[2] / "web" / "src" / "app" / "texts"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_movement_of_the_ledger_has_a_name_in_the_wallet(language):
    written = (TEXTS / f"{language}.ts").read_text()
    (entries,) = re.findall(r"\n  packets: \{.*?\n    entry: \{([^}]*)\}", written, re.DOTALL)
    assert sorted(re.findall(r"(\w+): \"", entries)) == sorted(MOVEMENTS)
