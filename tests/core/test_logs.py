"""The access log: one line a request, with whose it was and without a secret."""

import dataclasses
import json

import pytest

from app.core import logs
from app.core.composition import workspace
from app.factory import create_app
from tests.builders.company import API


@pytest.fixture
def lines(settings, capsys):
    """Serve with the log on; gives a client and the lines of the requests so far."""
    app = create_app(dataclasses.replace(settings, log_level="INFO"))

    def read():
        logs._access_lines.flush()
        written = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
        return [line for line in written if line["event"] == "request"]

    yield app.test_client(), read
    workspace(app).database.close()
    logs.configure_logs(settings.log_level)


def test_a_request_leaves_a_line_that_names_its_route_and_its_company(lines, company):
    client, read = lines
    headers = {"Authorization": f"Bearer {company.phone('Lin').token}", "X-Request-Id": "tap-1"}
    assert client.get(f"{API}/me?token=abc", headers=headers).status_code == 200
    [line] = read()
    assert line.pop("ms") > 0
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "request",
        "level": "info",
        "method": "GET",
        "request_id": "tap-1",
        "route": f"{API}/me",
        "status": 200,
        "tenant_id": str(company.tenant_id),
    }


def test_strangers_and_unknown_places_leave_lines_too(lines):
    client, read = lines
    client.get("/healthz")
    client.get(f"{API}/nowhere/at-all")
    assert [(line["route"], line["status"]) for line in read()] == [("/healthz", 200), ("-", 404)]


def test_a_secret_in_a_request_id_is_not_written(lines):
    client, read = lines
    client.get("/healthz", headers={"X-Request-Id": "token=verysecret"})
    assert [line["request_id"] for line in read()] == ["token=***"]
