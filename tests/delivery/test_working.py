"""The worker: numbers facts, runs jobs, comes back after every kind of end."""

import dataclasses
import signal
from collections.abc import Callable, Iterator

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from app.core.composition import Workspace, workspace
from app.core.jobs import defer
from app.core.settings import Settings
from app.factory import create_app
from tests.builders.stream import Process, environment_of, wait_until
from tests.conftest import migrated_database
from tests.delivery.bells import bells, ring


@pytest.fixture(scope="module")
def settings(settings, servers) -> Iterator[Settings]:
    """Work on a database of its own: the worker takes jobs in order, and other stories leave many behind."""
    with migrated_database(servers[0]) as url:
        yield dataclasses.replace(settings, database_url=url)


@pytest.fixture(scope="module")
def app(settings) -> Iterator[Flask]:
    made = create_app(settings)
    yield made
    workspace(made).database.close()


@pytest.fixture(scope="module")
def space(app) -> Workspace:
    return workspace(app)


class WorkerProcess(Process):
    def __init__(self, settings) -> None:
        super().__init__("app.runtime.worker", environment_of(settings))


@pytest.fixture
def workers(settings) -> Iterator[Callable[[], WorkerProcess]]:
    """Start workers; none is left running, however the story ends."""
    started: list[WorkerProcess] = []

    def start() -> WorkerProcess:
        started.append(WorkerProcess(settings))
        return started[-1]

    yield start
    for process in started:
        if process.is_running:
            process.kill()


@pytest.fixture
def worker(workers) -> WorkerProcess:
    return workers()


def heard(phone) -> list[int]:
    events, after, more = [], 0, True
    while more:
        page = phone.get(f"/sync?after={after}").json
        events += page["events"]
        after, more = page["events"][-1]["seq"] if page["events"] else after, page["more"]
    return bells(events)


def waiting_jobs(company, name: str) -> int:
    with company.transaction() as session:
        wanted = text(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = :name AND status <> 'failed'"
        )
        return session.execute(wanted, {"name": name}).scalar_one()


@pytest.mark.usefixtures("worker")
def test_facts_are_numbered_and_jobs_are_run(company):
    lin = company.phone("Lin")
    ring(company, lin, times=4)
    with company.transaction() as session:
        defer(session, "delivery.push_notice", notice_id="0190b3a0-0000-7000-8000-000000000000")

    wait_until(lambda: heard(lin) == [4], "the fact is numbered")
    wait_until(lambda: waiting_jobs(company, "delivery.push_notice") == 0, "the job is run")


def test_a_worker_leaves_when_asked(worker, company):
    lin = company.phone("Lin")
    ring(company, lin)
    wait_until(lambda: heard(lin) == [1], "the worker works")

    assert worker.stop() == 0


def test_a_worker_killed_while_numbering_loses_and_doubles_nothing(workers, company):
    lin = company.phone("Lin")
    for times in range(300):
        ring(company, lin, times=times)
    for _ in range(2):
        worker, before = workers(), head_of(lin)
        wait_until(lambda before=before: head_of(lin) > before, "it numbers")
        worker.kill()
        for _ in range(30):
            ring(company, lin, times=1_000)
    workers()

    wait_until(lambda: waiting_facts(company) == 0, "all is numbered")
    assert sorted(heard(lin)) == sorted([*range(300), *([1_000] * 60)])


def head_of(phone) -> int:
    head: int = phone.get("/sync?limit=1").json["head"]
    return head


def waiting_facts(company) -> int:
    with company.space.database.relay() as session:
        wanted = text("SELECT count(*) FROM core_outbox WHERE tenant_id = :tenant")
        return session.execute(wanted, {"tenant": company.tenant_id}).scalar_one()


def test_a_worker_outlives_its_database_connections(worker, company, settings):
    lin = company.phone("Lin")
    ring(company, lin, times=1)
    wait_until(lambda: heard(lin) == [1], "the worker works")

    cut_connections(settings)
    # Our own pool has lost its connections too.
    company.space.database.relay_engine.dispose()
    ring(company, lin, times=2)

    wait_until(lambda: heard(lin) == [1, 2], "the worker works again")
    assert worker.is_running


@pytest.mark.usefixtures("worker")
def test_what_a_killed_worker_was_doing_is_taken_up(company, settings):
    """Also where it was killed in the very act of taking up what another left."""
    with company.transaction() as session:
        defer(session, "delivery.push_notice", notice_id=str(company.tenant_id))
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        connection.execute(
            "WITH dead AS (INSERT INTO procrastinate_workers (last_heartbeat)"
            " VALUES (now() - interval '1 hour') RETURNING id)"
            ", rescue AS (INSERT INTO procrastinate_jobs (queue_name, task_name, lock, status, worker_id)"
            " SELECT 'default', 'worker.rescue', 'worker.rescue', 'doing', id FROM dead)"
            " UPDATE procrastinate_jobs SET status = 'doing', worker_id = dead.id FROM dead"
            " WHERE args ->> 'tenant_id' = %s",
            (str(company.tenant_id),),
        )

    wait_until(lambda: waiting_jobs(company, "delivery.push_notice") == 0, "taken up")


def cut_connections(settings) -> None:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename LIKE '%%worker'"
            " AND pid <> pg_backend_pid()"
        )


def test_a_frozen_leader_is_replaced(workers, company):
    lin = company.phone("Lin")
    frozen = workers()
    ring(company, lin, times=1)
    wait_until(lambda: heard(lin) == [1], "the first leads")
    frozen.send(signal.SIGSTOP)
    workers()

    ring(company, lin, times=2)
    wait_until(lambda: heard(lin) == [1, 2], "the second leads")

    frozen.send(signal.SIGCONT)
    ring(company, lin, times=3)
    wait_until(lambda: heard(lin) == [1, 2, 3], "one of them leads")
    assert frozen.is_running
