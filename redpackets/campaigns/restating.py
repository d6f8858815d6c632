"""Figures restated downwards after they fired: nothing is taken back silently, people decide."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import NotAllowed, NotFound
from app.core.events import record
from app.core.ids import new_id
from app.core.work import tenant_of
from app.people.queries import is_at_or_below
from app.people.services import write_audit
from redpackets.approval_queries import approvers_at
from redpackets.campaigns import placing, queries
from redpackets.campaigns.errors import NotImpartial, ProposalDecided
from redpackets.campaigns.events import FigureRestated, RestatementDecided
from redpackets.campaigns.firing import judged
from redpackets.campaigns.models import TriggerFire, TriggerProposal, TriggerRule
from redpackets.campaigns.ports import Figures, Reading
from redpackets.campaigns.rules import GROWTH, NOT_MET
from redpackets.queries import member_of
from redpackets.stopping import withdraw_rest

APPROVE = "redpackets.approve"
#: What fired longer ago is closed business.
REVIEWED = timedelta(days=92)
DECIDED = {"accept": "accepted", "reject": "rejected"}


def review_fires(session: Session, *, figures: Figures, rule_id: UUID, now: datetime) -> None:
    """Look at the figures again that a rule fired at; one that no longer meets it becomes a proposal."""
    rule = session.get(TriggerRule, (tenant_of(session), rule_id))
    if rule is None:
        return
    today = placing.business_day(session, now).date()
    for fire in session.scalars(queries.fires_to_review(rule_id, today - REVIEWED)).all():
        reading = figures.reading(
            session,
            metric=fire.metric,
            subject_id=fire.subject_id,
            span=(fire.period_from, fire.deadline, fire.period_to),
            on=today,
            now=now,
            with_last_year=fire.comparison == GROWTH,
        )
        if judged(fire, reading) == NOT_MET:
            _propose(session, rule, fire, reading, now)


def decide_proposal(
    session: Session,
    *,
    caller: Caller,
    proposal_id: UUID,
    decision: str,
    reason: str,
    now: datetime,
) -> TriggerProposal:
    """Accept (take back what nobody has taken) or reject, as somebody who approves there and has no part in it."""
    found = proposal_seen(session, caller, proposal_id)
    proposal, fire, rule = found
    _require_impartial(session, caller, fire, rule)
    state = DECIDED[decision]
    if proposal.state not in {"open", state}:
        raise ProposalDecided(state=proposal.state)
    if proposal.state == "open":
        _decide(session, caller, proposal, fire, state, reason, now)
        _tell_decided(session, proposal, rule, fire)
    return proposal


def proposal_seen(
    session: Session, caller: Caller, proposal_id: UUID
) -> Row[TriggerProposal, TriggerFire, TriggerRule]:
    """Find a proposal, alone, that the caller brought up or may decide; any other does not exist."""
    found = session.execute(queries.proposal_locked(proposal_id)).one_or_none()
    if found is None:
        raise NotFound
    owns = found.TriggerRule.owner_id == caller.person_id
    if not owns and not _may_approve(session, caller, found.TriggerRule):
        raise NotFound
    return found


def _may_approve(session: Session, caller: Caller, rule: TriggerRule) -> bool:
    held_at = caller.units_with(APPROVE)
    unit_id = session.scalars(queries.budget_unit(rule.budget_id)).one()
    return bool(held_at) and bool(session.scalar(is_at_or_below(unit_id, held_at)))


def _require_impartial(
    session: Session, caller: Caller, fire: TriggerFire, rule: TriggerRule
) -> None:
    if rule.owner_id == caller.person_id:
        raise NotImpartial
    if not _may_approve(session, caller, rule):
        raise NotAllowed
    assert fire.packet_id is not None
    if session.scalar(member_of(fire.packet_id, caller.person_id)):
        raise NotImpartial


def _decide(
    session: Session,
    caller: Caller,
    proposal: TriggerProposal,
    fire: TriggerFire,
    state: str,
    reason: str,
    now: datetime,
) -> None:
    assert fire.packet_id is not None
    if state == "accepted":
        proposal.outcome = withdraw_rest(
            session, packet_id=fire.packet_id, actor_id=caller.person_id, now=now
        )
    proposal.state, proposal.reason = state, reason
    proposal.decided_by, proposal.decided_at = caller.person_id, now
    session.flush()
    write_audit(
        session,
        actor_id=caller.person_id,
        action="redpackets.decide_proposal",
        subject=f"proposal:{proposal.id}",
        detail=f"{state}, packet {fire.packet_id}: {proposal.outcome or reason}",
        now=now,
    )


def _propose(
    session: Session, rule: TriggerRule, fire: TriggerFire, reading: Reading, now: datetime
) -> None:
    """Open one proposal for a fire; while it is open it follows the figure."""
    seen = {
        "value": reading.value,
        "target": reading.target,
        "last_year": reading.last_year,
        "batch_id": reading.batch_id,
    }
    place = {"tenant_id": fire.tenant_id, "id": new_id(), "fire_id": fire.id, "opened_at": now}
    statement = insert(TriggerProposal).values(**place, **seen, state="open", reason="")
    kept_id: UUID | None = session.scalar(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "fire_id"],
            set_=seen,
            where=TriggerProposal.state == "open",
        ).returning(TriggerProposal.id)
    )
    if kept_id is None or kept_id != place["id"]:
        return
    decider_scope_ids, owner_scope_ids = _concerned(session, rule, fire)
    fact = FigureRestated(
        proposal_id=kept_id,
        rule_id=rule.id,
        owner_id=rule.owner_id,
        decider_scope_ids=tuple(decider_scope_ids),
    )
    record(session, fact, ref=kept_id, scope_ids=sorted({*owner_scope_ids, *decider_scope_ids}))


def _tell_decided(
    session: Session, proposal: TriggerProposal, rule: TriggerRule, fire: TriggerFire
) -> None:
    fact = RestatementDecided(proposal_id=proposal.id, rule_id=rule.id, state=proposal.state)
    scope_ids = sorted(set().union(*_concerned(session, rule, fire)))
    record(session, fact, ref=proposal.id, scope_ids=scope_ids)


def _concerned(
    session: Session, rule: TriggerRule, fire: TriggerFire
) -> tuple[list[UUID], list[UUID]]:
    """The scopes of those who may decide, and of the rule's owner."""
    return (
        placing.personal_scopes(session, _deciders(session, rule, fire)),
        placing.personal_scopes(session, [rule.owner_id]),
    )


def _deciders(session: Session, rule: TriggerRule, fire: TriggerFire) -> list[UUID]:
    """List who may decide: who approves at the budget's unit, neither owns the rule nor is in the packet's audience."""
    assert fire.packet_id is not None
    unit_id = session.scalars(queries.budget_unit(rule.budget_id)).one()
    approvers = set(session.scalars(approvers_at(APPROVE, "cost_centre", unit_id)))
    members = set(session.scalars(queries.members_among(fire.packet_id, approvers)))
    return sorted(approvers - members - {rule.owner_id})
