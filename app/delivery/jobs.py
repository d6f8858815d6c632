"""Jobs of delivery: from a notice to its audience, page by page, and to their devices, batch by batch."""

import random
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from prometheus_client import Counter
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.jobs import Workbench, defer
from app.core.work import tenant_of
from app.delivery import attempts, queries, rules
from app.delivery.attempts import Target
from app.delivery.models import NoticeRow
from app.delivery.notices import HIGH, PUSH_NOTICE
from app.delivery.presence import Presence
from app.delivery.push import BATCH_SIZE, CHANNELS, LIVES_HOURS, Answer, Channel, Outcome, push_of
from app.people.models import Person, Tenant
from app.people.queries import people_in_scopes

PUSH_PERSONS = "delivery.push_persons"
PRESENCE = "presence"
PAGE_SIZE = 1_000
PERSONS_PER_JOB = 100

PUSHED = Counter("workspace_pushes", "Pushes by what the provider made of them.", ["outcome"])
log = structlog.get_logger()


def push_notice(
    bench: Workbench, *, tenant_id: str, notice_id: str, after: str | None = None
) -> None:
    """Sort a page of a notice's audience: who is away is pushed to now, who is connected only if it did not arrive."""
    now = bench.clock()
    with bench.database.transaction(UUID(tenant_id)) as session:
        notice = session.scalar(queries.notice(UUID(notice_id)))
        if notice is None or notice.created_at < now - timedelta(hours=LIVES_HOURS):
            return
        page = _page_of_audience(session, notice, UUID(after) if after else None)
        if len(page) == PAGE_SIZE:
            defer(session, PUSH_NOTICE, notice_id=notice_id, after=str(page[-1]))
        wanting = _wanting(session, notice, page, now)
        present = _present(
            session, bench, [person for group in wanting.values() for person in group]
        )
        for at, persons in wanting.items():
            away = [person for person in persons if person not in present]
            here = [person for person in persons if person in present]
            _defer_persons(session, notice_id, away, at=at, check=False)
            wait = timedelta(seconds=bench.settings.push_wait_seconds)
            _defer_persons(session, notice_id, here, at=(at or now) + wait, check=True)


def push_persons(
    bench: Workbench, *, tenant_id: str, notice_id: str, person_ids: list[str], check: bool
) -> None:
    """Push a notice to these persons' devices: those still in its audience and, with ``check``, not reached yet."""
    tenant = UUID(tenant_id)
    with bench.database.transaction(tenant) as session:
        notice = session.scalar(queries.notice(UUID(notice_id)))
        if notice is None:
            return
        targets = _targets(session, notice, [UUID(p) for p in person_ids], check=check)
        claimed = attempts.claim(session, notice_id=notice.id, targets=targets, now=bench.clock())
    again_at: list[datetime] = []
    for start in range(0, len(claimed), BATCH_SIZE):
        batch = claimed[start : start + BATCH_SIZE]
        answers = list(zip(batch, _send(bench, tenant, notice, batch), strict=True))
        with bench.database.transaction(tenant) as session:
            first = attempts.settle(
                session,
                notice_id=notice.id,
                answers=answers,
                now=bench.clock(),
                luck=random.random(),  # noqa: S311 - spreads retries, guards nothing
            )
            again_at += [first] if first else []
    with bench.database.transaction(tenant) as session:
        device_ids = [target.device_id for target in targets]
        if attempts.unsettled(session, notice_id=notice.id, device_ids=device_ids):
            # Some are to be tried again, or were claimed by a run that may have died: look again then.
            lease = bench.clock() + timedelta(seconds=attempts.LEASE_SECONDS)
            at = min(again_at, default=lease)
            _defer_persons(session, notice_id, [UUID(p) for p in person_ids], at=at, check=check)


def _page_of_audience(session: Session, notice: NoticeRow, after: UUID | None) -> list[UUID]:
    persons = people_in_scopes(notice.scope_ids).order_by(Person.id).limit(PAGE_SIZE)
    return list(session.scalars(persons.where(Person.id > after) if after else persons))


def _wanting(
    session: Session, notice: NoticeRow, person_ids: Collection[UUID], now: datetime
) -> dict[datetime | None, list[UUID]]:
    """Group those who want this kind of notice by when it may come (None: at once)."""
    zone = session.scalar(select(Tenant.time_zone)) or "UTC"
    decided = {p.person_id: p for p in session.scalars(queries.preferences_of(person_ids))}
    groups: dict[datetime | None, list[UUID]] = defaultdict(list)
    for person_id in person_ids:
        preference = decided.get(person_id)
        if person_id == notice.except_person_id:
            continue
        if preference is None:
            groups[None].append(person_id)
        elif notice.kind not in preference.muted_kinds:
            start, end = preference.quiet_from, preference.quiet_to
            until = None
            if notice.urgency != HIGH and start is not None and end is not None:
                until = rules.quiet_until(now, zone=zone, start=start, end=end)
            groups[until].append(person_id)
    return groups


def _present(session: Session, bench: Workbench, person_ids: Collection[UUID]) -> set[UUID]:
    """Those with an open socket; all who may have one when nobody can tell."""
    presence: Presence = bench.tools[PRESENCE]
    tenant_id = tenant_of(session)
    owners = {row.id: row.person_id for row in session.execute(queries.devices_of(person_ids))}
    found = presence.present([(tenant_id, device_id) for device_id in owners])
    if found is None:
        return set(person_ids)
    return {owners[device_id] for _, device_id in found}


def _defer_persons(
    session: Session,
    notice_id: str,
    person_ids: list[UUID],
    *,
    at: datetime | None,
    check: bool,
) -> None:
    for start in range(0, len(person_ids), PERSONS_PER_JOB):
        batch = [str(person) for person in person_ids[start : start + PERSONS_PER_JOB]]
        defer(session, PUSH_PERSONS, at=at, notice_id=notice_id, person_ids=batch, check=check)


def _targets(
    session: Session, notice: NoticeRow, person_ids: Collection[UUID], *, check: bool
) -> list[Target]:
    reached: Iterable[UUID] = ()
    if check and notice.seq is not None:
        reached = session.scalars(queries.persons_holding(notice.seq, person_ids))
    persons = set(person_ids) - set(reached)
    audience = people_in_scopes(notice.scope_ids).where(Person.id.in_(persons))
    return [
        Target(device_id, token or "", provider or "", "en" if locale.startswith("en") else "zh")
        for device_id, token, provider, locale in session.execute(
            queries.pushable_devices(audience)
        )
    ]


def _send(
    bench: Workbench, tenant_id: UUID, notice: NoticeRow, targets: list[Target]
) -> list[Answer]:
    """Send to each provider what is its own; the answers come in the order of the targets."""
    channels: dict[str, Channel] = bench.tools.get(CHANNELS, {})
    answers: dict[UUID, Answer] = {}
    for provider in {target.provider for target in targets}:
        own = [target for target in targets if target.provider == provider]
        channel = channels.get(provider)
        if channel is None:
            said = [Answer(Outcome.REFUSED, "no_such_channel")] * len(own)
        else:
            pushes = [
                push_of(notice, tenant_id=tenant_id, token=t.token, language=t.language)
                for t in own
            ]
            said = channel.send(pushes)
        answers |= {target.device_id: answer for target, answer in zip(own, said, strict=True)}
    for answer in answers.values():
        PUSHED.labels(answer.outcome.value).inc()
    return [answers[target.device_id] for target in targets]
