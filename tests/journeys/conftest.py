"""The journeys' ground: the running installation, whole before each, and companies founded inside it."""

from collections.abc import Callable, Iterator

import pytest

from tests.builders.company import Company, Phone
from tests.builders.stream import wait_until
from tests.builders.system import System
from tests.web.conftest import build_app, running_browser
from tests.web.phones import Account, BrowserPhone


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


@pytest.fixture
def on_screen(system: System) -> Iterator[Callable[[Phone], BrowserPhone]]:
    """Open the app in a browser where somebody is signed in on a phone."""
    build_app()
    with running_browser() as browser:
        yield lambda phone: BrowserPhone(browser, Account.of_phone(system.url, phone)).open()
        for shown in [*BrowserPhone.in_hand]:
            shown.close()
