"""The phone app in a real browser, against one running installation; where that cannot be, it is said aloud."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import pytest

from app.runtime import web_build
from tests.builders.company import Company
from tests.builders.stream import wait_until
from tests.builders.system import System
from tests.web.phones import Account, BrowserPhone

#: Asked for first, so that where there is no browser or app, no system is started for nothing.
IN_BROWSER = pytest.mark.usefixtures("browser", "built_app")
CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
#: Parts of the browser that nobody looks at here: its address bar alone is two pages, loaded for each phone. The
#: last list of a command line counts, so what Playwright leaves out stands here once more, where it is about our pages.
LEFT_OUT = (
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup"),
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades"),
    *("HttpsFirstBalancedModeAutoEnable", "MediaRouter", "OptimizationHints", "PaintHolding"),
    *("Translate", "ThirdPartyStoragePartitioning", "NetworkTimeServiceQuerying", "LensOverlay"),
)
OPTIONS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    # There is none to be had: the processor would only play its part.
    "--disable-gpu",
    f"--disable-features={','.join(LEFT_OUT)}",
]
NOT_RUN = "TESTS OF THE PHONE APP WERE NOT RUN"
PASSWORD = "plainly-invented-1"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start a browser for a file of tests."""
    with running_browser() as running:
        yield running


@contextmanager
def running_browser() -> Iterator[Any]:
    """Run Debian's Chromium; while it runs, its event loop is this thread's, so not beyond a file of tests."""
    found = chromium()
    if found is None:
        skip_loudly("Chromium is not installed (apt-get install chromium fonts-noto-cjk)")
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - optional on purpose
    except ImportError:
        skip_loudly("the package playwright is not installed (requirements-dev.txt)")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=OPTIONS)
        yield running
        running.close()
        BrowserPhone.in_hand.clear()


@pytest.fixture(scope="session")
def built_app() -> None:
    """Build the phone app where its sources have changed."""
    build_app()


def build_app() -> None:
    """Build the phone app, or say aloud why it cannot be."""
    try:
        web_build.build()
    except web_build.CannotBuildError as trouble:
        skip_loudly(f"the phone app could not be built: {trouble}")


@pytest.fixture(scope="module")
def town(browser: Any, built_app: None, running_system: System) -> Iterator[Company]:
    """Found one company for a file of tests: each has people of its own in a unit of their own."""
    wait_until(running_system.is_ready, "everything is back", 180)
    yield running_system.company()
    running_system.hang_up()


@pytest.fixture(scope="module")
def account_of(running_system: System, town: Company) -> Callable[..., Account]:
    """Give people accounts, signed in."""

    def make(name: str, unit_id: Any = None, **options: Any) -> Account:
        person = town.person(name, unit_id, password=PASSWORD, **options)
        return Account(running_system.url, town.slug, person.login, PASSWORD, name).sign_in()

    return make


@pytest.fixture
def open_phone(
    browser: Any, account_of: Callable[..., Account]
) -> Iterator[Callable[..., BrowserPhone]]:
    """Give people phones with the app open."""
    opened: list[BrowserPhone] = []

    def make(
        name: str, unit_id: Any, *, is_installed: bool = False, **options: Any
    ) -> BrowserPhone:
        account = account_of(name, unit_id, **options)
        opened.append(BrowserPhone(browser, account, is_installed=is_installed))
        return opened[-1].open()

    yield make
    for phone in opened:
        with suppress(Exception):
            phone.close()


def chromium() -> str | None:
    """Find Debian's Chromium, or one like it."""
    return next((path for path in CHROMIUM if Path(path).exists()), None)


def skip_loudly(reason: str) -> NoReturn:
    """Skip; the end of the run says so aloud (``tests/conftest.py``)."""
    pytest.skip(f"{NOT_RUN}: {reason}")
