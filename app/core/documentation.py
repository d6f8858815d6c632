"""The API's document: OpenAPI 3.1 from the routes' schemas, and a page that reads it."""

from typing import Any

from flask import Flask, Response, current_app
from flask_smorest import Api
from marshmallow import fields

from app.core.fields import WireSchema
from app.core.http import Routes, public, raw_answer

DOCUMENT = "workspace_document"


class FieldErrorOut(WireSchema):
    """One field's error."""

    code = fields.String()
    text = fields.String()


class ProblemOut(WireSchema):
    """Any refusal, RFC 9457."""

    type = fields.String()
    title = fields.String()
    status = fields.Integer()
    detail = fields.String()
    code = fields.String(metadata={"description": "stable, such as redpackets.sold_out"})
    errors = fields.Dict(keys=fields.String(), values=fields.Nested(FieldErrorOut))
    request_id = fields.String()


class DocumentedApi(Api):  # type: ignore[misc]  # flask-smorest brings no types
    """flask-smorest's document with our problem shape; the handlers are ours."""

    ERROR_SCHEMA = ProblemOut

    def _register_error_handlers(self) -> None:
        """Leave error handling to ``app.core.problems``."""


docs = Routes("docs", __name__, prefix="/api")


@docs.get("/openapi.json")
@public
@docs.gives(200)
def read_document() -> Response:
    """Give the API's document, OpenAPI 3.1."""
    return raw_answer(current_app.extensions[DOCUMENT].spec.to_dict())


@docs.get("/docs")
@public
def read_docs() -> Response:
    """Show the API's document as a page."""
    return Response(_PAGE, mimetype="text/html")


def register_documentation(app: Flask) -> DocumentedApi:
    """Collect the routes' schemas; packages register their routes with the API that is returned."""
    app.config |= {
        "API_TITLE": "Workspace",
        "API_VERSION": "1",
        "OPENAPI_VERSION": "3.1.0",
    }
    made = DocumentedApi(app, spec_kwargs=_security())
    app.extensions[DOCUMENT] = made
    return made


def _security() -> dict[str, Any]:
    bearer = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    return {
        "components": {"securitySchemes": {"bearer": bearer}},
        "security": [{"bearer": []}],
    }


_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>Workspace API</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1d2530}
h2{margin-top:2rem;border-bottom:1px solid #d8dee8}summary{cursor:pointer;padding:.35rem 0}
code{font-family:ui-monospace,monospace}b{display:inline-block;min-width:4.5rem}
pre{background:#f3f5f8;padding:.75rem;overflow:auto;border-radius:6px}</style>
<h1>Workspace API</h1><p>The document: <a href="/api/openapi.json">/api/openapi.json</a> (OpenAPI 3.1).</p>
<main id="list">…</main><script src="/api/docs.js"></script></html>"""


@docs.get("/docs.js")
@public
def read_docs_script() -> Response:
    """Give the script of the page, apart so that no inline script is needed."""
    return Response(_SCRIPT, mimetype="text/javascript")


_SCRIPT = """
const list = document.getElementById('list');
const add = (parent, tag, text) => {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  return parent.appendChild(made);
};
fetch('/api/openapi.json').then(answer => answer.json()).then(spec => {
  list.textContent = '';
  const groups = {};
  for (const [path, verbs] of Object.entries(spec.paths))
    for (const [verb, operation] of Object.entries(verbs)) {
      if (!operation.responses) continue;
      (groups[(operation.tags || ['other'])[0]] ||= []).push([verb, path, operation]);
    }
  for (const [name, operations] of Object.entries(groups)) {
    add(list, 'h2', name);
    for (const [verb, path, operation] of operations) {
      const row = add(list, 'details'), head = add(row, 'summary');
      add(head, 'b', verb.toUpperCase());
      add(head, 'code', path);
      add(head, 'span', ' — ' + (operation.summary || ''));
      add(row, 'pre', JSON.stringify({parameters: operation.parameters, body: operation.requestBody,
        responses: operation.responses}, null, 2));
    }
  }
  const shapes = add(list, 'details');
  add(shapes, 'summary', 'Shapes');
  add(shapes, 'pre', JSON.stringify(spec.components, null, 2));
});
"""
