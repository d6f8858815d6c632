"""Phones that listen: what they hear, what they do not, and where they go on."""

import pytest
from sqlalchemy import text

from app.core.events import record
from app.people import services
from app.people.audiences import AudienceScope, resolve_audience
from tests.builders.stream import refusal_of, wait_until
from tests.delivery.bells import BellRung, bells, ring

pytestmark = pytest.mark.usefixtures("numbering")


def test_a_listening_phone_hears_what_happens(company, listen):
    lin = company.phone("Lin")
    stream = listen(lin).wait_caught_up()

    ring(company, lin, times=3)

    frame = stream.wait_for(BellRung.kind)[0]
    assert frame["data"] == {"times": 3}
    assert set(frame) == {"n", "seq", "kind", "ref", "version", "data"}


def test_nobody_outside_the_audience_hears_it(company, other_company, listen):
    lin, wu, stranger = company.phone("Lin"), company.phone("Wu"), other_company.phone("Lin")
    streams = [listen(phone).wait_caught_up() for phone in (lin, wu, stranger)]

    ring(company, lin, times=1)
    streams[0].wait_for(BellRung.kind)
    # What is told to all of them afterwards shows that the others had their chance.
    ring(company, wu, times=2)
    ring(other_company, stranger, times=3)
    for stream in streams:
        stream.wait_for(BellRung.kind)

    assert [bells(stream.frames) for stream in streams] == [[1], [2], [3]]


def test_frames_are_counted_for_each_connection(company, listen):
    lin = company.phone("Lin")
    stream = listen(lin).wait_caught_up()
    for times in range(5):
        ring(company, lin, times=times)
    stream.wait_for(BellRung.kind, 5)

    assert [frame["n"] for frame in stream.frames] == list(range(1, len(stream.frames) + 1))
    assert stream.seqs == sorted(set(stream.seqs))


def test_a_phone_goes_on_where_it_was(company, listen):
    lin = company.phone("Lin")
    first = listen(lin).wait_caught_up()
    ring(company, lin, times=1)
    first.wait_for(BellRung.kind)
    first.close()
    for times in (2, 3):
        ring(company, lin, times=times)

    again = listen(lin, after=first.last, epoch=first.caught_up[0]["epoch"])
    again.wait_for(BellRung.kind, 2)
    ring(company, lin, times=4)
    again.wait_for(BellRung.kind, 3)

    assert bells(again.frames) == [2, 3, 4]


def test_a_phone_without_a_number_hears_what_comes_from_now_on(company, listen):
    lin = company.phone("Lin")
    ring(company, lin, times=1)
    company.settle()
    stream = listen(lin, after=None).wait_caught_up()

    ring(company, lin, times=2)

    stream.wait_for(BellRung.kind)
    assert bells(stream.frames) == [2]


def test_what_is_heard_is_what_sync_reads(company, listen):
    """Push equals pull, event by event."""
    lin = company.phone("Lin")
    stream = listen(lin).wait_caught_up()
    for times in range(10):
        ring(company, lin, times=times)
    services_changed(company, lin)
    stream.wait_for(BellRung.kind, 10)
    wait_until(lambda: stream.of("people.access_changed")[-1:], "the change is heard")

    pulled = company.events(lin)
    wait_until(lambda: len(stream.frames) >= len(pulled), "all is heard")
    pushed = [{k: v for k, v in frame.items() if k != "n"} for frame in stream.frames]
    assert pushed == pulled


def services_changed(company, phone):
    with company.transaction() as session:
        services.grant_role(
            session, person_id=phone.person.id, role_key="manager", unit_id=company.root_id
        )


def test_a_client_that_saw_a_gap_is_told_again(company, listen):
    lin = company.phone("Lin")
    stream = listen(lin).wait_caught_up()
    for times in (1, 2):
        ring(company, lin, times=times)
    stream.wait_for(BellRung.kind, 2)
    already = len(stream.frames)

    stream.send("replay", {"after": 0})
    # Not until it is caught up: it may be so for another reason, as its own access was noted a moment ago.
    wait_until(lambda: len(stream.frames) >= 2 * already, "all is heard again")

    assert [f["seq"] for f in stream.frames[already:]] == stream.seqs[:already]


def test_another_epoch_is_told_to_read_anew(company, listen):
    lin = company.phone("Lin")
    ring(company, lin)
    company.settle()

    stream = listen(lin, epoch="00000000-0000-4000-8000-000000000000").wait_caught_up()

    assert stream.resyncs[0]["reason"] == "epoch"
    assert stream.resyncs[0]["head"] == stream.caught_up[0]["seq"]
    assert stream.frames == []


def test_a_number_from_the_future_is_told_to_read_anew(company, listen):
    lin = company.phone("Lin")
    company.settle()
    stream = listen(lin, after=1_000_000).wait_caught_up()
    assert stream.resyncs[0]["reason"] == "future"

    ring(company, lin, times=7)
    stream.wait_for(BellRung.kind)
    assert bells(stream.frames) == [7]


def test_a_restored_log_is_told_to_those_who_listen(company, listen):
    lin = company.phone("Lin")
    stream = listen(lin).wait_caught_up()
    with company.transaction() as session:
        session.execute(text("UPDATE core_event_head SET epoch = gen_random_uuid()"))

    wait_until(lambda: stream.resyncs, "the phone is told to read anew")
    ring(company, lin, times=9)
    stream.wait_for(BellRung.kind)

    assert stream.resyncs[0]["reason"] == "epoch"


@pytest.mark.parametrize("auth", [{"token": "nonsense"}, {"token": "x" * 5_000}, {}, None, [1], 7])
def test_a_bad_token_is_refused_as_a_problem(gateway, auth):
    problem = refusal_of(gateway.url, auth)
    assert (problem["status"], problem["code"]) == (401, "invalid_token")
    assert problem["title"]


def test_the_token_of_an_ended_sign_in_is_refused(company, gateway):
    lin = company.phone("Lin")
    lin.delete("/sessions/current")
    assert refusal_of(gateway.url, {"token": lin.token})["code"] == "invalid_token"


def test_an_ended_sign_in_closes_its_socket_and_no_other(company, listen):
    lin = company.phone("Lin")
    other = company.phone_of(lin.person)
    lost, kept = listen(lin).wait_caught_up(), listen(other).wait_caught_up()

    lin.delete("/sessions/current")

    lost.wait_closed()
    assert lost.of("people.sign_in_ended")
    ring(company, other)
    kept.wait_for(BellRung.kind)
    assert kept.is_connected


def test_who_is_shut_out_is_disconnected(company, listen):
    lin = company.phone("Lin")
    stream = listen(lin).wait_caught_up()

    with company.transaction() as session:
        services.set_active(session, person_id=lin.person.id, active=False)

    stream.wait_closed()


def test_who_is_moved_hears_the_new_unit_and_no_longer_the_old(company, listen):
    old, new = company.unit("Old"), company.unit("New")
    lin, boss = company.phone("Lin", old), company.phone("Boss", role="owner")
    stream = listen(lin).wait_caught_up()

    with company.transaction() as session:
        services.place_person(session, person_id=lin.person.id, unit_ids=[new])
    tell_unit(company, boss, old, times=1)
    tell_unit(company, boss, new, times=2)

    stream.wait_for(BellRung.kind)
    assert bells(stream.frames) == [2]


def test_a_role_addressed_for_the_first_time_reaches_who_is_listening(company, listen):
    """The role's scope is made with the message; nobody who listens can have known of it."""
    boss = company.phone("Boss", role="owner")
    lead = company.phone("Lead", role="manager")
    stream = listen(lead).wait_caught_up()

    tell(company, boss, AudienceScope(kind="role", role="manager"), times=5)

    stream.wait_for(BellRung.kind)
    assert bells(stream.frames) == [5]


def tell_unit(company, boss, unit_id, times):
    tell(company, boss, AudienceScope(kind="unit", id=unit_id), times=times)


def tell(company, boss, audience, times):
    with company.transaction() as session:
        scopes = resolve_audience(
            session,
            caller=company.space.load_caller(session, boss.claims, company.clock()),
            scopes=[audience],
            permission="feeds.announce",
            own_units=True,
        )
        record(session, BellRung(times=times), scope_ids=scopes)


def test_an_acknowledgement_is_kept(company, listen):
    lin = company.phone("Lin")
    stream = listen(lin).wait_caught_up()
    ring(company, lin)
    seq = stream.wait_for(BellRung.kind)[0]["seq"]

    for said in (seq, 1, "x", {"seq": True}, None):
        stream.send("ack", {"seq": said} if isinstance(said, int) else said)

    wait_until(lambda: held_by(company, lin) == [seq], "the acknowledgement is kept")
    assert stream.is_connected


def held_by(company, phone) -> list[int]:
    with company.transaction() as session:
        wanted = text("SELECT seq FROM delivery_device_cursor WHERE device_id = :device")
        return list(session.scalars(wanted, {"device": phone.device_id}))
