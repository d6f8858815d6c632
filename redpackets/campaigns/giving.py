"""Rains and grants: one decision, several packets, all of their money held before anybody hears of the first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import NotFound
from app.core.ids import new_id
from app.people.audiences import AudienceScope
from app.people.models import OrgUnit
from app.people.services import require_at, write_audit
from redpackets import stopping
from redpackets.addressing import scopes_addressed
from redpackets.budgets import require_spendable
from redpackets.campaigns import giving_queries, placing
from redpackets.campaigns.errors import WavesRefused
from redpackets.campaigns.models import Campaign
from redpackets.campaigns.rules import seed_of
from redpackets.errors import (
    AlreadyClaimed,
    InsufficientBudget,
    PacketCancelled,
    PacketExpired,
    UnitMismatch,
)
from redpackets.models import Budget
from redpackets.sending import KEPT_OPEN_MAX, SEND, NewPacket, place_packet

RAIN, GRANT = "rain", "grant"
WAVE_COUNT_MAX = 50
GRANT_RECEIVERS_MAX = 5_000
OVERSEES = "redpackets.manage"


@dataclass(frozen=True, kw_only=True)
class Wave:
    """One packet of a rain: when it opens, how much, in how many shares."""

    opens_at: datetime
    total_minor: int
    count: int


@dataclass(frozen=True, kw_only=True)
class Gift:
    """What rains and grants have in common: from which budget, on whose behalf, what for."""

    budget_id: UUID
    on_behalf_of_id: UUID
    unit: str
    purpose_category: str
    purpose_text: str
    purpose_evidence: str
    tax_class: str
    greeting: str


@dataclass(frozen=True, kw_only=True)
class NewRain:
    """A rain to let fall: its waves, for whom, how many shares each may take, how long a wave stays open."""

    gift: Gift
    waves: list[Wave]
    audience: list[AudienceScope]
    cap_count: int | None
    kept_open: timedelta
    cover: str


@dataclass(frozen=True, kw_only=True)
class NewGrant:
    """Points or benefits for named people: (person, amount), credited at once."""

    gift: Gift
    receivers: list[tuple[UUID, int]]


def make_rain(
    session: Session, *, caller: Caller, new: NewRain, seed: bytes, now: datetime
) -> Campaign:
    """Hold the money of all waves and schedule them; all or none."""
    if len({wave.opens_at for wave in new.waves}) != len(new.waves):
        raise WavesRefused({"waves": "repeated"})
    require_principal(session, caller, new.gift)
    scope_ids = scopes_addressed(session, caller, new.audience, SEND)
    total = sum(wave.total_minor for wave in new.waves)
    budget = _payable(session, caller, new.gift, total)
    rain = _open(session, caller, RAIN, new.gift, total, new.cap_count, now)
    for position, wave in enumerate(sorted(new.waves, key=lambda wave: wave.opens_at)):
        packet = _packet(rain, new.gift) | {
            "total_minor": wave.total_minor,
            "share_count": wave.count,
            "audience": new.audience,
            "opens_at": wave.opens_at,
            "expires_at": max(wave.opens_at, now) + new.kept_open,
            "origin_cap_count": new.cap_count,
            "cover": new.cover,
            "split": "double_mean",
        }
        place_packet(
            session,
            sender=placing.sender_of(caller),
            budget=budget,
            new=NewPacket(**packet),
            scope_ids=scope_ids,
            seed=seed_of(seed, UUID(int=position)),
            now=now,
        )
    return rain


def make_grant(
    session: Session, *, caller: Caller, new: NewGrant, seed: bytes, now: datetime
) -> Campaign:
    """Give named people their amounts at once; all or none."""
    placing.check_receivers(session, [id_ for id_, _ in new.receivers], "receivers.{}.person_id")
    require_principal(session, caller, new.gift)
    total = sum(amount for _, amount in new.receivers)
    budget = _payable(session, caller, new.gift, total)
    grant = _open(session, caller, GRANT, new.gift, total, None, now)
    for position, receivers in enumerate(_parts(new.receivers)):
        ids = [person_id for person_id, _ in receivers]
        packet = _packet(grant, new.gift) | {
            "total_minor": sum(amount for _, amount in receivers),
            "share_count": len(receivers),
            "audience": placing.picked_persons(ids),
            "opens_at": None,
            # Credited as it opens: this is how long it may wait for approval.
            "expires_at": now + KEPT_OPEN_MAX,
            "receivers": receivers,
        }
        place_packet(
            session,
            sender=placing.sender_of(caller),
            budget=budget,
            new=NewPacket(**packet),
            scope_ids=placing.personal_scopes(session, ids),
            seed=seed_of(seed, UUID(int=position)),
            now=now,
        )
    return grant


def cancel_rain(session: Session, *, caller: Caller, rain_id: UUID, now: datetime) -> Campaign:
    """Withdraw the waves that have not opened; their money goes back, what fell stays fallen."""
    rain = campaign_seen(session, caller, RAIN, rain_id)
    for packet_id in session.scalars(giving_queries.waves_to_come(origin_of(rain))).all():
        try:
            with session.begin_nested():
                stopping.cancel_packet(session, caller=caller, packet_id=packet_id, now=now)
        except (AlreadyClaimed, PacketCancelled, PacketExpired):
            # It opened, or ended, while we came to it.
            continue
    rain.cancelled_at = rain.cancelled_at or now
    session.flush()
    _audit(session, caller, "cancel_rain", rain, now)
    return rain


def campaign_seen(session: Session, caller: Caller, kind: str, campaign_id: UUID) -> Campaign:
    """Find a rain or grant that the caller gave or oversees; any other does not exist."""
    campaign = session.scalar(giving_queries.campaign_locked(campaign_id, kind))
    visible = giving_queries.campaigns_visible(
        kind, caller.person_id, caller.units_with(OVERSEES), before=None, limit=1
    ).where(Campaign.id == campaign_id)
    if campaign is None or session.scalar(visible) is None:
        raise NotFound
    return campaign


def describe_campaign(session: Session, campaign: Campaign, now: datetime) -> dict[str, Any]:
    """Say how a rain or grant stands, packet by packet."""
    session.flush()
    rows = session.execute(giving_queries.packets_of(origin_of(campaign))).all()
    packets = [
        {
            "packet_id": row.Packet.id,
            "opens_at": row.Packet.opens_at,
            "expires_at": row.Packet.expires_at,
            "total_minor": row.Packet.total_minor,
            "count": row.Packet.share_count,
            "state": row.Packet.state,
            "remaining": row.free,
            "claimed": row.claimed,
            "claimed_minor": row.claimed_minor,
        }
        for row in rows
    ]
    return {
        "id": campaign.id,
        "budget_id": campaign.budget_id,
        "on_behalf_of": campaign.on_behalf_of_id,
        "unit": campaign.unit,
        "total_minor": campaign.total_minor,
        "claimed_minor": sum(packet["claimed_minor"] for packet in packets),
        "receivers": sum(packet["count"] for packet in packets),
        "purpose": {"category": campaign.purpose_category, "text": campaign.purpose_text},
        "cap_count": campaign.cap_count,
        "created_at": campaign.created_at,
        "cancelled_at": campaign.cancelled_at,
        "waves": packets,
    }


def origin_of(campaign: Campaign) -> str:
    """Name a campaign as its packets name it."""
    return f"campaign:{campaign.id}"


def require_principal(session: Session, caller: Caller, gift: Gift) -> None:
    """Refuse a unit that is not there, or that the caller may not give for."""
    if session.get(OrgUnit, (caller.tenant_id, gift.on_behalf_of_id)) is None:
        raise NotFound
    require_at(session, caller, SEND, gift.on_behalf_of_id)


def _payable(session: Session, caller: Caller, gift: Gift, total_minor: int) -> Budget:
    """Lock the budget, and say before the first packet whether it has enough for all."""
    budget = require_spendable(session, caller, gift.budget_id)
    if budget.unit != gift.unit:
        raise UnitMismatch
    if budget.available_minor < total_minor:
        raise InsufficientBudget(
            available=budget.available_minor, requested=total_minor, unit=budget.unit
        )
    return budget


def _open(
    session: Session,
    caller: Caller,
    kind: str,
    gift: Gift,
    total_minor: int,
    cap_count: int | None,
    now: datetime,
) -> Campaign:
    campaign = Campaign(
        tenant_id=caller.tenant_id,
        id=new_id(),
        kind=kind,
        actor_id=caller.person_id,
        budget_id=gift.budget_id,
        on_behalf_of_id=gift.on_behalf_of_id,
        unit=gift.unit,
        total_minor=total_minor,
        purpose_category=gift.purpose_category,
        purpose_text=gift.purpose_text,
        cap_count=cap_count,
        created_at=now,
    )
    session.add(campaign)
    session.flush()
    _audit(session, caller, f"make_{kind}", campaign, now)
    return campaign


def _packet(campaign: Campaign, gift: Gift) -> dict[str, Any]:
    """Write what all packets of a campaign share."""
    return vars(gift) | {
        "kind": campaign.kind,
        "min_minor": None,
        "max_minor": None,
        "origin": origin_of(campaign),
        "decided_minor": campaign.total_minor,
    }


def _parts(receivers: list[tuple[UUID, int]]) -> Iterator[tuple[tuple[UUID, int], ...]]:
    for start in range(0, len(receivers), placing.RECEIVERS_EACH_MAX):
        yield tuple(receivers[start : start + placing.RECEIVERS_EACH_MAX])


def _audit(session: Session, caller: Caller, verb: str, campaign: Campaign, now: datetime) -> None:
    write_audit(
        session,
        actor_id=caller.person_id,
        action=f"redpackets.{verb}",
        subject=f"campaign:{campaign.id}",
        detail=f"{campaign.total_minor} {campaign.unit}, {campaign.purpose_text}",
        now=now,
    )
