"""The gate in front of the grab: what it holds, when it is believed, and what becomes of it when it is wrong."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import monotonic, sleep
from uuid import UUID

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.core import clock
from app.core.ids import new_id
from app.people.services import set_active
from app.people.standing import FRESH_SECONDS, _Ended
from redpackets.gate import Gate, Ground, _marker
from redpackets.gate_scripts import ASK
from tests.builders.stream import wait_until
from tests.redpackets.gates import (
    ask,
    build,
    client_of,
    entrance_of,
    keys_of,
    seen_gate,
    seen_shares,
    silent_server,
)
from tests.redpackets.rewards import amount_of


def won(phone, packet):
    """Grab, and say which share it was."""
    reply = phone.post(f"{packet}/grab")
    assert reply.json["result"] == "won", reply.json
    return reply.json["share"]["index"]


def assert_gate_equals_database(rewards, packet):
    """The shares that are free, in any order, and who holds which."""
    gate, (free, holders) = seen_gate(rewards, packet), seen_shares(rewards, packet)
    assert gate is not None
    assert (sorted(gate.free), gate.owners, gate.settled) == (free, holders, set(holders))


def test_the_first_grab_builds_a_gate_that_equals_the_database(rewards):
    team = rewards.team("Lin", "Zhao", "Qian")
    packet = rewards.send(count=3)
    won(team[0], packet)
    settled(rewards, packet, 1)

    assert_gate_equals_database(rewards, packet)
    members = {phone.person.id for phone in (*team, rewards.manager)}
    assert seen_gate(rewards, packet).members == members


def test_two_members_halves_do_not_make_a_third(rewards):
    gate, tenant_id, packet_id, now = entrance_of(rewards).gate, new_id(), new_id(), clock.now()
    one, other = UUID(bytes=bytes(range(16))), UUID(bytes=bytes([*range(1, 8), 15, *range(8, 16)]))
    between = UUID(bytes=one.bytes[8:] + other.bytes[:8])
    assert {each.bytes[-1] for each in (one, other, between)} == {15}, "all lie in one bucket"

    ground = Ground(1, now + timedelta(hours=1), "0", "", b"", one.bytes + other.bytes)
    gate.build(tenant_id, packet_id, ground, now)
    said = [gate.ask(tenant_id, packet_id, who).word for who in (between, other, one)]
    assert said == ["stranger", "won", "taken"]


def test_who_is_asked_for_together_is_told_what_each_would_be_told_alone(rewards):
    gate, tenant_id, now = entrance_of(rewards).gate, new_id(), clock.now()
    lin, zhao, stranger = new_id(), new_id(), new_id()
    one, other, unbuilt = new_id(), new_id(), new_id()
    for packet_id, free in ((one, "0,1"), (other, "0")):
        ground = Ground(2, now + timedelta(hours=1), free, "", b"", lin.bytes + zhao.bytes)
        gate.build(tenant_id, packet_id, ground, now)

    asked = [(one, lin), (other, lin), (one, zhao), (other, stranger), (one, lin), (unbuilt, zhao)]
    said = gate._ask_together(
        [(_marker(tenant_id, packet_id), who.bytes) for packet_id, who in asked]
    )
    told = [(each.word, each.index) for each in said]
    assert told == [
        ("won", 1),
        ("won", 0),
        ("won", 0),
        ("stranger", None),
        ("won", 1),
        ("build", None),
    ]


def test_a_gate_built_anew_at_any_time_equals_the_database(rewards):
    team = rewards.team(*(f"Member{number}" for number in range(5)))

    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(
            st.tuples(st.sampled_from(range(5)), st.sampled_from(["tap", "lose", "rebuild"])),
            max_size=8,
        )
    )
    def play(steps):
        packet = rewards.send(count=4, total_minor=100)
        for member, step in [*steps, (0, "rebuild")]:
            if step == "tap":
                team[member].post(f"{packet}/grab")
            elif step == "lose":
                for key in keys_of(rewards, packet)[: member + 1]:
                    rewards.company.space.redis.delete(key)
            else:
                build(rewards, packet)
                assert_gate_equals_database(rewards, packet)
        held = seen_shares(rewards, packet)[1]
        told = {phone.person.id: phone.post(f"{packet}/grab").json for phone in team}
        for person_id, index in held.items():
            assert (told[person_id]["share"]["index"], told[person_id]["first"]) == (index, False)
        assert sum(answer["result"] == "won" for answer in told.values()) == 4

    play()
    assert rewards.verify().holds


def test_sold_out_is_said_without_asking_the_database(rewards, monkeypatch):
    lin, zhao = rewards.team("Lin", "Zhao")
    packet = rewards.send(count=1)
    won(lin, packet)
    settled(rewards, packet, 1)

    monkeypatch.setattr(rewards.company.space.database, "transaction", None)
    entrance_of(rewards)._sign_ins._ended[rewards.company.tenant_id] = fresh_list()
    assert zhao.post(f"{packet}/grab").json == {"result": "sold_out", "first": False}


def test_everything_in_redis_ends_by_itself(rewards):
    [lin] = rewards.team("Lin")
    packet = rewards.send(count=2)
    won(lin, packet)
    settled(rewards, packet, 1)

    client = rewards.company.space.redis
    lives = {key: client.ttl(key) for key in keys_of(rewards, packet)}
    assert len(lives) == 4
    assert all(0 < seconds <= 25 * 3600 for seconds in lives.values())


def test_a_missing_list_is_not_an_empty_one(rewards):
    """Trap: a Redis list that is empty is no key at all, so what was lost looks sold out."""
    lin, zhao, qian = rewards.team("Lin", "Zhao", "Qian")
    packet = rewards.send(count=3)
    won(lin, packet)
    settled(rewards, packet, 1)
    [free] = [key for key in keys_of(rewards, packet) if key.endswith(b":free")]
    client = rewards.company.space.redis
    client.delete(free)

    naive_answer = "sold_out" if client.lpop(free) is None else "won"
    assert naive_answer == "sold_out"
    assert won(zhao, packet) != won(qian, packet)


@pytest.mark.parametrize("lost", [":members", ":owners", ":free", ""])
def test_whatever_redis_forgets_alone_nobody_is_told_wrong(rewards, lost):
    team = rewards.team("Lin", "Zhao", "Qian")
    packet = rewards.send(count=2, kind="equal", total_minor=200)
    first = won(team[0], packet)
    settled(rewards, packet, 1)
    marker = min(keys_of(rewards, packet), key=len)
    generation = seen_gate(rewards, packet).generation
    rewards.company.space.redis.delete(marker + (f":{generation}{lost}".encode() if lost else b""))

    assert won(team[0], packet) == first
    assert won(team[1], packet) == 1 - first
    assert team[2].post(f"{packet}/grab").json["result"] == "sold_out"


def test_a_restarted_redis_that_knows_no_script_and_no_key_is_no_trouble(rewards):
    """Trap: after a restart a script is unknown, and EVALSHA alone fails."""
    lin, zhao = rewards.team("Lin", "Zhao")
    packet = rewards.send(count=2)
    won(lin, packet)
    client = rewards.company.space.redis
    sha = client.script_load(ASK)
    client.flushdb()
    client.script_flush()

    with pytest.raises(redis.exceptions.NoScriptError):
        client.evalsha(sha, 1, "marker", 1, "person")
    client.script_flush()
    won(zhao, packet)
    settled(rewards, packet, 2)
    assert_gate_equals_database(rewards, packet)


def test_a_call_that_the_client_repeats_is_given_the_same_share(rewards):
    """Trap: the Redis client repeats a call whose answer was lost; a bare pop would give a second share away."""
    [lin] = rewards.team("Lin")
    packet = rewards.send(count=3)
    build(rewards, packet)
    given_out = [ask(rewards, packet, lin).index for _ in range(3)]
    assert given_out == [2, 2, 2]

    [free] = [key for key in keys_of(rewards, packet) if key.endswith(b":free")]
    client = rewards.company.space.redis
    naive = [int(client.rpop(free)) for _ in range(2)]
    assert naive == [1, 0]


@pytest.mark.fault
def test_a_gate_built_while_winners_are_in_flight_wastes_a_call_and_no_share(rewards):
    lin, zhao = rewards.team("Lin", "Zhao")
    packet = rewards.send(count=2, kind="equal", total_minor=200)
    build(rewards, packet)
    assert ask(rewards, packet, lin).index == 1
    build(rewards, packet)

    # Lin's claim was on its way when the gate was built anew: both were given the same share.
    assert won(zhao, packet) == 1
    assert won(lin, packet) == 0
    settled(rewards, packet, 2)
    assert_gate_equals_database(rewards, packet)
    assert rewards.verify().holds


def test_claims_made_past_the_gate_leave_it_stale_and_the_sums_exact(rewards):
    team = rewards.team("Lin", "Zhao", "Qian", "Sun")
    packet = rewards.send(count=3, total_minor=300)
    build(rewards, packet)
    entrance_of(rewards).is_open = False
    won(team[0], packet)
    entrance_of(rewards).is_open = True

    amounts = [amount_of(phone.post(f"{packet}/grab")) for phone in team[:3]]
    assert sum(amounts) == 300
    assert team[3].post(f"{packet}/grab").json["result"] == "sold_out"
    assert rewards.verify().holds


def test_sold_out_waits_for_the_last_winner_who_may_yet_fail(rewards):
    """The winner's server died after the gate: the share is free, so nobody may hear sold out."""
    lin, zhao = rewards.team("Lin", "Zhao")
    packet = rewards.send(count=1)
    build(rewards, packet)
    assert ask(rewards, packet, lin).word == "won"
    assert ask(rewards, packet, zhao).word == "taken"

    assert won(zhao, packet) == 0
    assert lin.post(f"{packet}/grab").json["result"] == "sold_out"


@pytest.mark.parametrize("shape", ["capped", "of an origin with a cap", "frozen", "expired"])
def test_packets_with_rules_of_their_own_have_no_gate(rewards, clock, shape):
    change = {
        "capped": "UPDATE redpackets_budget SET receive_cap_minor = 100000",
        "of an origin with a cap": "UPDATE redpackets_packet SET origin = 'x', origin_cap_count = 9",
        "frozen": "UPDATE redpackets_packet SET frozen_at = now()",
        "expired": "SELECT 1",
    }[shape]
    [lin] = rewards.team("Lin")
    packet = rewards.send(count=2)
    with rewards.company.transaction() as session:
        session.execute(text(change))
    if shape == "expired":
        clock.move(hours=25)
        lin = rewards.company.phone_of(lin.person)
    lin.post(f"{packet}/grab")

    assert seen_gate(rewards, packet) is None


def test_a_gate_that_outlived_the_opening_hours_gives_nothing_away(rewards, clock):
    lin, zhao = rewards.team("Lin", "Zhao")
    packet = rewards.send(count=2)
    won(lin, packet)
    with rewards.company.transaction() as session:
        session.execute(text("UPDATE redpackets_packet SET frozen_at = now()"))
    frozen = zhao.post(f"{packet}/grab")
    assert (frozen.status_code, frozen.json["code"]) == (423, "redpackets.frozen")

    with rewards.company.transaction() as session:
        session.execute(text("UPDATE redpackets_packet SET frozen_at = NULL"))
    clock.move(hours=25)
    zhao = rewards.company.phone_of(zhao.person)
    assert zhao.post(f"{packet}/grab").json["code"] == "redpackets.expired"


def test_who_left_the_company_gets_nothing_however_fresh_their_token(rewards):
    lin, zhao, qian = rewards.team("Lin", "Zhao", "Qian")
    packet = rewards.send(count=1)
    entrance_of(rewards)._sign_ins._ended[rewards.company.tenant_id] = fresh_list()
    with rewards.company.transaction() as session:
        set_active(session, person_id=lin.person.id, active=False)
        set_active(session, person_id=qian.person.id, active=False)

    # The list of who left is a second old: the claim itself asks.
    assert lin.post(f"{packet}/grab").status_code == 401
    won(zhao, packet)
    settled(rewards, packet, 1)
    sleep(FRESH_SECONDS + 0.05)
    assert qian.post(f"{packet}/grab").status_code == 401


def test_who_signed_out_gets_nothing(rewards):
    lin, zhao = rewards.team("Lin", "Zhao")
    packet = rewards.send(count=2)
    won(zhao, packet)
    assert lin.delete("/sessions/current").status_code == 204

    assert lin.post(f"{packet}/grab").status_code == 401
    assert seen_shares(rewards, packet)[1].keys() == {zhao.person.id}


@pytest.mark.parametrize("state", ["silent", "away"])
def test_without_redis_grabs_go_on_and_only_the_first_one_waits(rewards, monkeypatch, state):
    # The moment in which Redis is left alone does not pass, however long the grabs take.
    monkeypatch.setattr("app.core.breaking.monotonic", lambda: 0.0)
    waits = []
    team = rewards.team(*(f"Member{number}" for number in range(6)))
    packet = rewards.send(count=5)
    with silent_server() as port:
        gate = Gate(client_of(rewards, port if state == "silent" else 1))
        failed = gate._breaker.failed
        monkeypatch.setattr(gate._breaker, "failed", lambda: waits.append(failed()))
        monkeypatch.setattr(entrance_of(rewards), "gate", gate)
        results = [phone.post(f"{packet}/grab").json["result"] for phone in team]

    assert results == ["won"] * 5 + ["sold_out"]
    assert len(waits) == 1
    assert rewards.verify().holds


@pytest.mark.fault
def test_redis_lost_in_the_middle_of_a_rush_costs_no_share(rewards):
    team = rewards.team(*(f"Member{number}" for number in range(16)))
    packet = rewards.send(count=10, total_minor=5_000)
    client = rewards.company.space.redis

    def tap(number):
        if number % 5 == 4:
            client.flushdb()
        return team[number % 16].post(f"{packet}/grab").json

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(tap, range(48)))

    amounts = [a["share"]["amount_minor"] for a in answers if a["first"]]
    assert (len(amounts), sum(amounts)) == (10, 5_000)
    assert rewards.verify().holds


def settled(rewards, packet, count):
    """Wait until the gate heard of so many commits: the writer tells it after it has answered."""
    wait_until(lambda: len(seen_gate(rewards, packet).settled) >= count, "the gate heard of it")


def fresh_list():
    """A list of ended sign-ins as if it had just been read, and nobody was on it."""
    return _Ended(monotonic(), frozenset())
