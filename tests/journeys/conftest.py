"""The journeys' ground: the running installation, whole before each, and companies founded inside it."""

from collections.abc import Iterator

import pytest

from tests.builders.company import Company
from tests.builders.stream import wait_until
from tests.builders.system import System


@pytest.fixture
def system(running_system: System) -> Iterator[System]:
    """Give a test the running installation, whole again after whatever the last test killed."""
    wait_until(running_system.is_ready, "everything is back", 180)
    yield running_system
    running_system.hang_up()


@pytest.fixture
def town(system: System) -> Company:
    """Found a company in the running installation."""
    return system.company()
