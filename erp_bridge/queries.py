"""All SELECTs of the bridge's own bookkeeping."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    text,
)

from app.people.models import OrgUnit, Person
from erp_bridge.models import (
    Batch,
    Employee,
    ErpOrgUnit,
    Hook,
    Match,
    QuarantinedRow,
    RequestDay,
    Run,
    Source,
    Stream,
)

CANDIDATES_MAX = 2_000


def source_by_id(source_id: UUID) -> Select[Source]:
    """One source."""
    return select(Source).where(Source.id == source_id)


def source_by_name(name: str) -> Select[Source]:
    """The source of that name."""
    return select(Source).where(Source.name == name)


def sources(*, after: UUID | None, limit: int) -> Select[Source]:
    """Sources in order of their making."""
    found = select(Source).order_by(Source.id).limit(limit)
    return found.where(Source.id > after) if after else found


def sources_due(now: datetime, watched: Collection[str], *, hint_seconds: float) -> Select[UUID]:
    """Active sources that were never read, or of which a stream is due."""
    due = streams_due(now, watched, hint_seconds=hint_seconds).where(
        Stream.tenant_id == Source.tenant_id, Stream.source_id == Source.id
    )
    return select(Source.id).where(Source.active, or_(Source.polled_at.is_(None), due.exists()))


def streams_due(now: datetime, watched: Collection[str], *, hint_seconds: float) -> Select[str]:
    """Streams whose time has come, whose ERP said that there is news, or at which somebody is looking."""
    rested = Stream.polled_at <= now - timedelta(seconds=hint_seconds)
    return select(Stream.name).where(
        or_(
            Stream.due_at.is_(None),
            Stream.due_at <= now,
            and_(Stream.hinted_at > Stream.polled_at, rested),
            and_(Stream.eager_at <= now, Stream.table_name.in_(watched)),
        )
    )


#: Of every company, by the worker's own role, which sees these columns only: (table, state, streams, seconds).
STREAMS_WATCHED = text("""
    SELECT table_name, freshness, count(*), max(extract(epoch FROM :now - as_of))
      FROM erp_stream WHERE freshness IS NOT NULL GROUP BY 1, 2
""")


def sources_judged() -> Select[Source]:
    """The sources that are read, and those whose streams still say what was judged when they were."""
    judged = select(Stream.name).where(
        Stream.tenant_id == Source.tenant_id,
        Stream.source_id == Source.id,
        Stream.freshness.is_not(None),
    )
    return select(Source).where(or_(Source.active, judged.exists())).order_by(Source.id)


def hook_of(source_id: UUID) -> Select[Hook]:
    """The hook of a source, for whoever has named the source or is of its company."""
    return select(Hook).where(Hook.source_id == source_id)


def requests_used(source_id: UUID, day: date) -> Select[int]:
    """How many requests of a day were taken."""
    return select(RequestDay.used).where(RequestDay.source_id == source_id, RequestDay.day == day)


def sources_to_verify(before: datetime) -> Select[UUID]:
    """Active sources whose closed months were last compared before this; new ones wait as long."""
    since = func.coalesce(Source.verified_at, Source.created_at)
    return select(Source.id).where(Source.active, since < before)


def streams_of(source_id: UUID) -> Select[Stream]:
    """A source's streams in the order in which they are read."""
    return select(Stream).where(Stream.source_id == source_id).order_by(Stream.position)


def free_streams(source_id: UUID) -> Select[Stream]:
    """A source's streams, locked, without those that somebody holds: whoever lands a window is never waited for."""
    return streams_of(source_id).with_for_update(skip_locked=True)


def waiting_counts(source_id: UUID) -> Select[str, int]:
    """(stream, rows) that wait in quarantine."""
    return (
        select(QuarantinedRow.stream, func.count())
        .where(QuarantinedRow.source_id == source_id, QuarantinedRow.state == "waiting")
        .group_by(QuarantinedRow.stream)
    )


def run_by_id(run_id: UUID) -> Select[Run]:
    """One run."""
    return select(Run).where(Run.id == run_id)


def batches_of(run_id: UUID) -> Select[str, int, int, int, int, int]:
    """(stream, batches, rows read, changed, deleted, refused): how far a run has come."""
    return (
        select(
            Batch.stream,
            func.count(),
            func.sum(Batch.rows_read),
            func.sum(Batch.rows_changed),
            func.sum(Batch.rows_deleted),
            func.sum(Batch.rows_refused),
        )
        .where(Batch.run_id == run_id)
        .group_by(Batch.stream)
    )


def quarantined(
    source_id: UUID, *, stream: str | None, after: UUID | None, limit: int
) -> Select[QuarantinedRow]:
    """What waits in quarantine, oldest first."""
    found = (
        select(QuarantinedRow)
        .where(QuarantinedRow.source_id == source_id, QuarantinedRow.state == "waiting")
        .order_by(QuarantinedRow.id)
        .limit(limit)
    )
    if stream is not None:
        found = found.where(QuarantinedRow.stream == stream)
    return found.where(QuarantinedRow.id > after) if after else found


def holds_at_a_root(unit_ids: Sequence[UUID]) -> Select[bool]:
    """Whether one of these units is the top of a tree."""
    return select(exists().where(and_(OrgUnit.id.in_(unit_ids), OrgUnit.parent_id.is_(None))))


def matches_of(source_id: UUID) -> Select[Match]:
    """All matches of a source, locked in one order."""
    return select(Match).where(Match.source_id == source_id).order_by(Match.id).with_for_update()


def decided_matches(source_id: UUID) -> Select[str, str, str | None]:
    """(kind, key, decision) of what was decided for a source."""
    return select(Match.kind, Match.source_key, Match.decision).where(
        Match.source_id == source_id, Match.state == "decided"
    )


def match_by_id(source_id: UUID, match_id: UUID) -> Select[Match]:
    """One match of a source."""
    return select(Match).where(Match.source_id == source_id, Match.id == match_id)


def matches(
    source_id: UUID, *, state: str, kind: str | None, after: UUID | None, limit: int
) -> Select[Match]:
    """The matches of a source in one state, in the order in which they were noted."""
    found = (
        select(Match)
        .where(Match.source_id == source_id, Match.state == state)
        .order_by(Match.id)
        .limit(limit)
    )
    if kind is not None:
        found = found.where(Match.kind == kind)
    return found.where(Match.id > after) if after else found


def candidates(kind: str, waiting: Sequence[Match]) -> Any:
    """(id, name, code, login) of whom these may be: of that code or login, or with a name that begins alike."""
    codes = [match.source_key.lower() for match in waiting]
    logins = [match.login.lower() for match in waiting if match.login]
    initials = {word[:1].lower() for match in waiting for word in match.name.split()}
    if kind == "person":
        columns = (Person.id, Person.name, Person.employee_code.label("code"), Person.login)
        known = or_(
            func.lower(Person.employee_code).in_(codes),
            func.lower(Person.login).in_(logins),
            _begins(Person.name, initials),
        )
        return (
            select(*columns).where(Person.active, known).order_by(Person.id).limit(CANDIDATES_MAX)
        )
    nobody = literal(None, Text()).label("login")
    known = or_(func.lower(OrgUnit.code).in_(codes), _begins(OrgUnit.name, initials))
    return (
        select(OrgUnit.id, OrgUnit.name, OrgUnit.code, nobody)
        .where(OrgUnit.active, known)
        .order_by(OrgUnit.id)
        .limit(CANDIDATES_MAX)
    )


def names_of(kind: str, ids: Sequence[UUID]) -> Select[UUID, str]:
    """(id, name) of persons or units."""
    table: type[Person | OrgUnit] = Person if kind == "person" else OrgUnit
    return select(table.id, table.name).where(table.id.in_(ids))


def employee(source_id: UUID, key: str) -> Select[Employee]:
    """An employee of the ERP."""
    return select(Employee).where(Employee.source_id == source_id, Employee.source_key == key)


def erp_unit(source_id: UUID, key: str) -> Select[ErpOrgUnit]:
    """A unit of the ERP."""
    return select(ErpOrgUnit).where(ErpOrgUnit.source_id == source_id, ErpOrgUnit.source_key == key)


def root_unit() -> Select[UUID]:
    """The company itself: the first unit of the organisation that hangs below no other."""
    return (
        select(OrgUnit.id)
        .where(OrgUnit.parent_id.is_(None), OrgUnit.tree == "admin")
        .order_by(OrgUnit.id)
        .limit(1)
    )


def _begins(name: Any, initials: set[str]) -> ColumnElement[bool]:
    """Whether a word of a name begins with one of these letters."""
    lower = func.lower(name, type_=Text())
    cases = [lower.startswith(initial, autoescape=True) for initial in sorted(initials)]
    cases += [lower.contains(f" {initial}", autoescape=True) for initial in sorted(initials)]
    return or_(false(), *cases)
