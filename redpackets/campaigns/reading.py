"""Rules on figures as people read them: the subjects by name, what a fire gave, what a proposal would take back."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.callers import Caller
from redpackets.campaigns import queries, triggers
from redpackets.campaigns.models import (
    TriggerDocument,
    TriggerFire,
    TriggerMiss,
    TriggerProposal,
    TriggerRule,
)
from redpackets.campaigns.ports import Figures

#: What of a fire is told to nobody who may not see the figure.
_HIDDEN: dict[str, Any] = {
    "value": None,
    "target": None,
    "last_year": None,
    "documents": [],
    "document_count": None,
}
#: Of each fire; all of them are a list of their own.
DOCUMENTS_SHOWN = 20
_HIDDEN_OF_PROPOSAL: dict[str, Any] = {"value_then": None, "value_now": None, "target_now": None}

Named = dict[str, Any]


def describe_rule(figures: Figures, rule: TriggerRule) -> dict[str, Any]:
    """Describe a rule with its terms, and in which unit its figure is counted."""
    measure = figures.measure(rule.metric)
    return triggers.terms_of(rule) | {
        "id": rule.id,
        "owner_id": rule.owner_id,
        "metric_unit": measure.unit if measure else None,
        "on_behalf_of": rule.on_behalf_of_id,
        "subjects": {"kind": rule.subject_kind, "ids": rule.subject_ids},
        "purpose": {"category": rule.purpose_category, "text": rule.purpose_text},
        "active": rule.active,
        "version": rule.version,
    }


def describe_fires(
    session: Session, fires: Sequence[TriggerFire], *, shown: bool
) -> list[dict[str, Any]]:
    """Describe fires with what each gave; the figures themselves only to who may see them (``shown``)."""
    subjects = subjects_named(session, {fire.subject_id for fire in fires})
    packet_ids = {fire.packet_id for fire in fires if fire.packet_id}
    packets = {row.id: row for row in session.execute(queries.packets_given(packet_ids))}
    documents = _documents_by_fire(session, fires) if shown else {}
    hidden = {} if shown else _HIDDEN
    return [
        vars(fire)
        | {
            "documents": documents.get(fire.id, []),
            "subject": subjects[fire.subject_id],
            "amount_minor": packets[fire.packet_id].total_minor,
            "unit": packets[fire.packet_id].unit,
        }
        | hidden
        for fire in fires
    ]


def _documents_by_fire(
    session: Session, fires: Sequence[TriggerFire]
) -> dict[UUID, list[TriggerDocument]]:
    found: dict[UUID, list[TriggerDocument]] = defaultdict(list)
    first = queries.documents_first([fire.id for fire in fires], DOCUMENTS_SHOWN)
    for document in session.scalars(first):
        found[document.fire_id].append(document)
    return found


def describe_misses(session: Session, misses: Sequence[TriggerMiss]) -> list[dict[str, Any]]:
    """Describe why a rule did not fire, and for whom."""
    subjects = subjects_named(session, {miss.subject_id for miss in misses})
    return [vars(miss) | {"subject": subjects[miss.subject_id]} for miss in misses]


def describe_proposals(
    session: Session, caller: Caller, figures: Figures, rows: Sequence[Any]
) -> list[dict[str, Any]]:
    """Describe proposals of ``queries.proposals_visible`` with what is still there to take back.

    The figures themselves are only for who may see them.
    """
    subjects = subjects_named(session, {row.TriggerFire.subject_id for row in rows})
    packet_ids = {row.TriggerFire.packet_id for row in rows}
    packets = {row.id: row for row in session.execute(queries.packets_given(packet_ids))}
    deciders = {row.TriggerProposal.decided_by for row in rows if row.TriggerProposal.decided_by}
    owners = {row.TriggerRule.owner_id for row in rows}
    people = {row.id: row.name for row in session.execute(queries.people_named(deciders | owners))}
    return [
        _proposal(figures, row, subjects, packets, people)
        | ({} if _shows_figures(session, caller, figures, row) else _HIDDEN_OF_PROPOSAL)
        for row in rows
    ]


def subjects_named(session: Session, ids: Collection[UUID]) -> dict[UUID, Named]:
    """Name units and persons, also those that are no longer active."""
    found = session.execute(queries.subjects_named(ids)).all()
    return {row.id: {"id": row.id, "kind": row.kind, "name": row.name} for row in found}


def _shows_figures(session: Session, caller: Caller, figures: Figures, row: Any) -> bool:
    rule, fire = row.TriggerRule, row.TriggerFire
    return triggers.shows_figures(session, caller, figures, rule, [fire])


def _proposal(
    figures: Figures,
    row: Any,
    subjects: dict[UUID, Named],
    packets: dict[UUID, Any],
    people: dict[UUID, str],
) -> dict[str, Any]:
    proposal: TriggerProposal = row.TriggerProposal
    fire: TriggerFire = row.TriggerFire
    rule: TriggerRule = row.TriggerRule
    assert fire.packet_id is not None
    packet, measure = packets[fire.packet_id], figures.measure(fire.metric)
    return vars(proposal) | {
        "rule_id": fire.rule_id,
        "rule_name": rule.name,
        "owner": {"id": rule.owner_id, "name": people[rule.owner_id]},
        "packet_id": fire.packet_id,
        "subject_id": fire.subject_id,
        "subject": subjects[fire.subject_id],
        "period_from": fire.period_from,
        "period_to": fire.period_to,
        "metric": fire.metric,
        "metric_unit": measure.unit if measure else None,
        "value_then": fire.value,
        "value_now": proposal.value,
        "target_now": proposal.target,
        "total_minor": packet.total_minor,
        "left_minor": packet.left_minor,
        "unit": packet.unit,
        "decided_by_name": people.get(proposal.decided_by) if proposal.decided_by else None,
    }
