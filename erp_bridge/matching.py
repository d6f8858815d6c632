"""Who of the ERP is who in the company: what does not match by itself waits for an operator, with suggestions.

An ERP's directory is either followed (persons and units are made as it says) or only matched to what the company has
already. Either way an operator's word goes before what names and logins say, and holds until it is given anew.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from app.core.errors import InvalidFields
from app.core.events import record
from app.core.ids import new_id
from app.core.work import tenant_of
from app.people import services as people
from app.people.models import OrgUnit, Person
from erp_bridge import queries
from erp_bridge.errors import MatchSettled, MatchUnknown
from erp_bridge.events import DirectorySynced
from erp_bridge.leases import wait_for_turn
from erp_bridge.models import Employee, ErpOrgUnit, Match, QuarantinedRow, Source
from erp_bridge.opening import mapping_of_source

PERSON, UNIT = "person", "unit"
LINK, CREATE, IGNORE = "link", "create", "ignore"
#: The stream of the stand-in for somebody whom only documents name.
STAND_IN = "matching"
UNKNOWN_SALESPERSON = "unknown_salesperson"
DIRECTORY_STREAM = "directory"
SUGGESTIONS_MAX = 5
SIMILAR_ENOUGH = 0.35


@dataclass(frozen=True, kw_only=True)
class Found:
    """Somebody or something of the ERP that is nobody's yet."""

    kind: str
    key: str
    name: str
    reason: str
    login: str | None = None


@dataclass(frozen=True, kw_only=True)
class Decision:
    """An operator's word on a match; ``login`` is for a person who is made anew."""

    decision: str
    target_id: UUID | None = None
    login: str | None = None


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """Who it may be, why, and how much speaks for it (1 is as good as certain)."""

    id: UUID
    name: str
    detail: str
    reasons: tuple[str, ...]
    score: float


def decisions_of(session: Session, source_id: UUID) -> dict[tuple[str, str], str]:
    """What was decided for a source, by kind and key."""
    rows = session.execute(queries.decided_matches(source_id))
    return {(row.kind, row.source_key): row.decision for row in rows}


def note_matches(
    session: Session,
    *,
    source_id: UUID,
    found: Sequence[Found],
    reasons: Collection[str],
    now: datetime,
) -> None:
    """Make the open matches of these reasons exactly those found; what was decided stays decided."""
    known = {
        (match.kind, match.source_key): match
        for match in session.scalars(queries.matches_of(source_id))
    }
    wanted = {(item.kind, item.key): item for item in found}
    for place, match in known.items():
        item = wanted.get(place)
        if match.state == "decided":
            continue
        if item is not None:
            match.state, match.reason, match.name = "open", item.reason, item.name
            match.login = item.login
        elif match.reason in reasons:
            match.state = "settled"
    fresh = [
        _opened(session, source_id, item, now)
        for place, item in wanted.items()
        if place not in known
    ]
    if fresh:
        session.execute(insert(Match), fresh)
    session.flush()


def suggest(session: Session, matches: Sequence[Match]) -> dict[UUID, list[Suggestion]]:
    """Who or what each of these open matches may be, the likeliest first."""
    found: dict[UUID, list[Suggestion]] = {}
    for kind in (PERSON, UNIT):
        waiting = [match for match in matches if match.kind == kind and match.state == "open"]
        if not waiting:
            continue
        candidates = session.execute(queries.candidates(kind, waiting)).all()
        for match in waiting:
            rated = (_rated(match, row) for row in candidates)
            likely = sorted(filter(None, rated), key=lambda one: (-one.score, one.name, one.detail))
            found[match.id] = likely[:SUGGESTIONS_MAX]
    return found


def decide_match(
    session: Session,
    *,
    source: Source,
    match_id: UUID,
    decided: Decision,
    actor_id: UUID,
    now: datetime,
) -> Match:
    """Say who it is; figures follow at once. Deciding anew replaces what was decided before."""
    wait_for_turn(session, source.tenant_id, source.id, "directory")
    match = session.scalar(queries.match_by_id(source.id, match_id).with_for_update())
    if match is None:
        raise MatchUnknown
    if match.state == "settled":
        raise MatchSettled
    target_id = _target(session, source, match, decided, now)
    if match.kind == PERSON:
        _link_person(session, source, match, target_id, now)
    else:
        _link_unit(session, source, match, target_id)
    match.state, match.decision, match.target_id = "decided", decided.decision, target_id
    match.decided_by_id, match.decided_at = actor_id, now
    _leave_quarantine(session, match)
    # A directory that is followed looks again, with this word in its ear.
    source.directory_at = None
    session.flush()
    record(session, DirectorySynced(source_id=source.id), ref=source.id)
    return match


def likeness(one: str, other: str) -> float:
    """How alike two names are, 0 to 1: what of their letters and pairs of letters they share."""
    first, second = _letters(one), _letters(other)
    return 2 * len(first & second) / (len(first) + len(second)) if first and second else 0.0


def _opened(session: Session, source_id: UUID, item: Found, now: datetime) -> dict[str, Any]:
    return {
        "tenant_id": tenant_of(session),
        "id": new_id(),
        "source_id": source_id,
        "kind": item.kind,
        "source_key": item.key,
        "name": item.name,
        "login": item.login,
        "reason": item.reason,
        "state": "open",
        "noted_at": now,
    }


def _rated(match: Match, row: Any) -> Suggestion | None:
    """What speaks for this candidate; none if nothing does."""
    alike = likeness(match.name, row.name)
    said = {
        "code": row.code is not None and row.code.casefold() == match.source_key.casefold(),
        "login": bool(match.login and row.login and row.login.casefold() == match.login.casefold()),
        "name": alike >= SIMILAR_ENOUGH,
    }
    reasons = tuple(reason for reason, holds in said.items() if holds)
    if not reasons:
        return None
    score = 1.0 if said["code"] or said["login"] else round(alike * 0.95, 2)
    detail = row.login or row.code or ""
    return Suggestion(id=row.id, name=row.name, detail=detail, reasons=reasons, score=score)


def _letters(name: str) -> set[str]:
    words = "".join(c if c.isalnum() else " " for c in name.casefold()).split()
    pairs = (word[i : i + 2] for word in words for i in range(len(word) - 1))
    return {*"".join(words), *pairs}


def _target(
    session: Session, source: Source, match: Match, decided: Decision, now: datetime
) -> UUID | None:
    if decided.decision == IGNORE:
        return None
    if decided.decision == LINK:
        kind: type[Person | OrgUnit] = Person if match.kind == PERSON else OrgUnit
        wanted = select(kind.id).where(kind.id == decided.target_id)
        if decided.target_id is None or session.scalar(wanted) is None:
            raise InvalidFields({"target_id": "not_a_choice"})
        return decided.target_id
    if match.reason == UNKNOWN_SALESPERSON:
        # Only documents name them: there is nobody of whom a person could be made.
        raise InvalidFields({"decision": "not_a_choice"})
    make = _make_person if match.kind == PERSON else _make_unit
    return make(session, source, match, decided, now)


def _make_person(
    session: Session, source: Source, match: Match, decided: Decision, now: datetime
) -> UUID:
    row = session.scalars(queries.employee(source.id, match.source_key)).one()
    new = people.NewPerson(
        login=decided.login or row.login or row.source_key,
        name=row.name,
        title=row.title or "",
        unit_id=_unit_of(session, source, row.org_unit_key),
    )
    return people.add_person(session, new, now=now).id


def _make_unit(
    session: Session, source: Source, match: Match, decided: Decision, now: datetime
) -> UUID:
    row = session.scalars(queries.erp_unit(source.id, match.source_key)).one()
    parent = _unit_of(session, source, row.parent_key)
    return people.add_unit(session, code=row.source_key, name=row.name, parent_id=parent).id


def _unit_of(session: Session, source: Source, key: str | None) -> UUID:
    """The company's unit for one of the ERP's, or the company itself."""
    root_key = mapping_of_source(source).root_unit
    for candidate in (key, root_key):
        row = session.scalar(queries.erp_unit(source.id, candidate or ""))
        if row is not None and row.unit_id is not None:
            return row.unit_id
    return session.scalars(queries.root_unit()).one()


def _link_person(
    session: Session, source: Source, match: Match, person_id: UUID | None, now: datetime
) -> None:
    row = session.scalar(queries.employee(source.id, match.source_key))
    if row is None and person_id is None:
        return
    if row is None:
        row = Employee(
            tenant_id=source.tenant_id,
            source_id=source.id,
            source_key=match.source_key,
            stream=STAND_IN,
            name=match.name,
            active=False,
            hash=b"",
            batch_id=new_id(),
            seen_at=now,
        )
        session.add(row)
    if row.role_key and row.role_unit_id and row.person_id and row.person_id != person_id:
        # What the bridge gave to whom it took for this employee, it takes back.
        people.revoke_role(
            session, person_id=row.person_id, role_key=row.role_key, unit_id=row.role_unit_id
        )
        row.role_key = row.role_unit_id = None
    row.person_id = person_id


def _link_unit(session: Session, source: Source, match: Match, unit_id: UUID | None) -> None:
    session.execute(
        update(ErpOrgUnit)
        .where(ErpOrgUnit.source_id == source.id, ErpOrgUnit.source_key == match.source_key)
        .values(unit_id=unit_id)
    )


def _leave_quarantine(session: Session, match: Match) -> None:
    session.execute(
        delete(QuarantinedRow).where(
            QuarantinedRow.source_id == match.source_id,
            QuarantinedRow.stream == DIRECTORY_STREAM,
            QuarantinedRow.source_key == match.source_key,
        )
    )
