"""One worker process: the sequencer in a thread, and the job library's worker beside it.

Jobs and timers come from the packages' registers. A database that goes away stops
neither: both begin again when it is back. Jobs of a worker that was killed are taken up by another within half a
minute, so every job may run twice.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import procrastinate
import psycopg
import structlog
from procrastinate.exceptions import ConnectorException
from psycopg_pool import PoolTimeout
from sqlalchemy import text

from app.core.composition import Workspace, workspace
from app.core.jobs import RETRY, JobFunction, Workbench
from app.core.roles import plain_url, worker_url
from app.core.work import Database
from app.delivery.fcm import channels_of
from app.delivery.hints import HintPublisher
from app.delivery.push import CHANNELS
from app.delivery.sequencer import Sequencer
from app.factory import create_app

JOBS_AT_ONCE = 4
JOB_STATEMENT_SECONDS = 60
#: How soon a notified job is looked for anyway, and how long a stopping worker waits for what runs.
POLL_SECONDS = 2.0
GRACE_SECONDS = 4.0
RETRY_SECONDS = 1.0
HEARTBEAT_SECONDS = 5.0
STALLED_SECONDS = 20.0
RESCUE_CRON = "* * * * * */10"
RESCUE_PRIORITY = 10
#: A job that cannot be interrupted is left to the next worker rather than waited for.
EXIT_SECONDS = 7.0

_DROP_WAITING = text("DELETE FROM procrastinate_jobs WHERE task_name = :name AND status = 'todo'")

log = structlog.get_logger()


def work() -> None:
    """Work until asked to stop; exits with 1 when the sequencer has failed for good."""
    space = workspace(create_app())
    space.database.close()
    space.database = Database(
        space.settings, jobs=space.jobs, statement_seconds=JOB_STATEMENT_SECONDS
    )
    space.tools[CHANNELS] = channels_of(space.settings)
    stopped = threading.Event()
    hints = HintPublisher(space.redis)
    sequencer = Sequencer(space.database, space.subscriptions, space.jobs, hints.publish)
    thread = threading.Thread(target=sequencer.run, args=(stopped,), name="sequencer")
    thread.start()
    try:
        asyncio.run(Worker(space, thread).run())
    finally:
        stopped.set()
        thread.join()
    space.database.close()


class Worker:
    """Runs the job library's worker again and again until asked to stop."""

    def __init__(self, space: Workspace, sequencer: threading.Thread) -> None:
        self._space = space
        self._sequencer = sequencer
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Work; begin again whenever the database was away."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        watching = asyncio.create_task(self._watch_sequencer())
        while not self._stopping.is_set():
            try:
                await self._work()
            except (ConnectorException, psycopg.Error, PoolTimeout, OSError) as error:
                log.warning("worker_lost_database", kind=type(error).__name__)
            await self._pause()
        watching.cancel()
        if not self._sequencer.is_alive():
            sys.exit(1)

    def _stop(self) -> None:
        deadline = threading.Timer(EXIT_SECONDS, os._exit, [0])
        deadline.daemon = True
        deadline.start()
        self._stopping.set()

    async def _work(self) -> None:
        jobs = job_app(self._space)
        async with jobs.open_async():
            running = asyncio.create_task(
                jobs.run_worker_async(
                    concurrency=JOBS_AT_ONCE,
                    fetch_job_polling_interval=POLL_SECONDS,
                    shutdown_graceful_timeout=GRACE_SECONDS,
                    install_signal_handlers=False,
                    update_heartbeat_interval=HEARTBEAT_SECONDS,
                    stalled_worker_timeout=STALLED_SECONDS,
                    delete_jobs="successful",
                )
            )
            stopping = asyncio.create_task(self._stopping.wait())
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            running.cancel()
            try:
                await running
            except asyncio.CancelledError:
                log.info("worker_stopped")

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), RETRY_SECONDS)
        except TimeoutError:
            return

    async def _watch_sequencer(self) -> None:
        while self._sequencer.is_alive():
            await asyncio.sleep(RETRY_SECONDS)
        self._stopping.set()


def job_app(space: Workspace) -> procrastinate.App:
    """Make the job library's application from what the packages have registered."""
    connector = procrastinate.PsycopgConnector(
        conninfo=plain_url(worker_url(space.settings)), min_size=1, max_size=4, timeout=5
    )
    jobs = procrastinate.App(connector=connector)
    bench = space.workbench()
    for name, function in space.jobs.functions.items():
        jobs.task(name=name, retry=RETRY)(_job(bench, function))
    for name, (cron, timer) in space.jobs.timers.items():
        task = jobs.task(name=name, lock=name, pass_context=False)
        jobs.periodic(cron=cron)(task(_timer(bench, name, timer)))
    _add_rescue(jobs)
    return jobs


def _job(bench: Workbench, function: JobFunction) -> Callable[..., None]:
    def run(**arguments: Any) -> None:
        function(bench, **arguments)

    return run


def _timer(
    bench: Workbench, name: str, timer: Callable[[Workbench], None]
) -> Callable[[int], None]:
    def run(timestamp: int) -> None:
        # Ticks that piled up while the last one ran are one tick.
        with bench.database.relay() as session:
            session.execute(_DROP_WAITING, {"name": name})
        timer(bench)

    return run


def _add_rescue(jobs: procrastinate.App) -> None:
    """Let whichever worker is alive take up what killed ones left."""

    async def rescue(timestamp: int) -> None:
        found = await jobs.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS)
        for job in found:
            with suppress(ConnectorException):  # another worker has taken it up
                await jobs.job_manager.retry_job(job)
            log.warning("stalled_job_taken_up", job=job.task_name)

    # No lock: the lock of a rescue that was itself killed would forbid every later one. Ahead of all that waits.
    task = jobs.task(name="worker.rescue", priority=RESCUE_PRIORITY)(rescue)
    jobs.periodic(cron=RESCUE_CRON)(task)
