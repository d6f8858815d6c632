"""Watches: rules on figures that tell their owner, once for each turn, and keep quiet in between."""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import NotFound
from app.core.events import record
from app.core.ids import new_id
from app.core.work import tenant_of
from app.people.access import load_access
from app.people.models import Person, Tenant
from app.people.queries import scopes_of_persons
from roledata import queries
from roledata.cache import Figure, FigureCache
from roledata.catalogue import Catalogue
from roledata.desk import Desk, Question
from roledata.errors import NotWatchable, ThresholdsCrossed, TooManyWatches
from roledata.events import WatchTurned
from roledata.figures import NONE, answer_figures
from roledata.models import Watch
from roledata.rules import ABOVE, BELOW, FIRING, WatchRule, WatchState, has_news, step_watch
from roledata.services import Asked, Reader, ask, is_late, open_desk

WATCH_COUNT_MAX = 100
PACE = "pace"


@dataclass(frozen=True, kw_only=True)
class NewWatch:
    """What a person wants to be told of."""

    card: str
    scope: UUID | None
    of: str
    direction: str
    enter: Decimal
    exit: Decimal | None
    confirm: int
    severity: str


def add_watch(session: Session, *, reader: Reader, new: NewWatch) -> Watch:
    """Keep a rule over one node that the owner may see."""
    question = ask(session, reader=reader, key=new.card, asked=Asked(scope_id=new.scope))
    metric = reader.catalogue.metrics[question.card.metric]
    if len(question.scope.nodes) != 1 or (new.of == PACE and metric.target is None):
        raise NotWatchable
    if (session.scalar(queries.watch_count(reader.caller.person_id)) or 0) >= WATCH_COUNT_MAX:
        raise TooManyWatches
    watch = Watch(
        tenant_id=tenant_of(session),
        id=new_id(),
        owner_id=reader.caller.person_id,
        card=new.card,
        node_id=question.scope.nodes[0].id,
        of=new.of,
        direction=new.direction,
        enter=new.enter,
        exit=new.enter if new.exit is None else new.exit,
        confirm=new.confirm,
        severity=new.severity,
        created_at=reader.now,
    )
    _check_thresholds(watch)
    session.add(watch)
    session.flush()
    return watch


def change_watch(
    session: Session, *, reader: Reader, watch_id: UUID, changes: dict[str, Any]
) -> Watch:
    """Change a rule; it begins again from ok, so that its next turn is told by the new rule."""
    watch = _own_watch(session, reader, watch_id)
    for name, value in changes.items():
        setattr(watch, name, value)
    _check_thresholds(watch)
    watch.state, watch.streak = WatchState().state, WatchState().streak
    session.flush()
    return watch


def remove_watch(session: Session, *, reader: Reader, watch_id: UUID) -> None:
    """Forget a rule."""
    session.delete(_own_watch(session, reader, watch_id))


def evaluate_watches(
    session: Session, *, catalogue: Catalogue, node_ids: list[UUID] | None, now: datetime
) -> None:
    """Evaluate rules as their owners would see the figures now; what an owner may not see is not told."""
    tenant = session.get_one(Tenant, tenant_of(session))
    cache = FigureCache()
    by_owner: dict[UUID, list[Watch]] = defaultdict(list)
    for watch in session.scalars(queries.watches_to_evaluate(node_ids)):
        by_owner[watch.owner_id].append(watch)
    for owner_id, owned in by_owner.items():
        caller = _caller_of(session, tenant, owner_id)
        if caller is None:
            continue
        reader = Reader(caller=caller, catalogue=catalogue, cache=cache, language="zh", now=now)
        for watch in owned:
            _evaluate(session, watch, reader)


def _evaluate(session: Session, watch: Watch, reader: Reader) -> None:
    value = _value_of(session, watch, reader)
    if value is None:
        return
    before = WatchState(state=watch.state, streak=watch.streak)
    after = step_watch(_rule_of(watch), before, value)
    watch.state, watch.streak = after.state, after.streak
    watch.value, watch.evaluated_at = value, reader.now
    if has_news(before, after):
        watch.told += 1
        _tell(session, watch)


def _value_of(session: Session, watch: Watch, reader: Reader) -> Decimal | None:
    """Read what is watched; nothing while the owner may not see it, it is late, or it is not there."""
    try:
        question = ask(session, reader=reader, key=watch.card, asked=Asked(scope_id=watch.node_id))
    except NotFound:
        return None
    desk = open_desk(session, reader)
    if _is_suspended(desk, question, reader.now):
        return None
    (figure,) = answer_figures(desk, [replace(question, compare=NONE)])
    return _pace(figure) if watch.of == PACE else _decimal(figure["value"])


def _is_suspended(desk: Desk, question: Question, now: datetime) -> bool:
    metric = desk.metric_of(question.card)
    return is_late(desk.landed.get(metric.source), metric.freshness_minutes, now)


def _pace(figure: Figure) -> Decimal | None:
    """Say the value against what target and pace ask for by now."""
    value, target, pace = figure["value"], figure["target"], figure["pace"]
    if value is None or not target or not pace:
        return None
    exact = Decimal(value) / (Decimal(target) * Decimal(str(pace)))
    return exact.quantize(Decimal("0.000001"))


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _rule_of(watch: Watch) -> WatchRule:
    return WatchRule(
        direction=watch.direction, enter=watch.enter, exit=watch.exit, confirm=watch.confirm
    )


def _check_thresholds(watch: Watch) -> None:
    crossed = {BELOW: watch.exit < watch.enter, ABOVE: watch.exit > watch.enter}
    if crossed[watch.direction]:
        raise ThresholdsCrossed


def _tell(session: Session, watch: Watch) -> None:
    fact = WatchTurned(
        watch_id=watch.id,
        card=watch.card,
        node_id=watch.node_id,
        state=FIRING if watch.state == FIRING else "ok",
        severity=watch.severity,
    )
    scopes = [row.id for row in session.execute(scopes_of_persons([watch.owner_id]))]
    record(session, fact, ref=watch.id, version=watch.told, scope_ids=scopes)


def _own_watch(session: Session, reader: Reader, watch_id: UUID) -> Watch:
    watch = session.get(Watch, (tenant_of(session), watch_id))
    if watch is None or watch.owner_id != reader.caller.person_id:
        raise NotFound
    return watch


def _caller_of(session: Session, tenant: Tenant, person_id: UUID) -> Caller | None:
    """Stand in for the owner, with what they may see at this moment; nobody, once shut out."""
    person = session.get(Person, (tenant.id, person_id))
    if person is None or not person.active:
        return None
    return Caller(
        tenant_id=tenant.id,
        person_id=person_id,
        session_id=person_id,
        device_id=None,
        login=person.login,
        name=person.name,
        locale=person.locale,
        time_zone=tenant.time_zone,
        currency=tenant.currency,
        **load_access(session, person_id),
    )
