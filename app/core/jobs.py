"""Jobs: work that is done after the transaction, exactly because the transaction asked for it.

A thin door to Procrastinate: enqueued in the caller's transaction, run by the worker with retries, kept and
shown when it fails for good. A job gets a ``Workbench`` and opens its own units of work.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import procrastinate
import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.settings import Settings
from app.core.work import Database, driver_connection, tenant_of

ATTEMPTS_MAX = 8
_ASK_ONE_BY_ONE = text("SELECT pg_advisory_xact_lock(hashtextextended('once ' || :lock, 0))")
_WAITING = text("""
    SELECT FROM procrastinate_jobs WHERE lock = :lock AND task_name = :name AND status = 'todo' LIMIT 1
""")
RETRY = procrastinate.RetryStrategy(max_attempts=ATTEMPTS_MAX, exponential_wait=2)

log = structlog.get_logger()


@dataclass(frozen=True)
class Workbench:
    """What a job works with: the database, the settings, the clock, and the jobs themselves."""

    database: Database
    settings: Settings
    clock: Callable[[], datetime]
    jobs: "Jobs"
    #: What the composition root lends to jobs by name, such as the push channel.
    tools: dict[str, Any] = field(default_factory=dict)


#: A job: called with the workbench and, by name, the arguments it was deferred with; raises to be retried.
JobFunction = Callable[..., None]


@dataclass
class Jobs:
    """The register of jobs and timers, and the door through which transactions ask for them."""

    functions: dict[str, JobFunction] = field(default_factory=dict)
    timers: dict[str, tuple[str, Callable[[Workbench], None]]] = field(default_factory=dict)
    _app: procrastinate.App = field(
        default_factory=lambda: procrastinate.App(connector=procrastinate.SyncPsycopgConnector())
    )

    def add(self, name: str, function: JobFunction) -> None:
        """Register a job under a stable name (``redpackets.expire_packet``)."""
        assert name not in self.functions, f"job {name} registered twice"
        self.functions[name] = function

    def every(self, cron: str, name: str, function: Callable[[Workbench], None]) -> None:
        """Register a timer: five cron fields, and a sixth for seconds where minutes are too coarse."""
        assert name not in self.timers, f"timer {name} registered twice"
        self.timers[name] = (cron, function)

    def defer_all(self, session: Session, name: str, batch: list[dict[str, Any]]) -> None:
        """Ask for many runs of one job, each naming its tenant, in the relay's transaction."""
        if batch:
            deferrer = self._app.configure_task(name, connection=driver_connection(session))
            deferrer.batch_defer(*batch)

    def defer(
        self,
        session: Session,
        name: str,
        *,
        at: datetime | None = None,
        lock: str | None = None,
        once: bool = False,
        **arguments: Any,
    ) -> None:
        """Ask for a job, in the caller's transaction and for its tenant.

        ``lock``: jobs of one lock, made the tenant's own, run one after another. ``once``: nothing is added
        while such a job of that lock waits; only for work that a timer repeats, because the waiting job may
        start before this transaction commits.
        """
        assert name in self.functions, f"no job is called {name}"
        tenant_id = tenant_of(session)
        own_lock = None if lock is None else f"{tenant_id}:{lock}"
        if once and _waits_already(session, name, own_lock):
            return
        deferrer = self._app.configure_task(
            name, schedule_at=at, lock=own_lock, connection=driver_connection(session)
        )
        deferrer.defer(tenant_id=str(tenant_id), **arguments)


def visit_companies(bench: Workbench, visit: Callable[[UUID], None]) -> None:
    """Let a timer visit every active company; one company's trouble is logged and stops no other's work."""
    for tenant_id in bench.database.tenant_ids():
        try:
            visit(tenant_id)
        except Exception:
            log.exception("company_visit_failed", tenant_id=str(tenant_id))


def defer(session: Session, name: str, **options: Any) -> None:
    """Ask for a job from inside a service; options and arguments as in ``Jobs.defer``."""
    jobs: Jobs = session.info["jobs"]
    jobs.defer(session, name, **options)


def _waits_already(session: Session, name: str, lock: str | None) -> bool:
    """Say whether such a job waits; whoever asks for one at the same time asks after us.

    The job library's own way, a unique key over waiting jobs, would also forbid a failed job to wait again while
    its successor waits, and finds out by the detail of a violation, which row-level security hides.
    """
    assert lock is not None, "once is by lock"
    session.execute(_ASK_ONE_BY_ONE, {"lock": lock})
    return session.execute(_WAITING, {"lock": lock, "name": name}).first() is not None
