"""Keeping the summaries: what a batch made stale is added up again, and the difference given to every node above.

One refresh of a company runs at a time, under an advisory lock. What is recomputed twice writes nothing. When who
sits where has changed, nodes follow from the kept leaves; when who was matched to whom, the leaves from all facts.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select, text, union_all
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from app.core.work import tenant_of
from roledata import deltas, queries
from roledata.catalogue import Catalogue
from roledata.compiler import group_of, summed_lines
from roledata.deltas import LEAF_KEY, TOUCHED, leaf_day
from roledata.models import State

LOCK = "roledata"
SECONDS_MAX = 600
ONE_BY_ONE_MAX = 5_000


@dataclass(frozen=True)
class Refreshed:
    """What a refresh found changed: measures of nodes, and leaves whose live cards changed."""

    measures: frozenset[tuple[UUID, str]]
    live: frozenset[tuple[UUID, str]]
    data_version: int

    @property
    def is_empty(self) -> bool:
        return not (self.measures or self.live)


def refresh(session: Session, *, catalogue: Catalogue, now: datetime) -> Refreshed:
    """Bring the summaries to what the facts say now, as cheaply as what changed allows."""
    return _bring_up_to_date(session, catalogue, now, everything=False)


def rebuild(session: Session, *, catalogue: Catalogue, now: datetime) -> Refreshed:
    """Add everything up again from all facts; if all was well, nothing is written."""
    return _bring_up_to_date(session, catalogue, now, everything=True)


def _bring_up_to_date(
    session: Session, catalogue: Catalogue, now: datetime, *, everything: bool
) -> Refreshed:
    state = _begin(session)
    matching = f"{catalogue.version}:{session.scalar(queries.matching())}"
    placement = str(session.scalar(queries.placement()))
    anew, moved = everything or state.matching != matching, state.placement != placement
    root_id = session.scalar(queries.root_unit_id())
    assert root_id is not None, "a company has a root unit from its first day"
    dirty = _take_dirty(session, root_id)
    _renew_leaves(session, catalogue, root_id, anew=anew, dirty=dirty)
    if moved and not anew:
        _move_leaves(session)
    measures = _renew_nodes(session, from_leaves=anew or moved)
    live = {(row.leaf_id, row.live) for row in session.execute(queries.take_touches())}
    state.matching, state.placement, state.refreshed_at = matching, placement, now
    state.data_version += bool(measures or live)
    session.flush()
    return Refreshed(frozenset(measures), frozenset(live), state.data_version)


def _begin(session: Session) -> State:
    """Take the company's lock and the time that a large batch needs, and lay out the work tables."""
    limits = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
    for name in limits:
        session.execute(select(func.set_config(name, f"{SECONDS_MAX}s", True)))  # noqa: FBT003
    key = func.hashtextextended(f"{LOCK}:{tenant_of(session)}", 0)
    session.execute(select(func.pg_advisory_xact_lock(key)))
    deltas.lay_out(session)
    row = {"tenant_id": tenant_of(session), "data_version": 0, "matching": "", "placement": ""}
    session.execute(upsert(State).values(row).on_conflict_do_nothing())
    return session.scalars(queries.state_locked()).one()


def _take_dirty(session: Session, root_id: UUID) -> int:
    """Take the days marked as stale before the facts are read: what is marked later is taken later."""
    columns = ["leaf_id", "metric_group", "day"]
    session.execute(insert(TOUCHED).from_select(columns, queries.take_dirty(root_id)))
    session.execute(text(f"ANALYZE {TOUCHED.name}"))
    return session.scalar(select(func.count()).select_from(TOUCHED)) or 0


def _renew_leaves(
    session: Session, catalogue: Catalogue, root_id: UUID, *, anew: bool, dirty: int
) -> None:
    if not anew and not dirty:
        return
    if anew or dirty > ONE_BY_ONE_MAX:
        # Much of the facts meets few persons and units: never row by row, whatever statistics say after a load.
        session.execute(select(func.set_config("enable_nestloop", "off", True)))  # noqa: FBT003
    touched = None if anew else TOUCHED
    parts = [
        part for metric in catalogue.measures() for part in summed_lines(metric, root_id, touched)
    ]
    kept = select(leaf_day)
    if not anew:
        kept = kept.where(queries.is_touched(leaf_day, TOUCHED, _groups(catalogue)))
    fresh = select(union_all(*parts).subquery("lines"))
    deltas.write_leaves(session, fresh, kept)


def _move_leaves(session: Session) -> None:
    """Hang every kept leaf where its person sits now."""
    unit = queries.current_unit_of(leaf_day).label("unit_id")
    columns = [leaf_day.c[name] for name in (*LEAF_KEY, "amount", "count")]
    deltas.write_leaves(session, select(*columns, unit), select(leaf_day))


def _renew_nodes(session: Session, *, from_leaves: bool) -> set[tuple[UUID, str]]:
    if from_leaves:
        deltas.change_by_leaves(session)
    else:
        deltas.change_by_delta(session)
    return deltas.write_nodes(session)


def _groups(catalogue: Catalogue) -> dict[str, str]:
    return {metric.key: group_of(metric) for metric in catalogue.measures()}
