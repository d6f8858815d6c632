"""The phone app as the api serves it: one page for all screens, files for ever, nothing from elsewhere."""

import re
from pathlib import Path

import pytest

from app import page
from app.page import SCREENS
from app.runtime import web_build

ROOT = Path(__file__).parents[2]


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A small build in the place of the real one."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-a1b2c3.js").write_text("console.log('hello')" * 50)
    (tmp_path / "assets" / "index-a1b2c3.js.br").write_bytes(b"brotli")
    (tmp_path / "index.html").write_text("<!doctype html><title>App</title>")
    (tmp_path / "manifest.webmanifest").write_text("{}")
    (tmp_path / "sw.js").write_text("// worker")
    (tmp_path / "build.json").write_text('{"id": "monday"}')
    monkeypatch.setattr(page, "FOLDER", tmp_path)
    page._names.cache_clear()
    yield tmp_path
    page._names.cache_clear()


@pytest.fixture
def browser(app):
    return app.test_client()


def test_every_screen_has_an_address_that_opens_the_app(browser, built):
    addresses = ["/", *(f"/{name}" for name in SCREENS), "/posts/1/reach", "/cards/sales"]
    assert {browser.get(address).text for address in addresses} == {
        "<!doctype html><title>App</title>"
    }


def test_the_server_knows_the_screens_of_the_apps_router():
    router = (ROOT / "web" / "src" / "app" / "router.ts").read_text()
    first_segments = set(re.findall(r'path: "/([\w-]+)', router))
    assert first_segments == set(SCREENS)


def test_a_file_named_by_its_content_is_kept_for_ever_and_all_others_are_asked_for_again(
    browser, built
):
    assert "immutable" in browser.get("/assets/index-a1b2c3.js").headers["Cache-Control"]
    for name in ("/", "/home", "/sw.js", "/build.json", "/manifest.webmanifest"):
        reply = browser.get(name)
        assert reply.headers["Cache-Control"] == "no-cache", name
        tag = reply.headers["ETag"]
        assert browser.get(name, headers={"If-None-Match": tag}).status_code == 304


def test_a_browser_that_takes_brotli_gets_the_compressed_copy(browser, built):
    squeezed = browser.get("/assets/index-a1b2c3.js", headers={"Accept-Encoding": "gzip, br"})
    plain = browser.get("/assets/index-a1b2c3.js")
    assert (squeezed.data, squeezed.headers["Content-Encoding"]) == (b"brotli", "br")
    assert "Content-Encoding" not in plain.headers
    assert plain.data.startswith(b"console")
    assert plain.mimetype == squeezed.mimetype == "text/javascript"


def test_no_script_or_style_from_elsewhere_may_run(browser, built):
    policy = browser.get("/home").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize(
    "name",
    ["/secret.txt", "/assets/../index.html", "/..%2fpyproject.toml", "/%2e%2e/app.py", "/assets/a"],
)
def test_what_is_not_in_the_build_is_not_served(browser, built, name):
    assert browser.get(name).status_code == 404


def test_a_new_build_is_served_without_a_restart(browser, built):
    assert browser.get("/robots.txt").status_code == 404
    (built / "robots.txt").write_text("x")
    (built / "build.json").write_text('{"id": "tuesday"}')
    assert browser.get("/robots.txt").status_code == 200
    assert browser.get("/build.json").json == {"id": "tuesday"}


def test_a_page_of_the_build_before_still_finds_its_screens(browser, built):
    (built / web_build.EARLIER).mkdir()
    (built / web_build.EARLIER / "FeedView-d4e5f6.js").write_text("export {}")
    reply = browser.get("/assets/FeedView-d4e5f6.js")
    assert (reply.status_code, reply.mimetype) == (200, "text/javascript")
    assert browser.get("/earlier/FeedView-d4e5f6.js").status_code == 404


def test_without_a_build_the_page_says_so_and_the_api_works(browser, tmp_path, monkeypatch):
    monkeypatch.setattr(page, "FOLDER", tmp_path / "nowhere")
    reply = browser.get("/")
    assert reply.status_code == 503
    assert "正在构建" in reply.text
    assert "npm" in reply.text
    assert browser.get("/api/openapi.json").status_code == 200
