"""Sending a packet: what is checked, in which order, and how its money is held from the first moment on."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import NotFound
from app.core.ids import new_id
from app.people.audiences import AudienceScope
from app.people.models import OrgUnit
from app.people.services import require_at, write_audit
from redpackets import ledger, lifecycle
from redpackets.addressing import scopes_addressed, scopes_of_receivers
from redpackets.approving import request_approval
from redpackets.budgets import require_spendable
from redpackets.errors import (
    CannotSplit,
    GiveOnly,
    InsufficientBudget,
    PeriodClosed,
    TimesRefused,
    UnitMismatch,
)
from redpackets.fairness import commitment_of
from redpackets.models import KEPT_OPEN_DAYS_MAX, Budget, Packet, PacketScope
from redpackets.policies import rule_for
from redpackets.rules import SPLIT_OF_KIND, Cut, cut_shares

SEND = "redpackets.send"
OPENS_LATE_MAX = timedelta(minutes=5)
OPENS_AHEAD_MAX = timedelta(days=366)
#: What a give-only allowance pays.
GIVEN_KINDS = ("kudos",)
KEPT_OPEN = timedelta(hours=24)
KEPT_OPEN_MAX = timedelta(days=KEPT_OPEN_DAYS_MAX)
#: What is asked for and written otherwise than as it was asked.
_NOT_KEPT = ("receivers", "split", "decided_minor")

_INSERT_SHARES = text("""
    INSERT INTO redpackets_share (tenant_id, packet_id, index, amount_minor, state, receiver_id)
    SELECT :tenant_id, :packet_id, place - 1, amount, 'free', receiver_id
      FROM unnest(CAST(:amounts AS bigint[]), CAST(:receivers AS uuid[]))
           WITH ORDINALITY AS cut (amount, receiver_id, place)
""")


@dataclass(frozen=True, kw_only=True)
class NewPacket:
    """A packet to send: how much in how many shares, from which budget, on whose behalf, to whom and why.

    ``receivers``: (person, amount) where each has a share of their own; empty where whoever comes takes one.
    """

    kind: str
    unit: str
    total_minor: int
    share_count: int
    min_minor: int | None
    max_minor: int | None
    budget_id: UUID
    on_behalf_of_id: UUID
    audience: list[AudienceScope]
    purpose_category: str
    purpose_text: str
    purpose_evidence: str
    tax_class: str
    greeting: str
    opens_at: datetime | None
    expires_at: datetime | None
    cover: str = ""
    shows_claims: bool = False
    origin: str = ""
    origin_cap_count: int | None = None
    receivers: tuple[tuple[UUID, int], ...] = ()
    #: How it is cut, where the kind does not say.
    split: str | None = None
    #: How much the same decision gives in all, where it gives in several packets: what approval is about.
    decided_minor: int = 0


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Who answers for a packet: a person who pressed the button, or the owner of the rule that fired."""

    tenant_id: UUID
    person_id: UUID
    time_zone: str


def send_packet(
    session: Session, *, caller: Caller, new: NewPacket, seed: bytes, now: datetime
) -> Packet:
    """Cut an amount of a budget into shares for an audience, hold it, and open it now or at its time."""
    _times(new, now)
    _cut_of(new)
    if session.get(OrgUnit, (caller.tenant_id, new.on_behalf_of_id)) is None:
        raise NotFound
    require_at(session, caller, SEND, new.on_behalf_of_id)
    if new.receivers:
        scope_ids = scopes_of_receivers(session, [person_id for person_id, _ in new.receivers])
    else:
        scope_ids = scopes_addressed(session, caller, new.audience, SEND)
    budget = require_spendable(session, caller, new.budget_id)
    sender = Sender(
        tenant_id=caller.tenant_id, person_id=caller.person_id, time_zone=caller.time_zone
    )
    return place_packet(
        session, sender=sender, budget=budget, new=new, scope_ids=scope_ids, seed=seed, now=now
    )


def place_packet(
    session: Session,
    *,
    sender: Sender,
    budget: Budget,
    new: NewPacket,
    scope_ids: list[UUID],
    seed: bytes,
    now: datetime,
) -> Packet:
    """Make a packet whose sender may send it: the budget is locked, the audience is known.

    What the policy in force wants approved waits for that; its money is held from now on all the same.
    """
    opens_at, expires_at = _times(new, now)
    cut = _cut_of(new)
    _require_kind(budget, new)
    _require_period(sender, budget, now, opens_at)
    _require_funds(budget, cut.total_minor)
    decided_minor = max(cut.total_minor, new.decided_minor)
    rule = rule_for(session, unit=new.unit, amount_minor=decided_minor)
    asked = {name: value for name, value in vars(new).items() if name not in _NOT_KEPT}
    packet = Packet(
        tenant_id=sender.tenant_id,
        id=new_id(),
        actor_id=sender.person_id,
        cost_centre_id=budget.unit_id,
        split=_split_of(new),
        seed=seed,
        state="pending_approval" if rule.band else "scheduled",
        policy_version=rule.version,
        told_remaining=cut.share_count,
        created_at=now,
        **asked
        | {"opens_at": opens_at, "expires_at": expires_at}
        | vars(cut)
        | {"audience": [_written(scope) for scope in new.audience]},
    )
    _store(session, packet, scope_ids, _shares_of(new, cut, packet))
    _hold(session, budget, packet, now)
    if rule.band:
        request_approval(session, packet, rule.band, now)
    lifecycle.open_if_due(session, packet_id=packet.id, now=now)
    session.refresh(packet)
    lifecycle.plan_ahead(session, packet)
    return packet


def _split_of(new: NewPacket) -> str:
    return "named" if new.receivers else new.split or SPLIT_OF_KIND.get(new.kind, "even")


def _shares_of(new: NewPacket, cut: Cut, packet: Packet) -> list[tuple[int, UUID | None]]:
    """List the shares by index: how much, and for whom where receivers are named."""
    if new.receivers:
        return [(amount, person_id) for person_id, amount in new.receivers]
    return [(amount, None) for amount in cut_shares(cut, packet.split, packet.seed)]


def _times(new: NewPacket, now: datetime) -> tuple[datetime, datetime]:
    """Fill in and check when the packet opens and expires."""
    asked = new.opens_at or now
    if asked < now - OPENS_LATE_MAX:
        raise TimesRefused({"opens_at": "time_in_past"})
    if asked > now + OPENS_AHEAD_MAX:
        raise TimesRefused({"opens_at": "time_too_far"})
    opens_at = max(asked, now)
    expires_at = new.expires_at or opens_at + KEPT_OPEN
    if expires_at <= opens_at:
        raise TimesRefused({"expires_at": "time_order"})
    if expires_at > opens_at + KEPT_OPEN_MAX:
        raise TimesRefused({"expires_at": "time_too_far"})
    return opens_at, expires_at


def _cut_of(new: NewPacket) -> Cut:
    """Fill in the bounds: equal shares differ by the indivisible rest at most, lucky ones by anything."""
    least, most = 1, new.total_minor
    if new.receivers:
        amounts = [amount for _, amount in new.receivers]
        return Cut(
            total_minor=sum(amounts),
            share_count=len(amounts),
            min_minor=min(amounts),
            max_minor=max(amounts),
        )
    if _split_of(new) == "even":
        least = new.total_minor // new.share_count
        most = -(-new.total_minor // new.share_count)
        if least < (new.min_minor or 1) or most > (new.max_minor or most):
            raise CannotSplit
        return Cut(
            total_minor=new.total_minor,
            share_count=new.share_count,
            min_minor=least,
            max_minor=most,
        )
    cut = Cut(
        total_minor=new.total_minor,
        share_count=new.share_count,
        min_minor=new.min_minor or least,
        max_minor=new.max_minor or most,
    )
    if not cut.is_possible():
        raise CannotSplit("min_minor" if cut.min_minor > cut.max_minor else "total_minor")
    return cut


def _require_kind(budget: Budget, new: NewPacket) -> None:
    if budget.unit != new.unit:
        raise UnitMismatch
    if budget.give_only and new.kind not in GIVEN_KINDS:
        raise GiveOnly


def _require_period(sender: Sender, budget: Budget, *moments: datetime) -> None:
    """A budget pays within its period: today, and on the day the packet opens."""
    zone = ZoneInfo(sender.time_zone)
    days = [moment.astimezone(zone).date() for moment in moments]
    if budget.closed_at is not None or not all(map(budget.covers, days)):
        raise PeriodClosed(period_from=budget.period_from, period_to=budget.period_to)


def _require_funds(budget: Budget, total_minor: int) -> None:
    if budget.available_minor < total_minor:
        raise InsufficientBudget(
            available=budget.available_minor, requested=total_minor, unit=budget.unit
        )


def _store(
    session: Session, packet: Packet, scope_ids: list[UUID], shares: list[tuple[int, UUID | None]]
) -> None:
    packet.commitment = commitment_of(packet, [amount for amount, _ in shares])
    session.add(packet)
    session.flush()
    place = {"tenant_id": packet.tenant_id, "packet_id": packet.id}
    session.execute(insert(PacketScope), [place | {"scope_id": id_} for id_ in scope_ids])
    amounts, receivers = zip(*shares, strict=True)
    session.execute(
        _INSERT_SHARES, place | {"amounts": list(amounts), "receivers": list(receivers)}
    )


def _hold(session: Session, budget: Budget, packet: Packet, now: datetime) -> None:
    """Move the packet's total from the budget into its escrow."""
    budget.held_minor += packet.total_minor
    ledger.open_escrow_account(session, packet)
    ledger.post(
        session,
        kind="fund",
        debit=budget.id,
        credit=packet.id,
        amount_minor=packet.total_minor,
        unit=packet.unit,
        reference=f"fund:{packet.id}",
        now=now,
    )
    write_audit(
        session,
        actor_id=packet.actor_id,
        action="redpackets.send_packet",
        subject=f"packet:{packet.id}",
        detail=f"{packet.total_minor} {packet.unit} in {packet.share_count}, {packet.purpose_text}",
        now=now,
    )


def _written(scope: AudienceScope) -> dict[str, str | bool | None]:
    """Write a pick of the audience as it is kept."""
    return {
        "kind": scope.kind,
        "id": str(scope.id) if scope.id else None,
        "role": scope.role,
        "include_below": scope.include_below,
    }
