"""SELECTs of role data: the state and its fingerprints, sums by node and day, freshness, and who may see what."""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from functools import cache
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Table,
    Uuid,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy import cast as as_type

from app.people.models import Membership, OrgUnit, OrgUnitClosure, Person, Tenant
from erp_bridge.models import Batch, DirtyDay, Employee, ErpOrgUnit, Source, Stream
from roledata.catalogue import QUOTA
from roledata.models import NodeDay, State, Touch, Watch
from roledata.periods import Days

ADMIN_TREE = "admin"
node_day = cast("Table", NodeDay.__table__)


def state_locked() -> Select[State]:
    """How current the summaries are, locked for the refresh that is running."""
    return select(State).with_for_update()


@cache
def standing() -> Select[Any]:
    """How things stand with the company, in one statement: a row for every stream that has landed, or one without.

    (root unit, structure's version; number of the figures' last change, fingerprints that they were added up by;
    table, source, as of, last batch)
    """
    landed = _landed().subquery("landed")
    return (
        select(
            root_unit_id().scalar_subquery().label("root_id"),
            Tenant.structure_version,
            State.data_version,
            State.matching,
            State.placement,
            landed.c.table_name,
            landed.c.source,
            landed.c.as_of,
            landed.c.batch_id,
        )
        .select_from(Tenant)
        .outerjoin(State, State.tenant_id == Tenant.id)
        .outerjoin(landed, landed.c.tenant_id == Tenant.id)
        .where(Tenant.id == bindparam("tenant_id", type_=Uuid()))
        .order_by(landed.c.as_of, landed.c.source, landed.c.stream)
    )


@cache
def root_unit_id() -> Select[UUID]:
    """The company itself: the first unit of the organisation that hangs below no other."""
    return (
        select(OrgUnit.id)
        .where(OrgUnit.parent_id.is_(None), OrgUnit.tree == ADMIN_TREE)
        .order_by(OrgUnit.id)
        .limit(1)
    )


def matching() -> Select[Any]:
    """A fingerprint of which persons and units the ERP's were matched to."""
    people = select(_print(Employee.source_id, Employee.source_key, Employee.person_id)).where(
        Employee.person_id.is_not(None)
    )
    units = select(_print(ErpOrgUnit.source_id, ErpOrgUnit.source_key, ErpOrgUnit.unit_id)).where(
        ErpOrgUnit.unit_id.is_not(None)
    )
    return _joined(people, units)


def placement() -> Select[Any]:
    """A fingerprint of the tree, and of where those sit who were matched."""
    tree = select(_print(OrgUnitClosure.ancestor_id, OrgUnitClosure.descendant_id))
    matched = exists().where(Employee.person_id == Membership.person_id)
    seats = select(_print(Membership.person_id, Membership.unit_id)).where(
        Membership.is_primary, matched
    )
    return _joined(tree, seats)


def take_dirty(root_id: UUID) -> Select[Any]:
    """Take every day marked as stale, as the leaf it belongs to; a taken mark is gone."""
    taken = (
        delete(DirtyDay)
        .returning(
            DirtyDay.tenant_id,
            DirtyDay.batch_id,
            DirtyDay.metric_group,
            DirtyDay.salesperson_key,
            DirtyDay.org_unit_key,
            DirtyDay.day,
        )
        .cte("taken")
    )
    batch, person, unit = Batch, Employee, ErpOrgUnit
    return (
        select(
            func.coalesce(person.person_id, unit.unit_id, literal(root_id)),
            taken.c.metric_group,
            taken.c.day,
        )
        .distinct()
        .select_from(taken)
        .outerjoin(batch, and_(batch.tenant_id == taken.c.tenant_id, batch.id == taken.c.batch_id))
        .outerjoin(
            person,
            and_(
                person.tenant_id == batch.tenant_id,
                person.source_id == batch.source_id,
                person.source_key == taken.c.salesperson_key,
            ),
        )
        .outerjoin(
            unit,
            and_(
                unit.tenant_id == batch.tenant_id,
                unit.source_id == batch.source_id,
                unit.source_key == taken.c.org_unit_key,
            ),
        )
    )


def take_touches() -> Any:
    """Take the marks on cards that are read live."""
    return delete(Touch).returning(Touch.leaf_id, Touch.live)


def is_touched(leaves: Table, touched: Table, groups: dict[str, str]) -> ColumnElement[bool]:
    """Whether a kept leaf is one of the leaves and days to add up again."""
    group = case(groups, value=leaves.c.measure)
    same = and_(touched.c.leaf_id == leaves.c.leaf_id, touched.c.day == leaves.c.day)
    return exists().where(same, touched.c.metric_group == group)


def current_unit_of(leaves: Table) -> ColumnElement[UUID]:
    """Where a kept leaf hangs now: a unit on itself, a person in the primary unit."""
    seat = (
        select(Membership.unit_id)
        .where(Membership.person_id == leaves.c.leaf_id, Membership.is_primary)
        .scalar_subquery()
    )
    otherwise = case(
        (leaves.c.leaf_id == leaves.c.unit_id, leaves.c.unit_id),
        else_=root_unit_id().scalar_subquery(),
    )
    return func.coalesce(seat, otherwise)


def sums(
    node_ids: Collection[UUID],
    measures: Collection[str],
    windows: Iterable[tuple[str, Days, int]],
    of: FromClause = node_day,
) -> Select[Any]:
    """(window, measure, point, amount, lines) of these nodes together.

    Each window has a name, its days, and how many days a point covers. One range a branch, so that each reads
    its own days only.
    """
    branches = [
        _range(node_ids, measures, days, of)
        .add_columns(literal(name).label("name"), point.label("point"))
        .group_by(point)
        for name, days, step in windows
        for point in [_point(of, days.first, step)]
    ]
    return select(union_all(*branches).subquery("sums"))


def sums_by_node(
    node_ids: Collection[UUID],
    measures: Collection[str],
    windows: Iterable[tuple[str, Days]],
    of: FromClause = node_day,
) -> Select[Any]:
    """(window, node, measure, amount) for each of these nodes."""
    branches = [
        _range(node_ids, measures, days, of)
        .add_columns(literal(name).label("name"), of.c.node_id)
        .group_by(of.c.node_id)
        for name, days in windows
    ]
    return select(union_all(*branches).subquery("sums"))


def promises(node_ids: Collection[UUID], days: Days, of: FromClause = node_day) -> Select[Any]:
    """(node, first day, last day, amount) of the quotas that reach into these days."""
    return (
        select(of.c.node_id, of.c.day, of.c.until, of.c.amount)
        .where(
            of.c.node_id.in_(node_ids),
            of.c.measure == QUOTA,
            of.c.day <= days.last,
            of.c.until >= days.first,
        )
        .order_by(of.c.day)
    )


def units_in_grants(
    unit_ids: Collection[UUID], granted: Collection[UUID]
) -> Select[UUID, str, Any]:
    """(unit, name, the granted units strictly or not above it) for these units."""
    above = (
        select(func.array_agg(OrgUnitClosure.ancestor_id))
        .where(
            OrgUnitClosure.tenant_id == OrgUnit.tenant_id,
            OrgUnitClosure.descendant_id == OrgUnit.id,
            OrgUnitClosure.ancestor_id.in_(granted),
        )
        .scalar_subquery()
    )
    empty = as_type([], ARRAY(Uuid()))
    return select(OrgUnit.id, OrgUnit.name, func.coalesce(above, empty).label("above")).where(
        OrgUnit.id.in_(unit_ids)
    )


def name_of_unit(unit_id: UUID) -> Select[str]:
    """What a unit is called, if it is one."""
    return select(OrgUnit.name).where(OrgUnit.id == unit_id)


def daily(node_ids: Collection[UUID], measures: Collection[str], days: Days) -> Select[Any]:
    """(node, measure, day, amount, lines) of each of these nodes on each of these days."""
    return (
        _range(node_ids, measures, days, node_day)
        .add_columns(node_day.c.node_id, node_day.c.day)
        .group_by(node_day.c.node_id, node_day.c.day)
    )


def person_with_units(person_id: UUID) -> Select[UUID, str, UUID]:
    """(id, name, primary unit) of a person."""
    return (
        select(Person.id, Person.name, Membership.unit_id)
        .outerjoin(
            Membership,
            and_(
                Membership.tenant_id == Person.tenant_id,
                Membership.person_id == Person.id,
                Membership.is_primary,
            ),
        )
        .where(Person.id == person_id)
    )


def children_of(unit_ids: Collection[UUID]) -> Select[UUID, str]:
    """(id, name) of the units directly below."""
    return (
        select(OrgUnit.id, OrgUnit.name)
        .where(OrgUnit.parent_id.in_(unit_ids))
        .order_by(OrgUnit.code)
    )


def people_below(unit_ids: Collection[UUID]) -> Select[UUID, str]:
    """(id, name) of the persons whose primary unit is at or below one of these."""
    return (
        select(Person.id, Person.name)
        .join(
            Membership,
            and_(
                Membership.tenant_id == Person.tenant_id,
                Membership.person_id == Person.id,
                Membership.is_primary,
            ),
        )
        .join(
            OrgUnitClosure,
            and_(
                OrgUnitClosure.tenant_id == Membership.tenant_id,
                OrgUnitClosure.descendant_id == Membership.unit_id,
            ),
        )
        .where(OrgUnitClosure.ancestor_id.in_(unit_ids))
        .distinct()
    )


def watches_of(owner_id: UUID, *, after: UUID | None, limit: int) -> Select[Watch]:
    """A person's watches, oldest first."""
    found = select(Watch).where(Watch.owner_id == owner_id).order_by(Watch.id).limit(limit)
    return found.where(Watch.id > after) if after else found


def watch_count(owner_id: UUID) -> Select[int]:
    """How many watches a person has."""
    return select(func.count()).select_from(Watch).where(Watch.owner_id == owner_id)


def watches_to_evaluate(node_ids: Collection[UUID] | None) -> Select[Watch]:
    """The watches that are on, over these nodes or over all; locked, so that each is evaluated once at a time."""
    found = select(Watch).where(Watch.active).order_by(Watch.id).with_for_update()
    return found if node_ids is None else found.where(Watch.node_id.in_(node_ids))


def _landed() -> Select[UUID, str, str, str, datetime | None, UUID]:
    """Every stream that has landed, with its last batch."""
    last_batch = (
        select(Batch.id)
        .where(
            Batch.tenant_id == Stream.tenant_id,
            Batch.source_id == Stream.source_id,
            Batch.stream == Stream.name,
        )
        .order_by(Batch.landed_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(
            Stream.tenant_id,
            Stream.name.label("stream"),
            Stream.table_name,
            Source.name.label("source"),
            Stream.as_of,
            last_batch.label("batch_id"),
        )
        .join(Source, and_(Source.tenant_id == Stream.tenant_id, Source.id == Stream.source_id))
        .where(Stream.as_of.is_not(None))
    )


def _range(
    node_ids: Collection[UUID], measures: Collection[str], days: Days, of: FromClause
) -> Select[Any]:
    """Sum measures of nodes over a run of days."""
    return (
        select(
            of.c.measure,
            func.sum(of.c.amount).label("amount"),
            func.sum(of.c["count"]).label("lines"),
        )
        .where(
            of.c.node_id.in_(node_ids),
            of.c.measure.in_(measures),
            of.c.day.between(days.first, days.last),
        )
        .group_by(of.c.measure)
    )


def _point(of: FromClause, first: date, step: int) -> ColumnElement[int]:
    return type_coerce(of.c.day - literal(first), Integer) // literal(step)


def _print(*columns: Any) -> ColumnElement[Any]:
    text = func.concat_ws("|", *columns)
    return func.coalesce(func.bit_xor(func.hashtextextended(text, 0)), 0)


def _joined(first: Select[Any], second: Select[Any]) -> Select[Any]:
    return select(func.concat_ws(":", first.scalar_subquery(), second.scalar_subquery()))
