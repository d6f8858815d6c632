"""When a dependency is away: a clear answer, nothing half done, and everything back by itself."""

import pytest

from app.core.composition import workspace
from app.core.settings import load_settings
from app.factory import create_app
from tests.builders.company import API

NOBODY_LISTENS = "127.0.0.1:1"


@pytest.fixture
def without_postgresql(settings):
    away = load_settings(
        **vars(settings)
        | {
            "database_url": f"postgresql://owner:secret@{NOBODY_LISTENS}/gone",
            "database_role_prefix": "",
        }
    )
    app = create_app(away)
    yield app.test_client()
    workspace(app).database.close()


@pytest.fixture
def without_redis(settings):
    app = create_app(load_settings(**vars(settings) | {"redis_url": f"redis://{NOBODY_LISTENS}/0"}))
    yield app
    workspace(app).database.close()


def test_without_postgresql_the_answer_is_try_again_and_names_no_secret(without_postgresql):
    body = {"tenant": "a", "login": "b", "password": "c"}
    reply = without_postgresql.post(f"{API}/sessions", json=body)

    assert (reply.status_code, reply.json["code"]) == (503, "unavailable")
    assert reply.headers["Retry-After"] == "1"
    assert "secret" not in reply.get_data(as_text=True)


def test_without_postgresql_the_process_is_alive_and_not_ready(without_postgresql):
    assert without_postgresql.get("/healthz").status_code == 200
    ready = without_postgresql.get("/readyz")
    assert (ready.status_code, ready.json["dependencies"]["postgresql"]) == (503, "down")


def test_without_redis_everything_answers_and_readiness_says_degraded(without_redis, company):
    phone = company.phone("Lin")
    headers = {"Authorization": f"Bearer {phone.token}"}
    client = without_redis.test_client()

    assert client.get(f"{API}/me", headers=headers).status_code == 200
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json["status"]) == (200, "degraded")


def test_without_redis_wrong_passwords_are_still_counted(without_redis, company):
    lin = company.person("Lin", password="correct horse")
    body = {"tenant": company.slug, "login": lin.login, "password": "guess"}
    client = without_redis.test_client()

    answers = [client.post(f"{API}/sessions", json=body).status_code for _ in range(7)]

    assert answers[-1] == 429
