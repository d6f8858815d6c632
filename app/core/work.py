"""Units of work: one transaction, one tenant.

The tenant is set for the transaction only; outside one, and without one, row-level security shows nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from psycopg import Connection as DriverConnection
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session, sessionmaker

from app.core.roles import app_url, worker_url
from app.core.settings import Settings

#: What the server itself enforces on our sessions: a lock that is not had in 2 s is an error, and a
#: frozen process may hold a row for 10 s at most.
SESSION_LIMITS = "-c lock_timeout=2000 -c idle_in_transaction_session_timeout=10000"
#: One connection that does the same few statements over and over: each is planned once, and by keys.
ROUTINE = (
    " -c plan_cache_mode=force_generic_plan"
    " -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"
)
STATEMENT_LIMIT = " -c statement_timeout={milliseconds}"
POOL_WAIT_SECONDS = 2

#: The execution option that names a transaction's tenant.
TENANT = "tenant_id"

_SET_TENANT = text("SELECT set_config('app.tenant', :tenant, true)")
_SET_SLUG = text("SELECT set_config('app.slug', :slug, true)")
_SET_HOOK = text("SELECT set_config('app.hook', :name, true)")
_TENANTS = text("SELECT id FROM people_tenant WHERE state = 'active' ORDER BY id")
_ALL_TENANTS = text("SELECT id FROM people_tenant ORDER BY id")


class Database:
    """The platform's door to PostgreSQL: transactions of a tenant, and the relay's own."""

    def __init__(
        self,
        settings: Settings,
        *,
        jobs: object = None,
        statement_seconds: int | None = None,
        is_routine: bool = False,
    ) -> None:
        seconds = settings.request_seconds_max if statement_seconds is None else statement_seconds
        options = SESSION_LIMITS + STATEMENT_LIMIT.format(milliseconds=seconds * 1000)
        if is_routine:
            self.engine = _engine(app_url(settings), options + ROUTINE, 1, prepare_threshold=1)
        else:
            self.engine = _engine(app_url(settings), options, settings.database_pool_size)
        self.relay_engine = _engine(worker_url(settings), SESSION_LIMITS, 4)
        info = {"jobs": jobs}
        self._sessions = sessionmaker(self.engine, expire_on_commit=False, info=info)
        self._relay_sessions = sessionmaker(self.relay_engine, expire_on_commit=False, info=info)

    @contextmanager
    def transaction(self, tenant_id: UUID) -> Iterator[Session]:
        """Work as one tenant: commit at the end, roll back when anything is raised."""
        with self._sessions.begin() as session:
            session.info["tenant_id"] = tenant_id
            session.connection(execution_options={TENANT: tenant_id})
            yield session

    @contextmanager
    def before_sign_in(self, slug: str) -> Iterator[Session]:
        """Work for a caller who has only named a company: sees that company's own row, no other."""
        with self._sessions.begin() as session:
            session.execute(_SET_SLUG, {"slug": slug})
            yield session

    @contextmanager
    def before_hook(self, name: UUID) -> Iterator[Session]:
        """Work for a machine that has only named where its signed word is for: sees that one place, no other."""
        with self._sessions.begin() as session:
            session.execute(_SET_HOOK, {"name": str(name)})
            yield session

    @contextmanager
    def relay(self) -> Iterator[Session]:
        """Work as the relay: outbox, event log and jobs of every tenant, nothing else."""
        with self._relay_sessions.begin() as session:
            yield session

    def tenant_ids(self, *, suspended: bool = False) -> list[UUID]:
        """List the active tenants, for timed work that visits each in turn; or those that are suspended, too."""
        with self.relay() as session:
            return list(session.execute(_ALL_TENANTS if suspended else _TENANTS).scalars())

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()
        self.relay_engine.dispose()


def enter_tenant(session: Session, tenant_id: UUID) -> None:
    """Set the tenant of the running transaction; gone when it ends."""
    session.execute(_SET_TENANT, {"tenant": str(tenant_id)})
    session.info["tenant_id"] = tenant_id


def tenant_of(session: Session) -> UUID:
    """Say which tenant the running transaction works for."""
    tenant_id: UUID = session.info["tenant_id"]
    return tenant_id


def driver_connection(session: Session) -> DriverConnection[object]:
    """Give the psycopg connection beneath the session, inside the same transaction (COPY, jobs)."""
    beneath: object = session.connection().connection.dbapi_connection
    assert isinstance(beneath, DriverConnection)
    return beneath


def _engine(url: URL, options: str, pool_size: int, **driver_options: int) -> Engine:
    engine = create_engine(
        url,
        # The driver leaves beginning to us; nothing here ever commits a statement by itself.
        isolation_level="AUTOCOMMIT",
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS,
        connect_args={
            "options": options,
            "connect_timeout": 5,
            "keepalives_idle": 10,
            "keepalives_interval": 3,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
            **driver_options,
        },
    )
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    """Begin a transaction, as its tenant if it has one: one round trip, which every request pays for."""
    options = connection.get_execution_options()
    if options.get("isolation_level") == "AUTOCOMMIT":
        return  # a connection that asked to be in no transaction, to hold leases
    tenant_id: UUID | None = options.get(TENANT)
    as_tenant = f"; SELECT set_config('app.tenant', '{tenant_id}', true)" if tenant_id else ""
    # Through the engine, which knows a connection that was cut and drops the others with it.
    connection.exec_driver_sql("BEGIN" + as_tenant)
