"""The winners' queue: bounded, committed together, answered after the commit and never before it."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from redpackets import claiming
from redpackets import winners as writing
from redpackets.claiming import Claim, claim_together
from redpackets.winners import Winners
from tests.builders.stream import wait_until
from tests.redpackets.gates import ask, build, entrance_of, seen_gate, seen_shares
from tests.redpackets.rewards import amount_of, id_of


@pytest.fixture
def held_back(rewards, monkeypatch):
    """Hold the writer's commits back until the test lets them go; says when one is waiting."""
    database = entrance_of(rewards).winners._database
    real, waiting, let_go = database.transaction, Event(), Event()

    @contextmanager
    def transaction(tenant_id):
        with real(tenant_id) as session:
            yield session
            waiting.set()
            assert let_go.wait(60)

    monkeypatch.setattr(database, "transaction", transaction)
    yield waiting, let_go
    let_go.set()


def claim_of(phone, packet, index, now):
    return Claim(
        packet_id=id_of(packet),
        person_id=phone.person.id,
        sign_in_id=phone.claims.session_id,
        index=index,
        now=now,
    )


def test_nobody_hears_anything_before_the_commit(rewards, held_back):
    waiting, let_go = held_back
    lin, zhao = rewards.team("Lin", "Zhao")
    packet = rewards.send(count=1)
    build(rewards, packet)
    with ThreadPoolExecutor(2) as threads:
        winner = threads.submit(lin.post, f"{packet}/grab")
        assert waiting.wait(60)
        latecomer = threads.submit(zhao.post, f"{packet}/grab")
        done_early = [winner.done(), latecomer.done()]
        free_before = rewards.free_shares(packet)
        let_go.set()
        answers = [winner.result().json, latecomer.result().json]

    assert (done_early, free_before) == ([False, False], 1)
    assert [answer["result"] for answer in answers] == ["won", "sold_out"]


def test_a_full_queue_is_said_before_the_gate_is_asked(rewards, held_back, monkeypatch):
    waiting, let_go = held_back
    entrance = entrance_of(rewards)
    small = Winners(entrance.winners._database, settle=entrance.gate.settle, room=1)
    monkeypatch.setattr(entrance, "winners", small)
    lin, zhao = rewards.team("Lin", "Zhao")
    packet = rewards.send(count=2)
    build(rewards, packet)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(lin.post, f"{packet}/grab")
        assert waiting.wait(60)
        refused = zhao.post(f"{packet}/grab")
        owners = seen_gate(rewards, packet).owners
        let_go.set()
        assert first.result().json["result"] == "won"

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert refused.json["code"] == "unavailable"
    assert zhao.person.id not in owners
    assert zhao.post(f"{packet}/grab").json["result"] == "won"
    small.close()


@pytest.mark.parametrize("was_committed", [True, False])
@pytest.mark.fault
def test_a_connection_lost_in_the_commit_is_pending_and_a_repeat_tells(
    rewards, monkeypatch, was_committed
):
    [lin] = rewards.team("Lin")
    packet = rewards.send(count=3)
    database = entrance_of(rewards).winners._database
    real = database.transaction

    @contextmanager
    def cut(tenant_id):
        with real(tenant_id) as session:
            yield session
            if not was_committed:
                session.rollback()
        raise OperationalError("COMMIT", {}, psycopg.OperationalError("the connection is lost"))

    monkeypatch.setattr(database, "transaction", cut)
    pending = lin.post(f"{packet}/grab")
    monkeypatch.setattr(database, "transaction", real)
    held = seen_shares(rewards, packet)[1]
    again = lin.post(f"{packet}/grab").json

    assert (pending.status_code, pending.json) == (202, {"result": "pending", "first": False})
    assert (len(held), again["result"], again["first"]) == (
        int(was_committed),
        "won",
        not was_committed,
    )
    assert seen_shares(rewards, packet)[1] == {lin.person.id: again["share"]["index"]}
    assert rewards.verify().holds


def test_a_database_that_is_away_is_503_and_nothing_is_lost(rewards, monkeypatch):
    [lin] = rewards.team("Lin")
    packet = rewards.send(count=2)
    database = entrance_of(rewards).winners._database

    @contextmanager
    def away(tenant_id):
        raise OperationalError("BEGIN", {}, psycopg.OperationalError("connection refused"))
        yield

    with monkeypatch.context() as broken:
        broken.setattr(database, "transaction", away)
        refused = lin.post(f"{packet}/grab")

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert lin.post(f"{packet}/grab").json["first"] is True


def test_winners_of_many_packets_share_one_commit(rewards, held_back):
    waiting, let_go = held_back
    team = rewards.team(*(f"Member{number}" for number in range(4)))
    packets = [rewards.send(count=4, total_minor=400, kind="equal") for _ in range(2)]
    for packet in packets:
        build(rewards, packet)
    with ThreadPoolExecutor(9) as threads:
        first = threads.submit(rewards.manager.post, f"{packets[0]}/grab")
        assert waiting.wait(60)
        others = [
            threads.submit(phone.post, f"{packet}/grab") for phone in team[:3] for packet in packets
        ]
        let_go.set()
        replies = [first.result(), *(other.result() for other in others)]

    assert all(amount_of(reply) == 100 for reply in replies)
    with rewards.company.transaction() as session:
        commits = session.execute(
            text("SELECT count(DISTINCT xmin::text) FROM redpackets_journal WHERE kind = 'claim'")
        ).scalar_one()
    assert commits < len(replies)
    assert rewards.verify().holds


def test_a_commit_waits_a_moment_for_who_is_still_at_the_gate(rewards, monkeypatch):
    monkeypatch.setattr(writing, "GATHER_SECONDS_MAX", 60)
    lin, zhao = rewards.team("Lin", "Zhao")
    packet = rewards.send(count=2)
    build(rewards, packet)
    queue, now = entrance_of(rewards).winners, rewards.company.clock()
    with ThreadPoolExecutor(1) as threads, queue.room():
        first = threads.submit(lin.post, f"{packet}/grab")
        wait_until(lambda: queue._queued == 1, "the winner is in the queue")
        claim = claim_of(zhao, packet, ask(rewards, packet, zhao).index, now)
        second = queue.submit(rewards.company.tenant_id, claim)
        answers = [first.result().json["result"], second.result(3).first]

    assert answers == ["won", True]
    with rewards.company.transaction() as session:
        commits = "SELECT count(DISTINCT xmin::text) FROM redpackets_journal WHERE kind = 'claim'"
        assert session.execute(text(commits)).scalar_one() == 1


def test_who_leaves_the_gate_without_a_share_is_waited_for_no_longer(rewards, monkeypatch):
    monkeypatch.setattr(writing, "GATHER_SECONDS_MAX", 60)
    [lin] = rewards.team("Lin")
    packet = rewards.send(count=2)
    queue = entrance_of(rewards).winners
    with ThreadPoolExecutor(1) as threads:
        with queue.room():
            winner = threads.submit(lin.post, f"{packet}/grab")
            wait_until(lambda: queue._queued == 1, "the winner is in the queue")
        # After so long an answer would be "pending".
        assert winner.result().json["result"] == "won"


def test_a_moment_at_the_gate_ends_and_who_is_alone_waits_for_nobody(rewards, monkeypatch):
    lin, zhao = rewards.team("Lin", "Zhao")
    packet = rewards.send(count=2)
    with entrance_of(rewards).winners.room():
        assert lin.post(f"{packet}/grab").json["result"] == "won"
    monkeypatch.setattr(writing, "GATHER_SECONDS_MAX", 60)
    assert zhao.post(f"{packet}/grab").json["result"] == "won"


def test_a_stopping_server_writes_who_waits_and_lets_nobody_in(rewards):
    [lin] = rewards.team("Lin")
    packet = rewards.send(count=2)
    entrance = entrance_of(rewards)
    winners = Winners(entrance.winners._database, settle=entrance.gate.settle)
    answer = winners.submit(
        rewards.company.tenant_id, claim_of(lin, packet, 1, rewards.company.clock())
    )
    winners.close()

    assert answer.result(0).first is True
    with pytest.raises(Exception, match="unavailable"), winners.room():
        pass


def test_each_claim_is_checked_against_the_rows_and_the_others_stand(rewards, other_company):
    lin, zhao, qian, sun, wu = rewards.team("Lin", "Zhao", "Qian", "Sun", "Wu")
    packet, frozen = rewards.send(count=5), rewards.send(count=4)
    [late] = rewards.team("Late")
    stranger = other_company.phone("Vera")
    won, left = (phone.post(f"{packet}/grab").json["share"]["index"] for phone in (zhao, wu))
    for phone in (qian, wu):
        phone.delete("/sessions/current")
    with rewards.company.transaction() as session:
        session.execute(
            text("UPDATE redpackets_packet SET frozen_at = now() WHERE id = :id"),
            {"id": id_of(frozen)},
        )
    free, now = seen_shares(rewards, packet)[0], rewards.company.clock()
    claims = {
        "sound": claim_of(lin, packet, free[0], now),
        "the same person again": claim_of(lin, packet, free[1], now),
        "holds another": claim_of(zhao, packet, free[1], now),
        "signed out": claim_of(qian, packet, free[1], now),
        "holds one and signed out": claim_of(wu, packet, left, now),
        "somebody has it": claim_of(sun, packet, won, now),
        "no member": claim_of(late, packet, free[2], now),
        "another company": claim_of(stranger, packet, free[2], now),
        "frozen": claim_of(sun, frozen, 0, now),
        "no such share": claim_of(rewards.manager, packet, 99, now),
    }
    with rewards.company.transaction() as session:
        answers = claim_together(session, list(claims.values()))

    outcome = {
        name: taken and (taken.index, taken.first)
        for name, taken in zip(claims, answers, strict=True)
    }
    assert outcome == dict.fromkeys(claims) | {
        "sound": (free[0], True),
        "the same person again": (free[0], False),
        "holds another": (won, False),
    }
    holders = {lin.person.id: free[0], zhao.person.id: won, wu.person.id: left}
    assert seen_shares(rewards, packet)[1] == holders
    assert rewards.verify().holds


def test_claims_of_another_company_are_nobodys(rewards, other_company):
    """Not even with a packet's id: its rows are not to be seen from there."""
    [lin] = rewards.team("Lin")
    packet = rewards.send(count=2)
    with other_company.transaction() as session:
        answers = claim_together(session, [claim_of(lin, packet, 0, rewards.company.clock())])

    assert answers == [None]
    assert rewards.free_shares(packet) == 2


def test_wallets_credited_in_any_order_deadlock_and_ours_do_not(rewards):
    """Trap: two processes that credit the same wallets in different orders wait for each other for ever."""
    team = rewards.team(*(f"Member{number}" for number in range(8)))
    wallets = [rewards.send(count=9, kind="equal", total_minor=90) for _ in range(1)]
    for phone in team:
        phone.post(f"{wallets[0]}/grab")
    assert crossing_updates(rewards, team[:2]) == "deadlock"

    now = rewards.company.clock()
    for _ in range(2):
        packets = [rewards.send(count=9, kind="equal", total_minor=90) for _ in range(2)]
        orders = [team, list(reversed(team))]

        def write(packet, order):
            claims = [claim_of(phone, packet, at, now) for at, phone in enumerate(order)]
            with rewards.company.transaction() as session:
                return claim_together(session, claims)

        with ThreadPoolExecutor(2) as threads:
            answers = [*threads.map(write, packets, orders)]
        assert all(taken is not None and taken.first for each in answers for taken in each)
    assert rewards.verify().holds


def crossing_updates(rewards, phones):
    """Credit two wallets in one order and in the other, as naive writers do; say what comes of it."""
    credit = text("UPDATE redpackets_fund_account SET unit = unit WHERE person_id = :person_id")
    first_done = [Event(), Event()]

    def write(number):
        one, other = phones if number == 0 else reversed(phones)
        try:
            with rewards.company.transaction() as session:
                session.execute(credit, {"person_id": one.person.id})
                first_done[number].set()
                first_done[1 - number].wait(2)
                session.execute(credit, {"person_id": other.person.id})
        except OperationalError as error:
            return "deadlock" if isinstance(error.orig, psycopg.errors.DeadlockDetected) else "?"
        return "done"

    with ThreadPoolExecutor(2) as threads:
        outcomes = list(threads.map(write, range(2)))
    return min(outcomes)


def test_more_than_a_commit_holds_are_written_in_several(rewards, monkeypatch):
    monkeypatch.setattr("redpackets.winners.TOGETHER_MAX", 3)
    team = rewards.team(*(f"Member{number}" for number in range(7)))
    packet = rewards.send(count=8)
    entrance = entrance_of(rewards)
    sizes, real = [], claim_together

    def counted(session, claims):
        sizes.append(len(claims))
        return real(session, claims)

    monkeypatch.setattr("redpackets.winners.claim_together", counted)
    winners = Winners(entrance.winners._database, settle=entrance.gate.settle)
    now = rewards.company.clock()
    with winners._changed:
        waiting = [
            winners.submit(rewards.company.tenant_id, claim_of(phone, packet, at, now))
            for at, phone in enumerate(team)
        ]
    assert [each.result(3).index for each in waiting] == list(range(7))
    winners.close()
    assert (max(sizes), sum(sizes)) == (3, 7)
    assert claiming.TOGETHER_MAX == 200
    assert ask(rewards, packet, team[0]).word in {"mine", "build"}
