"""Notices that reach people who are not looking, once, and nobody else."""

import dataclasses
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import text

from app.delivery.jobs import PRESENCE, push_persons
from app.factory import create_app
from app.people import services
from tests.builders.stream import wait_until
from tests.delivery.bells import BellRung, ring
from tests.delivery.pushes import KIND, attempts, give_token, received, tell

pytestmark = pytest.mark.usefixtures("push_service")


def token_of(company, phone) -> str | None:
    with company.transaction() as session:
        wanted = text("SELECT push_token FROM people_device WHERE id = :device")
        return session.scalar(wanted, {"device": phone.device_id})


def last_seq(phone) -> int:
    return phone.get("/sync?limit=1").json["head"]


def test_who_is_away_is_pushed_to_at_once(company, phone_with_token):
    lin = phone_with_token("Lin")
    tell(company, lin, seq=1)
    company.settle()

    push = received(lin)[0]
    assert push["notification"] == {"title": "新消息", "body": "请看"}
    assert push["data"].items() >= {"link": "/posts/1", "kind": KIND, "seq": "1"}.items()
    assert push["data"]["notice_id"]
    assert push["android"]["collapse_key"] == push["apns"]["headers"]["apns-collapse-id"]
    assert attempts(company, lin) == [("accepted", 1, None)]


def test_a_push_is_in_the_language_its_reader_chose(company, phone_with_token):
    lin = phone_with_token("Lin")
    assert lin.patch("/me", {"locale": "en"}).status_code == 204
    tell(company, lin)
    company.settle()
    assert received(lin)[0]["notification"] == {"title": "News", "body": "Please look"}
    assert lin.get("/me").json["locale"] == "en"


def test_a_language_without_texts_is_not_taken(phone_with_token):
    lin = phone_with_token("Lin")
    reply = lin.patch("/me", {"locale": "tlh"})
    assert (reply.status_code, list(reply.json["errors"])) == (422, ["locale"])


def test_nobody_outside_the_audience_is_pushed_to(company, other_company, phone_with_token):
    lin, wu = phone_with_token("Lin"), phone_with_token("Wu")
    stranger = other_company.phone("Lin")
    give_token(stranger, f"good-{uuid4()}")

    tell(company, lin)
    company.settle()
    other_company.settle()

    assert [len(received(phone)) for phone in (lin, wu, stranger)] == [1, 0, 0]


def test_whoever_made_it_happen_is_not_pushed_to(company, phone_with_token):
    lin, wu = phone_with_token("Lin"), phone_with_token("Wu")
    tell(company, lin, wu, except_person_id=lin.person.id)
    company.settle()
    assert (len(received(lin)), len(received(wu))) == (0, 1)


def test_the_same_news_told_twice_is_pushed_once(company, phone_with_token):
    lin = phone_with_token("Lin")
    for _ in range(2):
        tell(company, lin, source="the same happening")
        company.settle()
    assert len(received(lin)) == 1


def test_who_is_connected_and_has_it_is_not_pushed_to(company, space, clock, phone_with_token):
    lin = phone_with_token("Lin")
    ring(company, lin)
    company.settle()
    seq = last_seq(lin)
    space.tools[PRESENCE].show([(company.tenant_id, lin.device_id)])

    tell(company, lin, seq=seq)
    company.settle()
    lin.post("/sync/ack", {"seq": seq})
    clock.move(seconds=11)
    company.settle()

    assert received(lin) == []
    assert attempts(company, lin) == []


def test_who_is_connected_but_does_not_get_it_is_pushed_to(company, space, clock, phone_with_token):
    lin = phone_with_token("Lin")
    ring(company, lin)
    company.settle()
    space.tools[PRESENCE].show([(company.tenant_id, lin.device_id)])

    tell(company, lin, seq=last_seq(lin))
    company.settle()
    assert received(lin) == []

    clock.move(seconds=11)
    company.settle()
    assert len(received(lin)) == 1


def test_an_open_socket_holds_a_push_back(company, clock, listen, phone_with_token):
    """The whole way: the gateway says who is present, the phone acknowledges, nothing is pushed."""
    lin = phone_with_token("Lin")
    stream = listen(lin).wait_caught_up()
    ring(company, lin)
    company.settle()
    seq = stream.wait_for(BellRung.kind)[0]["seq"]

    tell(company, lin, seq=seq)
    company.settle()
    stream.send("ack", {"seq": seq})
    wait_until(lambda: company_holds(company, lin) == seq, "the acknowledgement is kept")
    clock.move(seconds=11)
    company.settle()

    assert received(lin) == []


def company_holds(company, phone) -> int | None:
    with company.transaction() as session:
        wanted = text("SELECT seq FROM delivery_device_cursor WHERE device_id = :device")
        return session.scalar(wanted, {"device": phone.device_id})


def test_a_token_that_is_nobodys_is_dropped_at_once(company, phone_with_token):
    gone, moved = phone_with_token("Lin", "unregistered"), phone_with_token("Wu", "mismatch")
    tell(company, gone, moved)
    company.settle()

    assert token_of(company, gone) is None
    assert token_of(company, moved) is None
    assert attempts(company, gone)[0][0] == "failed"


@pytest.mark.parametrize("fate", ["flaky", "quota", "broken"])
def test_a_provider_in_trouble_is_asked_again_later(company, clock, phone_with_token, fate):
    lin = phone_with_token("Lin", fate)
    tell(company, lin)
    company.settle()
    assert [state for state, _, _ in attempts(company, lin)] == ["waiting"]
    assert len(received(lin)) == 1

    clock.move(minutes=1)
    company.settle()

    assert len(received(lin)) == 2
    state, tries, _ = attempts(company, lin)[0]
    assert (state, tries) == ("accepted" if fate == "flaky" else "waiting", 2)
    assert token_of(company, lin) == lin.push_token


def test_a_provider_in_trouble_is_not_asked_for_ever(company, clock, phone_with_token):
    lin = phone_with_token("Lin", "broken")
    tell(company, lin)
    for _ in range(12):
        company.settle()
        clock.move(hours=2)

    assert attempts(company, lin)[0][:2] == ("failed", 6)
    assert len(received(lin)) == 6


def test_a_job_run_twice_sends_once(company, space, phone_with_token):
    lin = phone_with_token("Lin")
    tell(company, lin)
    company.settle()
    with company.transaction() as session:
        notice_id = session.scalar(text("SELECT id FROM delivery_notice"))

    for _ in range(2):
        push_persons(
            space.workbench(),
            tenant_id=str(company.tenant_id),
            notice_id=str(notice_id),
            person_ids=[str(lin.person.id)],
            check=False,
        )

    assert len(received(lin)) == 1


def test_a_claim_whose_holder_died_is_taken_over(company, space, clock, phone_with_token):
    lin = phone_with_token("Lin", "broken")
    tell(company, lin)
    company.settle()
    give_token(lin, f"good-{uuid4()}")
    with company.transaction() as session:
        session.execute(
            text("UPDATE delivery_push_attempt SET state = 'asked', asked_at = :now"),
            {"now": clock()},
        )

    clock.move(seconds=30)
    company.settle()
    assert received(lin) == []
    clock.move(minutes=3)
    company.settle()
    assert len(received(lin)) == 1


def test_who_left_the_audience_in_between_is_not_pushed_to(company, clock, space, phone_with_token):
    unit = company.unit("Sales")
    lin = phone_with_token("Lin", unit_id=unit)
    with company.transaction() as session:
        scope = session.scalar(
            text("SELECT id FROM people_scope WHERE kind = 'unit' AND unit_id = :unit"),
            {"unit": unit},
        )
    space.tools[PRESENCE].show([(company.tenant_id, lin.device_id)])
    tell(company, scope_ids=[scope])
    company.settle()

    with company.transaction() as session:
        services.place_person(session, person_id=lin.person.id, unit_ids=[company.root_id])
    clock.move(seconds=11)
    company.settle()

    assert received(lin) == []


def test_who_was_shut_out_is_not_pushed_to(company, phone_with_token):
    lin = phone_with_token("Lin")
    tell(company, lin)
    with company.transaction() as session:
        services.set_active(session, person_id=lin.person.id, active=False)
    company.settle()
    assert received(lin) == []


def test_a_large_audience_is_taken_page_by_page(company, monkeypatch, phone_with_token):
    monkeypatch.setattr("app.delivery.jobs.PAGE_SIZE", 2)
    phones = [phone_with_token(name) for name in ("Lin", "Wu", "Tan", "Pan", "Qiu")]
    tell(company, *phones)
    company.settle()
    assert [len(received(phone)) for phone in phones] == [1] * 5


class NobodyKnows:
    """Presence while Redis is away."""

    def present(self, places):
        return None


def test_when_nobody_can_tell_who_is_present_the_push_waits(
    company, space, clock, monkeypatch, phone_with_token
):
    lin = phone_with_token("Lin")
    with monkeypatch.context() as away:
        away.setitem(space.tools, PRESENCE, NobodyKnows())
        tell(company, lin)
        company.settle()

    assert received(lin) == []
    clock.move(seconds=11)
    company.settle()
    assert len(received(lin)) == 1


def test_the_inbox_shows_what_came_and_escapes_it(company, phone_with_token):
    lin = phone_with_token("Lin<b>")
    tell(company, lin)
    company.settle()
    page = company.app.test_client().get("/dev/inbox")
    assert page.status_code == 200
    assert "请看" in page.text


@pytest.mark.parametrize("path", ["/dev/pushes", "/dev/inbox"])
def test_in_production_there_is_no_such_inbox(settings, path):
    strict = dataclasses.replace(settings, environment="production", secret_key="a key of its own")
    production: Flask = create_app(strict)
    reply = production.test_client().get(path)
    assert (reply.status_code, reply.json["code"]) == (404, "not_found")
