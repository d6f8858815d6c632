"""The contenders of a rush: the product, the bare peer, and the raw limit."""

import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from app.core.composition import workspace
from app.core.ids import new_id
from app.core.settings import Settings
from app.factory import create_app
from bench.crowd import Answer, Crowd, Work
from bench.generator import Generator, post
from bench.ground import ROWS, Ground
from bench.rounds import Sample
from bench.rush import Rush, Tap
from bench.serving import Server
from redpackets import services
from redpackets.entrance import TOOL, Entrance
from redpackets.grabbing import Grabbed

#: Over the wire.
CONNECTIONS = 32
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


def service_taker(settings: Settings) -> Work:
    """The product's whole way in, without HTTP."""
    space = workspace(create_app(settings))
    entrance: Entrance = space.tools[TOOL]

    def tap(tap: Tap) -> Answer:
        def by_database() -> Grabbed:
            now = space.now()
            with space.database.transaction(tap.claims.tenant_id) as session:
                caller = space.load_caller(session, tap.claims, now)
                return services.grab(session, caller=caller, packet_id=tap.packet_id, now=now)

        return _said(entrance.grab(tap.claims, tap.packet_id, by_database=by_database))

    return tap


def bare_taker(settings: Settings) -> Work:
    """The bare peer: PostgreSQL only, SKIP LOCKED, as lean as correct allows."""
    own = OwnConnection(settings)

    def tap(tap: Tap) -> Answer:
        with own.connection.transaction():
            return _bare_grab(own.connection, tap)

    return tap


def row_writer(settings: Settings) -> Work:
    """Commits of single rows, each touched by nobody else: the least that a durable write costs."""
    own = OwnConnection(settings)

    def commit(number: int) -> Answer:
        own.connection.execute(WRITE, (number,))
        return {"result": "won", "first": True}

    return commit


class OwnConnection(threading.local):
    """A thread's own connection as the database's owner, past every policy, each statement its own transaction."""

    def __init__(self, settings: Settings) -> None:
        self.connection: psycopg.Connection[Any] = psycopg.connect(
            settings.database_url, autocommit=True
        )


def rushing(rush: Rush, crowd: Crowd) -> Callable[[], Sample]:
    """Make the rush, played by a crowd, a contender."""

    def measure() -> Sample:
        taps = rush.taps()
        sample, answers = _measured(rush.ground, crowd, taps)
        rush.check(list(zip(taps, answers, strict=True)))
        return sample

    return measure


def committing(ground: Ground, crowd: Crowd, count: int) -> Callable[[], Sample]:
    """Make so many raw commits a contender."""

    def measure() -> Sample:
        return _measured(ground, crowd, [random.randint(1, ROWS) for _ in range(count)])[0]

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


def _measured(ground: Ground, crowd: Crowd, items: Sequence[Any]) -> tuple[Sample, list[Answer]]:
    stores, database = ground.stores_cpu_seconds(), ground.database_cpu_seconds()
    played = crowd.play(items)
    stores = ground.stores_cpu_seconds() - stores
    database = ground.database_cpu_seconds() - database
    wins = _waits_of_wins(played.answers, played.waits)
    ended = zip(played.ended, played.answers, strict=True)
    last = max(at for at, answer in ended if answer.get("first"))
    figures = {
        "per second": len(items) / played.seconds,
        "wins a second": len(wins) / (last - played.began),
        "wins p99 ms": wins[len(wins) * 99 // 100] * 1000,
        "database CPU µs": database / len(items) * 1e6,
        "stores CPU µs": stores / len(items) * 1e6,
        "CPU µs": (played.cpu_seconds + stores) / len(items) * 1e6,
    }
    return Sample(figures), played.answers


def _waits_of_wins(answers: Sequence[Answer], waits: Sequence[float]) -> list[float]:
    return sorted(wait for wait, said in zip(waits, answers, strict=True) if said.get("first"))


def _said(grabbed: Grabbed) -> Answer:
    if grabbed.result != "won":
        return {"result": grabbed.result}
    return _won(grabbed.index, grabbed.amount_minor, first=grabbed.first)


def _won(index: int | None, amount_minor: int | None, *, first: bool) -> Answer:
    share = {"index": index, "amount_minor": amount_minor}
    return {"result": "won", "first": first, "share": share}
