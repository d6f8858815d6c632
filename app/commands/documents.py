"""``bin/workspace docs …``: write the documents that are made from the code."""

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import click

from app import factory
from app.core.documentation import DOCUMENT
from app.core.errors import Refusal
from app.core.settings import load_settings
from app.core.texts import FIELD_TEXTS
from app.runtime import web_build
from app.runtime.front import FULL, STARTING, TOO_SLOW

ERRORS_FILE = Path(__file__).parents[2] / "docs" / "api" / "errors.md"
WEB = Path(__file__).parents[2] / "web"
TYPES_FILE = WEB / "src" / "api" / "types.ts"
HEAD = """# Error codes

Every refusal is `application/problem+json` with one of these codes; texts follow `Accept-Language` (zh-CN by
default). Written by `bin/workspace docs errors`; a test holds it to the code.

| code | status | 中文 | English |
| --- | --- | --- | --- |
"""
FIELDS_HEAD = """
## Field errors

In `errors` of a 422, by the path of the field.

| code | 中文 | English |
| --- | --- | --- |
"""

FRONT_HEAD = """
## From the front of `bin/run`

| code | status | 中文 | English |
| --- | --- | --- | --- |
"""


@click.group()
def docs() -> None:
    """Write the documents that are made from the code."""


@docs.command()
def errors() -> None:
    """Write docs/api/errors.md."""
    ERRORS_FILE.parent.mkdir(parents=True, exist_ok=True)
    ERRORS_FILE.write_text(error_table())
    click.echo(f"Wrote {ERRORS_FILE.name}.")


@docs.command("client-types")
def client_types() -> None:
    """Write the phone app's types of the API (needs Node and the libraries of web/package-lock.json)."""
    document = workspace_document()
    draft = WEB / "openapi.json"
    draft.write_text(json.dumps(document))
    tool = WEB / "node_modules" / "openapi-typescript" / "bin" / "cli.js"
    node = web_build.find_node()
    options = ["--properties-required-by-default", "--alphabetize", "-o", str(TYPES_FILE)]
    command = [*node, str(tool), str(draft), *options]
    subprocess.run(command, check=True, cwd=WEB)  # noqa: S603 - our own tool
    draft.unlink()
    TYPES_FILE.write_text(f"// document: {document_hash(document)}\n{TYPES_FILE.read_text()}")
    click.echo(f"Wrote {TYPES_FILE.name}.")


def workspace_document() -> dict[str, Any]:
    """Give the API's document as the server gives it."""
    made = factory.create_app(load_settings(log_level="CRITICAL"))
    document: dict[str, Any] = made.extensions[DOCUMENT].spec.to_dict()
    return document


def document_hash(document: dict[str, Any]) -> str:
    """Say a document in one hash; the order of its parts does not matter."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def error_table() -> str:
    """Make the table of every refusal and field error that the composed application can give."""
    assert factory, "importing the factory imports every package"
    rows = [
        f"| `{kind.code}` | {kind.status} | {kind.texts.zh} | {kind.texts.en} |"
        for kind in sorted(_refusals(Refusal), key=lambda kind: kind.code)
    ]
    fields = [f"| `{code}` | {t.zh} | {t.en} |" for code, t in sorted(FIELD_TEXTS.items())]
    front = [f"| `{r.code}` | {r.status} | {r.zh} | {r.en} |" for r in (STARTING, FULL, TOO_SLOW)]
    parts = [HEAD, *rows, FIELDS_HEAD, *fields, FRONT_HEAD, *front]
    return "\n".join(part.removesuffix("\n") for part in parts) + "\n"


def _refusals(base: type[Refusal]) -> set[type[Refusal]]:
    found = {kind for kind in base.__subclasses__() if not kind.__module__.startswith("tests")}
    return found | {deeper for kind in found for deeper in _refusals(kind)}
