"""The app's own unit tests, run by Node where the app can be built."""

import subprocess

import pytest

from app.runtime import web_build
from app.runtime.web_build import CannotBuildError
from tests.web.conftest import skip_loudly

SECONDS_MAX = 180


@pytest.fixture(scope="module")
def node(built_app: None) -> list[str]:
    """Give Node, with the app's libraries installed by the build."""
    try:
        return web_build.find_node()
    except CannotBuildError as trouble:
        skip_loudly(str(trouble))


def test_the_apps_own_tests_pass(node):
    script = web_build.MODULES / "vitest" / "vitest.mjs"
    if not script.exists():
        skip_loudly("the app's libraries are not installed (web/node_modules)")
    done = subprocess.run(
        [*node, str(script), "run"],
        cwd=web_build.WEB,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4_000:] + done.stderr[-2_000:]
