"""What the tests of red packets share."""

from collections.abc import Iterator

import pytest

from app.core.composition import Workspace
from redpackets.entrance import TOOL
from tests.builders.company import Company
from tests.redpackets.faults import SEEDS, hurried
from tests.redpackets.rewards import Rewards, rewarding


def pytest_configure(config: pytest.Config) -> None:
    """Name the mark of tests of faults and races."""
    config.addinivalue_line("markers", "fault: tried many times, from seeds, if asked for")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try a test of a fault as often as it is asked for, each time from a seed of its own (see ``faults``)."""
    if metafunc.definition.get_closest_marker("fault"):
        if "seed" not in metafunc.fixturenames:
            metafunc.fixturenames.append("seed")
        metafunc.parametrize("seed", SEEDS, indirect=True)


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> Iterator[int]:
    """Say the round's seed, by which the threads of the test race."""
    with hurried(request.param):
        yield request.param


@pytest.fixture
def rewards(company: Company) -> Rewards:
    """Give the test a company that rewards."""
    return rewarding(company)


@pytest.fixture(params=["gate", "database"])
def way_in(request: pytest.FixtureRequest, space: Workspace) -> Iterator[str]:
    """Run the test past the gate, and again with the gate off: the answers are the same."""
    entrance = space.tools[TOOL]
    before, entrance.is_open = entrance.is_open, request.param == "gate"
    yield request.param
    entrance.is_open = before
