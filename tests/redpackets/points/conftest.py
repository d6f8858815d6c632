"""What the tests of points share."""

import pytest

from tests.redpackets.points.pointing import Pointing, pointing
from tests.redpackets.rewards import Rewards


@pytest.fixture
def points(rewards: Rewards) -> Pointing:
    """Give the test a company that rewards with points."""
    return pointing(rewards)
