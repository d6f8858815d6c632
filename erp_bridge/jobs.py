"""Timed and asked-for work of the bridge: polling sources, runs that somebody started, retries."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core.jobs import Workbench, visit_companies
from app.people.models import Tenant
from erp_bridge import freshness, polling, queries, services
from erp_bridge.attention import ATTENTION, Attention
from erp_bridge.engine import RunOrder, sync_source
from erp_bridge.fetching import Named
from erp_bridge.fetching import fetch_documents as fetch
from erp_bridge.hooks import FETCH_DOCUMENTS
from erp_bridge.models import Source
from erp_bridge.polling import (
    HINT_SECONDS,
    NOTE_HINTS,
    POLL_SOURCE,
    ask_for_reading,
    due_streams,
)
from erp_bridge.rereading import VERIFY, Span, closed_months
from erp_bridge.retrying import retry_quarantine as retry
from erp_bridge.services import RETRY_QUARANTINE, RUN_SOURCE

#: How often due sources are looked for; each stream's own plan says when it is due.
EVERY_SECONDS = "* * * * * */2"
#: When nobody waits for figures, in the company's own time.
NIGHT_HOURS = range(1, 5)
VERIFIED_EVERY = timedelta(days=7)
EVERY_QUARTER_HOUR = "*/15 * * * *"
JUDGED_EVERY = "* * * * * */15"


def poll_sources(bench: Workbench) -> None:
    """Ask for a reading of every source that is due, of every company."""
    visit_companies(bench, partial(_ask_for_readings, bench, _watched(bench)))


def _ask_for_readings(
    bench: Workbench, watched: Mapping[UUID, Collection[str]], tenant_id: UUID
) -> None:
    now = bench.clock()
    with bench.database.transaction(tenant_id) as session:
        due = queries.sources_due(now, watched.get(tenant_id, ()), hint_seconds=HINT_SECONDS)
        for source_id in session.scalars(due):
            ask_for_reading(session, source_id)


def poll_source(bench: Workbench, **arguments: Any) -> None:
    """Read what is due in one source; a reading that finds nothing leaves no trace."""
    tenant_id, now = UUID(arguments["tenant_id"]), bench.clock()
    watched = _watched(bench).get(tenant_id, ())
    with bench.database.transaction(tenant_id) as session:
        source = session.get_one(Source, (tenant_id, UUID(arguments["source_id"])))
        # What was due when this was asked for may have been read since.
        due = due_streams(session, source, now=now, watched=watched)
    if due != []:
        _sync(bench, arguments, RunOrder(streams=due, forget_if_quiet=True))


def run_source(bench: Workbench, **arguments: Any) -> None:
    """Do a run that somebody asked for."""
    run_id = UUID(arguments["run_id"])
    with bench.database.transaction(UUID(arguments["tenant_id"])) as session:
        run = session.scalars(queries.run_by_id(run_id)).one()
    order = RunOrder(
        run_id=run_id,
        streams=arguments["streams"],
        reconcile=arguments["reconcile"],
        release=arguments["release"],
        kind=run.kind,
        span=Span(run.first_day, run.last_day) if run.first_day and run.last_day else None,
    )
    _sync(bench, arguments, order)


def verify_sources(bench: Workbench) -> None:
    """At night, ask for a comparison of the closed months of every source that had none for a week."""
    visit_companies(bench, partial(_ask_for_comparisons, bench))


def _ask_for_comparisons(bench: Workbench, tenant_id: UUID) -> None:
    now = bench.clock()
    with bench.database.transaction(tenant_id) as session:
        zone = session.get_one(Tenant, tenant_id).time_zone
        if now.astimezone(ZoneInfo(zone)).hour not in NIGHT_HOURS:
            return
        for source_id in session.scalars(queries.sources_to_verify(now - VERIFIED_EVERY)):
            services.start_run(
                session,
                source_id=source_id,
                streams=None,
                reconcile=None,
                release=False,
                now=now,
                kind=VERIFY,
                span=closed_months(now, zone),
            )
            services.note_verified(session, source_id=source_id, now=now)


def retry_quarantine(bench: Workbench, **arguments: Any) -> None:
    """Try refused rows again."""
    retry(
        bench.database,
        UUID(arguments["tenant_id"]),
        UUID(arguments["source_id"]),
        secret_key=bench.settings.secret_key,
        stream=arguments["stream"],
        now=bench.clock,
    )


def fetch_documents(bench: Workbench, **arguments: Any) -> None:
    """Read the documents that a hook named, now and by their keys."""
    fetch(
        bench.database,
        UUID(arguments["tenant_id"]),
        UUID(arguments["source_id"]),
        documents=[Named(**document) for document in arguments["documents"]],
        secret_key=bench.settings.secret_key,
        now=bench.clock,
    )


def note_hints(bench: Workbench, **arguments: Any) -> None:
    """Note hints for streams that were being read when they came; the next poll looks again."""
    with bench.database.transaction(UUID(arguments["tenant_id"])) as session:
        polling.note_hints(
            session, UUID(arguments["source_id"]), arguments["streams"], now=bench.clock()
        )


def judge_freshness(bench: Workbench) -> None:
    """See how old every stream's figures are, and note the sources that turned red or are well again."""
    visit_companies(bench, partial(_judge, bench))


def _judge(bench: Workbench, tenant_id: UUID) -> None:
    with bench.database.transaction(tenant_id) as session:
        freshness.judge(session, now=bench.clock())


def _watched(bench: Workbench) -> Mapping[UUID, Collection[str]]:
    attention: Attention = bench.tools[ATTENTION]
    return attention.watched(bench.clock())


def _sync(bench: Workbench, arguments: dict[str, Any], order: RunOrder) -> None:
    sync_source(
        bench.database,
        UUID(arguments["tenant_id"]),
        UUID(arguments["source_id"]),
        secret_key=bench.settings.secret_key,
        order=order,
        now=bench.clock,
    )


JOBS = {
    FETCH_DOCUMENTS: fetch_documents,
    NOTE_HINTS: note_hints,
    POLL_SOURCE: poll_source,
    RUN_SOURCE: run_source,
    RETRY_QUARANTINE: retry_quarantine,
}
