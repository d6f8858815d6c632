"""Rains and grants: one decision, many packets; all of the money is held, or none."""

from datetime import timedelta

import pytest

from app.people import services as people
from tests.redpackets.campaigns.conftest import balance_of, packets_of, scopes_of, shares_of
from tests.redpackets.rewards import Rewards

APPROVED = {"decision": "approve"}


def rain(rewards: Rewards, *, minutes=(0, 10, 20), each_minor=1_000, by=None, key=None, **changes):
    now = rewards.company.clock()
    asked = {
        "budget_id": rewards.budget_id,
        "on_behalf_of": str(rewards.sales),
        "unit": "CNY",
        "audience": {"scopes": [{"kind": "unit", "id": str(rewards.sales)}]},
        "waves": [
            {
                "opens_at": (now + timedelta(minutes=m)).isoformat(),
                "total_minor": each_minor,
                "count": 2,
            }
            for m in minutes
        ],
        "cap_count": 1,
        "purpose": {"category": "party", "text": "Annual party"},
        "greeting": "下雨啦 🧧",
    }
    return (by or rewards.manager).pay("/rains", asked | changes, key=key)


def grant(rewards: Rewards, receivers, *, by=None, key=None, **changes):
    asked = {
        "budget_id": rewards.budget_id,
        "on_behalf_of": str(rewards.sales),
        "unit": "CNY",
        "receivers": [{"person_id": str(id_), "amount_minor": a} for id_, a in receivers],
        "purpose": {"category": "benefit", "text": "Summer benefit"},
    }
    return (by or rewards.manager).pay("/grants", asked | changes, key=key)


def test_a_rain_holds_the_money_of_all_its_waves(rewards):
    made = rain(rewards)
    assert made.status_code == 201, made.json

    assert [wave["state"] for wave in made.json["waves"]] == ["open", "scheduled", "scheduled"]
    assert made.json["total_minor"] == rewards.budget()["held_minor"] == 3_000
    for packet in packets_of(rewards.company):
        assert (packet.kind, packet.split) == ("rain", "double_mean")
        assert (packet.origin, packet.origin_cap_count) == (f"campaign:{made.json['id']}", 1)
    assert rewards.verify().holds


def test_the_waves_fall_at_their_times_and_progress_is_seen(rewards, clock):
    lin, zhao = rewards.team("Lin", "Zhao")
    path = f"/rains/{rain(rewards).json['id']}"
    first, second, _ = rewards.manager.get(path).json["waves"]
    assert lin.post(f"/red-packets/{first['packet_id']}/grab").json["result"] == "won"
    assert zhao.post(f"/red-packets/{second['packet_id']}/grab").json["code"].endswith("not_open")
    clock.move(minutes=11)
    won = zhao.post(f"/red-packets/{second['packet_id']}/grab").json["share"]["amount_minor"]

    seen = rewards.manager.get(path).json["waves"]
    assert [wave["claimed"] for wave in seen] == [1, 1, 0]
    assert seen[1]["claimed_minor"] == won
    assert rewards.manager.get("/rains").json["items"][0]["id"] == path.rpartition("/")[2]


def test_nobody_takes_more_shares_of_a_rain_than_its_cap(rewards, clock):
    [lin] = rewards.team("Lin")
    first, second, _ = rain(rewards).json["waves"]
    lin.post(f"/red-packets/{first['packet_id']}/grab")
    clock.move(minutes=11)
    refused = lin.post(f"/red-packets/{second['packet_id']}/grab")

    assert (refused.status_code, refused.json["code"]) == (403, "redpackets.origin_cap_reached")


@pytest.mark.parametrize(
    ("named", "path", "code"),
    [
        ((), "audience.scopes", "scope_empty"),
        (("gone",), "audience.scopes.0", "receiver_not_active"),
        (("lin", "gone"), "audience.scopes.1", "receiver_not_active"),
        (("lin", "zhao", "lin"), "audience.scopes.2", "duplicate_receiver"),
    ],
)
def test_a_rain_refuses_whom_a_packet_refuses(rewards, named, path, code):
    lin, zhao, gone = rewards.team("Lin", "Zhao", "Gone")
    with rewards.company.transaction() as session:
        people.set_active(session, person_id=gone.person.id, active=False)
    ids = {"lin": lin.person.id, "zhao": zhao.person.id, "gone": gone.person.id}
    audience = {"scopes": [{"kind": "person", "id": str(ids[name])} for name in named]}

    sent = rewards.manager.pay("/red-packets", rewards.asked(audience=audience))
    refused = rain(rewards, audience=audience)
    assert refused.status_code == sent.status_code == 422
    assert refused.json["errors"] == sent.json["errors"]
    assert refused.json["errors"][path]["code"] == code
    assert rewards.budget()["held_minor"] == 0


def test_withdrawing_a_rain_stops_what_has_not_fallen(rewards):
    rewards.team("Lin")
    path = f"/rains/{rain(rewards).json['id']}"
    for _ in range(2):
        stopped = rewards.manager.post(f"{path}/cancellation")
        states = [wave["state"] for wave in stopped.json["waves"]]
        assert (stopped.status_code, states) == (200, ["open", "cancelled", "cancelled"])

    assert stopped.json["cancelled_at"] is not None
    assert rewards.budget()["held_minor"] == 1_000
    assert rewards.verify().holds


def test_a_rain_that_cannot_be_paid_in_full_does_not_begin(rewards):
    poor = rewards.open_budget(2_500).json["id"]
    refused = rain(rewards, budget_id=poor)

    assert (refused.status_code, refused.json["available"], refused.json["requested"]) == (
        409,
        2_500,
        3_000,
    )
    assert packets_of(rewards.company) == []
    assert rewards.manager.get("/rains").json["items"] == []


NONSENSE = [
    ({"minutes": ()}, "waves", "required"),
    ({"minutes": (1, 1)}, "waves", "repeated"),
    ({"minutes": range(51)}, "waves", "too_many_items"),
    ({"minutes": (-10,)}, "opens_at", "time_in_past"),
    ({"cap_count": 0}, "cap_count", "out_of_range"),
    ({"unit": "POINT"}, "unit", "unit_mismatch"),
    ({"kept_open_minutes": 10_081}, "kept_open_minutes", "out_of_range"),
    ({"greeting": "x" * 10_000}, "greeting", "too_long"),
]


def test_a_rain_that_makes_no_sense_is_refused_whole(rewards):
    for changes, field, code in NONSENSE:
        refused = rain(rewards, **changes)
        assert refused.status_code == 422, (changes, refused.json)
        assert refused.json["errors"][field]["code"] == code, changes
    assert rain(rewards, audience={"scopes": []}).status_code == 422
    empty = rewards.company.unit("Empty", rewards.sales)
    nobody = {"scopes": [{"kind": "unit", "id": str(empty)}]}
    assert rain(rewards, audience=nobody).json["code"] == "redpackets.scope_empty"
    assert packets_of(rewards.company) == []
    assert rewards.budget()["held_minor"] == 0


@pytest.fixture
def finance(rewards):
    """Somebody who approves, where everything above 20 yuan wants one approval, and above 100 two."""
    bands = [
        {"unit": "CNY", "up_to_minor": 2_000, "approvals": 0},
        {"unit": "CNY", "up_to_minor": 10_000, "approvals": 1},
        {"unit": "CNY", "up_to_minor": None, "approvals": 2},
    ]
    assert rewards.owner.post("/red-packet-policies", {"bands": bands}).status_code == 201
    return rewards.company.phone("Fei", role="finance")


def decide(phone, campaign, decision="approve"):
    """Decide on one of a campaign's packets, the last."""
    path = f"/red-packets/{campaign['waves'][-1]['packet_id']}/approval"
    return phone.post(path, {"decision": decision, "reason": "Seen"})


def states(phone, path):
    return [wave["state"] for wave in phone.get(path).json["waves"]]


def test_approval_is_about_the_whole_rain_and_not_about_each_wave(rewards, finance):
    rewards.team("Lin")
    small, large = rain(rewards, minutes=(0, 10)).json, rain(rewards).json

    assert {wave["state"] for wave in small["waves"]} == {"open", "scheduled"}
    assert {wave["state"] for wave in large["waves"]} == {"pending_approval"}
    assert decide(finance, large).status_code == 200
    assert states(rewards.manager, f"/rains/{large['id']}") == ["open", "scheduled", "scheduled"]
    assert finance.get("/red-packet-approvals").json["items"] == []
    stopped = rewards.manager.post(f"/rains/{large['id']}/cancellation").json["waves"]
    assert [wave["state"] for wave in stopped] == ["open", "cancelled", "cancelled"]
    assert rewards.verify().holds


def test_a_rejected_rain_is_rejected_whole_and_another_waits_on(rewards, finance):
    rewards.team("Lin")
    one, other = rain(rewards).json, rain(rewards).json
    assert decide(finance, one, "reject").json["state"] == "rejected"

    assert set(states(rewards.manager, f"/rains/{one['id']}")) == {"rejected"}
    assert set(states(rewards.manager, f"/rains/{other['id']}")) == {"pending_approval"}
    assert rewards.budget()["held_minor"] == other["total_minor"]
    assert rewards.verify().holds


def test_two_approvals_of_whichever_waves_are_two_of_the_whole_rain(rewards, finance):
    rewards.team("Lin")
    second = rewards.company.phone("Gao", role="finance")
    large = rain(rewards, each_minor=4_000).json
    assert decide(finance, large).json["state"] == "pending_approval"
    again = finance.post(f"/red-packets/{large['waves'][0]['packet_id']}/approval", APPROVED)
    assert again.json["state"] == "pending_approval", "a person counts once"
    assert decide(second, large).status_code == 200
    assert states(rewards.manager, f"/rains/{large['id']}") == ["open", "scheduled", "scheduled"]


def test_an_approval_of_one_packet_decides_no_other(rewards, finance):
    rewards.team("Lin")
    packets = [rewards.send(total_minor=3_000) for _ in range(2)]
    assert finance.post(f"{packets[0]}/approval", APPROVED).json["state"] == "open"
    assert rewards.manager.get(packets[1]).json["state"] == "pending_approval"


def test_rains_are_seen_and_stopped_by_sender_and_overseers_only(rewards):
    [lin] = rewards.team("Lin")
    other = rewards.company.phone("Mo", rewards.company.unit("Other"), role="manager")
    path = f"/rains/{rain(rewards).json['id']}"

    for phone in (lin, other):
        assert phone.get(path).status_code == 404
        assert phone.post(f"{path}/cancellation").status_code == 404
        assert phone.get("/rains").json["items"] == []
    assert rewards.owner.get(path).status_code == 200
    assert rain(rewards, by=lin).status_code == 403
    assert rain(rewards, by=other).status_code == 403
    assert rewards.manager.get(path.replace("rains", "grants")).status_code == 404


def test_a_rain_is_made_once_however_often_it_is_asked_for(rewards):
    now = rewards.company.clock()
    waves = [{"opens_at": now.isoformat(), "total_minor": 100, "count": 1}]
    made = [rain(rewards, waves=waves, key="party") for _ in range(2)]

    assert made[0].json["id"] == made[1].json["id"]
    assert len(packets_of(rewards.company)) == 1
    assert rewards.manager.post("/rains", {}).status_code in {400, 422}


def test_a_grant_gives_each_their_own_amount(rewards):
    lin, zhao = rewards.team("Lin", "Zhao")
    made = grant(rewards, [(lin.person.id, 500), (zhao.person.id, 700)])
    assert made.status_code == 201, made.json

    [packet] = packets_of(rewards.company)
    assert (packet.kind, packet.total_minor, packet.split) == ("grant", 1_200, "named")
    amounts = {s.receiver_id: s.amount_minor for s in shares_of(rewards.company, packet.id)}
    assert amounts == {lin.person.id: 500, zhao.person.id: 700}
    assert rewards.manager.get(f"/grants/{made.json['id']}").json["receivers"] == 2
    assert rewards.verify().holds


def test_a_grant_is_credited_at_once(rewards):
    lin, zhao = rewards.team("Lin", "Zhao")
    grant(rewards, [(lin.person.id, 500), (zhao.person.id, 700)])

    assert (balance_of(lin, "CNY"), balance_of(zhao, "CNY")) == (500, 700)
    rewards.company.settle()
    assert rewards.budget()["spent_minor"] == 1_200


def test_a_grant_to_many_goes_out_in_parts(rewards, monkeypatch):
    monkeypatch.setattr("redpackets.campaigns.placing.RECEIVERS_EACH_MAX", 2)
    team = rewards.team("Lin", "Zhao", "Qian", "Sun", "Li")
    made = grant(rewards, [(phone.person.id, 10) for phone in team])

    packets = packets_of(rewards.company)
    assert [p.share_count for p in packets] == [2, 2, 1]
    assert [len(scopes_of(rewards.company, p.id)) for p in packets] == [2, 2, 1]
    assert (made.json["receivers"], made.json["total_minor"]) == (5, 50)


def test_wrong_receivers_of_a_grant_are_named_by_row_and_nothing_is_given(rewards):
    lin, zhao = rewards.team("Lin", "Zhao")
    with rewards.company.transaction() as session:
        people.set_active(session, person_id=zhao.person.id, active=False)
    rows = [(lin.person.id, 1), (zhao.person.id, 1), (lin.person.id, 1)]
    refused = grant(rewards, rows)

    assert {path: error["code"] for path, error in refused.json["errors"].items()} == {
        "receivers.1.person_id": "receiver_not_active",
        "receivers.2.person_id": "duplicate_receiver",
    }
    assert grant(rewards, [(lin.person.id, 0)]).status_code == 422
    assert grant(rewards, []).json["errors"]["receivers"]["code"] == "required"
    assert grant(rewards, [(lin.person.id, 1)], by=lin).status_code == 403
    assert packets_of(rewards.company) == []
