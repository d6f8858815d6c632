"""Building the phone app: only where its sources have changed, and never in the way of everything else."""

import pytest

from app.runtime import web_build
from app.runtime.programs import Options, Site, beside
from app.runtime.web_build import CannotBuildError


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A checkout's ``web/`` in small, built."""
    web = tmp_path / "web"
    (web / "src").mkdir(parents=True)
    (web / "public").mkdir()
    (web / "build").mkdir()
    (web / "src" / "main.ts").write_text("one")
    for name in ("index.html", "vite.config.ts", "package.json", "package-lock.json"):
        (web / name).write_text("{}")
    monkeypatch.setattr(web_build, "WEB", web)
    monkeypatch.setattr(web_build, "BUILT", web / "dist")
    monkeypatch.setattr(web_build, "MODULES", web / "node_modules")
    (web / "dist").mkdir()
    (web / "dist" / "index.html").write_text("the build of yesterday")
    (web / "dist" / web_build.PROOF).write_text(web_build.sources_hash())
    return web


def site(**options) -> Site:
    return Site(
        options=Options(**options),
        ports={"api": 1, "gateway": 2, "push": 3, "rail": 4},
        listener=0,
        database_url="postgresql://nobody@127.0.0.1:1/none",
        redis_url="redis://127.0.0.1:1/0",
        secret_key="secret",
    )


def test_what_is_built_already_is_not_built_again(sources, monkeypatch):
    monkeypatch.setattr(web_build, "find_node", lambda: pytest.fail("nothing is to be built"))
    web_build.build()
    assert beside(site()) == []


@pytest.mark.parametrize("name", ["src/main.ts", "src/new.ts", "index.html", "package-lock.json"])
def test_a_changed_source_asks_for_a_build(sources, name):
    (sources / name).write_text("changed")
    assert not web_build.is_current()
    assert [program.name for program in beside(site())] == ["phone app"]
    assert beside(site(builds_app=False)) == []


def test_a_file_that_moves_changes_the_build(sources):
    (sources / "src" / "main.ts").rename(sources / "src" / "begin.ts")
    assert not web_build.is_current()


def test_an_installation_with_a_build_and_no_sources_needs_no_node(sources):
    (sources / "src" / "main.ts").unlink()
    (sources / "src").rmdir()
    assert web_build.is_current()


def test_a_new_build_keeps_the_files_of_the_one_before_and_no_older_ones(sources, monkeypatch):
    def vite(_command, _node, _name, **_more) -> None:
        assets = sources / "dist.draft" / "assets"
        assets.mkdir(parents=True)
        (assets / f"{(sources / 'src' / 'main.ts').read_text()}.js").write_text("export {}")

    monkeypatch.setattr(web_build, "_run", vite)
    monkeypatch.setattr(web_build, "find_node", lambda: ["node"])
    monkeypatch.setattr(web_build, "install_libraries", lambda _node, _folder: None)
    for text in ("two", "three", "four"):
        (sources / "src" / "main.ts").write_text(text)
        web_build.build()
    kept = (sources / "dist" / web_build.EARLIER).iterdir()
    assert [file.name for file in kept] == ["three.js"]


def test_a_build_that_fails_leaves_the_earlier_one_and_says_why(sources, monkeypatch, capfd):
    (sources / "src" / "main.ts").write_text("two")
    (sources / "node_modules").mkdir()
    monkeypatch.setattr(web_build, "find_node", lambda: ["/bin/false"])
    monkeypatch.setattr(web_build, "_npm", lambda node: node)

    with pytest.raises(CannotBuildError, match="npm ci"):
        web_build.build()
    with pytest.raises(SystemExit, match="the earlier build is served, everything else runs"):
        web_build.main()
    assert (sources / "dist" / "index.html").read_text() == "the build of yesterday"
