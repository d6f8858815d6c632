"""The contenders of a rush: the product, the bare peer, and the raw limit."""

import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from app.core.ids import new_id
from bench.generator import Generator, post
from bench.ground import ROWS, Ground
from bench.rounds import Sample
from bench.rush import Rush, Tap
from bench.serving import Server
from redpackets import services
from redpackets.grabbing import Grabbed

#: Threads that tap at once in one process, and connections over the wire, of the bare peer and of the raw limit.
THREADS = CONNECTIONS = 32
WRITE = "UPDATE bench_row SET amount_minor = amount_minor + 1 WHERE id = %s"
#: What anybody would write who wants it right: a lock for the person, the share held, the next free one with its
#: wallet and journal, and a second look before "sold out". No caller, no packet's state, no fact.
BARE_ENTER = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
BARE_HELD = (
    "SELECT index, amount_minor FROM redpackets_share WHERE packet_id = %s AND holder_id = %s"
)
BARE_CLAIM = """
    WITH taken AS (
        UPDATE redpackets_share SET state = 'claimed', holder_id = %(person)s, at = now()
         WHERE (tenant_id, packet_id, index) = (
               SELECT tenant_id, packet_id, index FROM redpackets_share
                WHERE tenant_id = %(tenant)s AND packet_id = %(packet)s AND state = 'free'
                ORDER BY index LIMIT 1 FOR UPDATE SKIP LOCKED)
     RETURNING tenant_id, index, amount_minor
    ), wallet AS (
        INSERT INTO redpackets_fund_account AS a
               (tenant_id, id, kind, unit, person_id, balance_minor, may_go_negative)
        SELECT tenant_id, %(wallet)s, 'user_payable', 'CNY', %(person)s, amount_minor, false FROM taken
            ON CONFLICT (tenant_id, kind, unit, budget_id, packet_id, person_id)
            DO UPDATE SET balance_minor = a.balance_minor + excluded.balance_minor RETURNING id
    ), posted AS (
        INSERT INTO redpackets_journal (tenant_id, id, kind, debit_account_id, credit_account_id,
                                        amount_minor, unit, reference, at)
        SELECT t.tenant_id, %(entry)s, 'claim', %(packet)s, w.id, t.amount_minor, 'CNY',
               'claim:' || %(packet)s || ':' || t.index, now() FROM taken t CROSS JOIN wallet w
    ) SELECT index, amount_minor FROM taken
"""
BARE_LEFT = "SELECT FROM redpackets_share WHERE tenant_id = %s AND packet_id = %s AND state = 'free' LIMIT 1"
#: A rush over the wire ends when everybody has tapped; on a busy machine that takes its time.
RUSH_SECONDS_MAX = 600
BARE_PAUSE_SECONDS = 0.001

Answer = dict[str, Any]


def by_service(rush: Rush) -> Callable[[], Sample]:
    """Make the rush at the driver's level a contender: the product's whole way in, without HTTP."""
    space = rush.company.space

    def tap(tap: Tap) -> Answer:
        def by_database() -> Grabbed:
            now = space.now()
            with rush.company.transaction() as session:
                caller = space.load_caller(session, tap.claims, now)
                return services.grab(session, caller=caller, packet_id=tap.packet_id, now=now)

        return _said(rush.entrance.grab(tap.claims, tap.packet_id, by_database=by_database))

    def measure() -> Sample:
        taps = rush.taps()
        sample, answers = _on_threads(rush.ground, tap, taps)
        rush.check(list(zip(taps, answers, strict=True)))
        return sample

    return measure


def by_bare_skip_locked(rush: Rush) -> Callable[[], Sample]:
    """Make the bare peer a contender: PostgreSQL only, SKIP LOCKED, as lean as correct allows."""
    own = threading.local()

    def tap(tap: Tap) -> Answer:
        if not hasattr(own, "connection"):
            own.connection = rush.ground.owner_connection()
        with own.connection.transaction():
            return _bare_grab(own.connection, tap)

    def measure() -> Sample:
        taps = rush.taps()
        sample, answers = _on_threads(rush.ground, tap, taps)
        rush.check(list(zip(taps, answers, strict=True)))
        return sample

    return measure


def _bare_grab(connection: "psycopg.Connection[Any]", tap: Tap) -> Answer:
    person_id, packet_id = tap.claims.person_id, tap.packet_id
    connection.execute(BARE_ENTER, (f"{packet_id}:{person_id}",))
    held = connection.execute(
        BARE_HELD + " AND tenant_id = %s", (packet_id, person_id, tap.claims.tenant_id)
    ).fetchone()
    if held:
        return _won(*held, first=False)
    values = {
        "tenant": tap.claims.tenant_id,
        "packet": packet_id,
        "person": person_id,
        "wallet": new_id(),
        "entry": new_id(),
    }
    while True:
        if taken := connection.execute(BARE_CLAIM, values).fetchone():
            return _won(*taken, first=True)
        if not connection.execute(BARE_LEFT, (tap.claims.tenant_id, packet_id)).fetchone():
            return {"result": "sold_out"}
        time.sleep(BARE_PAUSE_SECONDS)


def raw_commits(ground: Ground, count: int, connections: int) -> Callable[[], Sample]:
    """Make commits of single rows, each touched by nobody else, a contender: the least a durable write costs."""
    own = threading.local()

    def commit(number: int) -> Answer:
        if not hasattr(own, "connection"):
            own.connection = ground.owner_connection()
        own.connection.execute(WRITE, (number,))
        return {"result": "won", "first": True}

    def measure() -> Sample:
        numbers = [random.randint(1, ROWS) for _ in range(count)]
        return _on_threads(ground, commit, numbers, connections)[0]

    return measure


def through_http(rush: Rush, server: Server, load: Generator) -> Callable[[], Sample]:
    """Make the rush over the wire a contender."""

    def measure() -> Sample:
        taps = rush.taps()
        requests = [post(f"/api/v1/red-packets/{tap.packet_id}/grab", tap.token) for tap in taps]
        before = server.cpu_seconds()
        outcome = load.play(
            server.port,
            requests,
            seconds=RUSH_SECONDS_MAX,
            once=True,
            keep=True,
            connections=CONNECTIONS,
        ).require(200)
        own, stores = (b - a for a, b in zip(before, server.cpu_seconds(), strict=True))
        answers = [json.loads(body) for body in outcome.bodies]
        rush.check(list(zip(taps, answers, strict=True)))
        wins = _waits_of_wins(answers, [each / 1000 for each in outcome.each_ms])
        figures = {
            "per second": outcome.requests / outcome.seconds,
            "wins p99 ms": wins[len(wins) * 99 // 100] * 1000,
            "p99 ms": outcome.p99_ms,
            "server CPU µs": own / outcome.requests * 1e6,
            "stores CPU µs": stores / outcome.requests * 1e6,
            "CPU µs": (own + stores) / outcome.requests * 1e6,
        }
        return Sample(figures)

    return measure


def _on_threads(
    ground: Ground, work: Callable[[Any], Answer], items: Sequence[Any], threads: int = THREADS
) -> tuple[Sample, list[Answer]]:
    waits, ended = [0.0] * len(items), [0.0] * len(items)
    answers: list[Answer] = [{}] * len(items)
    left = iter(range(len(items)))

    def work_off() -> None:
        # The threads share one iterator: a pool's future for each item cost more than the item.
        for number in left:
            tapped = time.perf_counter()
            answers[number] = work(items[number])
            ended[number] = time.perf_counter()
            waits[number] = ended[number] - tapped

    stores, database = ground.stores_cpu_seconds(), ground.database_cpu_seconds()
    own, began = time.process_time(), time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        for worker in [pool.submit(work_off) for _ in range(threads)]:
            worker.result()
    seconds = time.perf_counter() - began
    own, stores = time.process_time() - own, ground.stores_cpu_seconds() - stores
    database = ground.database_cpu_seconds() - database
    wins = _waits_of_wins(answers, waits)
    last = max(at for at, answer in zip(ended, answers, strict=True) if answer.get("first"))
    figures = {
        "per second": len(items) / seconds,
        "wins a second": len(wins) / (last - began),
        "wins p99 ms": wins[len(wins) * 99 // 100] * 1000,
        "database CPU µs": database / len(items) * 1e6,
        "stores CPU µs": stores / len(items) * 1e6,
        "CPU µs": (own + stores) / len(items) * 1e6,
    }
    return Sample(figures), answers


def _waits_of_wins(answers: Sequence[Answer], waits: Sequence[float]) -> list[float]:
    return sorted(wait for wait, said in zip(waits, answers, strict=True) if said.get("first"))


def _said(grabbed: Grabbed) -> Answer:
    if grabbed.result != "won":
        return {"result": grabbed.result}
    return _won(grabbed.index, grabbed.amount_minor, first=grabbed.first)


def _won(index: int | None, amount_minor: int | None, *, first: bool) -> Answer:
    share = {"index": index, "amount_minor": amount_minor}
    return {"result": "won", "first": first, "share": share}
