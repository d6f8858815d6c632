"""Rules on figures: making, changing and removing them, and who a rule is about."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import NotFound, VersionConflict
from app.core.ids import new_id
from app.core.work import tenant_of
from app.people.models import OrgUnit
from app.people.queries import is_at_or_below
from app.people.services import require_at, write_audit
from redpackets.budgets import require_spendable
from redpackets.campaigns import placing, queries
from redpackets.campaigns.errors import FigureNotVisible, RuleRefused
from redpackets.campaigns.models import TriggerFire, TriggerRule, TriggerVersion
from redpackets.campaigns.ports import Figures
from redpackets.campaigns.rules import (
    CHILDREN,
    DAYS_MAX,
    OF_UNIT,
    ONE,
    PERSONS,
    TARGET,
    UNITS,
)
from redpackets.errors import UnitMismatch
from redpackets.models import Budget

CAMPAIGNS = "redpackets.campaigns"
AUDIT = "redpackets.audit"
#: The one change of a rule or programme that needs no right to its money.
STOPPED = {"active": False}
#: How many units or persons a rule names, and about how many it may be with all the units below.
NAMED_SUBJECTS_MAX = 100
SUBJECTS_MAX = 500


@dataclass(frozen=True, kw_only=True)
class RuleTerms:
    """What a rule says: on which figure of whom it fires, and what it then gives to whom from which budget."""

    name: str
    budget_id: UUID
    on_behalf_of_id: UUID
    metric: str
    comparison: str
    threshold: Decimal
    period: str
    deadline_day: int | None
    subject_kind: str
    subject_ids: list[UUID]
    unit: str
    total_minor: int | None
    per_head_minor: int | None
    split: str
    audience: str
    purpose_category: str
    purpose_text: str
    greeting: str
    tax_class: str
    kept_open_hours: int
    starts_on: date


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A unit or a person that a rule is about."""

    id: UUID
    kind: str
    name: str


def add_rule(
    session: Session, *, caller: Caller, figures: Figures, terms: RuleTerms, now: datetime
) -> TriggerRule:
    """Keep a rule that its maker answers for: they may spend the budget, and see the figure of every subject."""
    check_terms(session, caller=caller, figures=figures, terms=terms)
    rule = TriggerRule(
        tenant_id=tenant_of(session),
        id=new_id(),
        owner_id=caller.person_id,
        created_at=now,
        **vars(terms),
    )
    session.add(rule)
    session.flush()
    _keep_version(session, caller, rule, "add_rule", now)
    return rule


def change_rule(
    session: Session,
    *,
    caller: Caller,
    figures: Figures,
    rule_id: UUID,
    version: int,
    changes: dict[str, Any],
    now: datetime,
) -> TriggerRule:
    """Change a rule, knowing its version; what fired in a period does not fire again in it.

    Who changes its terms must be able to make such a rule; stopping it, or letting it go on, takes less.
    """
    rule = _rule_to_change(session, caller, rule_id, version)
    rule.active = changes.pop("active", rule.active)
    if changes:
        payable_budget(session, caller, placing.budget_in_force(session, rule, now))
        terms = RuleTerms(**(terms_of(rule) | changes))
        check_terms(session, caller=caller, figures=figures, terms=terms)
    for name, value in changes.items():
        setattr(rule, name, value)
    rule.version += 1
    session.flush()
    _keep_version(session, caller, rule, "change_rule", now)
    return rule


def remove_rule(session: Session, *, caller: Caller, rule_id: UUID, now: datetime) -> None:
    """Stop a rule for good; what it fired stays traceable."""
    rule = _rule_to_change(session, caller, rule_id, None)
    rule.active, rule.removed_at = False, now
    rule.version += 1
    session.flush()
    _keep_version(session, caller, rule, "remove_rule", now)


def rule_seen(session: Session, caller: Caller, rule_id: UUID) -> TriggerRule:
    """Find a rule that the caller owns or may keep; any other does not exist."""
    visible = queries.rules_visible(
        caller.person_id, units_showing(caller), before=None, limit=1
    ).where(TriggerRule.id == rule_id)
    rule = session.scalar(visible)
    if rule is None:
        raise NotFound
    return rule


def units_showing(caller: Caller) -> frozenset[UUID]:
    """List the units at and below which the caller sees rules: to keep them, or to audit them."""
    return caller.units_with(CAMPAIGNS) | caller.units_with(AUDIT)


def fire_shown(
    session: Session, caller: Caller, *, figures: Figures, rule_id: UUID, fire_id: UUID
) -> TriggerFire:
    """Find a fire whose figure the caller may see."""
    rule = rule_seen(session, caller, rule_id)
    fire = session.scalar(queries.fire_of(rule_id, fire_id))
    if fire is None:
        raise NotFound
    if not shows_figures(session, caller, figures, rule, [fire]):
        raise FigureNotVisible
    return fire


def shows_figures(
    session: Session,
    caller: Caller,
    figures: Figures,
    rule: TriggerRule,
    fires: Collection[TriggerFire],
) -> bool:
    """Say whether the caller may see at which figures a rule fired: its owner, auditors, who sees the metric itself."""
    if rule.owner_id == caller.person_id or _audits(session, caller, rule):
        return True
    # A rule may have fired on another metric than it is on by now.
    return all(
        figures.measure(metric) is not None
        and figures.may_see(
            session,
            caller=caller,
            metric=metric,
            subject_ids={fire.subject_id for fire in fires if fire.metric == metric},
        )
        for metric in {fire.metric for fire in fires}
    )


def terms_of(rule: TriggerRule) -> dict[str, Any]:
    """Say a rule's terms by name."""
    return {field.name: getattr(rule, field.name) for field in fields(RuleTerms)}


def subjects_of(session: Session, kind: str, ids: list[UUID]) -> list[Subject]:
    """List who a rule is about now, in order; units below a unit are found anew each time."""
    find = {
        UNITS: queries.units_named,
        CHILDREN: queries.children_named,
        PERSONS: queries.persons_named,
    }[kind]
    found = [
        Subject(id=row.id, kind="person" if kind == PERSONS else "unit", name=row.name)
        for row in session.execute(find(ids).limit(SUBJECTS_MAX + 1))
    ]
    return sorted(found, key=lambda subject: subject.id)


def payable_budget(session: Session, caller: Caller, budget_id: UUID) -> Budget:
    """Lock a budget that the caller may spend and keep campaigns on; one that may not be seen does not exist."""
    budget = require_spendable(session, caller, budget_id)
    require_at(session, caller, CAMPAIGNS, budget.unit_id)
    return budget


def check_terms(
    session: Session, *, caller: Caller, figures: Figures, terms: RuleTerms
) -> tuple[Budget, list[Subject]]:
    """Refuse a rule that makes no sense, that the caller may not pay for, or on a figure that they may not see."""
    budget = payable_budget(session, caller, terms.budget_id)
    if session.get(OrgUnit, (caller.tenant_id, terms.on_behalf_of_id)) is None:
        raise NotFound
    require_at(session, caller, CAMPAIGNS, terms.on_behalf_of_id)
    if budget.unit != terms.unit:
        raise UnitMismatch
    _check_figure(figures, terms)
    _check_award(terms)
    subjects = _check_subjects(session, terms)
    asked = [subject.id for subject in subjects]
    if not figures.may_see(session, caller=caller, metric=terms.metric, subject_ids=asked):
        raise FigureNotVisible
    return budget, subjects


def _audits(session: Session, caller: Caller, rule: TriggerRule) -> bool:
    held_at = caller.units_with(AUDIT)
    unit_id = session.scalars(queries.budget_unit(rule.budget_id)).one()
    return bool(held_at) and bool(session.scalar(is_at_or_below(unit_id, held_at)))


def _check_figure(figures: Figures, terms: RuleTerms) -> None:
    measure = figures.measure(terms.metric)
    if measure is None:
        raise RuleRefused({"metric": "metric_unknown"})
    if terms.comparison == TARGET and not measure.has_target:
        raise RuleRefused({"comparison": "metric_without_target"})
    if terms.deadline_day and terms.deadline_day > DAYS_MAX[terms.period]:
        raise RuleRefused({"deadline_day": "out_of_range"})


def _check_award(terms: RuleTerms) -> None:
    if (terms.total_minor is None) == (terms.per_head_minor is None):
        raise RuleRefused({"total_minor": "total_or_per_head"})
    alone = terms.subject_kind == PERSONS and terms.audience != OF_UNIT
    if alone != (terms.split == ONE):
        raise RuleRefused({"split": "one_receiver"})
    if terms.subject_kind != PERSONS and terms.audience == OF_UNIT:
        raise RuleRefused({"audience": "not_a_choice"})


def _check_subjects(session: Session, terms: RuleTerms) -> list[Subject]:
    ids = terms.subject_ids
    if len(set(ids)) != len(ids):
        raise RuleRefused({"subjects.ids": "repeated"})
    subjects = subjects_of(session, terms.subject_kind, ids)
    if len(subjects) > SUBJECTS_MAX:
        raise RuleRefused({"subjects.ids": "too_many_items"})
    known = subjects if terms.subject_kind != CHILDREN else _named_units(session, ids)
    if not subjects or len(known) != len(ids):
        raise RuleRefused({"subjects.ids": "subject_unknown"})
    return subjects


def _named_units(session: Session, ids: list[UUID]) -> list[Subject]:
    return subjects_of(session, UNITS, ids)


def _rule_to_change(
    session: Session, caller: Caller, rule_id: UUID, version: int | None
) -> TriggerRule:
    # Before anything of it is read: whoever changed it meanwhile has changed it.
    session.execute(queries.rule_locked(rule_id))
    rule = rule_seen(session, caller, rule_id)
    unit_id = session.scalars(queries.budget_unit(rule.budget_id)).one()
    require_at(session, caller, CAMPAIGNS, unit_id)
    if version is not None and version != rule.version:
        raise VersionConflict(current_version=rule.version)
    return rule


def _keep_version(
    session: Session, caller: Caller, rule: TriggerRule, verb: str, now: datetime
) -> None:
    session.add(
        TriggerVersion(
            tenant_id=rule.tenant_id,
            rule_id=rule.id,
            version=rule.version,
            terms={name: _written(value) for name, value in terms_of(rule).items()}
            | {"active": rule.active},
            changed_by=caller.person_id,
            at=now,
        )
    )
    session.flush()
    write_audit(
        session,
        actor_id=caller.person_id,
        action=f"redpackets.{verb}",
        subject=f"rule:{rule.id}",
        detail=f"version {rule.version}: {rule.name}",
        now=now,
    )


def _written(value: Any) -> Any:
    """Write a term as JSON keeps it."""
    if isinstance(value, list):
        return [str(item) for item in value]
    return value if value is None or isinstance(value, int | str) else str(value)
