"""Taking a share: who gets one, what they see, what moves."""

from datetime import timedelta

import pytest

from app.people.services import place_person, set_active
from tests.redpackets.rewards import amount_of, id_of


@pytest.mark.usefixtures("way_in")
def test_the_shares_add_up_to_what_the_manager_sent(rewards):
    team = rewards.team("Lin", "Zhao", "Qian")
    packet = rewards.send(total_minor=1_000, count=3)
    replies = [phone.post(f"{packet}/grab") for phone in team]

    assert [reply.json["result"] for reply in replies] == ["won"] * 3
    assert all(reply.json["first"] for reply in replies)
    assert sum(amount_of(reply) for reply in replies) == 1_000


@pytest.mark.usefixtures("way_in")
def test_grabbing_twice_returns_the_same_share(rewards):
    [lin] = rewards.team("Lin")
    packet = rewards.send(total_minor=1_000, count=2)

    first, again = lin.post(f"{packet}/grab").json, lin.post(f"{packet}/grab").json

    assert first["first"] is True
    assert again == first | {"first": False}


@pytest.mark.usefixtures("way_in")
def test_who_comes_too_late_hears_sold_out(rewards):
    lin, zhao = rewards.team("Lin", "Zhao")
    packet = rewards.send(count=1)
    lin.post(f"{packet}/grab")

    assert zhao.post(f"{packet}/grab").json == {"result": "sold_out", "first": False}


@pytest.mark.usefixtures("way_in")
def test_a_holder_is_given_the_same_share_even_after_the_packet_ended(rewards, clock):
    [lin] = rewards.team("Lin")
    packet = rewards.send(count=3)
    won = lin.post(f"{packet}/grab").json
    clock.move(hours=25)
    rewards.company.settle()
    lin = rewards.company.phone_of(lin.person)

    assert lin.post(f"{packet}/grab").json == won | {"first": False}


def test_equal_shares_differ_by_one_fen_at_most(rewards):
    team = rewards.team("Lin", "Zhao", "Qian")
    packet = rewards.send(kind="equal", total_minor=1_000, count=3)
    amounts = [amount_of(phone.post(f"{packet}/grab")) for phone in team]

    assert sorted(amounts) == [333, 333, 334]


def test_a_claim_moves_money_from_held_to_spent_and_into_the_wallet(rewards):
    [lin] = rewards.team("Lin")
    packet = rewards.send(total_minor=1_000, count=4, kind="equal")
    before = rewards.budget()
    lin.post(f"{packet}/grab")
    after = rewards.budget()

    assert (before["held_minor"], before["spent_minor"]) == (1_000, 0)
    assert (after["held_minor"], after["spent_minor"]) == (750, 250)
    assert before["available_minor"] == after["available_minor"] == 99_000
    assert lin.get("/wallet").json == {"balances": [{"amount_minor": 250, "unit": "CNY"}]}
    assert rewards.verify().holds


def test_wallet_entries_say_what_came_from_which_packet(rewards):
    [lin] = rewards.team("Lin")
    packets = [rewards.send(kind="equal", total_minor=100, count=2) for _ in range(3)]
    for packet in packets:
        lin.post(f"{packet}/grab")

    page = lin.get("/wallet/entries?limit=2").json
    rest = lin.get(f"/wallet/entries?limit=2&cursor={page['next_cursor']}").json

    entries = page["items"] + rest["items"]
    assert [entry["packet_id"] for entry in entries] == [str(id_of(p)) for p in reversed(packets)]
    assert {entry["amount_minor"] for entry in entries} == {50}
    assert rest["next_cursor"] is None


def test_points_are_kept_apart_from_money(rewards):
    [lin] = rewards.team("Lin")
    points = rewards.open_budget(unit="POINT").json["id"]
    for packet in (
        rewards.send(kind="equal", total_minor=50, count=5),
        rewards.send(kind="equal", total_minor=500, count=5, unit="POINT", budget_id=points),
    ):
        lin.post(f"{packet}/grab")

    balances = {b["unit"]: b["amount_minor"] for b in lin.get("/wallet").json["balances"]}
    assert balances == {"CNY": 10, "POINT": 100}
    assert rewards.verify().holds


@pytest.mark.usefixtures("way_in")
def test_another_department_does_not_know_of_the_packet(rewards):
    packet = rewards.send()
    outsider = rewards.company.phone("Sun", rewards.company.unit("Warehouse"))

    assert outsider.get(packet).status_code == 404
    assert outsider.post(f"{packet}/grab").status_code == 404


@pytest.mark.usefixtures("way_in")
def test_who_knows_of_the_packet_without_being_invited_is_told_so(rewards):
    packet = rewards.send()
    refused = rewards.owner.post(f"{packet}/grab")

    assert (refused.status_code, refused.json["code"]) == (403, "redpackets.not_eligible")


@pytest.mark.usefixtures("way_in")
def test_who_joins_the_department_after_the_opening_is_not_among_the_receivers(rewards):
    packet = rewards.send()
    [late] = rewards.team("Lin")
    refused = late.post(f"{packet}/grab")

    assert (refused.status_code, refused.json["code"]) == (403, "redpackets.not_eligible")


@pytest.mark.usefixtures("way_in")
def test_who_leaves_the_department_after_the_opening_keeps_the_right_to_a_share(rewards):
    [lin] = rewards.team("Lin")
    packet = rewards.send()
    with rewards.company.transaction() as session:
        place_person(session, person_id=lin.person.id, unit_ids=[rewards.company.root_id])

    assert lin.post(f"{packet}/grab").json["result"] == "won"


@pytest.mark.usefixtures("way_in")
def test_another_company_cannot_see_or_grab(rewards, other_company):
    packet = rewards.send()
    stranger = other_company.phone("Vera", role="owner")

    assert stranger.get(packet).status_code == 404
    assert stranger.post(f"{packet}/grab").status_code == 404
    assert stranger.post(f"{packet}/cancellation").status_code == 404
    assert stranger.get("/budgets").json["items"] == []
    assert rewards.free_shares(packet) == 5


@pytest.mark.usefixtures("way_in")
def test_a_departed_person_gets_nothing(rewards):
    [lin] = rewards.team("Lin")
    packet = rewards.send()
    with rewards.company.transaction() as session:
        set_active(session, person_id=lin.person.id, active=False)

    assert lin.post(f"{packet}/grab").status_code == 401


@pytest.mark.parametrize("path_id", ["0", "abc", "01920000-0000-7000-8000-000000000000"])
def test_an_unknown_or_malformed_id_is_not_found(rewards, path_id):
    assert rewards.manager.post(f"/red-packets/{path_id}/grab").status_code == 404


def test_the_audience_sees_no_amounts_of_others(rewards):
    lin, zhao = rewards.team("Lin", "Zhao")
    packet = rewards.send(total_minor=1_000, count=2)
    won = amount_of(lin.post(f"{packet}/grab"))

    seen = zhao.get(packet).json
    assert {"total_minor", "claims", "budget_id", "min_minor"}.isdisjoint(seen)
    assert (seen["remaining"], seen["mine"], seen["sender"]["name"]) == (1, None, "Mara")
    inside = rewards.manager.get(packet).json
    assert [(c["holder"]["name"], c["amount_minor"]) for c in inside["claims"]] == [("Lin", won)]
    assert (inside["total_minor"], inside["claimed_minor"]) == (1_000, won)


def test_before_its_time_a_packet_says_when_it_opens(rewards, clock):
    [lin] = rewards.team("Lin")
    opens_at = clock() + timedelta(hours=2)
    packet = rewards.send(opens_at=opens_at.isoformat())

    early = lin.post(f"{packet}/grab")

    assert (early.status_code, early.json["code"]) == (409, "redpackets.not_open")
    assert early.json["opens_at"].startswith(opens_at.isoformat()[:19])


def test_at_its_time_a_packet_opens_for_the_first_grab_before_any_job(rewards, clock):
    [lin] = rewards.team("Lin")
    packet = rewards.send(opens_at=(clock() + timedelta(minutes=10)).isoformat())
    clock.move(minutes=10, seconds=1)

    assert lin.post(f"{packet}/grab").json["result"] == "won"
    assert lin.get(packet).json["state"] == "open"
