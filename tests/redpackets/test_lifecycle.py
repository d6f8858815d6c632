"""From sending to settling: opening at its time, ending, withdrawing, and what everybody hears of it."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from redpackets.events import ShareTaken
from redpackets.jobs import sweep_packets
from tests.redpackets.rewards import amount_of, id_of


def heard(rewards, phone, kind):
    """List what a phone hears of one kind."""
    return [e for e in rewards.company.events(phone) if e["kind"] == f"redpackets.{kind}"]


def test_what_nobody_took_goes_back_to_the_budget_when_time_is_over(rewards, clock):
    [lin] = rewards.team("Lin")
    packet = rewards.send(total_minor=1_000, count=4, kind="equal")
    lin.post(f"{packet}/grab")
    clock.move(hours=24, seconds=1)
    rewards.company.settle()

    owner = rewards.company.phone_of(rewards.owner.person)
    budget = owner.get("/budgets").json["items"][0]
    assert (budget["held_minor"], budget["spent_minor"]) == (0, 250)
    assert owner.get(packet).json["state"] == "expired"
    assert rewards.verify().holds


def test_a_refund_happens_once_however_often_it_is_asked_for(rewards, clock):
    packet = rewards.send()
    clock.move(hours=25)
    rewards.company.settle()
    for _ in range(3):
        sweep_packets(rewards.company.bench())

    with rewards.company.transaction() as session:
        kinds = session.scalars(text("SELECT kind FROM redpackets_journal ORDER BY id")).all()
    assert kinds == ["allot", "fund", "refund"]
    assert rewards.free_shares(packet) == 0
    assert rewards.verify().holds


def test_the_sweep_ends_a_packet_whose_job_was_lost(rewards, clock):
    packet = rewards.send()
    with rewards.company.space.database.relay() as session:
        session.execute(text("DELETE FROM procrastinate_jobs"))
    clock.move(hours=25)
    sweep_packets(rewards.company.bench())

    manager = rewards.company.phone_of(rewards.manager.person)
    assert manager.get(packet).json["settled_at"] is not None


def test_after_its_time_a_packet_is_gone_even_before_the_job_ran(rewards, clock):
    [lin] = rewards.team("Lin")
    packet = rewards.send(expires_at=(clock() + timedelta(minutes=10)).isoformat())
    clock.move(minutes=10)
    before_job = lin.post(f"{packet}/grab")
    rewards.company.settle()
    after_job = lin.post(f"{packet}/grab")

    for gone in (before_job, after_job):
        assert (gone.status_code, gone.json["code"]) == (410, "redpackets.expired")


def test_a_packet_withdrawn_before_the_first_claim_frees_its_budget(rewards):
    [lin] = rewards.team("Lin")
    packet = rewards.send()
    withdrawn = rewards.manager.post(f"{packet}/cancellation")
    again = rewards.manager.post(f"{packet}/cancellation")

    assert (withdrawn.status_code, withdrawn.json["state"]) == (200, "cancelled")
    assert again.json["version"] == withdrawn.json["version"]
    assert rewards.budget()["available_minor"] == 100_000
    gone = lin.post(f"{packet}/grab")
    assert (gone.status_code, gone.json["code"]) == (410, "redpackets.cancelled")
    assert rewards.verify().holds


def test_after_the_first_claim_a_packet_cannot_be_withdrawn(rewards):
    [lin] = rewards.team("Lin")
    packet = rewards.send()
    lin.post(f"{packet}/grab")
    refused = rewards.manager.post(f"{packet}/cancellation")

    assert (refused.status_code, refused.json["code"]) == (409, "redpackets.already_claimed")


def test_only_the_sender_and_managers_of_packets_may_withdraw(rewards):
    [lin] = rewards.team("Lin")
    packet = rewards.send()

    assert lin.post(f"{packet}/cancellation").status_code == 403
    assert rewards.owner.post(f"{packet}/cancellation").status_code == 200


def test_a_scheduled_packet_opens_at_its_time_and_is_heard_of_only_then(rewards, clock):
    [lin] = rewards.team("Lin")
    packet = rewards.send(opens_at=(clock() + timedelta(minutes=5)).isoformat())
    assert heard(rewards, lin, "packet_opened") == []

    clock.move(minutes=5, seconds=1)
    [opened] = heard(rewards, lin, "packet_opened")

    assert opened["ref"] == str(id_of(packet))
    assert lin.get(packet).json["state"] == "open"


def test_a_packet_withdrawn_before_it_opened_was_never_heard_of(rewards, clock):
    [lin] = rewards.team("Lin")
    packet = rewards.send(opens_at=(clock() + timedelta(minutes=5)).isoformat())
    rewards.manager.post(f"{packet}/cancellation")
    clock.move(minutes=6)

    assert lin.post(f"{packet}/grab").json["code"] == "redpackets.cancelled"
    assert [e for e in rewards.company.events(lin) if e["kind"].startswith("redpackets")] == []


def test_the_audience_hears_who_gives_and_not_how_much(rewards):
    [lin] = rewards.team("Lin")
    packet = rewards.send(total_minor=98_765)
    [opened] = heard(rewards, lin, "packet_opened")

    told = opened["data"]
    assert (told["sender_name"], told["packet_kind"], told["share_count"]) == ("Mara", "lucky", 5)
    assert told["greeting"] == "恭喜发财 🧧"
    assert "98765" not in str(told)
    assert told["packet_id"] == str(id_of(packet))


def test_taker_and_sender_hear_the_amount_and_nobody_else(rewards):
    lin, zhao = rewards.team("Lin", "Zhao")
    packet = rewards.send()
    won = amount_of(lin.post(f"{packet}/grab"))

    for phone in (lin, rewards.manager):
        [taken] = heard(rewards, phone, "share_taken")
        assert (taken["data"]["amount_minor"], taken["data"]["holder_name"]) == (won, "Lin")
    assert heard(rewards, zhao, "share_taken") == []


@pytest.mark.usefixtures("way_in")
def test_whichever_way_a_share_was_taken_the_same_is_told_of_it(rewards):
    [lin] = rewards.team("Lin")
    packet = rewards.send(count=3)
    share = lin.post(f"{packet}/grab").json["share"]

    [told] = heard(rewards, lin, "share_taken")
    fact = ShareTaken.from_payload(told["data"])
    assert told["data"] == fact.payload()
    assert fact == ShareTaken(
        packet_id=id_of(packet),
        holder_id=lin.person.id,
        holder_name="Lin",
        index=share["index"],
        amount_minor=share["amount_minor"],
        unit="CNY",
        taken_at=fact.taken_at,
    )
    assert timedelta() <= rewards.company.clock() - fact.taken_at < timedelta(minutes=1)


def test_the_audience_hears_what_is_left_until_nothing_is(rewards):
    team = rewards.team("Lin", "Zhao", "Qian")
    packet = rewards.send(count=3)
    for phone in team:
        phone.post(f"{packet}/grab")
        rewards.company.settle()

    changes = heard(rewards, team[0], "packet_changed")
    assert [(c["data"]["remaining"], c["data"]["state"]) for c in changes] == [
        (2, "open"),
        (1, "open"),
        (0, "exhausted"),
    ]
    seen = team[0].get(packet).json
    assert (seen["state"], seen["remaining"], seen["version"]) == (
        "exhausted",
        0,
        changes[-1]["version"],
    )
    assert rewards.budget()["spent_minor"] == 1_000


def test_takings_of_a_large_packet_are_told_together(rewards, clock, monkeypatch):
    # A minute, so that a slow machine does not come to it while they tap.
    monkeypatch.setattr("redpackets.subscribers.TOLD_EVERY", timedelta(minutes=1))
    team = rewards.team("Lin", "Zhao", "Qian")
    packet = rewards.send(count=60)
    for phone in team:
        phone.post(f"{packet}/grab")
    rewards.company.settle()
    assert heard(rewards, team[0], "packet_changed") == []

    clock.move(seconds=61)
    [change] = heard(rewards, team[0], "packet_changed")
    assert change["data"]["remaining"] == 57


def test_the_push_names_no_sender_and_no_amount(rewards):
    rewards.team("Lin")
    rewards.send(total_minor=98_765, greeting="secret words")
    rewards.company.settle()

    with rewards.company.transaction() as session:
        [notice] = session.execute(text("SELECT * FROM delivery_notice")).mappings().all()
    said = str(notice["texts"])
    assert "红包" in said
    assert "red packet" in said
    assert not any(word in said for word in ("98765", "Mara", "secret"))
