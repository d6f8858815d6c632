"""The directory follows the ERP: units and persons are created, renamed, moved, let in and shut out.

Everything is matched once, by the ERP's key, and remembered on the dimension's row; afterwards names and logins
may change freely. What cannot be matched is listed in quarantine and waits for a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core.events import record
from app.people import services as people
from app.people.models import Membership, OrgUnit, Person
from erp_bridge.events import DirectorySynced
from erp_bridge.mappings.compiler import Holds, Surroundings, condition
from erp_bridge.mappings.nodes import RoleRule
from erp_bridge.matching import (
    IGNORE,
    LINK,
    PERSON,
    UNIT,
    Found,
    decisions_of,
)
from erp_bridge.models import Employee, ErpOrgUnit, Source
from erp_bridge.opening import OpenSource
from erp_bridge.unmatched import list_unmatched

UNIT_DEPTH_MAX = 64
#: The role that everybody has at their own unit, given with the place itself.
BASE_ROLE = "employee"
#: What a role rule may ask of an employee; ``heads`` is there when the employee leads a unit.
RULE_COLUMNS = ("key", "name", "login", "title", "org_unit_key", "manager_key", "heads")


@dataclass
class _Directory:
    """What the ERP says, what the company has, and what did not match."""

    session: Session
    source: OpenSource
    now: datetime
    #: Whether persons and units are made as the ERP says, or only matched to those there are.
    follows: bool
    decided: dict[tuple[str, str], str]
    units: dict[str, OrgUnit] = field(default_factory=dict)
    unmatched: list[Found] = field(default_factory=list)
    headed: dict[str, str] = field(default_factory=dict)

    def miss_person(self, row: Employee, reason: str) -> None:
        """Note that nobody is this employee."""
        login = row.login or row.source_key
        found = Found(kind=PERSON, key=row.source_key, name=row.name, login=login, reason=reason)
        self.unmatched.append(found)

    def miss_unit(self, row: ErpOrgUnit, reason: str) -> None:
        """Note that this unit is nowhere, or cannot be put anywhere."""
        self.unmatched.append(Found(kind=UNIT, key=row.source_key, name=row.name, reason=reason))

    def leads(self, kind: str, key: str) -> bool:
        """Whether what the ERP says of this one goes for the company: not where an operator linked it."""
        return self.follows and self.decided.get((kind, key)) not in {LINK, IGNORE}


def sync_directory(session: Session, *, source: OpenSource, now: datetime) -> None:
    """Bring units, persons and the roles the bridge gives to what the ERP says now."""
    row = session.scalars(select(Source).where(Source.id == source.source_id)).one()
    decided = decisions_of(session, source.source_id)
    directory = _Directory(session, source, now, row.directory == "follow", decided)
    _sync_units(directory)
    _sync_people(directory)
    list_unmatched(session, source, directory.unmatched, now)
    session.execute(update(Source).where(Source.id == source.source_id).values(directory_at=now))
    record(session, DirectorySynced(source_id=source.source_id), ref=source.source_id)


def _sync_units(directory: _Directory) -> None:
    session, source_id = directory.session, directory.source.source_id
    rows = session.scalars(select(ErpOrgUnit).where(ErpOrgUnit.source_id == source_id)).all()
    known = {unit.id: unit for unit in session.scalars(select(OrgUnit))}
    live = {row.source_key: row for row in rows if row.deleted_at is None}
    directory.headed = {
        row.manager_key: row.source_key
        for row in reversed(live.values())
        if row.manager_key and row.tree == "admin"
    }
    for row in _parents_first(live, directory):
        _sync_unit(directory, row, known)
    for row in rows:
        leads = directory.leads(UNIT, row.source_key)
        if leads and row.deleted_at is not None and row.unit_id in known:
            _close_unit(directory, known[row.unit_id])


def _parents_first(live: Mapping[str, ErpOrgUnit], directory: _Directory) -> Sequence[ErpOrgUnit]:
    """Order units so that parents come first; a unit in a circle hangs below nothing and is listed."""
    depths: dict[str, int] = {}
    for key, row in live.items():
        depth, above = 0, row.parent_key
        while above is not None and above in live and depth < UNIT_DEPTH_MAX:
            depth, above = depth + 1, live[above].parent_key
        depths[key] = depth
        if depth == UNIT_DEPTH_MAX:
            directory.miss_unit(row, "unit_circle")
    return sorted(live.values(), key=lambda row: (depths[row.source_key], row.source_key))


def _sync_unit(directory: _Directory, row: ErpOrgUnit, known: dict[UUID, OrgUnit]) -> None:
    parent = directory.units.get(row.parent_key or "")
    unit = known.get(row.unit_id) if row.unit_id else None
    if unit is None and directory.decided.get((UNIT, row.source_key)) == IGNORE:
        return
    unit = unit or _unit_like(row, parent, known)
    if unit is None and not directory.follows:
        directory.miss_unit(row, "no_such_unit")
        return
    if unit is None:
        unit = people.add_unit(
            directory.session,
            code=row.source_key,
            name=row.name,
            parent_id=parent.id if parent else None,
            tree=row.tree,
        )
        known[unit.id] = unit
    row.unit_id = unit.id
    directory.units[row.source_key] = unit
    if not directory.leads(UNIT, row.source_key):
        return
    if (unit.name, unit.active) != (row.name, True):
        unit.name, unit.active = row.name, True
        people.structure_changed(directory.session)
    if parent is not None:
        people.move_unit(directory.session, unit=unit, parent_id=parent.id)


def _unit_like(
    row: ErpOrgUnit, parent: OrgUnit | None, known: dict[UUID, OrgUnit]
) -> OrgUnit | None:
    """A unit that is there already: by its code, or the tree's one root for the ERP's root."""
    same_tree = [unit for unit in known.values() if unit.tree == row.tree]
    for unit in same_tree:
        if unit.code == row.source_key:
            return unit
    roots = [unit for unit in same_tree if unit.parent_id is None]
    is_root = parent is None and row.tree == "admin"
    return roots[0] if is_root and len(roots) == 1 else None


def _close_unit(directory: _Directory, unit: OrgUnit) -> None:
    if unit.active:
        unit.active = False
        people.structure_changed(directory.session)


def _sync_people(directory: _Directory) -> None:
    session, source_id = directory.session, directory.source.source_id
    rows = session.scalars(
        select(Employee).where(Employee.source_id == source_id).order_by(Employee.source_key)
    ).all()
    found = session.scalars(select(Person)).all()
    by_id = {person.id: person for person in found}
    by_login = {person.login: person for person in found}
    taken = {row.person_id for row in rows}
    placed: dict[UUID, list[UUID]] = {}
    for person_id, unit_id in session.execute(
        select(Membership.person_id, Membership.unit_id).order_by(Membership.is_primary.desc())
    ):
        placed.setdefault(person_id, []).append(unit_id)
    rules = _compiled_rules(directory.source.mapping.roles)
    for row in rows:
        person = _match_person(directory, row, by_id, by_login, taken, placed)
        if person is not None and directory.leads(PERSON, row.source_key):
            _update_person(directory, row, person, placed.get(person.id, []))
            _give_role(directory, row, person, rules)


def _match_person(
    directory: _Directory,
    row: Employee,
    by_id: dict[UUID, Person],
    by_login: dict[str, Person],
    taken: set[UUID | None],
    placed: dict[UUID, list[UUID]],
) -> Person | None:
    """Find who this is, or add them; nobody is matched to two employees."""
    if row.person_id is not None:
        return by_id.get(row.person_id)
    if row.deleted_at is not None or (PERSON, row.source_key) in directory.decided:
        return None
    login = row.login or row.source_key
    person = by_login.get(login)
    if person is not None and person.id in taken:
        directory.miss_person(row, "login_taken")
        return None
    if not directory.follows:
        return _match_only(directory, row, person, taken, by_id)
    unit = _home_of(directory, row)
    if unit is None:
        directory.miss_person(row, "no_unit")
        return None
    if person is None:
        person = _add_person(directory, row, login, unit)
        placed[person.id] = _place_new(directory, row, person, unit)
    by_login[login] = person
    by_id[person.id] = person
    taken.add(person.id)
    row.person_id = person.id
    return person


def _match_only(
    directory: _Directory,
    row: Employee,
    person: Person | None,
    taken: set[UUID | None],
    by_id: dict[UUID, Person],
) -> Person | None:
    """Who has this login, or this number; nobody is made, and nobody changed."""
    if person is None:
        same_number = (p for p in by_id.values() if p.employee_code == row.source_key)
        person = next((p for p in same_number if p.id not in taken), None)
    if person is None:
        directory.miss_person(row, "nobody_like")
        return None
    taken.add(person.id)
    row.person_id = person.id
    return person


def _home_of(directory: _Directory, row: Employee) -> OrgUnit | None:
    """The employee's unit, or the company's root while the unit is not known."""
    unit = directory.units.get(row.org_unit_key or "")
    return unit or directory.units.get(directory.source.mapping.root_unit)


def _add_person(directory: _Directory, row: Employee, login: str, unit: OrgUnit) -> Person:
    person = people.NewPerson(
        login=login,
        name=row.name,
        title=row.title or "",
        unit_id=unit.id,
        employee_code=row.source_key,
        locale=_locale_of(directory.source),
    )
    return people.add_person(directory.session, person, now=directory.now)


def _place_new(directory: _Directory, row: Employee, person: Person, home: OrgUnit) -> list[UUID]:
    """A new person is in their unit already; the department of another tree comes second."""
    department = directory.units.get(row.department_key or "")
    if department is None or department.id == home.id:
        return [home.id]
    second = Membership(
        tenant_id=directory.source.tenant_id,
        person_id=person.id,
        unit_id=department.id,
        is_primary=False,
    )
    directory.session.add(second)
    return [home.id, department.id]


def _update_person(
    directory: _Directory, row: Employee, person: Person, placed: Sequence[UUID]
) -> None:
    session = directory.session
    active = row.active and row.deleted_at is None
    if person.active != active:
        people.set_active(session, person_id=person.id, active=active)
    if (person.name, person.title) != (row.name, row.title or ""):
        person.name, person.title = row.name, row.title or ""
    home = _home_of(directory, row)
    department = directory.units.get(row.department_key or "")
    wanted = [unit.id for unit in (home, department) if unit is not None]
    if wanted and list(placed) != wanted:
        people.place_person(session, person_id=person.id, unit_ids=wanted)
        _move_base_role(session, person.id, placed, wanted[0])


def _move_base_role(
    session: Session, person_id: UUID, placed: Sequence[UUID], home_id: UUID
) -> None:
    """Everybody is an employee where they belong, and no longer where they belonged."""
    for unit_id in placed:
        if unit_id != home_id:
            people.revoke_role(session, person_id=person_id, role_key=BASE_ROLE, unit_id=unit_id)
    people.grant_role(session, person_id=person_id, role_key=BASE_ROLE, unit_id=home_id)


def _give_role(
    directory: _Directory,
    row: Employee,
    person: Person,
    rules: Sequence[tuple[RoleRule, Holds | None]],
) -> None:
    """Give the role of the first rule that fits; take back only what the bridge gave before."""
    role = _role_of(directory, row, rules)
    before = (row.role_key, row.role_unit_id)
    if before == role:
        return
    session = directory.session
    if row.role_key and row.role_unit_id:
        people.revoke_role(
            session, person_id=person.id, role_key=row.role_key, unit_id=row.role_unit_id
        )
    row.role_key, row.role_unit_id = role
    if row.role_key and row.role_unit_id:
        people.grant_role(
            session, person_id=person.id, role_key=row.role_key, unit_id=row.role_unit_id
        )


def _role_of(
    directory: _Directory, row: Employee, rules: Sequence[tuple[RoleRule, Holds | None]]
) -> tuple[str | None, UUID | None]:
    if row.deleted_at is not None or not row.active:
        return None, None
    headed = directory.headed.get(row.source_key)
    asked = (
        row.source_key,
        row.name,
        row.login,
        row.title,
        row.org_unit_key,
        row.manager_key,
        headed,
    )
    for rule, holds in rules:
        if holds is None or holds(asked):
            if rule.role == BASE_ROLE:
                return None, None
            own = directory.units.get(headed or "") or _home_of(directory, row)
            root = directory.units.get(directory.source.mapping.root_unit)
            unit = root if rule.at == "root" else own
            return rule.role, unit.id if unit else None
    return None, None


def _compiled_rules(rules: Sequence[RoleRule]) -> list[tuple[RoleRule, Holds | None]]:
    positions = {name: position for position, name in enumerate(RULE_COLUMNS)}
    around = Surroundings(positions, {}, ZoneInfo("UTC"))
    return [(rule, condition(rule.when, around) if rule.when else None) for rule in rules]


def _locale_of(source: OpenSource) -> str:
    return "zh-CN" if source.mapping.time_zone.startswith("Asia/") else "en"
