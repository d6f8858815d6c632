"""Signing in, staying signed in, and being shut out."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.people import queries, services
from tests.builders.company import API, Company


def sign_in(company: Company, login: str, password: str, tenant: str | None = None):
    body = {"tenant": tenant or company.slug, "login": login, "password": password}
    return company.app.test_client().post(f"{API}/sessions", json=body)


def refresh(company: Company, token: str):
    return company.app.test_client().post(f"{API}/sessions/refresh", json={"refresh_token": token})


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_the_right_password_opens_the_app(company):
    lin = company.person("Lin", password="correct horse")

    reply = sign_in(company, lin.login, "correct horse")

    assert reply.status_code == 201
    me = company.app.test_client().get(f"{API}/me", headers=bearer(reply.json["access_token"]))
    assert me.json["person"]["name"] == "Lin"


def test_a_wrong_password_and_an_unknown_login_get_the_same_answer(company):
    lin = company.person("Lin", password="correct horse")

    wrong, unknown = sign_in(company, lin.login, "guess"), sign_in(company, "nobody", "guess")

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json["code"] == unknown.json["code"] == "people.wrong_password"


def test_after_a_few_wrong_passwords_the_account_waits(company):
    lin = company.person("Lin", password="correct horse")

    answers = [sign_in(company, lin.login, "guess").status_code for _ in range(7)]

    assert answers[:5] == [401] * 5
    assert answers[5:] == [429] * 2
    assert sign_in(company, lin.login, "correct horse").headers["Retry-After"]


def test_a_refresh_token_is_used_once(company, clock):
    lin = company.person("Lin", password="correct horse")
    first = sign_in(company, lin.login, "correct horse").json["refresh_token"]

    second = refresh(company, first)
    clock.move(minutes=5)
    reused = refresh(company, first)

    assert second.status_code == 200
    assert (reused.status_code, reused.json["code"]) == (401, "people.refresh_token_invalid")
    assert refresh(company, second.json["refresh_token"]).status_code == 401


def test_a_refresh_whose_answer_was_lost_is_repeated(company):
    lin = company.person("Lin", password="correct horse")
    first = sign_in(company, lin.login, "correct horse").json["refresh_token"]

    again = [refresh(company, first).json["refresh_token"] for _ in range(3)]

    assert len(set(again)) == 1


def test_an_expired_access_token_is_refused(company, clock):
    phone = company.phone("Lin")
    clock.move(minutes=16)
    assert phone.get("/me").status_code == 401


def test_signing_out_ends_the_token_at_once(company):
    phone = company.phone("Lin")
    assert phone.delete("/sessions/current").status_code == 204
    assert phone.get("/me").json["code"] == "invalid_token"


def test_who_is_shut_out_is_refused_from_the_next_request_on(company):
    phone = company.phone("Lin")
    with company.transaction() as session:
        services.set_active(session, person_id=phone.person.id, active=False)
    assert phone.get("/me").status_code == 401


def test_twenty_refreshes_at_once_have_one_successor(company):
    lin = company.person("Lin", password="correct horse")
    first = sign_in(company, lin.login, "correct horse").json["refresh_token"]

    with ThreadPoolExecutor(8) as phones:
        replies = list(phones.map(lambda _: refresh(company, first), range(20)))

    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.json["refresh_token"] for reply in replies}) == 1


def test_a_lost_phone_is_signed_out_from_another(company):
    lin = company.person("Lin")
    lost, found = company.phone_of(lin), company.phone_of(lin)
    listed = found.get("/sessions").json["items"]
    assert [s["current"] for s in listed].count(True) == 1
    assert [s["device_name"] for s in listed] == ["Phone", "Phone"]

    other = next(s["id"] for s in listed if not s["current"])
    assert found.delete(f"/sessions/{other}").status_code == 204

    assert lost.get("/me").status_code == 401
    assert found.get("/me").status_code == 200


def test_nobody_ends_the_sign_in_of_another(company):
    lin, wu = company.phone("Lin"), company.phone("Wu")
    wu.delete(f"/sessions/{lin.claims.session_id}")
    assert lin.get("/me").status_code == 200


def test_a_push_token_moves_with_the_phone(company):
    lin, wu = company.phone("Lin"), company.phone("Wu")
    token = {"provider": "fcm", "token": "phone-token-1"}
    assert lin.put(f"/devices/{lin.device_id}/push-token", token).status_code == 204
    assert wu.put(f"/devices/{wu.device_id}/push-token", token).status_code == 204

    with company.transaction() as session:
        held = session.scalars(queries.devices_of([lin.person.id, wu.person.id])).all()
    assert [device.person_id for device in held] == [wu.person.id]


def test_a_push_token_cannot_be_put_on_anothers_phone(company):
    lin, wu = company.phone("Lin"), company.phone("Wu")
    reply = wu.put(f"/devices/{lin.device_id}/push-token", {"provider": "fcm", "token": "x"})
    assert reply.status_code == 404


def test_a_sign_in_that_was_not_used_for_a_month_is_over(company, clock):
    lin = company.person("Lin", password="correct horse")
    token = sign_in(company, lin.login, "correct horse").json["refresh_token"]
    clock.move(days=31)

    reply = refresh(company, token)

    assert (reply.status_code, reply.json["code"]) == (401, "people.refresh_token_invalid")


@pytest.mark.parametrize("token", ["x", "not.a.token", "0" * 32 + ".x", "0" * 31, "zz." + "x" * 43])
def test_a_refresh_token_that_we_did_not_give_is_refused(company, token):
    assert refresh(company, token).json["code"] == "people.refresh_token_invalid"
