"""The verbs of role data: open the home, read a card, break it down, put it up for talk."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Select
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import NotFound
from app.core.events import record
from app.core.ids import new_id
from app.core.work import tenant_of
from app.people.audiences import AudienceScope, resolve_audience
from app.people.services import write_audit
from erp_bridge.facts import landed_by
from roledata import queries
from roledata.adapters import TABLES_READ
from roledata.cache import Figure, FigureCache
from roledata.catalogue import FIGURE_PERMISSIONS, MONEY, Card, Catalogue
from roledata.desk import Arrangement, Desk, Landed, Question
from roledata.errors import ComparisonUnknown, MomentAhead, NothingKnownThen, PeriodUnknown
from roledata.events import FigureShared
from roledata.figures import LAST_YEAR, NONE, answer_figures
from roledata.grammar import edition
from roledata.models import Share
from roledata.periods import Period, PeriodError, parse_period
from roledata.scopes import UNIT, Resolver, Scope, viewer_of

MONTH_TO_DATE = "mtd"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a reader asks of a card: which period, whose figures, compared with what."""

    period: str = MONTH_TO_DATE
    scope_id: UUID | None = None
    compare: str | None = None


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Who reads figures, in which language and company, and when."""

    caller: Caller
    catalogue: Catalogue
    cache: FigureCache
    language: str
    now: datetime
    #: The moment whose knowledge counts; none: all that is known.
    known_at: datetime | None = None

    def at(self, moment: datetime | None) -> "Reader":
        """Read as if it were this moment: by what was known then, from the day that it was."""
        if moment is None:
            return self
        if moment > self.now:
            raise MomentAhead
        return replace(self, now=moment, known_at=moment)

    @property
    def today(self) -> date:
        """The business day in the company's time zone."""
        return self.now.astimezone(ZoneInfo(self.caller.time_zone)).date()


def tag_of_home(desk: Desk, *, reader: Reader) -> str:
    """Fingerprint everything that the reader's home follows from, without reading a figure.

    Read before the figures are, so that an answer may be newer than its tag and never older.
    """
    caller, metrics = reader.caller, desk.catalogue.metrics.values()
    late = [
        metric.key
        for metric in metrics
        if is_late(desk.landed.get(metric.source), metric.freshness_minutes, reader.now)
    ]
    told = (
        (desk.tenant_id, caller.person_id, caller.name, caller.unit_ids, sorted(caller.role_keys)),
        [(p, sorted(caller.grants.get(p, ()))) for p in sorted(FIGURE_PERMISSIONS)],
        (reader.language, reader.today, caller.currency, desk.root_id),
        (desk.data_version, desk.arrangement, desk.landed, desk.batches, late),
        (desk.catalogue.fingerprint, edition(), desk.approvals),
    )
    return hashlib.blake2b(orjson.dumps(told), digest_size=12).hexdigest()


def read_home(desk: Desk, *, reader: Reader) -> dict[str, Any]:
    """Open the home of the reader's most senior role: its cards, month to date, in one answer."""
    home = reader.catalogue.home_of(reader.caller.role_keys)
    resolver = Resolver(desk.session, viewer_of(reader.caller))
    cards = [card for key in home.cards if resolver.has(card := reader.catalogue.cards[key])]
    questions = [_question(resolver, reader, card, Asked()) for card in cards]
    figures = answer_figures(desk, questions)
    answers = [
        describe(desk, reader, q, figure) for q, figure in zip(questions, figures, strict=True)
    ]
    return {
        "role": home.role,
        "today": reader.today.isoformat(),
        "data_version": desk.data_version,
        "badges": _badges(answers, desk.approvals),
        "cards": answers,
    }


def tables_behind(catalogue: Catalogue, keys: Iterable[str]) -> set[str]:
    """The tables of facts that these cards are made of."""
    metrics = [m for key in keys for m in catalogue.metrics_of(catalogue.cards[key])]
    return {table for m in metrics for table in TABLES_READ.get(m.source, (m.source,))}


def list_cards(session: Session, *, reader: Reader) -> list[dict[str, Any]]:
    """List the cards that the reader has anywhere."""
    resolver = Resolver(session, viewer_of(reader.caller))
    return [
        {
            "key": card.key,
            "title": card.title.in_language(reader.language),
            "layout": card.layout,
            "unit": _unit(reader, card),
            "comparisons": list(reader.catalogue.metrics[card.metric].comparisons),
        }
        for card in reader.catalogue.cards.values()
        if resolver.has(card)
    ]


def read_card(session: Session, *, reader: Reader, key: str, asked: Asked) -> dict[str, Any]:
    """Read one card for a period and a scope that the reader may see."""
    question = ask(session, reader=reader, key=key, asked=asked)
    desk = open_desk(session, reader)
    (figure,) = answer_figures(desk, [question])
    return describe(desk, reader, question, figure)


def share_figure(
    session: Session,
    *,
    reader: Reader,
    key: str,
    asked: Asked,
    text: str,
    audience: list[AudienceScope],
) -> Share:
    """Put a figure, frozen as it is now, up for talk before an audience that the sender may address."""
    figure = read_card(session, reader=reader, key=key, asked=asked)
    scope_ids = resolve_audience(
        session,
        caller=reader.caller,
        scopes=audience,
        permission="feeds.announce",
        own_units=True,
    )
    share = Share(
        tenant_id=tenant_of(session),
        id=new_id(),
        author_id=reader.caller.person_id,
        card=key,
        text=text,
        figure=figure,
        scope_ids=scope_ids,
        created_at=reader.now,
    )
    session.add(share)
    session.flush()
    _record_share(session, share, reader.now)
    return share


def ask(session: Session, *, reader: Reader, key: str, asked: Asked) -> Question:
    """Turn what was asked into a question, refusing what the reader may not know of."""
    card = reader.catalogue.cards.get(key)
    if card is None:
        raise NotFound
    return _question(Resolver(session, viewer_of(reader.caller)), reader, card, asked)


def open_desk(session: Session, reader: Reader, *, approvals: Select[int] | None = None) -> Desk:
    """Look up how current the figures are and what has landed from the ERP, and ``approvals`` with it."""
    return lay_desk(
        session,
        catalogue=reader.catalogue,
        cache=reader.cache,
        currency=reader.caller.currency,
        today=reader.today,
        known_at=reader.known_at,
        approvals=approvals,
    )


def lay_desk(
    session: Session,
    *,
    catalogue: Catalogue,
    cache: FigureCache,
    currency: str,
    today: date,
    known_at: datetime | None = None,
    approvals: Select[int] | None = None,
) -> Desk:
    """Look the same up for whoever asks, a person or a rule of the company."""
    tenant_id = tenant_of(session)
    asked = queries.standing()
    if approvals is not None:
        asked = asked.add_columns(approvals.scalar_subquery().label("approvals"))
    rows = session.execute(asked, {"tenant_id": tenant_id}).all()
    standing = rows[0]
    if known_at is not None:
        rows = session.execute(landed_by(known_at)).all()
        if not rows:
            raise NothingKnownThen
    landed: dict[str, Landed] = {}
    batches: dict[str, tuple[UUID | None, ...]] = {}
    for row in rows:
        if row.table_name is not None:
            # The oldest comes first and stays: a figure is as fresh as its oldest source.
            landed.setdefault(row.table_name, Landed(row.as_of, row.source, row.batch_id))
            batches[row.table_name] = (*batches.get(row.table_name, ()), row.batch_id)
    return Desk(
        session=session,
        catalogue=catalogue,
        cache=cache,
        tenant_id=tenant_id,
        currency=currency,
        today=today,
        root_id=standing.root_id,
        data_version=standing.data_version or 0,
        arrangement=Arrangement(
            standing.structure_version, standing.matching or "", standing.placement or ""
        ),
        landed=landed,
        batches=batches,
        known_at=known_at,
        approvals=0 if approvals is None else standing.approvals,
    )


def describe(desk: Desk, reader: Reader, question: Question, figure: Figure) -> dict[str, Any]:
    """Put a figure together with what it is: whose, of when, by which definition, how fresh."""
    card, metric = question.card, desk.metric_of(question.card)
    landed = desk.landed.get(metric.source)
    days = question.period.days
    return {
        "key": card.key,
        "title": card.title.in_language(reader.language),
        "layout": card.layout,
        "period": {"from": days.first.isoformat(), "to": days.last.isoformat()},
        "scope": _describe_scope(question.scope),
        **figure,
        "unit": _unit(reader, card),
        "currency": reader.caller.currency,
        "sentiment": metric.sentiment,
        "basis": metric.key,
        "freshness": _freshness(landed, metric.freshness_minutes, reader.now),
        "metric_version": metric.version,
        "batch": str(landed.batch_id) if landed and landed.batch_id else None,
        **({"as_known_at": reader.known_at.isoformat()} if reader.known_at else {}),
    }


def is_late(landed: Landed | None, freshness_minutes: int, now: datetime) -> bool:
    """Whether the facts are older than the metric allows."""
    return landed is None or now - landed.as_of > timedelta(minutes=freshness_minutes)


def _question(resolver: Resolver, reader: Reader, card: Card, asked: Asked) -> Question:
    scope = (
        resolver.default(card) if asked.scope_id is None else resolver.named(card, asked.scope_id)
    )
    return Question(
        card, scope, _period(asked.period, reader.today), _comparison(reader, card, asked.compare)
    )


def _period(text: str, today: date) -> Period:
    try:
        return parse_period(text, today)
    except PeriodError as error:
        raise PeriodUnknown from error


def _comparison(reader: Reader, card: Card, asked: str | None) -> str:
    """Take the comparison asked for; by default with last year, where the card is compared at all."""
    possible = reader.catalogue.metrics[card.metric].comparisons
    if asked is None:
        return LAST_YEAR if LAST_YEAR in possible else NONE
    if asked != NONE and asked not in possible:
        raise ComparisonUnknown
    return asked


def _unit(reader: Reader, card: Card) -> str:
    unit = reader.catalogue.metrics[card.metric].unit
    return reader.caller.currency if unit == MONEY else unit


def _describe_scope(scope: Scope) -> dict[str, Any]:
    units = [node for node in scope.nodes if node.kind == UNIT]
    persons = [node for node in scope.nodes if node.kind != UNIT]
    return {
        "units": [{"id": str(node.id), "name": node.name} for node in units],
        "persons": [{"id": str(node.id), "name": node.name} for node in persons],
    }


def _freshness(landed: Landed | None, freshness_minutes: int, now: datetime) -> dict[str, Any]:
    return {
        "as_of": landed.as_of.isoformat() if landed else None,
        "source": landed.source if landed else None,
        "late": is_late(landed, freshness_minutes, now),
    }


def _badges(answers: list[dict[str, Any]], approvals: int) -> dict[str, int]:
    """Count what waits, for the tab's badge."""
    counted = {
        answer["key"]: answer["value"]
        for answer in answers
        if answer["key"] == "waiting_for_me" and answer["value"]
    }
    return counted | ({"approvals": approvals} if approvals else {})


def _record_share(session: Session, share: Share, now: datetime) -> None:
    kept = ("title", "period", "value", "target", "pace", "comparison", "unit", "freshness")
    fact = FigureShared(
        share_id=share.id,
        author_id=share.author_id,
        card=share.card,
        text=share.text,
        figure={name: share.figure[name] for name in kept},
        scope_ids=share.scope_ids,
    )
    record(session, fact, ref=share.id)
    write_audit(
        session,
        actor_id=share.author_id,
        action="figure_shared",
        subject=str(share.id),
        detail=share.card,
        now=now,
    )
