"""Verbs of oversight: looking for patterns, keeping them as flags, and what auditors say about them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import RowMapping
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import NotFound, VersionConflict
from app.core.events import SCOPE_COUNT_MAX, record
from app.core.ids import new_id
from app.core.work import tenant_of
from app.people.queries import scopes_of_holders, scopes_of_persons, units_above
from app.people.services import write_audit
from redpackets.approval_queries import active_policy
from redpackets.oversight import queries
from redpackets.oversight.errors import FlagResolved, InvolvedInFlag
from redpackets.oversight.events import FlagResolvedBy, PatternFlagged
from redpackets.oversight.models import Flag, OversightPolicy
from redpackets.oversight.rules import (
    DEFAULTS,
    Edge,
    Finding,
    Thresholds,
    ring,
    rings_among,
    same_receiver,
    self_gift,
    split,
    steps_of,
)
from redpackets.policies import bands_of

AUDIT = "redpackets.audit"
_EDGE_FIELDS = tuple(field.name for field in fields(Edge))


def thresholds_of(session: Session) -> Thresholds:
    """Say from when on the company's patterns are flagged."""
    kept = session.scalar(queries.policy())
    if kept is None:
        return DEFAULTS
    return Thresholds(
        window_days=kept.window_days,
        receiver_percent=kept.receiver_percent,
        receiver_count=kept.receiver_count,
        ring_count=kept.ring_count,
        split_minor=kept.split_minor,
    )


def bands_of_approval(session: Session, thresholds: Thresholds) -> Mapping[str, Sequence[int]]:
    """Say above which amounts packets need (one more) approval: as the policy in force has it, or else as is kept here."""
    in_force = session.scalar(active_policy())
    return steps_of(bands_of(in_force)) if in_force else thresholds.split_minor


def read_policy(session: Session) -> dict[str, Any]:
    """Describe the thresholds, with the version that a change has to name."""
    kept = session.scalar(queries.policy())
    return asdict(thresholds_of(session)) | {"version": kept.version if kept else 0}


def change_policy(
    session: Session, *, caller: Caller, version: int, asked: Thresholds, now: datetime
) -> None:
    """Flag from other thresholds on, knowing the version; flags that were made stay."""
    kept = session.scalar(queries.policy(lock=True))
    current = kept.version if kept else 0
    if version != current:
        raise VersionConflict(current_version=current)
    row = asdict(asked) | {
        "version": current + 1,
        "changed_by_id": caller.person_id,
        "changed_at": now,
    }
    change = insert(OversightPolicy).values(row | {"tenant_id": caller.tenant_id})
    change = change.on_conflict_do_update(
        index_elements=["tenant_id"], set_=row, where=OversightPolicy.version == current
    )
    if session.execute(change.returning(OversightPolicy.version)).first() is None:
        # Somebody else was faster by a moment.
        raise VersionConflict(current_version=current + 1)
    session.expire_all()
    _audit(session, caller, "change_oversight_policy", f"oversight_policy:{current + 1}", row, now)


def scan(
    session: Session,
    *,
    thresholds: Thresholds,
    bands: Mapping[str, Sequence[int]],
    now: datetime,
) -> int:
    """Look for every pattern and keep what is new as flags; gives how many there are.

    ``bands``: by unit, the amounts above which a packet needs (one more) approval.
    """
    zone = session.scalars(queries.time_zone()).one()
    place: dict[str, Any] = asdict(thresholds) | {
        "since": now - timedelta(days=thresholds.window_days),
        "until": now,
        "zone": zone,
    }
    findings = [
        *_same_receivers(session, place, zone),
        *_rings(session, place, zone),
        *_splits(session, place, bands),
        *_self_gifts(session, place, zone),
    ]
    return sum(_keep(session, finding, now) for finding in findings)


def flag_known(session: Session, flag_id: UUID) -> Flag:
    """Find a flag."""
    flag = session.get(Flag, (tenant_of(session), flag_id))
    if flag is None:
        raise NotFound
    return flag


def resolve(
    session: Session, *, caller: Caller, flag_id: UUID, state: str, note: str, now: datetime
) -> Flag:
    """Say what a flag came to, as an auditor whom it is not about; saying the same again changes nothing."""
    flag = session.scalar(queries.flag_locked(flag_id))
    if flag is None:
        raise NotFound
    if caller.person_id in flag.subject_ids:
        raise InvolvedInFlag
    if flag.state == state:
        return flag
    if flag.state != "open":
        raise FlagResolved(state=flag.state)
    flag.state, flag.note = state, note
    flag.resolved_by_id, flag.resolved_at = caller.person_id, now
    session.flush()
    _audit(session, caller, f"{state}_flag", f"flag:{flag.id}", {"note": note}, now)
    fact = FlagResolvedBy(flag_id=flag.id, state=state, by_id=caller.person_id)
    record(session, fact, ref=flag.id, scope_ids=_auditors(session, flag.subject_ids))
    return flag


def describe_flags(session: Session, found: Sequence[Flag]) -> list[dict[str, Any]]:
    """Describe flags with the names of whom they are about and of who resolved them."""
    people = {id_ for flag in found for id_ in (*flag.subject_ids, flag.resolved_by_id) if id_}
    names = {row.id: row.name for row in session.execute(queries.names_of(people))}

    def party(person_id: UUID | None) -> dict[str, Any] | None:
        return {"id": person_id, "name": names.get(person_id, "")} if person_id else None

    return [
        vars(flag)
        | {
            "subjects": [party(person_id) for person_id in flag.subject_ids],
            "resolved_by": party(flag.resolved_by_id),
        }
        for flag in found
    ]


def _same_receivers(session: Session, place: dict[str, Any], zone: str) -> Iterator[Finding]:
    for row in session.execute(queries.SAME_RECEIVERS, place).mappings():
        edge = _edge(row)
        yield same_receiver(
            edge, row["total_minor"], edge.last_at.astimezone(ZoneInfo(zone)).date()
        )


def _rings(session: Session, place: dict[str, Any], zone: str) -> Iterator[Finding]:
    edges = [_edge(row) for row in session.execute(queries.RING_EDGES, place).mappings()]
    for found in rings_among(edges):
        last_at = max(edge.last_at for edge in found)
        yield ring(found, last_at.astimezone(ZoneInfo(zone)).date())


def _splits(
    session: Session, place: dict[str, Any], bands: Mapping[str, Sequence[int]]
) -> Iterator[Finding]:
    pairs = [(unit, amount) for unit, amounts in bands.items() for amount in amounts]
    if not pairs:
        return
    units, amounts = zip(*pairs, strict=True)
    asked = place | {"units": list(units), "amounts": list(amounts)}
    for row in session.execute(queries.SPLITS, asked):
        yield split(row)


def _self_gifts(session: Session, place: dict[str, Any], zone: str) -> Iterator[Finding]:
    for row in session.execute(queries.SELF_GIFTS, place):
        yield self_gift(row, row.last_at.astimezone(ZoneInfo(zone)).date())


def _edge(row: RowMapping) -> Edge:
    return Edge(**{name: row[name] for name in _EDGE_FIELDS})


def _keep(session: Session, finding: Finding, now: datetime) -> bool:
    """Keep a finding as a flag and tell the auditors, unless its pattern was flagged before."""
    flag_id = new_id()
    kept = session.scalar(
        queries.KEEP,
        vars(finding)
        | {
            "tenant_id": tenant_of(session),
            "id": flag_id,
            "subject_ids": list(finding.subject_ids),
            "packet_ids": list(finding.packet_ids),
            "figures": orjson.dumps(finding.figures).decode(),
            "now": now,
        },
    )
    if kept != flag_id:
        return False
    scope_ids = _auditors(session, finding.subject_ids)
    fact = PatternFlagged(flag_id=flag_id, flag_kind=finding.kind, scope_ids=tuple(scope_ids))
    record(session, fact, ref=flag_id, scope_ids=scope_ids)
    return True


def _auditors(session: Session, except_ids: Sequence[UUID]) -> list[UUID]:
    """List the personal scopes of the auditors of the whole company, but for those whom it is about."""
    about = {row.id for row in session.execute(scopes_of_persons(except_ids))}
    auditors = session.scalars(scopes_of_holders(AUDIT, units_above(None)))
    return sorted(set(auditors) - about)[:SCOPE_COUNT_MAX]


def _audit(
    session: Session,
    caller: Caller,
    verb: str,
    subject: str,
    detail: Mapping[str, Any],
    now: datetime,
) -> None:
    write_audit(
        session,
        actor_id=caller.person_id,
        action=f"redpackets.{verb}",
        subject=subject,
        detail="; ".join(f"{name}: {value}" for name, value in detail.items()),
        now=now,
    )
