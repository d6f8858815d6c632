"""Tidiness: small files, small functions, known names, a docstring where one is owed."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.spreading import LONG, TOGETHER

ROOT = Path(__file__).parents[2]
PRODUCT = ("app", "feeds", "redpackets", "roledata", "erp_bridge", "demo")
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
FORBIDDEN_NAMES = {"utils.py", "util.py", "helpers.py", "misc.py", "common.py"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


ALL = python_files(*PRODUCT, "tests", "bench", "migrations")


def functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, Function):
            yield node


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_file_is_long():
    long = {name_of(p): n for p in ALL if (n := len(p.read_text().splitlines())) > FILE_LINES_MAX}
    assert {name: n for name, n in long.items() if not name.startswith("migrations/")} == {}


def test_no_function_is_long():
    long = {
        f"{name_of(path)}:{function.name}"
        for path in ALL
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno >= FUNCTION_LINES_MAX
    }
    assert {name for name in long if not name.startswith("migrations/")} == set()


def test_there_is_no_drawer_for_odds_and_ends():
    assert [name_of(p) for p in ALL if p.name in FORBIDDEN_NAMES] == []


def test_every_module_has_a_docstring():
    bare = [
        name_of(p)
        for p in ALL
        if p.read_text().strip() and not ast.get_docstring(ast.parse(p.read_text()))
    ]
    assert bare == []


@pytest.mark.parametrize("file_name", ["services.py", "routes.py", "queries.py"])
def test_every_verb_and_route_and_query_says_what_it_does(file_name):
    bare = [
        f"{name_of(path)}:{function.name}"
        for path in python_files(*PRODUCT)
        if path.name == file_name
        for function in ast.parse(path.read_text()).body
        if isinstance(function, Function)
        and not function.name.startswith("_")
        and not ast.get_docstring(function)
    ]
    assert bare == []


def test_no_test_is_written_that_is_never_run():
    """A function in a test file that asserts is a test, a fixture, or called by one."""
    lost = []
    for path in python_files("tests"):
        if not path.name.startswith("test_"):
            continue
        tree = ast.parse(path.read_text())
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | {
            node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)
        }
        for function in tree.body:
            if isinstance(function, Function) and not function.name.startswith("test_"):
                asserts = any(isinstance(node, ast.Assert) for node in ast.walk(function))
                if asserts and function.name not in used and not function.decorator_list:
                    lost.append(f"{name_of(path)}:{function.name}")
    assert lost == []


def test_services_never_commit_nor_read_the_clock():
    sins = [
        f"{name_of(path)}: {word}"
        for path in python_files(*PRODUCT)
        if path.name in {"services.py", "queries.py", "rules.py"}
        for word in (".commit(", "clock.now(", "datetime.now(", "utcnow(")
        if word in path.read_text()
    ]
    assert sins == []


def test_what_the_test_processes_share_names_what_there_is():
    places = {place for together in TOGETHER.values() for place in together}
    files = [name_of(path) for path in python_files("tests")]
    for place in places | (set(LONG) - set(TOGETHER)):
        assert any(file.startswith(place) for file in files), place
