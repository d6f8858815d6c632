"""Verbs of approval policies: a new version is a new row, and what was sent before keeps the one it was sent under."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.work import tenant_of
from app.people.services import require_company, write_audit
from redpackets import approval_queries
from redpackets.approval_models import Policy
from redpackets.bands import Band, BandAsked, band_for, thresholds_of, whole_bands
from redpackets.errors import BandsRefused
from redpackets.queries import ENTER_CLOSE

MANAGE = "redpackets.manage"
SEE_POLICIES = (
    MANAGE,
    "redpackets.send",
    "redpackets.approve",
    "redpackets.budgets",
    "redpackets.audit",
)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What the policy in force says about an amount: its version, and the band, if approval is needed at all."""

    version: int | None
    band: Band | None


def set_policy(
    session: Session, *, caller: Caller, asked: Sequence[BandAsked], now: datetime
) -> Policy:
    """Put a new version of the company's policy into force, as somebody who manages the whole company's packets."""
    require_company(session, caller, MANAGE)
    bands, errors = whole_bands(asked)
    if errors:
        raise BandsRefused(errors)
    session.execute(ENTER_CLOSE, {"packet_key": f"redpackets.policy:{caller.tenant_id}"})
    latest = session.scalar(approval_queries.active_policy())
    policy = Policy(
        tenant_id=tenant_of(session),
        version=latest.version + 1 if latest else 1,
        bands=[band.written() for band in bands],
        created_by_id=caller.person_id,
        created_at=now,
    )
    session.add(policy)
    session.flush()
    write_audit(
        session,
        actor_id=caller.person_id,
        action="redpackets.set_policy",
        subject=f"policy:{policy.version}",
        detail=f"{len(bands)} bands",
        now=now,
    )
    return policy


def rule_for(session: Session, *, unit: str, amount_minor: int) -> Rule:
    """Say what the policy in force asks for an amount; a company without a policy asks for nothing."""
    policy = session.scalar(approval_queries.active_policy())
    if policy is None:
        return Rule(version=None, band=None)
    band = band_for(bands_of(policy), unit=unit, amount_minor=amount_minor)
    return Rule(version=policy.version, band=band if band and band.approvals else None)


def thresholds_in_force(session: Session) -> dict[str, list[int]]:
    """List, by unit, the amounts above which the policy in force asks for (more) approval."""
    policy = session.scalar(approval_queries.active_policy())
    return thresholds_of(bands_of(policy)) if policy else {}


def bands_of(policy: Policy) -> list[Band]:
    """Read the bands of a policy as they were kept."""
    return [Band(**written) for written in policy.bands]


def described(policy: Policy, in_force: int) -> dict[str, Any]:
    """Say a version of the policy, and whether it is the one in force."""
    return {
        "version": policy.version,
        "active": policy.version == in_force,
        "bands": policy.bands,
        "created_by_id": policy.created_by_id,
        "created_at": policy.created_at,
    }
