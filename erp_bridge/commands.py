"""``bin/workspace erp …``: connect ERPs, check them, read them, look after what does not fit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy.orm import Session

from app.core.composition import Workspace
from app.core.errors import InvalidFields
from app.core.work import Database
from app.people.models import Tenant
from app.people.queries import tenant_by_slug
from erp_bridge import queries, services
from erp_bridge.connectors.base import Finding
from erp_bridge.connectors.registry import CONNECTORS
from erp_bridge.engine import SYNC, RunOrder, RunReport, sync_source
from erp_bridge.key_commands import rotate_keys_command
from erp_bridge.polling import allowance_of
from erp_bridge.rereading import BACKFILL, DRY_RUN, VERIFY, Span, closed_months
from erp_bridge.retrying import retry_quarantine

STATEMENT_SECONDS = 600
QUARANTINE_SHOWN_MAX = 100
OUT = Console()
DAY = click.DateTime(["%Y-%m-%d"])

Open = Callable[[], Workspace]


@dataclass(frozen=True)
class _Chosen:
    """The company and the source that a command works on."""

    space: Workspace
    tenant_id: UUID
    source_id: UUID

    @contextmanager
    def session(self) -> Iterator[Session]:
        with self.space.database.transaction(self.tenant_id) as session:
            yield session


def erp_group(open_workspace: Open) -> click.Group:
    """The commands, for an application that ``open_workspace`` composes when one of them runs."""
    group = click.Group("erp", help="Connect ERPs and look after what comes from them.")
    chosen = _chooser(open_workspace)
    group.add_command(_create(open_workspace))
    group.add_command(rotate_keys_command(open_workspace, _tenant_id))
    for make in (_check, _sync, _backfill, _verify, _streams, _quarantine):
        group.add_command(make(chosen))
    return group


def _chooser(open_workspace: Open) -> Callable[[str, str], _Chosen]:
    def choose(tenant: str, source: str) -> _Chosen:
        space = open_workspace()
        tenant_id = _tenant_id(space, tenant)
        with space.database.transaction(tenant_id) as session:
            found = session.scalar(queries.source_by_name(source))
            if found is None:
                raise click.ClickException(f"{tenant} has no source called {source}.")
            return _Chosen(space, tenant_id, found.id)

    return choose


def _tenant_id(space: Workspace, slug: str) -> UUID:
    with space.database.before_sign_in(slug) as session:
        found = session.scalar(tenant_by_slug(slug))
    if found is None:
        raise click.ClickException(f"There is no company called {slug}.")
    return found.id


def _create(open_workspace: Open) -> click.Command:
    @click.command("create")
    @click.argument("tenant")
    @click.argument("source")
    @click.option("--connector", required=True, help=", ".join(CONNECTORS))
    @click.option("--mapping", required=True, help="the name of a shipped mapping")
    @click.option("--set", "settings", multiple=True, help="a setting, as name=value")
    def create(
        tenant: str, source: str, connector: str, mapping: str, settings: tuple[str, ...]
    ) -> None:
        """Connect an ERP to company TENANT under the name SOURCE."""
        space = open_workspace()
        try:
            with space.database.transaction(_tenant_id(space, tenant)) as session:
                services.create_source(
                    session,
                    name=source,
                    connector=connector,
                    mapping=mapping,
                    config=_settings_in(settings),
                    secret_key=space.settings.secret_key,
                    now=space.now(),
                )
        except InvalidFields as refusal:
            problems = ", ".join(f"{name}: {code}" for name, code in refusal.errors.items())
            raise click.ClickException(problems) from refusal
        OUT.print(f"{source} is connected; see whether it is fit with: erp check {tenant} {source}")

    return create


def _settings_in(settings: tuple[str, ...]) -> dict[str, Any]:
    pairs = [setting.partition("=") for setting in settings]
    # A secret of digits is a text all the same; the connector's settings know what is a number.
    return {name: value for name, _, value in pairs}


def _check(choose: Callable[[str, str], _Chosen]) -> click.Command:
    @click.command("check")
    @click.argument("tenant")
    @click.argument("source")
    def check(tenant: str, source: str) -> None:
        """Sign in, read a row of every stream, prove that nothing can be written."""
        chosen = choose(tenant, source)
        secret_key = chosen.space.settings.secret_key
        with chosen.session() as session:
            found = services.find_source(session, chosen.source_id)
            database, now = chosen.space.database, chosen.space.now
            allowance = allowance_of(session, found, database=database, now=now)
            opened = services.open_for_check(
                session, source_id=chosen.source_id, secret_key=secret_key, allowance=allowance
            )
        report = opened.checked()
        if allowance is not None:
            allowance.settle()
        with chosen.session() as session:
            services.note_check(
                session, source_id=chosen.source_id, report=report, now=chosen.space.now()
            )
        table = Table("check", "", "detail")
        for finding in report.findings:
            table.add_row(finding.check, _verdict(finding), finding.detail)
        OUT.print(table)
        if any(finding.warning for finding in report.findings):
            OUT.print("What is only warned of could not be proved: see to it in the ERP yourself.")
        if not report.passed:
            raise click.exceptions.Exit(1)

    return check


def _verdict(finding: Finding) -> str:
    if finding.warning:
        return "WARNING"
    return "ok" if finding.passed else "FAILED"


def _sync(choose: Callable[[str, str], _Chosen]) -> click.Command:
    @click.command("sync")
    @click.argument("tenant")
    @click.argument("source")
    @click.option("--stream", "streams", multiple=True, help="only these streams")
    @click.option("--reconcile", is_flag=True, help="compare the keys, to find what was deleted")
    @click.option("--release", is_flag=True, help="let halted streams go on; you have looked")
    @click.option("--dry-run", is_flag=True, help="read everything, show what would change")
    def sync(tenant: str, source: str, streams: tuple[str, ...], **options: bool) -> None:
        """Read what is new, now."""
        order = RunOrder(
            streams=streams or None,
            reconcile=options["reconcile"] or None,
            release=options["release"],
            kind=DRY_RUN if options["dry_run"] else SYNC,
        )
        _run_and_show(choose(tenant, source), order)

    return sync


def _backfill(choose: Callable[[str, str], _Chosen]) -> click.Command:
    @click.command("backfill")
    @click.argument("tenant")
    @click.argument("source")
    @click.option("--from", "first", type=DAY, required=True, help="the first day")
    @click.option("--to", "last", type=DAY, required=True, help="the last day")
    @click.option("--stream", "streams", multiple=True, help="only these streams")
    def backfill(
        tenant: str, source: str, first: datetime, last: datetime, streams: tuple[str, ...]
    ) -> None:
        """Read some days again, whatever the ERP's stamps say."""
        if last < first:
            raise click.ClickException("The last day is before the first.")
        span = Span(first.date(), last.date())
        order = RunOrder(streams=streams or None, kind=BACKFILL, span=span)
        _run_and_show(choose(tenant, source), order)

    return backfill


def _verify(choose: Callable[[str, str], _Chosen]) -> click.Command:
    @click.command("verify")
    @click.argument("tenant")
    @click.argument("source")
    @click.option("--stream", "streams", multiple=True, help="only these streams")
    def verify(tenant: str, source: str, streams: tuple[str, ...]) -> None:
        """Compare the closed months with the ERP, month by month, and read again what differs."""
        chosen = choose(tenant, source)
        with chosen.session() as session:
            zone = session.get_one(Tenant, chosen.tenant_id).time_zone
        span = closed_months(chosen.space.now(), zone)
        _run_and_show(chosen, RunOrder(streams=streams or None, kind=VERIFY, span=span))

    return verify


def _run_and_show(chosen: _Chosen, order: RunOrder) -> None:
    """Run with progress, show what became of it, and fail if anything did."""
    report = _sync_visibly(chosen, order)
    OUT.print(_outcomes(report))
    for name, outcome in report.streams.items():
        for line in _findings(outcome.findings or {}):
            OUT.print(f"{name}: {line}", highlight=False)
    troubles = [
        f"{name}: {outcome.problem}" for name, outcome in report.streams.items() if outcome.problem
    ]
    for trouble in filter(None, (report.problem, *troubles)):
        click.echo(trouble, err=True)
    if report.problem or troubles:
        raise click.exceptions.Exit(1)


def _findings(found: dict[str, Any]) -> Iterator[str]:
    """What a look at the past has found, in lines."""
    for month in found.get("months", []):
        ours, erp = month["ours"], month["erp"]
        yield (
            f"{month['month']}: we had {ours['rows']} rows of {ours['amount']},"
            f" the ERP has {erp['rows']} of {erp['amount']}"
        )
    difference = found.get("difference")
    if difference is None:
        return
    counts = [f"{difference[name]} {name}" for name in ("inserts", "updates", "deletes")]
    yield f"would be {', '.join(counts)}"
    for example in difference["examples"]:
        yield f"  {example['change']} {example['key']}: {example['before']} → {example['after']}"


def _sync_visibly(chosen: _Chosen, order: RunOrder) -> RunReport:
    settings = chosen.space.settings
    database = Database(settings, jobs=chosen.space.jobs, statement_seconds=STATEMENT_SECONDS)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed} rows"),
    )
    with Progress(*columns, TimeElapsedColumn(), console=OUT, transient=True) as progress:
        tasks: dict[str, Any] = {}

        def show(stream: str, rows: int) -> None:
            if stream not in tasks:
                tasks[stream] = progress.add_task(stream, total=None)
            progress.advance(tasks[stream], rows)

        try:
            return sync_source(
                database,
                chosen.tenant_id,
                chosen.source_id,
                secret_key=settings.secret_key,
                order=order,
                now=chosen.space.now,
                progress=show,
            )
        finally:
            database.close()


def _outcomes(report: RunReport) -> Table:
    table = Table("stream", "state", "read", "changed", "deleted", "refused", "problem")
    for name, outcome in report.streams.items():
        counts = (
            outcome.rows_read,
            outcome.rows_changed,
            outcome.rows_deleted,
            outcome.rows_refused,
        )
        problem = " ".join(filter(None, (outcome.problem, outcome.detail)))
        table.add_row(name, outcome.state, *map(str, counts), problem)
    return table


def _streams(choose: Callable[[str, str], _Chosen]) -> click.Command:
    @click.command("streams")
    @click.argument("tenant")
    @click.argument("source")
    def streams(tenant: str, source: str) -> None:
        """Show every stream's freshness, counts and troubles, and what does not match."""
        chosen = choose(tenant, source)
        table = Table("stream", "state", "fresh", "as of", "next", "rows", "quarantined", "problem")
        with chosen.session() as session:
            now = chosen.space.now()
            for status in services.list_streams(session, source_id=chosen.source_id, now=now):
                row = status.stream
                problem = " ".join(filter(None, (row.problem, row.problem_detail)))
                counts = (str(row.rows_landed), str(status.waiting))
                table.add_row(
                    row.name,
                    row.state,
                    status.freshness.state,
                    str(row.as_of or "-"),
                    str(row.due_at or "-"),
                    *counts,
                    problem,
                )
            today = services.requests_today(session, source_id=chosen.source_id, now=now)
            unmatched = services.count_unmatched(session, source_id=chosen.source_id)
        OUT.print(table)
        if today.per_day is not None:
            OUT.print(f"{today.used} of {today.per_day} requests of {today.day} are used.")
        if unmatched:
            OUT.print(f"{unmatched} names do not match; see: erp quarantine {tenant} {source}")

    return streams


def _quarantine(choose: Callable[[str, str], _Chosen]) -> click.Command:
    @click.command("quarantine")
    @click.argument("tenant")
    @click.argument("source")
    @click.option("--stream", default=None, help="only this stream")
    @click.option("--retry", is_flag=True, help="try the rows again")
    def quarantine(tenant: str, source: str, stream: str | None, *, retry: bool) -> None:
        """Show the rows that were refused, with the reason; try them again with --retry."""
        chosen = choose(tenant, source)
        if retry:
            released = retry_quarantine(
                chosen.space.database,
                chosen.tenant_id,
                chosen.source_id,
                secret_key=chosen.space.settings.secret_key,
                stream=stream,
                now=chosen.space.now,
            )
            OUT.print(f"{released} rows were released.")
        table = Table("stream", "key", "field", "reason", "value", "since")
        with chosen.session() as session:
            for row in services.list_quarantine(
                session,
                source_id=chosen.source_id,
                stream=stream,
                after=None,
                limit=QUARANTINE_SHOWN_MAX,
            ):
                cells = (row.source_key or "-", row.field, row.code, row.value or "-")
                table.add_row(row.stream, *cells, f"{row.refused_at:%Y-%m-%d %H:%M}")
        OUT.print(table)

    return quarantine
