"""The app has words for what the server says by a code."""

import re
from pathlib import Path

import pytest

from redpackets.campaigns.notices import REASONS
from redpackets.models import MOVEMENTS
from redpackets.payouts.models import BATCH_STATES, ITEM_STATES, METHODS
from redpackets.rules import TAX_CLASSES
from roledata.catalogue import QUOTA
from roledata.grammar import catalogue

SOURCES = Path(__file__).parents[2] / "web" / "src"
TEXTS = SOURCES / "app" / "texts"
RULES = SOURCES / "campaigns" / "texts.ts"
PAYOUTS = SOURCES / "payouts" / "texts.ts"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_movement_of_the_ledger_has_a_name_in_the_wallet(language):
    written = (TEXTS / f"{language}.ts").read_text()
    (entries,) = re.findall(r"\n  packets: \{.*?\n    entry: \{([^}]*)\}", written, re.DOTALL)
    assert sorted(re.findall(r"(\w+): \"", entries)) == sorted(MOVEMENTS)


@pytest.mark.parametrize(
    ("group", "names"),
    [
        (
            "metric",
            {key for key, metric in catalogue().metrics.items() if metric.measures} - {QUOTA},
        ),
        ("reason", {*REASONS, "other"}),
    ],
)
def test_rules_have_words_for_every_metric_and_every_reason_not_to_fire(group, names):
    both = re.findall(
        rf"\n    {group}: \{{([^}}]*)\}}|[, ]{group}: \{{([^}}]*)\}}", RULES.read_text()
    )
    found = [set(re.findall(r"(\w+): \"", one or other)) for one, other in both]
    assert found == [names, names]


@pytest.mark.parametrize(
    ("group", "names"),
    [("state", BATCH_STATES), ("item", ITEM_STATES), ("tax", TAX_CLASSES), ("ways", METHODS)],
)
def test_payouts_have_words_for_every_state_and_tax_class(group, names):
    both = re.findall(rf"[, ]{group}: \{{([^}}]*)\}}", PAYOUTS.read_text())
    assert [set(re.findall(r"(\w+): \"", one)) for one in both] == [set(names)] * 2
