"""Targeted packets: receivers by name, each with an amount of their own."""

import pytest
from sqlalchemy import text

from app.people.services import set_active
from tests.redpackets.rewards import id_of
from tests.redpackets.test_approvals import ABOVE

NOBODY = "01920000-0000-7000-8000-000000000000"


def targeted(rewards, *receivers, **changes):
    """Write a packet for receivers by name: (phone or id, amount)."""
    asked = rewards.asked(kind="targeted")
    for name in ("total_minor", "count", "audience"):
        del asked[name]
    named = [
        {"person_id": str(getattr(getattr(who, "person", None), "id", who)), "amount_minor": amount}
        for who, amount in receivers
    ]
    return asked | {"receivers": named} | changes


def errors_of(reply):
    return {path: error["code"] for path, error in reply.json["errors"].items()}


def test_each_receiver_has_a_share_of_their_own_amount(rewards):
    lin, zhao = rewards.team("Lin", "Zhao")
    sent = rewards.manager.pay("/red-packets", targeted(rewards, (lin, 300), (zhao, 700)))

    assert sent.status_code == 201
    assert (sent.json["total_minor"], sent.json["count"], sent.json["split"]) == (1_000, 2, "named")
    shown = [(r["person"]["name"], r["amount_minor"]) for r in sent.json["receivers"]]
    assert shown == [("Lin", 300), ("Zhao", 700)]
    assert rewards.budget()["available_minor"] == 99_000
    won = [p.post(f"/red-packets/{sent.json['id']}/grab").json["share"] for p in (zhao, lin)]
    assert [share["amount_minor"] for share in won] == [700, 300]
    assert rewards.verify().holds


def test_only_the_receivers_hear_of_it(rewards):
    lin, zhao = rewards.team("Lin", "Zhao")
    sent = rewards.manager.pay("/red-packets", targeted(rewards, (lin, 300))).json
    heard = [e for e in rewards.company.events(lin) if e["kind"] == "redpackets.packet_opened"]
    assert [e["ref"] for e in heard] == [sent["id"]]
    assert ": 300" not in str(heard[0]["data"]), "the amount is theirs alone"
    assert zhao.get(f"/red-packets/{sent['id']}").status_code == 404
    assert [e for e in rewards.company.events(zhao) if "packet" in e["kind"]] == []


def test_receivers_who_are_not_here_are_named_by_their_row(rewards, other_company):
    lin, zhao = rewards.team("Lin", "Zhao")
    with rewards.company.transaction() as session:
        set_active(session, person_id=zhao.person.id, active=False)
    stranger = other_company.phone("Stranger")
    asked = targeted(rewards, (lin, 1), (zhao, 1), (stranger, 1), (NOBODY, 1), (lin, 1))
    refused = rewards.manager.pay("/red-packets", asked)

    assert (refused.status_code, refused.json["code"]) == (422, "redpackets.receiver_refused")
    assert errors_of(refused) == {
        "receivers.1.person_id": "receiver_not_active",
        "receivers.2.person_id": "receiver_not_active",
        "receivers.3.person_id": "receiver_not_active",
        "receivers.4.person_id": "duplicate_receiver",
    }
    assert rewards.budget()["held_minor"] == 0


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"receivers": []}, {"receivers": "required"}),
        ({"receivers": None}, {"receivers": "null"}),
        ({"count": 1}, {"count": "receivers_or_audience"}),
        ({"min_minor": 1}, {"min_minor": "receivers_or_audience"}),
        ({"total_minor": 301}, {"total_minor": "total_not_sum"}),
        ({"receivers": [{"person_id": NOBODY, "amount_minor": 0}]}, {
            "receivers.0.amount_minor": "amount_out_of_range"}),
        ({"receivers": [{"person_id": NOBODY, "amount_minor": "3"}]}, {
            "receivers.0.amount_minor": "amount_not_integer_minor"}),
        ({"receivers": [{"person_id": "7", "amount_minor": 3}]}, {
            "receivers.0.person_id": "invalid_id"}),
        ({"receivers": [{"person_id": NOBODY, "amount_minor": 1}] * 5_001}, {
            "receivers": "too_many_items"}),
        ({"kind": "lucky", "total_minor": 5, "count": 1}, {
            "audience": "required", "receivers": "receivers_or_audience"}),
    ],
)  # fmt: skip
def test_a_targeted_packet_that_makes_no_sense_is_refused(rewards, changes, wanted):
    [lin] = rewards.team("Lin")
    refused = rewards.manager.pay("/red-packets", targeted(rewards, (lin, 300), **changes))
    assert (refused.status_code, errors_of(refused)) == (422, wanted)
    assert rewards.budget()["held_minor"] == 0


def test_the_total_may_be_said_if_it_is_the_sum(rewards):
    [lin] = rewards.team("Lin")
    sent = rewards.manager.pay("/red-packets", targeted(rewards, (lin, 300), total_minor=300))
    assert sent.status_code == 201


def test_a_targeted_packet_waits_for_approval_by_nobody_it_names(rewards):
    rewards.approve_above(1_000)
    finance = rewards.company.phone("Fin", role="finance")
    asked = targeted(rewards, (finance, ABOVE["total_minor"]))
    packet = f"/red-packets/{rewards.manager.pay('/red-packets', asked).json['id']}"

    body = {"decision": "approve", "renounce": True}
    refused = finance.post(f"{packet}/approval", body)
    assert (refused.status_code, refused.json["code"]) == (403, "redpackets.conflict_of_interest")
    assert rewards.owner.post(f"{packet}/approval", body).json["state"] == "open"


def test_more_receivers_than_one_fact_can_name_all_hear_of_it(rewards, monkeypatch):
    monkeypatch.setattr("redpackets.lifecycle.SCOPE_COUNT_MAX", 2)
    team = rewards.team("Lin", "Zhao", "Qian")
    sent = rewards.manager.pay(
        "/red-packets", targeted(rewards, *((phone, 10) for phone in team))
    ).json
    for phone in team:
        kinds = [e["kind"] for e in rewards.company.events(phone)]
        assert kinds.count("redpackets.packet_opened") == 1
        assert [i["type"] for i in phone.get("/feed").json["items"]] == ["packet"]
    with rewards.company.transaction() as session:
        notices = session.execute(
            text("SELECT count(*) FROM delivery_notice WHERE link = :link"),
            {"link": f"/red-packets/{id_of('/' + sent['id'])}"},
        ).scalar_one()
    assert notices == 2


def test_the_cover_comes_back_and_an_unknown_one_is_refused(rewards):
    rewards.team("Lin")
    packet = rewards.send(cover="lantern")
    assert rewards.manager.get(packet).json["cover"] == "lantern"
    refused = rewards.manager.pay("/red-packets", rewards.asked(cover="plaid"))
    assert errors_of(refused) == {"cover": "not_a_choice"}
