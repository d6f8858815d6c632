"""Everybody at once: threads through the real application against the real database."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from time import sleep

import pytest
from sqlalchemy import text

from tests.builders.company import Phone
from tests.redpackets.rewards import Rewards, amount_of, id_of

THREADS = 8
ROUNDS = 6
#: What finds nothing while a share is free, and would be told as "sold out".
NAIVE_NEXT = text(
    "SELECT index FROM redpackets_share WHERE packet_id = :packet_id AND state = 'free'"
    " FOR UPDATE SKIP LOCKED"
)


def grab(phone: Phone, packet: str):
    """Grab as a phone does: a server that is busy is asked again."""
    for _ in range(20):
        reply = phone.post(f"{packet}/grab")
        if reply.status_code != 503:
            return reply
        sleep(0.05)
    return reply


def team_of(rewards: Rewards, size: int) -> list[Phone]:
    return rewards.team(*(f"Member{number}" for number in range(size)))


@pytest.mark.usefixtures("way_in")
def test_fifty_people_and_their_double_taps_share_ten_shares_exactly(rewards):
    team = team_of(rewards, 50)
    packet = rewards.send(total_minor=10_000, count=10)
    taps = team * 2
    random.Random(7).shuffle(taps)

    def tap(phone: Phone):
        reply = grab(phone, packet)
        # Free shares only become fewer: one that is free now was free during the whole call.
        left = rewards.free_shares(packet) if reply.json["result"] == "sold_out" else 0
        return phone, reply, left

    with ThreadPoolExecutor(THREADS) as threads:
        taken = list(threads.map(tap, taps))

    assert [left for _, _, left in taken if left] == []
    won = [(phone.person.id, r) for phone, r, _ in taken if r.json["result"] == "won"]
    firsts = {person: amount_of(r) for person, r in won if r.json["first"]}
    assert len(firsts) == sum(r.json["first"] for _, r in won) == 10
    assert sum(firsts.values()) == 10_000
    assert all(amount_of(r) == firsts[person] for person, r in won)
    assert Counter(person for person, _ in won) == Counter(dict.fromkeys(firsts, 2))
    winners = [phone for phone in team if phone.person.id in firsts]
    wallets = {phone.person.id: phone.get("/wallet").json["balances"] for phone in winners}
    assert {p: b[0]["amount_minor"] for p, b in wallets.items()} == firsts
    rewards.company.settle()
    assert rewards.budget()["spent_minor"] == 10_000
    assert rewards.manager.get(packet).json["state"] == "exhausted"
    assert rewards.verify().holds


@pytest.mark.fault
def test_eight_taps_of_one_person_are_one_share(rewards):
    [lin] = rewards.team("Lin")
    packet = rewards.send(count=8)

    with ThreadPoolExecutor(THREADS) as threads:
        replies = list(threads.map(lambda _: grab(lin, packet).json, range(8)))

    assert sorted(reply["first"] for reply in replies) == [False] * 7 + [True]
    assert len({reply["share"]["index"] for reply in replies}) == 1
    assert rewards.free_shares(packet) == 7


@pytest.mark.usefixtures("way_in")
def test_a_share_that_somebody_is_just_taking_is_not_sold_out_yet(rewards):
    """The taking is rolled back, as when a server dies in the middle: the share must go to who waited."""
    [lin] = rewards.team("Lin")
    packet = rewards.send(count=1)
    began, waited = Event(), Event()

    def wait_in_line():
        began.set()
        reply = lin.post(f"{packet}/grab")
        waited.set()
        return reply

    with ThreadPoolExecutor(1) as threads, rewards.company.space.database.engine.connect() as other:
        other.execute(
            text("SELECT set_config('app.tenant', :tenant, true)"),
            {"tenant": str(rewards.company.tenant_id)},
        )
        other.execute(
            text("SELECT 1 FROM redpackets_share WHERE packet_id = :packet_id FOR UPDATE"),
            {"packet_id": id_of(packet)},
        )
        with rewards.company.transaction() as session:
            naive = session.execute(NAIVE_NEXT, {"packet_id": id_of(packet)}).first()
        reply = threads.submit(wait_in_line)
        began.wait()
        answered_meanwhile = waited.wait(0.7)
        other.rollback()

    assert naive is None
    assert not answered_meanwhile
    assert reply.result().json["result"] == "won"


@pytest.mark.fault
def test_a_packet_that_expires_in_the_rush_gives_each_share_to_a_person_or_to_the_budget(
    rewards, clock, seed
):
    team = team_of(rewards, 6)
    bench = rewards.company.space.workbench()
    expire = rewards.company.space.jobs.functions["redpackets.expire_packet"]
    luck = random.Random(seed)
    spent = 0
    for number in range(ROUNDS):
        end = clock() + timedelta(minutes=1)
        packet = rewards.send(kind="equal", total_minor=600, count=6, expires_at=end.isoformat())
        arguments = {"tenant_id": str(rewards.company.tenant_id), "packet_id": str(id_of(packet))}
        order = [*team, None, None]
        luck.shuffle(order)
        # Its last instant: the end comes while they grab.
        clock.move(seconds=(end - clock()).total_seconds() - 0.03)

        def act(phone, packet=packet, arguments=arguments):
            return expire(bench, **arguments) if phone is None else grab(phone, packet)

        with ThreadPoolExecutor(THREADS) as threads:
            replies = [reply for reply in threads.map(act, order) if reply is not None]
        clock.move(seconds=1)
        expire(bench, **arguments)

        assert {r.status_code for r in replies} <= {200, 410}, [r.json for r in replies]
        winners = sum(r.status_code == 200 for r in replies)
        spent += winners * 100
        budget = rewards.budget()
        assert (budget["held_minor"], budget["spent_minor"]) == (0, spent), f"round {number}"
        assert rewards.free_shares(packet) == 0
    assert rewards.verify().holds


@pytest.mark.fault
def test_two_packets_at_once_never_overspend_the_budget(rewards, seed):
    def send(number: int):
        asked = rewards.asked(total_minor=30_000, count=3)
        return rewards.manager.pay("/red-packets", asked, key=f"payday {number % 6}")

    with ThreadPoolExecutor(THREADS) as threads:
        replies = list(threads.map(send, random.Random(seed).sample(range(12), 12)))

    sent = {r.json["id"] for r in replies if r.status_code == 201}
    assert len(sent) == 3
    assert {r.status_code for r in replies} == {201, 409}
    assert rewards.budget()["held_minor"] == 90_000
    assert rewards.verify().holds


@pytest.mark.fault
def test_a_withdrawal_in_the_rush_is_before_all_claims_or_refused(rewards):
    team = team_of(rewards, 4)
    for _ in range(5):
        packet = rewards.send(kind="equal", total_minor=400, count=4)

        def act(phone, packet=packet):
            if phone is rewards.manager:
                return phone.post(f"{packet}/cancellation")
            return grab(phone, packet)

        with ThreadPoolExecutor(THREADS) as threads:
            withdrawn, *grabbed = threads.map(act, [rewards.manager, *team])

        outcome = {r.status_code for r in grabbed}
        assert outcome == ({410} if withdrawn.status_code == 200 else {200})
    rewards.company.settle()
    assert rewards.verify().holds
