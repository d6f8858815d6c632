"""Who may take what: names on shares, caps, freezing, packets nobody approved, and what is credited by itself."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.people.audiences import AudienceScope
from app.people.services import set_active
from redpackets import services
from tests.redpackets.gates import seen_gate, seen_shares
from tests.redpackets.rewards import amount_of, id_of


def give(rewards, kind, amounts, **changes):
    """Send a packet whose shares have names on them, as the manager."""
    company, now = rewards.company, rewards.company.clock()
    new = services.NewPacket(
        kind=kind,
        unit="CNY",
        total_minor=sum(amounts.values()),
        share_count=len(amounts),
        min_minor=None,
        max_minor=None,
        budget_id=changes.pop("budget_id", rewards.budget_id),
        on_behalf_of_id=rewards.sales,
        audience=[AudienceScope(kind="person", id=phone.person.id) for phone in amounts],
        purpose_category="recognition",
        purpose_text="Well done",
        purpose_evidence="",
        tax_class="wage_income",
        greeting="",
        opens_at=changes.pop("opens_at", None),
        expires_at=None,
        receivers=tuple((phone.person.id, amount) for phone, amount in amounts.items()),
        **changes,
    )
    manager = company.caller(rewards.manager)
    with company.transaction() as session:
        sent = services.send_packet(session, caller=manager, new=new, seed=bytes(32), now=now)
        return f"/red-packets/{sent.id}"


def change(rewards, statement, packet=None):
    with rewards.company.transaction() as session:
        session.execute(text(statement), {"id": packet and id_of(packet)})


def refusal(reply):
    return reply.status_code, reply.json["code"]


def balance(phone):
    return sum(each["amount_minor"] for each in phone.get("/wallet").json["balances"])


def test_a_named_share_goes_to_its_receiver_and_to_nobody_else(rewards):
    lin, zhao, sun = rewards.team("Lin", "Zhao", "Sun")
    packet = give(rewards, "targeted", {lin: 300, zhao: 700})

    assert [amount_of(zhao.post(f"{packet}/grab")) for _ in range(2)] == [700, 700]
    assert sun.post(f"{packet}/grab").status_code == 404
    assert refusal(rewards.manager.post(f"{packet}/grab")) == (403, "redpackets.not_eligible")
    assert amount_of(lin.post(f"{packet}/grab")) == 300
    assert seen_gate(rewards, packet) is None
    rewards.company.settle()
    assert rewards.manager.get(packet).json["state"] == "exhausted"
    assert rewards.verify().holds


def test_a_member_without_a_name_on_a_share_is_told_it_is_not_for_them(rewards):
    lin, zhao = rewards.team("Lin", "Zhao")
    packet = give(rewards, "targeted", {lin: 300, zhao: 700})
    change(
        rewards,
        "UPDATE redpackets_share SET receiver_id = NULL WHERE packet_id = :id AND amount_minor = 700",
        packet,
    )

    assert refusal(zhao.post(f"{packet}/grab")) == (403, "redpackets.not_eligible")
    assert rewards.free_shares(packet) == 2


@pytest.mark.parametrize("kind", ["kudos", "milestone", "grant"])
def test_what_is_given_is_credited_at_the_opening_and_settles(rewards, kind):
    lin, zhao = rewards.team("Lin", "Zhao")
    packet = give(rewards, kind, {lin: 300, zhao: 700})

    assert (balance(lin), balance(zhao)) == (300, 700)
    answer = lin.post(f"{packet}/grab").json
    assert (answer["first"], answer["share"]["amount_minor"]) == (False, 300)
    rewards.company.settle()
    assert rewards.manager.get(packet).json["state"] == "exhausted"
    assert rewards.budget()["spent_minor"] == 1_000
    told = [
        event["data"]["amount_minor"]
        for event in rewards.company.events(zhao)
        if event["kind"] == "redpackets.share_taken"
    ]
    assert told == [700]
    assert rewards.verify().holds


def test_what_is_given_later_is_credited_by_whoever_opens_it(rewards, clock):
    lin, zhao = rewards.team("Lin", "Zhao")
    opens_at = clock() + timedelta(minutes=5)
    packet = give(rewards, "kudos", {lin: 300, zhao: 700}, opens_at=opens_at)
    assert balance(zhao) == 0
    clock.move(minutes=6)

    assert lin.post(f"{packet}/grab").json["share"]["amount_minor"] == 300
    assert balance(zhao) == 700
    rewards.company.settle()
    assert rewards.verify().holds


def test_who_left_before_the_opening_is_credited_nothing_and_it_goes_back(rewards, clock):
    lin, zhao = rewards.team("Lin", "Zhao")
    give(rewards, "grant", {lin: 300, zhao: 700}, opens_at=clock() + timedelta(minutes=5))
    with rewards.company.transaction() as session:
        set_active(session, person_id=zhao.person.id, active=False)
    clock.move(hours=25)
    rewards.company.settle()

    rewards.owner = rewards.company.phone_of(rewards.owner.person)
    assert rewards.budget()["spent_minor"] == 300
    assert rewards.verify().holds


def test_nobody_receives_more_from_a_budget_than_its_cap(rewards):
    [lin] = rewards.team("Lin")
    change(rewards, "UPDATE redpackets_budget SET receive_cap_minor = 250")
    packets = [rewards.send(kind="equal", total_minor=500, count=5) for _ in range(3)]

    assert [amount_of(lin.post(f"{packet}/grab")) for packet in packets[:2]] == [100, 100]
    refused = lin.post(f"{packets[2]}/grab")
    assert refusal(refused) == (403, "redpackets.receive_cap_reached")
    said = {key: refused.json[key] for key in ("cap_minor", "received_minor", "unit")}
    assert said == {"cap_minor": 250, "received_minor": 200, "unit": "CNY"}
    assert (rewards.free_shares(packets[2]), balance(lin)) == (5, 200)
    assert amount_of(lin.post(f"{packets[0]}/grab")) == 100
    assert rewards.verify().holds


def test_a_cap_counts_one_budget_and_one_person(rewards):
    lin, zhao = rewards.team("Lin", "Zhao")
    change(rewards, "UPDATE redpackets_budget SET receive_cap_minor = 100")
    other = rewards.open_budget(name="Other").json["id"]
    for packet in (
        rewards.send(kind="equal", total_minor=500, count=5),
        rewards.send(kind="equal", total_minor=500, count=5, budget_id=other),
    ):
        assert {amount_of(phone.post(f"{packet}/grab")) for phone in (lin, zhao)} == {100}


def test_a_cap_holds_when_one_person_taps_on_many_packets_at_once(rewards):
    [lin] = rewards.team("Lin")
    change(rewards, "UPDATE redpackets_budget SET receive_cap_minor = 250")
    packets = [rewards.send(kind="equal", total_minor=500, count=5) for _ in range(6)]
    with ThreadPoolExecutor(6) as threads:
        replies = list(threads.map(lambda packet: lin.post(f"{packet}/grab"), packets))

    assert sorted(reply.status_code for reply in replies) == [200] * 2 + [403] * 4
    assert balance(lin) == 200
    assert rewards.verify().holds


def test_what_is_given_stops_at_the_cap_too(rewards):
    lin, zhao = rewards.team("Lin", "Zhao")
    change(rewards, "UPDATE redpackets_budget SET receive_cap_minor = 500")
    packet = give(rewards, "grant", {lin: 300, zhao: 700})

    assert (balance(lin), balance(zhao)) == (300, 0)
    assert refusal(zhao.post(f"{packet}/grab")) == (403, "redpackets.receive_cap_reached")
    assert rewards.verify().holds


def test_nobody_takes_more_of_a_campaign_than_its_cap_even_at_once(rewards):
    lin, zhao = rewards.team("Lin", "Zhao")
    packets = [rewards.send(kind="equal", total_minor=500, count=5) for _ in range(5)]
    change(rewards, "UPDATE redpackets_packet SET origin = 'campaign:1', origin_cap_count = 2")
    with ThreadPoolExecutor(5) as threads:
        replies = list(threads.map(lambda packet: lin.post(f"{packet}/grab"), packets))

    codes = sorted(reply.json.get("code", "won") for reply in replies)
    assert codes == ["redpackets.origin_cap_reached"] * 3 + ["won"] * 2
    assert balance(lin) == 200
    assert zhao.post(f"{packets[0]}/grab").json["result"] == "won"


@pytest.mark.usefixtures("way_in")
@pytest.mark.parametrize(
    ("language", "title"),
    [("en", "This red packet is frozen for now."), ("zh-CN", "红包已被冻结，暂时不能领取")],
)
def test_a_frozen_packet_gives_nothing_and_takes_nothing_back(rewards, language, title):
    lin, zhao = rewards.team("Lin", "Zhao")
    packet = rewards.send(count=3)
    won = lin.post(f"{packet}/grab").json
    change(rewards, "UPDATE redpackets_packet SET frozen_at = now() WHERE id = :id", packet)

    refused = zhao.post(f"{packet}/grab", headers={"Accept-Language": language})
    assert (*refusal(refused), refused.json["title"]) == (423, "redpackets.frozen", title)
    assert lin.post(f"{packet}/grab").json == won | {"first": False}
    change(rewards, "UPDATE redpackets_packet SET frozen_at = NULL WHERE id = :id", packet)
    assert zhao.post(f"{packet}/grab").json["first"] is True


def test_what_is_frozen_at_its_opening_is_credited_to_nobody(rewards, clock):
    [lin] = rewards.team("Lin")
    packet = give(rewards, "kudos", {lin: 300}, opens_at=clock() + timedelta(minutes=5))
    change(rewards, "UPDATE redpackets_packet SET frozen_at = now() WHERE id = :id", packet)
    clock.move(minutes=6)
    rewards.company.settle()
    assert refusal(lin.post(f"{packet}/grab")) == (423, "redpackets.frozen")

    change(rewards, "UPDATE redpackets_packet SET frozen_at = NULL WHERE id = :id", packet)
    assert lin.post(f"{packet}/grab").json["share"]["amount_minor"] == 300
    assert rewards.verify().holds


@pytest.mark.parametrize("state", ["pending_approval", "rejected"])
def test_of_a_packet_that_was_not_approved_only_insiders_know(rewards, clock, state):
    [lin] = rewards.team("Lin")
    packet = rewards.send(opens_at=(clock() + timedelta(minutes=1)).isoformat())
    settled = "now()" if state == "rejected" else "NULL"
    change(
        rewards,
        f"UPDATE redpackets_packet SET state = '{state}', settled_at = {settled} WHERE id = :id",
        packet,
    )
    clock.move(minutes=2)

    assert refusal(lin.post(f"{packet}/grab")) == (404, "not_found")
    known = {
        "pending_approval": (409, "redpackets.not_open"),
        "rejected": (410, "redpackets.cancelled"),
    }
    assert refusal(rewards.manager.post(f"{packet}/grab")) == known[state]
    assert refusal(rewards.owner.post(f"{packet}/grab")) == (403, "redpackets.not_eligible")
    assert seen_shares(rewards, packet)[1] == {}
