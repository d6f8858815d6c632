"""Freezing, closing early, and the list from which senders and overseers do it."""

from datetime import timedelta

import pytest

from tests.redpackets.rewards import amount_of, id_of, rewarding
from tests.redpackets.test_lifecycle import heard

STOP = {"frozen": True, "reason": "Wrong audience"}
GO_ON = {"frozen": False, "reason": "Checked"}


def test_a_frozen_packet_says_so_and_erases_nothing(rewards):
    [lin, zhao] = rewards.team("Lin", "Zhao")
    packet = rewards.send()
    won = amount_of(lin.post(f"{packet}/grab"))
    frozen = rewards.manager.post(f"{packet}/freeze", STOP)

    assert (frozen.status_code, frozen.json["frozen"], frozen.json["state"]) == (200, True, "open")
    assert lin.get(packet).json["mine"]["amount_minor"] == won
    assert heard(rewards, zhao, "packet_changed")[-1]["data"]["frozen"] is True
    stopped = zhao.post(f"{packet}/grab")
    assert (stopped.status_code, stopped.json["code"]) == (423, "redpackets.frozen")
    assert lin.post(f"{packet}/grab").json["first"] is False
    again = rewards.manager.post(f"{packet}/freeze", STOP)
    assert again.json["version"] == frozen.json["version"]
    freed = rewards.manager.post(f"{packet}/freeze", GO_ON).json
    assert (freed["frozen"], freed["remaining"]) == (False, 4)
    assert zhao.post(f"{packet}/grab").json["result"] == "won"
    assert rewards.verify().holds


def test_a_packet_that_expires_while_frozen_still_refunds(rewards, clock):
    rewards.team("Lin")
    packet = rewards.send()
    rewards.manager.post(f"{packet}/freeze", STOP)
    clock.move(hours=25)
    rewards.company.settle()

    owner = rewards.company.phone_of(rewards.owner.person)
    assert owner.get(packet).json["state"] == "expired"
    assert owner.get("/budgets").json["items"][0]["available_minor"] == 100_000
    gone = owner.post(f"{packet}/freeze", GO_ON)
    assert (gone.status_code, gone.json["code"]) == (410, "redpackets.expired")


def test_a_frozen_packet_does_not_open_until_it_is_let_go(rewards, clock):
    [lin] = rewards.team("Lin")
    packet = rewards.send(opens_at=(clock() + timedelta(minutes=5)).isoformat())
    rewards.manager.post(f"{packet}/freeze", STOP)
    clock.move(minutes=6)
    assert heard(rewards, lin, "packet_opened") == []

    rewards.manager.post(f"{packet}/freeze", GO_ON)
    assert len(heard(rewards, lin, "packet_opened")) == 1
    assert lin.post(f"{packet}/grab").json["result"] == "won"


def test_a_freeze_says_why(rewards):
    rewards.team("Lin")
    packet = rewards.send()
    for body in ({"frozen": True}, {"frozen": True, "reason": " "}, {"frozen": 1, "reason": "x"}):
        assert rewards.manager.post(f"{packet}/freeze", body).status_code == 422
    assert rewards.manager.get(packet).json["frozen"] is False


def test_closing_early_refunds_the_rest_and_takes_nothing_back(rewards):
    lin, zhao = rewards.team("Lin", "Zhao")
    packet = rewards.send()
    won = amount_of(lin.post(f"{packet}/grab"))
    refused = rewards.manager.post(f"{packet}/cancellation")
    assert (refused.status_code, refused.json["offers"]) == (409, "closing")

    closed = rewards.manager.call("POST", f"{packet}/closing").json
    assert (closed["state"], closed["remaining"]) == ("expired", 0)
    assert rewards.budget()["available_minor"] == 100_000 - won
    assert rewards.manager.post(f"{packet}/closing").json["version"] == closed["version"]
    assert zhao.post(f"{packet}/grab").json["code"] == "redpackets.expired"
    assert lin.post(f"{packet}/grab").json["first"] is False
    assert rewards.verify().holds


def test_what_is_not_open_yet_is_withdrawn_and_not_closed(rewards, clock):
    rewards.team("Lin")
    packet = rewards.send(opens_at=(clock() + timedelta(minutes=5)).isoformat())
    refused = rewards.manager.post(f"{packet}/closing")
    assert (refused.status_code, refused.json["offers"]) == (409, "cancellation")


@pytest.mark.parametrize("verb", ["closing", "freeze", "cancellation"])
def test_who_may_stop_a_packet(rewards, other_company, verb):
    body = STOP if verb == "freeze" else {}
    [lin] = rewards.team("Lin")
    packet = rewards.send()
    elsewhere = rewards.company.phone("Wei", rewards.company.unit("Warehouse"), role="finance")
    auditor = rewards.company.phone("Audrey", role="auditor")

    assert lin.post(f"{packet}/{verb}", body).status_code == 403
    assert elsewhere.post(f"{packet}/{verb}", body).status_code == 404
    assert rewarding(other_company).owner.post(f"{packet}/{verb}", body).status_code == 404
    assert auditor.post(f"{packet}/{verb}", body).status_code == (200 if verb == "freeze" else 403)
    assert rewards.owner.post(f"{packet}/{verb}", body).status_code == 200


def test_who_audits_a_branch_sees_and_freezes_its_packets_alone(rewards):
    company = rewards.company
    rewards.team("Lin")
    north = company.unit("North", rewards.sales)
    here = company.phone("Ada", role="auditor", role_at=rewards.sales)
    below = company.phone("Abe", role="auditor", role_at=north)
    beside = company.phone("Ava", company.unit("Warehouse"), role="auditor")
    packet = rewards.send()

    assert here.get(packet).json["total_minor"] == 1_000
    assert [p["id"] for p in here.get("/red-packets").json["items"]] == [str(id_of(packet))]
    for phone in (below, beside):
        assert phone.get(packet).status_code == 404
        assert phone.get("/red-packets").json["items"] == []
        assert phone.get(f"{packet}/effect").status_code == 404
        assert phone.get(f"{packet}/proof").status_code == 404
        assert phone.post(f"{packet}/freeze", STOP).status_code == 404
    assert rewards.manager.get(packet).json["frozen"] is False
    assert here.post(f"{packet}/freeze", STOP).json["frozen"] is True


def test_who_audits_a_branch_and_is_in_an_audience_sees_of_it_what_all_see(rewards):
    company = rewards.company
    shelf = company.unit("Warehouse")
    ava = company.phone("Ava", shelf, role="auditor")
    [lin] = rewards.team("Lin")
    both = [{"kind": "unit", "id": str(unit)} for unit in (rewards.sales, shelf)]
    packet = company.phone("Olga", role="owner").pay(
        "/red-packets", rewards.asked(audience={"scopes": both})
    )
    path = f"/red-packets/{packet.json['id']}"
    assert set(ava.get(path).json) == set(lin.get(path).json)
    assert ava.post(f"{path}/freeze", STOP).status_code == 403


def test_senders_list_what_they_sent_and_overseers_what_they_oversee(rewards):
    [lin] = rewards.team("Lin")
    warehouse = rewards.company.unit("Warehouse")
    other = rewards.company.phone("Wei", warehouse, role="finance")
    first, second = rewards.send(), rewards.send(total_minor=2_000)
    rewards.manager.post(f"{first}/cancellation")

    def listed(phone, query=""):
        return [p["id"] for p in phone.get(f"/red-packets{query}").json["items"]]

    both = [str(id_of(second)), str(id_of(first))]
    assert listed(rewards.manager) == listed(rewards.manager, "?mine=true") == both
    assert listed(rewards.owner) == both
    assert listed(rewards.owner, "?mine=true") == []
    assert listed(lin) == listed(other) == []
    assert listed(rewards.manager, "?state=open") == both[:1]
    assert listed(rewards.manager, "?state=cancelled") == both[1:]
    page = rewards.manager.get("/red-packets?limit=1").json
    assert listed(rewards.manager, f"?cursor={page['next_cursor']}") == both[1:]
    [seen] = page["items"]
    assert (seen["total_minor"], seen["remaining"], seen["sender"]["name"]) == (2_000, 5, "Mara")
    assert rewards.manager.get("/red-packets?state=weird").status_code == 422


def test_a_list_says_what_is_true_now_even_before_the_job_ran(rewards, clock):
    rewards.team("Lin")
    rewards.send()
    clock.move(hours=25)
    manager = rewards.company.phone_of(rewards.manager.person)
    assert [p["state"] for p in manager.get("/red-packets").json["items"]] == ["expired"]
    assert manager.get("/red-packets?state=open").json["items"] == []
