"""SELECTs of reach, all from one list: who was targeted, with what is known of each.

Joined as sets, not asked person by person: an item for a whole company stays one pass over each table.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    and_,
    exists,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.sql.dml import Insert

from app.delivery.models import DeviceCursor
from app.people import queries as people
from app.people.models import Device, Membership, OrgUnit, Person, Scope, SignIn
from feeds.models import Post, Receipt, Target
from feeds.rules import SEEN

Roots = Collection[UUID] | None


def snapshot(post: Post) -> Insert:
    """Keep whom an item is for at publish, by primary unit; its author is not among them."""
    audience = people.people_in_scopes(post.audience_ids)
    rows = (
        select(
            literal(post.tenant_id),
            literal(post.id),
            Membership.unit_id,
            func.array_agg(Membership.person_id),
        )
        .where(
            Membership.is_primary,
            Membership.person_id.in_(audience),
            Membership.person_id != post.author_id,
        )
        .group_by(Membership.unit_id)
    )
    return insert(Target).from_select(["tenant_id", "post_id", "unit_id", "person_ids"], rows)


def is_targeted(post: Post, roots: Collection[UUID]) -> Select[bool]:
    """Whether the item was for anybody at or below these units."""
    return select(
        exists().where(Target.post_id == post.id, Target.unit_id.in_(people.units_below(roots)))
    )


def figures(post: Post, roots: Roots, now: datetime) -> Select[Any]:
    """(unit, the steps of reach in order, those who left) for every unit with somebody targeted."""
    who = _responses(post, roots)
    signed_in = (
        select(SignIn.person_id)
        .where(SignIn.ended_at.is_(None), SignIn.expires_at > now)
        .distinct()
        .subquery()
    )
    pushable = select(Device.person_id).where(Device.push_token.is_not(None)).distinct().subquery()
    holding = _devices_holding(post)
    here = people.people_in_scopes(post.audience_ids).subquery()
    delivered = or_(who.c.seen_at.is_not(None), holding.c.person_id.is_not(None))
    reachable = or_(
        signed_in.c.person_id.is_not(None), pushable.c.person_id.is_not(None), delivered
    )
    return (
        select(
            who.c.unit_id,
            func.count(),
            func.count().filter(reachable),
            func.count().filter(delivered),
            func.count(who.c.seen_at),
            func.count(who.c.acknowledged_at),
            func.count(who.c.answer),
            func.count().filter(here.c.id.is_(None), who.c.done_at.is_(None)),
        )
        .select_from(who)
        .outerjoin(signed_in, signed_in.c.person_id == who.c.person_id)
        .outerjoin(pushable, pushable.c.person_id == who.c.person_id)
        .outerjoin(holding, holding.c.person_id == who.c.person_id)
        .outerjoin(here, here.c.id == who.c.person_id)
        .group_by(who.c.unit_id)
    )


def response_time(post: Post, roots: Roots, nth: int) -> Select[Any]:
    """When the nth of those targeted had responded; nothing while it has not come to that."""
    who = _responses(post, roots)
    done = select(who.c.done_at).where(who.c.done_at.is_not(None)).order_by(who.c.done_at)
    return done.offset(max(nth, 1) - 1).limit(1)


def joined_later(post: Post, roots: Roots) -> Select[int, int, int, int]:
    """(people, seen, acknowledged, answered) of those in the audience today who were not at publish."""
    targeted = _targets(post, None)
    joined = select(Membership.person_id).where(
        Membership.is_primary,
        Membership.person_id.in_(people.people_in_scopes(post.audience_ids)),
        Membership.person_id != post.author_id,
        ~exists().where(targeted.c.person_id == Membership.person_id),
    )
    if roots is not None:
        joined = joined.where(Membership.unit_id.in_(people.units_below(roots)))
    newcomers = joined.subquery()
    return (
        select(
            func.count().label("people"),
            func.count(Receipt.seen_at).label("seen"),
            func.count(Receipt.acknowledged_at).label("acknowledged"),
            func.count(Receipt.answer).label("answered"),
        )
        .select_from(newcomers)
        .outerjoin(Receipt, _receipt_of(post, newcomers))
    )


def missing(post: Post, roots: Roots) -> Select[Any]:
    """Who was targeted, is still in the audience and has not responded, with unit, in order of id."""
    who = _responses(post, roots)
    return (
        select(
            Person.id,
            Person.name,
            Person.title,
            who.c.unit_id,
            OrgUnit.name.label("unit_name"),
            who.c.seen_at,
        )
        .join(who, who.c.person_id == Person.id)
        .join(OrgUnit, OrgUnit.id == who.c.unit_id)
        .where(who.c.done_at.is_(None), Person.id.in_(people.people_in_scopes(post.audience_ids)))
        .order_by(Person.id)
    )


def after_person(person_id: UUID) -> ColumnElement[bool]:
    """Continue a list of persons after this one."""
    return Person.id > person_id


def count_missing(post: Post, roots: Roots) -> Select[int]:
    """How many have not responded."""
    return select(func.count()).select_from(missing(post, roots).subquery())


def scopes_of_missing(post: Post, roots: Roots) -> Select[UUID]:
    """The personal scopes of those who have not responded."""
    who = missing(post, roots).subquery()
    return select(Scope.id).where(Scope.kind == "person", Scope.person_id == who.c.id)


def _targets(post: Post, roots: Roots) -> Subquery:
    person = func.unnest(Target.person_ids).table_valued("person_id").render_derived()
    found = (
        select(Target.unit_id, person.c.person_id)
        .join(person, true())
        .where(Target.post_id == post.id)
    )
    if roots is not None:
        found = found.where(Target.unit_id.in_(people.units_below(roots)))
    return found.subquery()


def _responses(post: Post, roots: Roots) -> Subquery:
    """Each person targeted with the response; ``done_at`` is when what was asked for was done."""
    target = _targets(post, roots)
    # Set apart, because the planner thinks of ten people to a unit and would look up each receipt by itself.
    receipt = (
        select(Receipt.person_id, Receipt.seen_at, Receipt.acknowledged_at, Receipt.answer)
        .where(Receipt.post_id == post.id)
        .cte("receipt")
        .prefix_with("MATERIALIZED")
    )
    done_at = receipt.c.seen_at if post.response == SEEN else receipt.c.acknowledged_at
    return (
        select(
            target.c.unit_id,
            target.c.person_id,
            receipt.c.seen_at,
            receipt.c.acknowledged_at,
            receipt.c.answer,
            done_at.label("done_at"),
        )
        .select_from(target)
        .outerjoin(receipt, receipt.c.person_id == target.c.person_id)
        .subquery()
    )


def _receipt_of(post: Post, who: Subquery) -> ColumnElement[bool]:
    return and_(Receipt.post_id == post.id, Receipt.person_id == who.c.person_id)


def _devices_holding(post: Post) -> Subquery:
    """Who has a device that says it has the item's publication."""
    found = select(DeviceCursor.person_id).distinct()
    if post.event_seq is None:
        return found.where(false()).subquery()
    return found.where(DeviceCursor.seq >= post.event_seq).subquery()
