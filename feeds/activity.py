"""How active a group of people was, by day; never who of them did what."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, Select, and_, cast, func, literal, select, union_all
from sqlalchemy.orm import Session

from feeds.models import PUBLISHED, Comment, Post, Reaction, Receipt


@dataclass(frozen=True, kw_only=True)
class DayOfActivity:
    """What the people did together on one day; ``active``: how many of them did anything."""

    day: date
    posts: int
    comments: int
    reactions: int
    acknowledgements: int
    active: int


def activity_by_day(
    session: Session, people: Select[Any], *, since: datetime, until: datetime, time_zone: str
) -> list[DayOfActivity]:
    """Count what these people (a SELECT of their ids) did from ``since`` to before ``until``; idle days are left out."""
    group = people.subquery("people")
    ids = select(group.c[0])
    # What another package put into the feed in somebody's name is not something they did.
    posts = and_(Post.source.is_(None), Post.state == PUBLISHED)
    acts = union_all(
        *(
            select(
                literal(kind).label("kind"),
                who.label("person_id"),
                cast(func.timezone(time_zone, at), Date).label("day"),
            ).where(who.in_(ids), at >= since, at < until, condition)
            for kind, who, at, condition in (
                ("posts", Post.author_id, Post.publish_at, posts),
                ("comments", Comment.author_id, Comment.created_at, literal(value=True)),
                ("reactions", Reaction.person_id, Reaction.reacted_at, literal(value=True)),
                (
                    "acknowledgements",
                    Receipt.person_id,
                    Receipt.acknowledged_at,
                    literal(value=True),
                ),
            )
        )
    ).subquery("acts")
    counted = select(
        acts.c.day,
        *(
            func.count().filter(acts.c.kind == kind).label(kind)
            for kind in ("posts", "comments", "reactions", "acknowledgements")
        ),
        func.count(acts.c.person_id.distinct()).label("active"),
    ).group_by(acts.c.day)
    return [DayOfActivity(**row) for row in session.execute(counted).mappings()]
