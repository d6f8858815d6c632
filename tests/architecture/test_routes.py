"""Routes: each says who may call, each is documented, and strangers are refused at all of them."""

import re

import pytest

from app.core.http import ACCESS, PUBLIC, SIGNED_IN
from app.people.rules import PERMISSIONS

#: What anybody may call, each with its reason.
OPEN = {
    "people.open_session": "signing in",
    "people.refresh_session": "the refresh token is the proof",
    "health.healthz": "for the machine that watches",
    "health.readyz": "for the machine that watches",
    "health.metrics": "for the machine that watches; not through the proxy",
    "docs.read_document": "the API's document",
    "docs.read_docs": "the API's document",
    "docs.read_docs_script": "the API's document",
    "erp_hooks.receive_hook": "the signature is the proof; 202 whatever comes",
}


def rules(app):
    return [
        rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.split(".")[0] not in {"client", "dev"}
    ]


def access_of(app, rule) -> str:
    return getattr(app.view_functions[rule.endpoint], ACCESS)


def filled(rule) -> str:
    """Fill a rule's parameters with ids that exist nowhere."""
    path = re.sub(r"<uuid:[^>]+>", "01890000-0000-7000-8000-000000000000", rule.rule)
    return re.sub(r"<[^>]+>", "x", path)


def test_what_anybody_may_call_is_listed_with_its_reason(app):
    found = {rule.endpoint for rule in rules(app) if access_of(app, rule) == PUBLIC}
    assert found == set(OPEN)


def test_every_permission_asked_for_is_in_the_catalogue(app):
    asked = {access_of(app, rule) for rule in rules(app)} - {PUBLIC, SIGNED_IN}
    assert asked <= PERMISSIONS


def test_every_closed_route_refuses_a_stranger(app):
    client = app.test_client()
    for rule in rules(app):
        if access_of(app, rule) == PUBLIC:
            continue
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            reply = client.open(filled(rule), method=method)
            assert (reply.status_code, reply.json["code"]) == (401, "invalid_token"), (
                method,
                rule.rule,
            )


def test_no_route_answers_a_nonsense_id_with_a_server_error(app, company):
    phone = company.phone("Lin", role="owner")
    headers = {"Authorization": f"Bearer {phone.token}", "Idempotency-Key": "nonsense"}
    for rule in rules(app):
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            if rule.endpoint in {"health.metrics", "people.end_session"}:
                continue
            reply = app.test_client().open(filled(rule), method=method, headers=headers, json={})
            assert reply.status_code < 500, (method, rule.rule, reply.get_data(as_text=True)[:300])


def test_the_document_describes_every_route(app):
    paths = app.test_client().get("/api/openapi.json").json["paths"]
    for rule in rules(app):
        if rule.endpoint.startswith("docs."):
            continue
        documented = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        assert documented in paths, rule.rule


@pytest.mark.parametrize("path", ["/api/docs", "/api/docs.js"])
def test_the_documents_page_is_there(app, path):
    assert app.test_client().get(path).status_code == 200
