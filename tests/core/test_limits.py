"""Everybody's limit: counted for each caller, said in the answer, and kept while Redis is away."""

import dataclasses

import pytest

from app.core.composition import workspace
from app.factory import create_app
from tests.builders.company import API
from tests.builders.stream import wait_until

LIMIT = 5


@pytest.fixture(params=["redis", "no redis"])
def limited(request, settings):
    changes = {"person_limit": f"{LIMIT} per minute"}
    if request.param == "no redis":
        changes["redis_url"] = "redis://127.0.0.1:1/0"
    app = create_app(dataclasses.replace(settings, **changes))
    yield app.test_client()
    workspace(app).database.close()


def test_the_sixth_request_of_a_minute_is_refused_and_says_for_how_long(limited, company):
    headers = {"Authorization": f"Bearer {company.phone('Lin').token}"}
    other = {"Authorization": f"Bearer {company.phone('Zhao').token}"}
    replies = [limited.get(f"{API}/me", headers=headers) for _ in range(LIMIT + 1)]

    assert [reply.status_code for reply in replies] == [200] * LIMIT + [429]
    left = [int(reply.headers["X-RateLimit-Remaining"]) for reply in replies]
    assert left == [4, 3, 2, 1, 0, 0]
    assert replies[-1].json["code"] == "too_many_requests"
    assert 1 <= int(replies[-1].headers["Retry-After"]) <= 60
    assert "Retry-After" not in replies[0].headers
    assert limited.get(f"{API}/me", headers=other).status_code == 200
    assert limited.get("/healthz").headers.get("X-RateLimit-Limit") is None


def test_who_goes_from_process_to_process_is_counted_in_all_of_them(settings, company):
    changes = {"person_limit": f"{LIMIT} per minute"}
    apps = [create_app(dataclasses.replace(settings, **changes)) for _ in range(2)]
    headers = {"Authorization": f"Bearer {company.phone('Lin').token}"}

    def ask(app):
        return app.test_client().get(f"{API}/me", headers=headers).status_code

    assert [ask(apps[0]) for _ in range(LIMIT)] == [200] * LIMIT
    ask(apps[1])
    wait_until(lambda: ask(apps[1]) == 429, "the other process has heard")
    assert ask(apps[0]) == 429
    for app in apps:
        workspace(app).database.close()
