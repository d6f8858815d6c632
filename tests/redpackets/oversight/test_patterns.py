"""Planted histories are flagged, innocent ones are not, and nothing is flagged twice."""

import random
from datetime import timedelta

import pytest

from tests.redpackets.campaigns.test_rains_and_grants import rain
from tests.redpackets.oversight.giving import Gift


def wave_at(gifts, minutes: int) -> str:
    return (gifts.rewards.company.clock() + timedelta(minutes=minutes)).isoformat()


def subjects(flag) -> set[str]:
    return {person["name"] for person in flag["subjects"]}


def test_much_of_ones_money_to_one_person_again_and_again_is_flagged(gifts):
    lin, zhao, qian = gifts.rewards.team("Lin", "Zhao", "Qian")
    packets = gifts.repeat(6, lin, zhao)
    gifts.repeat(2, lin, qian)

    [flag] = gifts.scan()
    assert (flag["kind"], flag["state"], subjects(flag)) == (
        "same_receiver",
        "open",
        {"Lin", "Zhao"},
    )
    assert set(flag["packet_ids"]) == {str(packet) for packet in packets}
    assert flag["figures"] == {
        "unit": "CNY",
        "gift_count": 6,
        "amount_minor": 600,
        "total_minor": 800,
    }


def test_often_but_not_much_of_it_or_much_but_not_often_is_not(gifts):
    lin, zhao, qian = gifts.rewards.team("Lin", "Zhao", "Qian")
    gifts.repeat(6, lin, zhao)
    gifts.repeat(1, lin, qian, amount=700)
    gifts.repeat(5, qian, zhao)
    assert gifts.scan() == []


def test_a_packet_for_one_person_is_a_gift_whatever_it_is_called(gifts):
    lin, zhao = gifts.rewards.team("Lin", "Zhao")
    gifts.repeat(6, lin, zhao, kind="lucky")
    assert [flag["kind"] for flag in gifts.scan()] == ["same_receiver"]


def test_luck_among_many_is_nobodys_gift(gifts):
    team = tuple(gifts.rewards.team("Lin", "Zhao", "Qian"))
    manager = gifts.rewards.manager
    given = [
        Gift(
            giver=manager, receivers=team, amount=300, at=gifts.days_ago(n), kind="lucky", takers=1
        )
        for n in range(1, 9)
    ]
    gifts.plant(given)
    assert gifts.scan() == []


def test_gifts_that_go_round_among_three_are_flagged_once_with_all_of_them(gifts):
    lin, zhao, qian = gifts.rewards.team("Lin", "Zhao", "Qian")
    packets = [
        packet
        for giver, receiver in ((lin, zhao), (zhao, qian), (qian, lin))
        for packet in gifts.repeat(3, giver, receiver)
    ]
    [flag] = gifts.scan()
    assert (flag["kind"], subjects(flag)) == ("ring", {"Lin", "Zhao", "Qian"})
    assert set(flag["packet_ids"]) == {str(packet) for packet in packets}
    assert flag["figures"] == {"unit": "CNY", "gift_count": 9, "amount_minor": 900}


def test_two_who_give_each_other_are_a_ring_and_five_are_not(gifts):
    people = gifts.rewards.team("Lin", "Zhao", "Qian", "Sun", "Li")
    for number, giver in enumerate(people):
        gifts.repeat(3, giver, people[(number + 1) % 5])
    assert gifts.scan() == []

    wu, zheng = gifts.rewards.team("Wu", "Zheng")
    gifts.repeat(3, wu, zheng)
    gifts.repeat(3, zheng, wu)
    assert [subjects(flag) for flag in gifts.scan()] == [{"Wu", "Zheng"}]


def test_who_gives_others_more_is_in_no_ring(gifts):
    lin, zhao, qian, sun = gifts.rewards.team("Lin", "Zhao", "Qian", "Sun")
    for giver, receiver in ((lin, zhao), (zhao, qian), (qian, lin)):
        gifts.repeat(3, giver, receiver)
        gifts.repeat(2, giver, sun, amount=200)
    assert gifts.scan() == []


def test_what_a_rule_sends_is_nobodys_gift(gifts):
    lin, zhao = gifts.rewards.team("Lin", "Zhao")
    for kind in ("milestone", "kpi"):
        gifts.repeat(6, lin, zhao, kind=kind)
    assert gifts.scan() == []


def test_what_somebody_grants_is_their_gift(gifts):
    lin, zhao, qian = gifts.rewards.team("Lin", "Zhao", "Qian")
    gifts.repeat(6, lin, zhao, kind="grant")
    [flag] = gifts.scan()
    assert (flag["kind"], subjects(flag)) == ("same_receiver", {"Lin", "Zhao"})

    gifts.repeat(3, zhao, qian, kind="grant")
    gifts.repeat(3, qian, zhao)
    assert {"Zhao", "Qian"} in [subjects(flag) for flag in gifts.scan() if flag["kind"] == "ring"]


@pytest.mark.parametrize("kind", ["targeted", "grant", "kpi", "lucky"])
def test_who_names_themselves_is_flagged_once_however_it_is_called(gifts, kind):
    [lin] = gifts.rewards.team("Lin")
    packets = gifts.repeat(2, lin, lin, kind=kind)
    for _ in range(2):
        [flag] = gifts.scan()
    assert (flag["kind"], flag["state"], subjects(flag)) == ("self_gift", "open", {"Lin"})
    assert set(flag["packet_ids"]) == {str(packet) for packet in packets}
    assert flag["figures"] == {"unit": "CNY", "gift_count": 2, "amount_minor": 200}


def test_who_names_themselves_among_others_is_flagged_with_their_part_alone(gifts):
    lin, zhao = gifts.rewards.team("Lin", "Zhao")
    at = gifts.days_ago(2)
    gifts.plant(
        [Gift(giver=lin, receivers=(lin, zhao), amount=500, at=at, kind="targeted", takers=2)]
    )
    [flag] = gifts.scan()
    assert (flag["kind"], flag["figures"]["amount_minor"]) == ("self_gift", 250)


def test_taking_part_in_what_one_sent_to_all_and_ones_own_birthday_are_no_gift_to_oneself(gifts):
    team = tuple(gifts.rewards.team("Lin", "Zhao", "Qian"))
    lin = team[0]
    lucky = [
        Gift(giver=lin, receivers=team, amount=300, at=gifts.days_ago(n), kind="lucky")
        for n in range(1, 9)
    ]
    gifts.plant(lucky)
    gifts.repeat(1, lin, lin, kind="milestone")
    assert gifts.scan() == []


def test_who_is_flagged_for_a_gift_to_themselves_does_not_say_what_it_came_to(gifts):
    owner = gifts.rewards.owner
    gifts.repeat(1, owner, owner, kind="targeted")
    [flag] = gifts.scan()
    said = {"state": "dismissed", "note": "Mine"}
    refused = owner.post(f"/oversight/flags/{flag['id']}/resolution", said)
    assert refused.json["code"] == "redpackets.involved_in_flag"


def test_a_normal_month_of_thanks_and_team_packets_raises_nothing(gifts):
    team = tuple(gifts.rewards.team(*(f"Member{number}" for number in range(8))))
    dice = random.Random(20)
    given = []
    for _ in range(40):
        giver, receiver = dice.sample(team, 2)
        given.append(
            Gift(
                giver=giver,
                receivers=(receiver,),
                amount=dice.randint(50, 500),
                at=gifts.days_ago(dice.uniform(1, 30)),
            )
        )
    for week in range(4):
        manager = gifts.rewards.manager
        at = gifts.days_ago(7 * week + 2)
        given.append(Gift(giver=manager, receivers=team, amount=8_000, at=at, kind="lucky"))
    gifts.watch(split_minor={"CNY": [20_000]})
    gifts.plant(given)
    assert gifts.scan() == []


def test_packets_each_below_a_threshold_and_together_above_it_are_flagged(gifts):
    team, manager = tuple(gifts.rewards.team("Lin", "Zhao")), gifts.rewards.manager
    gifts.watch(split_minor={"CNY": [2_000, 100_000]})
    at = gifts.days_ago(3)
    sent = [
        Gift(
            giver=manager,
            receivers=team,
            amount=900,
            at=at + timedelta(hours=6 * n),
            kind="equal",
        )
        for n in range(3)
    ]
    packets = gifts.plant(sent)

    flags = gifts.scan()
    assert {(flag["kind"], flag["figures"]["threshold_minor"]) for flag in flags} == {
        ("split", 2_000)
    }
    newest = max(flags, key=lambda flag: flag["figures"]["packet_count"])
    assert set(newest["packet_ids"]) == {str(packet) for packet in packets}
    assert (newest["figures"]["amount_minor"], subjects(newest)) == (2_700, {"Mara"})


def test_the_same_over_days_by_two_people_from_two_budgets_or_in_one_large_packet_is_not(gifts):
    team = tuple(gifts.rewards.team("Lin", "Zhao"))
    manager, owner = gifts.rewards.manager, gifts.rewards.owner
    gifts.watch(split_minor={"CNY": [2_000]})

    def packet(giver, days, amount=900, budget=None):
        at = gifts.days_ago(days)
        return Gift(giver=giver, receivers=team, amount=amount, at=at, kind="equal", budget=budget)

    other = gifts.open_budget()
    over_days = [packet(manager, days) for days in (30, 28.5, 27)]
    by_two = [packet(manager, 20), packet(manager, 20), packet(owner, 20)]
    from_two = [packet(manager, 15), packet(manager, 15), packet(manager, 15, budget=other)]
    openly = [packet(manager, 10, amount=5_000), packet(manager, 10)]
    gifts.plant([*over_days, *by_two, *from_two, *openly])
    assert gifts.scan() == []


def test_thanks_and_what_was_withdrawn_are_no_split(gifts):
    lin, zhao, qian, sun = gifts.rewards.team("Lin", "Zhao", "Qian", "Sun")
    gifts.watch(split_minor={"CNY": [2_000]})
    at = gifts.days_ago(2)
    thanks = [
        Gift(giver=sun, receivers=(friend,), amount=900, at=at) for friend in (lin, zhao, qian)
    ]
    gifts.plant(thanks)
    sent = [gifts.rewards.send(total_minor=900) for _ in range(3)]
    gifts.rewards.manager.post(f"{sent[0]}/cancellation")
    assert gifts.scan() == []

    gifts.rewards.send(total_minor=900)
    assert [flag["kind"] for flag in gifts.scan()] == ["split"]


def test_the_waves_of_a_rain_are_one_decision_and_two_rains_are_two(gifts):
    gifts.rewards.team("Lin")
    gifts.watch(split_minor={"CNY": [2_000]})
    assert rain(gifts.rewards).status_code == 201  # 3 waves of 1,000: openly above
    small = [{"opens_at": wave_at(gifts, n), "total_minor": 600, "count": 2} for n in (0, 5, 10)]
    first = rain(gifts.rewards, waves=small).json
    assert gifts.scan() == []

    second = rain(gifts.rewards, waves=small).json
    [flag] = gifts.scan()
    assert (flag["kind"], flag["figures"]["amount_minor"]) == ("split", 3_600)
    waves = [wave["packet_id"] for made in (first, second) for wave in made["waves"]]
    assert set(flag["packet_ids"]) == set(waves)


def test_what_was_approved_dodged_no_approval(gifts):
    gifts.rewards.team("Lin")
    gifts.rewards.approve_above(500)
    gifts.watch(split_minor={"CNY": [2_000]})
    sent = [gifts.rewards.send(total_minor=900) for _ in range(3)]
    made = rain(gifts.rewards).json
    waves = [f"/red-packets/{wave['packet_id']}" for wave in made["waves"]]
    for packet in sent + waves:
        said = gifts.rewards.owner.post(f"{packet}/approval", {"decision": "approve"})
        assert said.status_code == 200, said.json
    gifts.rewards.approve_above(2_000)
    assert gifts.scan() == []

    for _ in range(3):
        gifts.rewards.send(total_minor=900)
    [flag] = gifts.scan()
    assert (flag["kind"], flag["figures"]["packet_count"]) == ("split", 3)


def test_approved_once_is_still_a_split_where_two_were_to_approve(gifts):
    gifts.rewards.team("Lin")
    bands = [
        {"unit": "CNY", "up_to_minor": up_to, "approvals": number}
        for number, up_to in enumerate((500, 2_000, None))
    ]
    gifts.rewards.owner.post("/red-packet-policies", {"bands": bands})
    for _ in range(3):
        packet = gifts.rewards.send(total_minor=900)
        gifts.rewards.owner.post(f"{packet}/approval", {"decision": "approve"})
    [flag] = gifts.scan()
    assert (flag["kind"], flag["figures"]["threshold_minor"]) == ("split", 2_000)


def test_what_is_found_again_is_not_flagged_again_but_its_evidence_grows(gifts):
    lin, zhao = gifts.rewards.team("Lin", "Zhao")
    gifts.repeat(6, lin, zhao)
    [first] = gifts.scan()
    [again] = gifts.scan()
    gifts.plant([Gift(giver=lin, receivers=(zhao,), amount=100, at=gifts.days_ago(0.01))])
    [grown] = gifts.scan()

    assert first["id"] == again["id"] == grown["id"]
    assert (first["figures"]["gift_count"], grown["figures"]["gift_count"]) == (6, 7)
    assert len(gifts.flags()) == 1


def test_what_an_auditor_has_looked_at_stays_as_it_was(gifts):
    lin, zhao = gifts.rewards.team("Lin", "Zhao")
    gifts.repeat(6, lin, zhao)
    [flag] = gifts.scan()
    said = {"state": "dismissed", "note": "Mentor and trainee"}
    gifts.auditor.post(f"/oversight/flags/{flag['id']}/resolution", said)
    gifts.plant([Gift(giver=lin, receivers=(zhao,), amount=100, at=gifts.days_ago(0.01))])

    assert gifts.scan() == []
    [kept] = gifts.flags()
    assert (kept["state"], kept["figures"]["gift_count"]) == ("dismissed", 6)


def test_what_is_older_than_the_window_is_not_looked_at(gifts):
    lin, zhao = gifts.rewards.team("Lin", "Zhao")
    old = [
        Gift(giver=lin, receivers=(zhao,), amount=100, at=gifts.days_ago(20 + n)) for n in range(3)
    ]
    gifts.plant(old)
    gifts.watch(window_days=7)
    gifts.repeat(3, lin, zhao)
    assert gifts.scan() == []
    gifts.watch(window_days=60)
    assert len(gifts.scan()) == 1


def test_the_approval_policy_in_force_says_what_a_split_is(gifts):
    gifts.rewards.team("Lin")
    gifts.watch(split_minor={"CNY": [500]})
    gifts.rewards.approve_above(2_000)
    for _ in range(2):
        gifts.rewards.send(total_minor=900)
    assert gifts.scan() == []

    gifts.rewards.send(total_minor=900)
    [flag] = gifts.scan()
    assert (flag["kind"], flag["figures"]["threshold_minor"]) == ("split", 2_000)
