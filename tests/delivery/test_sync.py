"""Asking the log what a device has missed."""

import pytest
from sqlalchemy import text

from app.core.events import record
from app.delivery.metrics import show_backlog
from app.delivery.pruning import prune_log
from app.delivery.sequencer import Sequencer
from app.people import queries
from tests.delivery.bells import BellRung, bells, ring


def test_a_phone_reads_what_it_missed_in_order(company):
    lin = company.phone("Lin")
    for times in (1, 2, 3):
        ring(company, lin, times=times)

    assert bells(company.events(lin)) == [1, 2, 3]


def test_nobody_outside_the_audience_hears_anything(company, other_company):
    lin, wu, stranger = company.phone("Lin"), company.phone("Wu"), other_company.phone("Lin")
    ring(company, lin)

    assert bells(company.events(lin)) == [1]
    assert bells(company.events(wu)) == []
    assert bells(other_company.events(stranger)) == []


def test_pages_join_without_a_gap(company):
    lin = company.phone("Lin")
    for times in range(25):
        ring(company, lin, times=times)
    company.settle()

    heard, after, more = [], 0, True
    while more:
        page = lin.get(f"/sync?after={after}&limit=4").json
        heard += page["events"]
        after, more = page["events"][-1]["seq"], page["more"]

    assert bells(heard) == list(range(25))
    assert after <= page["head"]


def test_a_phone_that_is_up_to_date_hears_nothing(company):
    lin = company.phone("Lin")
    ring(company, lin)
    company.settle()
    head = lin.get("/sync").json["head"]

    reply = lin.get(f"/sync?after={head}").json
    assert (reply["events"], reply["more"], reply["head"]) == ([], False, head)


@pytest.mark.parametrize("sent", ["after=-1", "after=x", "limit=0", "limit=101", "epoch=x"])
def test_a_malformed_question_is_refused(company, sent):
    assert company.phone("Lin").get(f"/sync?{sent}").status_code == 422


def test_a_number_from_the_future_starts_over(company):
    lin = company.phone("Lin")
    company.settle()

    reply = lin.get("/sync?after=999999")
    assert (reply.status_code, reply.json["code"]) == (410, "delivery.resync")
    assert reply.json["reason"] == "future"
    assert lin.get(f"/sync?after={reply.json['head']}").status_code == 200


def test_another_epoch_starts_over(company):
    lin = company.phone("Lin")
    company.settle()
    epoch = lin.get("/sync").json["epoch"]

    with company.transaction() as session:
        session.execute(text("UPDATE core_event_head SET epoch = gen_random_uuid()"))

    assert lin.get(f"/sync?after=0&epoch={epoch}").json["reason"] == "epoch"


def test_older_than_the_log_is_kept_starts_over(company, clock):
    lin = company.phone("Lin")
    ring(company, lin, times=1)
    company.settle()
    head = lin.get("/sync").json["head"]

    clock.move(days=15)
    prune_log(company.bench())
    phone = company.phone_of(lin.person)

    reply = phone.get("/sync?after=0")
    assert (reply.status_code, reply.json["reason"], reply.json["head"]) == (410, "too_old", head)
    assert phone.get(f"/sync?after={head}").json["events"] == []


def test_the_log_keeps_what_is_young(company, clock):
    lin = company.phone("Lin")
    ring(company, lin)
    company.settle()

    clock.move(days=10)
    prune_log(company.bench())

    assert bells(company.events(company.phone_of(lin.person))) == [1]


def test_an_acknowledgement_goes_up_only_and_not_beyond_the_head(company):
    lin = company.phone("Lin")
    ring(company, lin)
    ring(company, lin)
    company.settle()
    head = lin.get("/sync").json["head"]

    held = [lin.post("/sync/ack", {"seq": seq}).json["seq"] for seq in (1, 2, 1, head + 50)]

    assert held == [1, 2, 2, head]


@pytest.mark.parametrize("seq", [-1, 1.5, "1", True, None, 2**63])
def test_an_acknowledgement_is_a_whole_number(company, seq):
    assert company.phone("Lin").post("/sync/ack", {"seq": seq}).status_code == 422


def test_a_late_commit_is_late_and_not_lost(company):
    """The second writer commits first; a cursor over row ids would have passed the first one by."""
    lin = company.phone("Lin")
    company.settle()
    with company.transaction() as slow:
        scope = slow.execute(queries.scopes_of_persons([lin.person.id])).one()[1]
        record(slow, BellRung(times=1), scope_ids=[scope])
        ring(company, lin, times=2)
        Sequencer(
            company.space.database, company.space.subscriptions, company.space.jobs, lambda _: None
        ).drain()
        first = bells(lin.get("/sync").json["events"])

    assert first == [2]
    assert bells(company.events(lin)) == [2, 1]


def test_what_is_rolled_back_is_told_to_nobody(company):
    lin = company.phone("Lin")
    with company.transaction() as session:
        scope = session.execute(queries.scopes_of_persons([lin.person.id])).one()[1]
        record(session, BellRung(times=1), scope_ids=[scope])
        session.flush()
        session.rollback()

    assert bells(company.events(lin)) == []


def test_the_backlog_is_shown_to_prometheus(company):
    show_backlog(company.space)
    ring(company, company.phone("Lin"))
    figures = company.app.test_client().get("/metrics").text
    depth = next(line for line in figures.splitlines() if line.startswith("workspace_outbox_depth"))
    assert float(depth.split()[1]) >= 1
    assert "workspace_log_head_age_seconds" in figures
