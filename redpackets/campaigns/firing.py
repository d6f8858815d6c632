"""Firing rules: each rule, period and subject at most once, with its packet in the same transaction or not at all."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.errors import Refusal
from app.core.events import record
from app.core.ids import new_id
from app.core.work import tenant_of
from app.people.audiences import AudienceScope, count_audience
from app.people.services import write_audit
from redpackets.campaigns import placing, queries
from redpackets.campaigns.events import RuleFired, RuleMissed
from redpackets.campaigns.models import TriggerDocument, TriggerFire, TriggerRule
from redpackets.campaigns.ports import Figures, Reading
from redpackets.campaigns.rules import (
    GROWTH,
    LUCKY,
    MET,
    MISSING,
    NOT_MET,
    OF_UNIT,
    ONE,
    STALE,
    Span,
    judge,
    seed_of,
    spans_at,
)
from redpackets.campaigns.triggers import RuleTerms, Subject, subjects_of
from redpackets.errors import CannotSplit, ScopeEmpty
from redpackets.models import SHARE_COUNT_MAX, Packet
from redpackets.queries import budget_locked
from redpackets.sending import NewPacket, place_packet

#: Of a figure that more documents add up to, the newest.
DOCUMENTS_KEPT_MAX = 10_000


@dataclass(frozen=True, kw_only=True)
class Chance:
    """A rule that may fire for a subject in a period, as things stand on a day."""

    rule: TriggerRule
    subject: Subject
    span: Span
    on: date
    now: datetime

    def read(self, session: Session, figures: Figures) -> Reading:
        """Read the figure that decides."""
        return figures.reading(
            session,
            metric=self.rule.metric,
            subject_id=self.subject.id,
            span=self.span,
            on=self.on,
            now=self.now,
            with_last_year=self.rule.comparison == GROWTH,
        )


@dataclass(frozen=True, kw_only=True)
class Award:
    """Whom a packet is for, and how much is in it."""

    total_minor: int
    share_count: int
    audience: list[AudienceScope]
    scope_ids: list[UUID]
    receivers: tuple[tuple[UUID, int], ...] = ()


def evaluate_rule(
    session: Session, *, figures: Figures, rule_id: UUID, seed: bytes, now: datetime
) -> list[UUID]:
    """Fire a rule for every subject whose figure meets it by now; gives the packets. Running it again changes nothing.

    What cannot be judged or paid is noted with its reason, told to the owner once, and tried again the next time.
    """
    rule = session.get(TriggerRule, (tenant_of(session), rule_id))
    if rule is None or not rule.active:
        return []
    placed = [_take(session, figures, chance, seed) for chance in _chances(session, rule, now)]
    return [packet_id for packet_id in placed if packet_id is not None]


def judged(rule_or_fire: TriggerRule | TriggerFire, reading: Reading) -> str:
    """Say whether a figure meets the terms, or why that cannot be said of it."""
    if reading.missing:
        return MISSING
    if reading.is_late:
        return STALE
    return judge(
        rule_or_fire.comparison,
        rule_or_fire.threshold,
        value=reading.value,
        target=reading.target,
        last_year=reading.last_year,
    )


def _chances(session: Session, rule: TriggerRule, now: datetime) -> Iterator[Chance]:
    """Go through the periods and subjects for which the rule may still fire."""
    today = placing.business_day(session, now).date()
    spans = spans_at(rule.period, rule.deadline_day, today, rule.starts_on)
    if not spans:
        return
    done = {tuple(row) for row in session.execute(queries.fired(rule.id, spans[0][0]))}
    for subject in subjects_of(session, rule.subject_kind, rule.subject_ids):
        for span in spans:
            if (span[0], subject.id) not in done:
                yield Chance(rule=rule, subject=subject, span=span, on=today, now=now)


def _take(session: Session, figures: Figures, chance: Chance, seed: bytes) -> UUID | None:
    hindrance = placing.hindrance_of(session, chance.rule, chance.now)
    if hindrance is not None:
        _note_miss(session, chance, hindrance)
        return None
    reading = chance.read(session, figures)
    outcome = judged(chance.rule, reading)
    if outcome == MET:
        try:
            with session.begin_nested():
                return _fire(session, figures, chance, reading, seed)
        except Refusal as refusal:
            outcome = placing.reason_of(refusal)
    if outcome != NOT_MET:
        _note_miss(session, chance, outcome)
    return None


def _fire(
    session: Session, figures: Figures, chance: Chance, reading: Reading, seed: bytes
) -> UUID | None:
    """Take the only place there is for this rule, period and subject, then place the packet it stands for."""
    fire_id = _take_place(session, figures, chance, reading)
    if fire_id is None:
        return None
    packet = _place(session, chance, seed_of(seed, fire_id))
    session.execute(
        update(TriggerFire).where(TriggerFire.id == fire_id).values(packet_id=packet.id)
    )
    _tell_fired(session, chance, fire_id, packet.id)
    return packet.id


def _take_place(
    session: Session, figures: Figures, chance: Chance, reading: Reading
) -> UUID | None:
    """Insert the fire; somebody who does the same meanwhile makes us wait, and then leave it to them."""
    documents, count = figures.documents(
        session,
        metric=chance.rule.metric,
        subject_id=chance.subject.id,
        span=chance.span,
        on=chance.on,
        most=DOCUMENTS_KEPT_MAX,
    )
    row = _fire_row(chance, reading) | {"document_count": count}
    fire_id = session.scalar(
        insert(TriggerFire).values(row).on_conflict_do_nothing().returning(TriggerFire.id)
    )
    if fire_id is not None:
        _keep_documents(session, chance.rule, fire_id, documents)
    return fire_id


def _fire_row(chance: Chance, reading: Reading) -> dict[str, Any]:
    rule, (first, deadline, until) = chance.rule, chance.span
    return {
        "tenant_id": rule.tenant_id,
        "id": new_id(),
        "rule_id": rule.id,
        "rule_version": rule.version,
        "comparison": rule.comparison,
        "threshold": rule.threshold,
        "period_from": first,
        "deadline": deadline,
        "period_to": until,
        "subject_id": chance.subject.id,
        "value": reading.value,
        "target": reading.target,
        "last_year": reading.last_year,
        "as_of": reading.as_of,
        "source": reading.source,
        "batch_id": reading.batch_id,
        "metric": rule.metric,
        "metric_version": reading.metric_version,
        "fired_on": chance.on,
        "at": chance.now,
    }


def _keep_documents(
    session: Session, rule: TriggerRule, fire_id: UUID, documents: list[dict[str, Any]]
) -> None:
    """Keep what the figure was made of, as it was then: the ERP may say otherwise tomorrow."""
    named = ("source", "kind", "key", "code", "amount_minor")
    rows = [
        {name: document[name] for name in named}
        | {
            "tenant_id": rule.tenant_id,
            "fire_id": fire_id,
            "position": position,
            "source_id": UUID(document["source_id"]),
            "day": date.fromisoformat(document["day"]),
        }
        for position, document in enumerate(documents)
    ]
    if rows:
        session.execute(insert(TriggerDocument), rows)


def _place(session: Session, chance: Chance, seed: bytes) -> Packet:
    rule = chance.rule
    award = award_of(session, rule, chance.subject)
    budget_id = placing.budget_in_force(session, rule, chance.now)
    new = NewPacket(
        kind="kpi",
        unit=rule.unit,
        total_minor=award.total_minor,
        share_count=award.share_count,
        min_minor=None,
        max_minor=None,
        budget_id=budget_id,
        on_behalf_of_id=rule.on_behalf_of_id,
        audience=award.audience,
        purpose_category=rule.purpose_category,
        purpose_text=rule.purpose_text,
        purpose_evidence=f"rule:{rule.id}:{rule.version}:{chance.span[0]}",
        tax_class=rule.tax_class,
        greeting=rule.greeting,
        opens_at=None,
        expires_at=chance.now + timedelta(hours=rule.kept_open_hours),
        origin=f"rule:{rule.id}",
        receivers=award.receivers,
        split="double_mean" if rule.split == LUCKY else "even",
    )
    return place_packet(
        session,
        sender=placing.sender_for(session, rule.owner_id),
        budget=session.scalars(budget_locked(budget_id)).one(),
        new=new,
        scope_ids=award.scope_ids,
        seed=seed,
        now=chance.now,
    )


def award_of(session: Session, rule: TriggerRule | RuleTerms, subject: Subject) -> Award:
    """Say what a fire gives: to the subject alone, or to everybody of its unit, a share each."""
    if rule.split == ONE:
        amount = rule.total_minor or rule.per_head_minor or 0
        return Award(
            total_minor=amount,
            share_count=1,
            audience=placing.picked_persons([subject.id]),
            scope_ids=placing.personal_scopes(session, [subject.id]),
            receivers=((subject.id, amount),),
        )
    unit_id = subject.id
    if rule.audience == OF_UNIT:
        unit_id = session.scalar(queries.primary_unit(subject.id)) or subject.id
    scope_ids = placing.unit_scope(session, unit_id)
    count = count_audience(session, scope_ids)
    if not count:
        raise ScopeEmpty
    total_minor = rule.total_minor or (rule.per_head_minor or 0) * count
    if count > min(total_minor, SHARE_COUNT_MAX):
        raise CannotSplit
    return Award(
        total_minor=total_minor,
        share_count=count,
        audience=placing.picked_unit(unit_id),
        scope_ids=scope_ids,
    )


def _note_miss(session: Session, chance: Chance, reason: str) -> None:
    """Keep why it did not fire, and tell those concerned once for each reason and period."""
    rule = chance.rule
    place = {
        "tenant_id": rule.tenant_id,
        "rule_id": rule.id,
        "period_from": chance.span[0],
        "subject_id": chance.subject.id,
        "reason": reason,
        "now": chance.now,
    }
    if not session.scalar(queries.NOTE_MISS, place):
        return
    fact = RuleMissed(
        rule_id=rule.id, owner_id=rule.owner_id, period_from=chance.span[0], reason=reason
    )
    told_ids = placing.told_of(session, rule, reason, chance.now)
    scope_ids = placing.personal_scopes(session, told_ids)
    record(session, fact, ref=rule.id, scope_ids=scope_ids)


def _tell_fired(session: Session, chance: Chance, fire_id: UUID, packet_id: UUID) -> None:
    rule = chance.rule
    fact = RuleFired(
        rule_id=rule.id,
        fire_id=fire_id,
        packet_id=packet_id,
        owner_id=rule.owner_id,
        period_from=chance.span[0],
    )
    scope_ids = placing.personal_scopes(session, [rule.owner_id])
    record(session, fact, ref=fire_id, scope_ids=scope_ids)
    write_audit(
        session,
        actor_id=rule.owner_id,
        action="redpackets.rule_fired",
        subject=f"rule:{rule.id}",
        detail=f"version {rule.version}, {chance.span[0]}, {chance.subject.id}: packet {packet_id}",
        now=chance.now,
    )
