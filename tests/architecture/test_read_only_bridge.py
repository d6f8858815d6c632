"""The bridge reads: no connector holds a statement or a verb that writes, but for what acts on approvals."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.test_tidy import ROOT, Function, name_of, python_files

CONNECTORS = python_files("erp_bridge/connectors")
#: Functions that may write, or try to: the probes that a check wants refused, and a person's own decision.
MAY_WRITE = re.compile(r"write_probes|_?act(_\w+)?").fullmatch
WRITE_STATEMENT = re.compile(
    r"^\W*(INSERT|UPDATE|DELETE|MERGE|REPLACE|TRUNCATE|CREATE|ALTER|DROP|GRANT|REVOKE|EXEC|CALL|DO|COPY)\b\s",
    re.IGNORECASE,
)
#: The calls that are made with POST and read all the same, by the last part of their path or their method.
READING_POSTS = {
    "erp_bridge/connectors/kingdee_client.py": "ExecuteBillQuery",
    "erp_bridge/connectors/odata_sign_in.py": "client_credentials",
    "erp_bridge/connectors/odoo.py": "search_read",
    "erp_bridge/connectors/tryton.py": "get_access",
}
ODOO_METHODS = {"context_get", "fields_get", "has_access", "search_read"}
READING_VERBS = {"GET", "HEAD"}


def outside_of_acts(path: Path) -> Iterator[ast.AST]:
    """Every node of a module, but for what stands in a function that may write."""
    waiting: list[ast.AST] = [ast.parse(path.read_text())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Function) and MAY_WRITE(node.name):
            continue
        yield node
        waiting.extend(ast.iter_child_nodes(node))


def docstrings(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    kinds = (ast.Module, ast.ClassDef, *Function.__args__)
    return {
        node.body[0].value.value
        for node in ast.walk(tree)
        if isinstance(node, kinds) and ast.get_docstring(node)
    }


def texts(path: Path) -> Iterator[str]:
    told = docstrings(path)
    for node in outside_of_acts(path):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value not in told
        ):
            yield node.value


def is_http(node: ast.AST) -> bool:
    """Whether a node is a call of our door to HTTP: ``self._http.ask(…)`` or ``self.http.ask(…)``."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "ask"
        and isinstance(node.func.value, ast.Attribute)
        and node.func.value.attr in {"_http", "http"}
    )


def asks(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """(verb, call) of every request that a connector makes; a verb that is not written out is none that reads."""
    for node in outside_of_acts(path):
        if is_http(node):
            assert isinstance(node, ast.Call)
            first = node.args[0]
            yield str(first.value) if isinstance(first, ast.Constant) else "?", node


def test_no_connector_writes_a_statement_that_writes():
    found = [
        f"{name_of(path)}: {text[:60]}"
        for path in CONNECTORS
        for text in texts(path)
        if WRITE_STATEMENT.match(text)
    ]
    assert found == []


def test_the_probes_of_the_check_are_found_where_they_may_be():
    """The search itself works: without its exemption it finds the probes."""
    dialects = ROOT / "erp_bridge" / "connectors" / "dialects.py"
    everything = ast.walk(ast.parse(dialects.read_text()))
    found = [
        node.value
        for node in everything
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and WRITE_STATEMENT.match(node.value)
    ]
    assert len(found) >= 3


def test_connectors_ask_by_verbs_that_read():
    verbs = {(name_of(path), verb) for path in CONNECTORS for verb, _ in asks(path)}
    assert {verb for _, verb in verbs} - READING_VERBS <= {"POST"}
    assert {name for name, verb in verbs if verb == "POST"} == set(READING_POSTS)
    for name, read in READING_POSTS.items():
        assert read in (ROOT / name).read_text(), name


def test_nothing_is_sent_as_a_write_outside_of_an_act():
    sent = [
        name_of(path)
        for path in CONNECTORS
        for _, call in asks(path)
        for keyword in call.keywords
        if keyword.arg == "is_read"
    ]
    assert sent == []


def test_odoo_is_asked_by_methods_that_read():
    path = ROOT / "erp_bridge" / "connectors" / "odoo.py"
    called = {
        node.args[1].value
        for node in outside_of_acts(path)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "_call"
        and isinstance(node.args[1], ast.Constant)
    }
    assert called == ODOO_METHODS


def test_connectors_speak_http_by_one_door():
    """Trust, hosts, budgets and limits are kept there: nothing else opens a connection of its own."""
    doors = {"http.py", "egress.py"}
    speaking = [
        name_of(path)
        for path in CONNECTORS
        if path.name not in doors
        and re.search(
            r"^\s*(import|from) (httpx|httpcore|requests|urllib\.request|socket|http\.client)\b",
            path.read_text(),
            re.MULTILINE,
        )
    ]
    assert speaking == []
