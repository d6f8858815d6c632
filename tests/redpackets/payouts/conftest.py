"""What the tests of payouts share."""

import pytest

from tests.redpackets.payouts.paying import Paying
from tests.redpackets.rewards import Rewards


@pytest.fixture
def paying(rewards: Rewards) -> Paying:
    """Give the test a company with two people of finance."""
    company = rewards.company
    return Paying(
        rewards,
        fay=company.phone("Fay", role="finance"),
        gus=company.phone("Gus", role="finance"),
    )
