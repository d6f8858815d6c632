"""Reach: whom an item was for, how far it got, and reminding those who have not responded.

The report reads receipts themselves, in one statement over the units asked for: it is exact at every moment, and
nothing has to be kept in step.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import NotAllowed, NotFound
from app.core.events import record
from app.core.ids import new_id
from app.core.paging import Page, slice_page
from app.people import queries as people
from app.people.models import OrgUnit
from feeds import queries, reach_queries
from feeds.errors import ItemExpired, NobodyMissing, NotTracked, NudgedRecently
from feeds.events import Nudged
from feeds.models import Nudge, Post
from feeds.rules import NONE, NUDGE_MINUTES, Figures, add_up, by_branch

NUDGE_PAUSE = timedelta(minutes=NUDGE_MINUTES)


@dataclass(frozen=True)
class View:
    """What part of an item's reach the caller may see: below ``tops``, or all of it."""

    post: Post
    unit_id: UUID | None
    #: None: the whole company.
    tops: tuple[UUID, ...] | None

    @property
    def roots(self) -> tuple[UUID, ...] | None:
        """The units whose subtrees are looked at."""
        return (self.unit_id,) if self.unit_id else self.tops


class Branch(NamedTuple):
    """A unit's figures: of it and all below, or (``own``) of its own people only."""

    unit_id: UUID
    name: str
    figures: Figures
    own: bool


@dataclass(frozen=True, kw_only=True)
class Report:
    """How far an item got: in all, by the units one level below, and how fast."""

    post: Post
    unit: Row[UUID, str] | None
    total: Figures
    branches: list[Branch]
    joined_later: Row[int, int, int, int]
    seconds_to_half: int | None
    seconds_to_ninety: int | None


def read_report(
    session: Session, *, caller: Caller, post_id: UUID, unit_id: UUID | None, now: datetime
) -> Report:
    """Report how far an item got, within what the caller may see."""
    view = open_view(session, caller, post_id, unit_id)
    own = {
        row.unit_id: Figures(*row[1:])
        for row in session.execute(reach_queries.figures(view.post, view.roots, now))
    }
    total = add_up(own.values())
    times = reach_queries.response_time
    return Report(
        post=view.post,
        unit=_name_of(session, view.unit_id),
        total=total,
        branches=_branches(session, view, own),
        joined_later=session.execute(reach_queries.joined_later(view.post, view.roots)).one(),
        seconds_to_half=_seconds(
            view.post, session.scalar(times(view.post, view.roots, ceil(total.targeted * 0.5)))
        ),
        seconds_to_ninety=_seconds(
            view.post, session.scalar(times(view.post, view.roots, ceil(total.targeted * 0.9)))
        ),
    )


def list_missing(
    session: Session, *, caller: Caller, post_id: UUID, unit_id: UUID | None, page: Page
) -> tuple[list[Row[Any]], str | None]:
    """List who has not responded yet, within what the caller may see."""
    after = page.after(UUID)
    view = open_view(session, caller, post_id, unit_id)
    wanted = reach_queries.missing(view.post, view.roots).limit(page.limit + 1)
    if after:
        wanted = wanted.where(reach_queries.after_person(after[0]))
    rows = session.execute(wanted).all()
    kept, next_cursor = slice_page(rows, page, lambda row: (row.id,))
    return list(kept), next_cursor


def nudge(
    session: Session, *, caller: Caller, post_id: UUID, unit_id: UUID | None, now: datetime
) -> Nudge:
    """Have those reminded who have not responded; once an hour for each item."""
    view = open_view(session, caller, post_id, unit_id)
    session.scalar(queries.published_post(post_id, lock=True))
    if view.post.expires_at is not None and view.post.expires_at <= now:
        raise ItemExpired
    _check_pause(session.scalar(queries.last_nudge(post_id)), now)
    count = session.scalar(reach_queries.count_missing(view.post, view.roots)) or 0
    if count == 0:
        raise NobodyMissing
    made = Nudge(
        tenant_id=caller.tenant_id,
        id=new_id(),
        post_id=post_id,
        person_id=caller.person_id,
        unit_ids=list(view.roots or ()),
        nudged_at=now,
        count=count,
    )
    session.add(made)
    record(session, Nudged(post_id=post_id, nudge_id=made.id), ref=post_id)
    return made


def open_view(session: Session, caller: Caller, post_id: UUID, unit_id: UUID | None) -> View:
    """Find what the caller may see of an item's reach.

    The author sees all of it; who holds ``feeds.reach`` sees the own subtrees; other readers are refused; and for
    those who cannot know of the item there is no such thing.
    """
    post = session.scalar(queries.published_post(post_id))
    if post is None:
        raise NotFound
    visible = not caller.scope_ids.isdisjoint(post.scope_ids)
    tops = None if visible and post.author_id == caller.person_id else _tops(session, caller)
    if tops is not None:
        _require_part(session, post, tops, visible=visible)
    if post.response == NONE:
        raise NotTracked
    if unit_id is not None and not _is_within(session, unit_id, tops):
        raise NotFound
    return View(post, unit_id, tops)


def _tops(session: Session, caller: Caller) -> tuple[UUID, ...]:
    held_at = caller.units_with("feeds.reach")
    return tuple(session.scalars(queries.tops_among(held_at))) if held_at else ()


def _require_part(session: Session, post: Post, tops: tuple[UUID, ...], *, visible: bool) -> None:
    concerned = bool(tops) and (visible or session.scalar(reach_queries.is_targeted(post, tops)))
    if not concerned:
        raise NotAllowed if visible else NotFound


def _is_within(session: Session, unit_id: UUID, tops: tuple[UUID, ...] | None) -> bool:
    if tops is None:
        return session.scalar(select(OrgUnit.id).where(OrgUnit.id == unit_id)) is not None
    return bool(session.scalar(people.is_at_or_below(unit_id, tops)))


def _name_of(session: Session, unit_id: UUID | None) -> Row[UUID, str] | None:
    if unit_id is None:
        return None
    return session.execute(queries.names_of_units([unit_id])).one()


def _branches(session: Session, view: View, own: dict[UUID, Figures]) -> list[Branch]:
    """Add up each unit one level below; from a single top, its children, and its own people first."""
    opened, units = view.unit_id, session.execute(queries.branch_of(view.unit_id, view.tops)).all()
    if opened is None and len(units) == 1:
        opened = units[0].id
        units = session.execute(queries.branch_of(opened, view.tops)).all()
    figures = by_branch(own, _units_below(session, [unit.id for unit in units]))
    rows = [
        Branch(unit.id, unit.name, figures[unit.id], own=False)
        for unit in units
        if unit.id in figures
    ]
    if opened is None or opened not in own:
        return rows
    name = session.execute(queries.names_of_units([opened])).one().name
    return [Branch(opened, name, own[opened], own=True), *rows]


def _units_below(session: Session, branch_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    below: dict[UUID, list[UUID]] = {branch: [] for branch in branch_ids}
    for branch, unit in session.execute(queries.units_in_branches(branch_ids)):
        below[branch].append(unit)
    return below


def _seconds(post: Post, moment: datetime | None) -> int | None:
    return ceil((moment - post.publish_at).total_seconds()) if moment else None


def _check_pause(last: Nudge | None, now: datetime) -> None:
    if last is None or last.nudged_at + NUDGE_PAUSE <= now:
        return
    wait = last.nudged_at + NUDGE_PAUSE - now
    raise NudgedRecently(retry_after=ceil(wait.total_seconds()))
