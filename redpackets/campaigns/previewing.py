"""What a rule would have done: every period of a past year, judged by the facts as they stand now, without effect."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import Refusal, Texts
from redpackets.campaigns import placing
from redpackets.campaigns.firing import award_of
from redpackets.campaigns.ports import Figures, PastReading, Span
from redpackets.campaigns.rules import MET, NOT_MET, first_day_met, spans_of_year
from redpackets.campaigns.triggers import RuleTerms, Subject, check_terms
from redpackets.rules import POINT

#: Units without hundredths.
WHOLE_UNITS = frozenset({POINT, "JPY"})
SUMMARY = Texts(
    "{year} 年该规则会触发 {fires} 次，共 {total} {unit}",
    "In {year} it would have fired {fires} times, {total} {unit} in all.",
)


@dataclass(frozen=True, kw_only=True)
class Instance:
    """How the rule would have gone for one subject in one period; ``reason`` where it could not be judged or paid."""

    period_from: date
    period_to: date
    deadline: date
    subject: Subject
    met: bool
    on: date | None
    value: Decimal | None
    target: Decimal | None
    last_year: Decimal | None
    amount_minor: int
    reason: str | None


def preview_rule(
    session: Session,
    *,
    caller: Caller,
    figures: Figures,
    terms: RuleTerms,
    year: int | None,
    now: datetime,
) -> dict[str, Any]:
    """Say when and for whom a rule would have fired in a year (the last one), and what it would have cost.

    The budget is not asked: it is this year's. People are counted as they are now.
    """
    _, subjects = check_terms(session, caller=caller, figures=figures, terms=terms)
    today = placing.business_day(session, now).date()
    year = year or today.year - 1
    spans = [s for s in spans_of_year(terms.period, terms.deadline_day, year) if s[0] <= today]
    instances = list(_instances(session, figures, terms, subjects, spans, today))
    fired = [instance for instance in instances if instance.met]
    return {
        "year": year,
        "fires": len(fired),
        "total_minor": sum(instance.amount_minor for instance in fired),
        "unit": terms.unit,
        "instances": instances,
    }


def summary(preview: dict[str, Any], language: str) -> str:
    """Say a preview in a sentence."""
    return SUMMARY.in_language(language).format(
        year=preview["year"],
        fires=preview["fires"],
        total=_readable(preview["total_minor"], preview["unit"]),
        unit=preview["unit"],
    )


def _readable(amount_minor: int, unit: str) -> str:
    if unit in WHOLE_UNITS:
        return f"{amount_minor:,}"
    return f"{Decimal(amount_minor) / 100:,.2f}"


def _instances(
    session: Session,
    figures: Figures,
    terms: RuleTerms,
    subjects: list[Subject],
    spans: list[Span],
    today: date,
) -> Iterable[Instance]:
    by_id = {subject.id: subject for subject in subjects}
    amounts = {subject.id: _amount(session, terms, subject) for subject in subjects}
    history = figures.history(
        session, metric=terms.metric, subject_ids=list(by_id), spans=spans, on=today
    )
    for past in history:
        yield _instance(terms, past, by_id[past.subject_id], amounts[past.subject_id])


def _instance(
    terms: RuleTerms, past: PastReading, subject: Subject, amount: tuple[int, str | None]
) -> Instance:
    outcome, on, value = first_day_met(
        terms.comparison,
        terms.threshold,
        days=() if past.missing else past.days,
        target=past.target,
        last_year=past.last_year,
    )
    amount_minor, refused = amount
    met = outcome == MET and refused is None
    unjudged = outcome if outcome not in {MET, NOT_MET} else None
    return Instance(
        period_from=past.span[0],
        period_to=past.span[2],
        deadline=past.span[1],
        subject=subject,
        met=met,
        on=on if met else None,
        value=value,
        target=past.target,
        last_year=past.last_year,
        amount_minor=amount_minor if met else 0,
        reason=unjudged or (refused if outcome == MET else None),
    )


def _amount(session: Session, terms: RuleTerms, subject: Subject) -> tuple[int, str | None]:
    """Say what a fire would give now, or why it could give nothing."""
    try:
        return award_of(session, terms, subject).total_minor, None
    except Refusal as refusal:
        return 0, placing.reason_of(refusal)
