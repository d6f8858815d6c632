"""What the tests of oversight share."""

import pytest

from tests.redpackets.oversight.giving import Giving, giving
from tests.redpackets.rewards import Rewards


@pytest.fixture
def gifts(rewards: Rewards) -> Giving:
    """Give the test a company whose people give, and an auditor."""
    return giving(rewards)
