"""Whatever breaks on the way, each phone hears everything once, in order."""

import random
import signal
import threading
import time

import pytest
from sqlalchemy import text

from app.core.events import record
from app.people import queries
from tests.builders.stream import GatewayProcess, StreamClient, free_port, wait_until
from tests.delivery.bells import BellRung, bells, ring

WRITERS = 4
RINGS = 30


@pytest.fixture
def own_gateway(settings):
    """Start gateways that a story may harm; all are ended."""
    started: list[GatewayProcess] = []

    def start(**options) -> GatewayProcess:
        process = GatewayProcess(settings, **options)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.is_running:
            process.kill()


def write_out_of_order(company, phone, first: int) -> None:
    """Ring with transactions that stay open for a while, so that later numbers commit before earlier ones."""
    with company.transaction() as session:
        scope = session.execute(queries.scopes_of_persons([phone.person.id])).one()[1]
    for times in range(first, first + RINGS):
        with company.transaction() as session:
            record(session, BellRung(times=times), scope_ids=[scope])
            session.flush()
            time.sleep(random.uniform(0, 0.03))


@pytest.mark.usefixtures("numbering")
def test_nothing_is_lost_or_doubled_over_reconnects_while_others_write(company, gateway):
    lin = company.phone("Lin")
    writers = [
        threading.Thread(target=write_out_of_order, args=(company, lin, n * RINGS))
        for n in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    heard: list[dict] = []
    while any(writer.is_alive() for writer in writers):
        heard += listen_for_a_moment(gateway, lin, heard)
    wait_until(lambda: waits_in_outbox(company) == 0, "all is numbered")
    last = StreamClient(gateway.url, lin, after=heard[-1]["seq"]).wait_caught_up()
    last.close()
    heard += last.frames

    seqs = [frame["seq"] for frame in heard]
    assert seqs == sorted(set(seqs))
    assert sorted(bells(heard)) == list(range(WRITERS * RINGS))


def listen_for_a_moment(gateway, phone, heard: list[dict]) -> list[dict]:
    after = heard[-1]["seq"] if heard else 0
    stream = StreamClient(gateway.url, phone, after=after)
    time.sleep(random.uniform(0.05, 0.3))
    stream.close()
    return stream.frames


def waits_in_outbox(company) -> int:
    with company.space.database.relay() as session:
        wanted = text("SELECT count(*) FROM core_outbox WHERE tenant_id = :tenant")
        return session.execute(wanted, {"tenant": company.tenant_id}).scalar_one()


@pytest.mark.usefixtures("numbering")
def test_a_killed_gateway_is_resumed_elsewhere(company, own_gateway, gateway):
    lin = company.phone("Lin")
    doomed = own_gateway()
    first = StreamClient(doomed.url, lin).wait_caught_up()
    ring(company, lin, times=1)
    first.wait_for(BellRung.kind)

    doomed.kill()
    first.wait_closed()
    ring(company, lin, times=2)

    second = StreamClient(gateway.url, lin, after=first.last)
    second.wait_for(BellRung.kind)
    second.close()
    first.close()
    assert bells(first.frames + second.frames) == [1, 2]


@pytest.mark.usefixtures("numbering")
def test_without_redis_events_come_all_the_same(company, own_gateway):
    lin = company.phone("Lin")
    alone = own_gateway(REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")
    stream = StreamClient(alone.url, lin).wait_caught_up()

    for times in range(5):
        ring(company, lin, times=times)

    stream.wait_for(BellRung.kind, 5)
    stream.close()
    assert bells(stream.frames) == [0, 1, 2, 3, 4]


@pytest.mark.usefixtures("numbering")
def test_a_leaving_gateway_tells_its_phones_and_goes(company, own_gateway):
    lin = company.phone("Lin")
    leaving = own_gateway()
    stream = StreamClient(leaving.url, lin).wait_caught_up()

    leaving.send(signal.SIGTERM)

    stream.wait_closed()
    assert stream.moving
    stream.close()
    assert leaving.wait() == 0


@pytest.mark.usefixtures("numbering")
def test_two_gateways_tell_each_phone_once(company, own_gateway, gateway):
    lin = company.phone("Lin")
    other = company.phone_of(lin.person)
    second = own_gateway()
    streams = [
        StreamClient(gateway.url, lin).wait_caught_up(),
        StreamClient(second.url, other).wait_caught_up(),
    ]
    for times in range(20):
        ring(company, lin, times=times)
    for stream in streams:
        stream.wait_for(BellRung.kind, 20)
        stream.close()

    assert [bells(stream.frames) for stream in streams] == [list(range(20))] * 2


@pytest.mark.usefixtures("numbering")
def test_hints_alone_bring_events_and_survive_being_cut_off(company, own_gateway):
    """With looking put off for an hour, what is heard was hinted at."""
    lin = company.phone("Lin")
    hinted = own_gateway(WORKSPACE_GATEWAY_POLL_SECONDS="3600")
    stream = StreamClient(hinted.url, lin).wait_caught_up()
    rung = ring_until_heard(company, lin, stream, heard=1)

    company.space.redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    rung += ring_until_heard(company, lin, stream, heard=rung + 1)

    # The way is open again, so what was rung meanwhile is on it.
    stream.wait_for(BellRung.kind, rung)
    stream.close()
    assert bells(stream.frames) == [1] * rung


def ring_until_heard(company, phone, stream, *, heard: int) -> int:
    """Ring again and again until as many bells as ``heard`` have come; says how often."""
    count = 0
    for _ in range(200):
        if len(bells(stream.frames)) >= heard:
            break
        ring(company, phone)
        count += 1
        time.sleep(0.1)
    wait_until(lambda: len(bells(stream.frames)) >= heard, "the bell is heard")
    return count
