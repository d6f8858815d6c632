"""The demo company stands for a customer's ERP: it knows nothing of the platform that reads it."""

import ast
import sys
from pathlib import Path

DEMO = Path(__file__).parents[2] / "demo"


def test_the_demo_company_imports_nothing_of_the_platform():
    allowed = sys.stdlib_module_names | {"demo", "psycopg"}
    assert _imported() - allowed == set()


def _imported():
    packages = set()
    for source in DEMO.glob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                packages |= {name.name.split(".")[0] for name in node.names}
            if isinstance(node, ast.ImportFrom) and node.module:
                packages.add(node.module.split(".")[0])
    return packages
