"""Kudos: thanks from person to person, paid from an allowance that can only be given away."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import NotFound, VersionConflict
from app.core.ids import new_id
from app.core.work import tenant_of
from app.people.models import OrgUnit
from app.people.services import require_at, write_audit
from redpackets.budgets import NewBudget, open_budget
from redpackets.campaigns import giving_queries, placing
from redpackets.campaigns.errors import NoAllowance
from redpackets.campaigns.models import KudosAllowance, KudosProgramme
from redpackets.campaigns.rules import month_of
from redpackets.campaigns.triggers import CAMPAIGNS, STOPPED, payable_budget
from redpackets.errors import InsufficientBudget, ReceiverRefused, UnitMismatch
from redpackets.models import Budget, Packet
from redpackets.queries import budget_locked
from redpackets.sending import KEPT_OPEN_MAX, NewPacket, place_packet

RECEIVER_COUNT_MAX = 10
KUDOS = "kudos"

#: Two phones that open one allowance do it one after the other.
_ONE_BY_ONE = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")


@dataclass(frozen=True, kw_only=True)
class NewProgramme:
    """What everybody at or below a unit shall have to give each month, and out of which budget."""

    name: str
    unit_id: UUID
    budget_id: UUID
    unit: str
    allowance_minor: int
    tax_class: str


@dataclass(frozen=True, kw_only=True)
class Thanks:
    """What somebody gives: so much to each of these colleagues, with these words, for this value of the company."""

    receiver_ids: list[UUID]
    amount_minor: int
    unit: str
    text: str
    value: str


def add_programme(
    session: Session, *, caller: Caller, new: NewProgramme, now: datetime
) -> KudosProgramme:
    """Let everybody of a unit thank others, as somebody who may keep campaigns there and spend the budget."""
    budget = payable_budget(session, caller, new.budget_id)
    if session.get(OrgUnit, (caller.tenant_id, new.unit_id)) is None:
        raise NotFound
    require_at(session, caller, CAMPAIGNS, new.unit_id)
    if budget.unit != new.unit:
        raise UnitMismatch
    programme = KudosProgramme(
        tenant_id=tenant_of(session), id=new_id(), created_at=now, **vars(new)
    )
    session.add(programme)
    session.flush()
    _audit(session, caller, "add_programme", programme, now)
    return programme


def change_programme(
    session: Session,
    *,
    caller: Caller,
    programme_id: UUID,
    version: int,
    changes: dict[str, Any],
    now: datetime,
) -> KudosProgramme:
    """Change a programme, knowing its version; allowances already opened stay as they are until the month ends.

    Who changes it must be able to make such a programme; stopping it takes less.
    """
    programme = _programme_seen(session, caller, programme_id)
    if changes != STOPPED:
        payable_budget(session, caller, placing.budget_in_force(session, programme, now))
    if version != programme.version:
        raise VersionConflict(current_version=programme.version)
    for name, value in changes.items():
        setattr(programme, name, value)
    programme.version += 1
    session.flush()
    _audit(session, caller, "change_programme", programme, now)
    return programme


def read_allowances(session: Session, *, caller: Caller, now: datetime) -> list[dict[str, Any]]:
    """Say what the caller may still give this month, by unit; nothing is opened by looking."""
    first, last = month_of(placing.business_day(session, now).date())
    opened = {
        row.KudosAllowance.programme_id: row.Budget
        for row in session.execute(giving_queries.allowances_of(caller.person_id, first))
    }
    return [
        _allowance(programme, opened.get(programme.id), first, last)
        for programme in _programmes(session, caller).values()
    ]


def give_kudos(
    session: Session, *, caller: Caller, thanks: Thanks, seed: bytes, now: datetime
) -> Packet:
    """Thank colleagues: each is credited at once, from what the caller may give this month."""
    _check_thanks(session, caller, thanks)
    programme = _programmes(session, caller).get(thanks.unit)
    if programme is None or not caller.unit_ids:
        raise NoAllowance
    today = placing.business_day(session, now).date()
    total = thanks.amount_minor * len(thanks.receiver_ids)
    budget = _allowance_budget(session, caller, programme, today, total, now)
    receivers = tuple((person_id, thanks.amount_minor) for person_id in thanks.receiver_ids)
    new = NewPacket(
        kind=KUDOS,
        unit=thanks.unit,
        total_minor=total,
        share_count=len(receivers),
        min_minor=None,
        max_minor=None,
        budget_id=budget.id,
        on_behalf_of_id=caller.unit_ids[0],
        audience=placing.picked_persons(thanks.receiver_ids),
        purpose_category=thanks.value or KUDOS,
        purpose_text=thanks.text,
        purpose_evidence="",
        tax_class=programme.tax_class,
        greeting=thanks.text,
        opens_at=None,
        expires_at=now + KEPT_OPEN_MAX,
        origin=f"kudos:{programme.id}",
        receivers=receivers,
    )
    return place_packet(
        session,
        sender=placing.sender_of(caller),
        budget=budget,
        new=new,
        scope_ids=placing.personal_scopes(session, thanks.receiver_ids),
        seed=seed,
        now=now,
    )


def _check_thanks(session: Session, caller: Caller, thanks: Thanks) -> None:
    if caller.person_id in thanks.receiver_ids:
        position = thanks.receiver_ids.index(caller.person_id)
        raise ReceiverRefused({f"receivers.{position}": "not_to_oneself"})
    placing.check_receivers(session, thanks.receiver_ids, "receivers.{}")


def _programme_seen(session: Session, caller: Caller, programme_id: UUID) -> KudosProgramme:
    """Find a programme, alone, that the caller may keep; any other does not exist."""
    visible = giving_queries.programmes_visible(
        caller.units_with(CAMPAIGNS), before=None, limit=1
    ).where(KudosProgramme.id == programme_id)
    programme = session.scalar(giving_queries.programme_locked(programme_id))
    if programme is None or session.scalar(visible) is None:
        raise NotFound
    return programme


def _programmes(session: Session, caller: Caller) -> dict[str, KudosProgramme]:
    """Find the caller's programme of each unit: the one of the closest unit above them."""
    found: dict[str, KudosProgramme] = {}
    for programme in session.scalars(giving_queries.programmes_for(caller.unit_ids)):
        found.setdefault(programme.unit, programme)
    return found


def _allowance_budget(
    session: Session,
    caller: Caller,
    programme: KudosProgramme,
    today: date,
    total_minor: int,
    now: datetime,
) -> Budget:
    """Find the caller's budget of this month, alone; open it out of the programme's when they first give."""
    first, last = month_of(today)
    key = f"redpackets.allowance:{programme.id}:{caller.person_id}:{first}"
    session.execute(_ONE_BY_ONE, {"key": key})
    place = (programme.tenant_id, programme.id, caller.person_id, first)
    allowance = session.get(KudosAllowance, place)
    if allowance is not None:
        return session.scalars(budget_locked(allowance.budget_id)).one()
    if total_minor > programme.allowance_minor:
        raise InsufficientBudget(
            available=programme.allowance_minor, requested=total_minor, unit=programme.unit
        )
    return _open_allowance(session, caller, programme, (first, last), now)


def _open_allowance(
    session: Session,
    caller: Caller,
    programme: KudosProgramme,
    month: tuple[date, date],
    now: datetime,
) -> Budget:
    parent_id = placing.budget_in_force(session, programme, now)
    parent = session.scalars(budget_locked(parent_id)).one()
    new = NewBudget(
        name=f"{programme.name} {month[0]:%Y-%m}",
        owner_id=caller.person_id,
        unit_id=parent.unit_id,
        unit=programme.unit,
        limit_minor=programme.allowance_minor,
        # What the parent's period leaves of the month.
        period_from=max(month[0], parent.period_from),
        period_to=min(month[1], parent.period_to),
        parent_id=parent.id,
        give_only=True,
    )
    budget = open_budget(session, new, actor_id=caller.person_id, now=now)
    session.add(
        KudosAllowance(
            tenant_id=programme.tenant_id,
            programme_id=programme.id,
            person_id=caller.person_id,
            month=month[0],
            budget_id=budget.id,
        )
    )
    session.flush()
    return budget


def _allowance(
    programme: KudosProgramme, budget: Budget | None, first: date, last: date
) -> dict[str, Any]:
    limit = budget.limit_minor if budget else programme.allowance_minor
    available = budget.available_minor if budget else limit
    return {
        "programme": {"id": programme.id, "name": programme.name},
        "unit": programme.unit,
        "allowance_minor": limit,
        "given_minor": limit - available,
        "available_minor": available,
        "period_from": first,
        "period_to": last,
    }


def _audit(
    session: Session, caller: Caller, verb: str, programme: KudosProgramme, now: datetime
) -> None:
    write_audit(
        session,
        actor_id=caller.person_id,
        action=f"redpackets.{verb}",
        subject=f"programme:{programme.id}",
        detail=f"{programme.allowance_minor} {programme.unit} a month, active {programme.active}",
        now=now,
    )
