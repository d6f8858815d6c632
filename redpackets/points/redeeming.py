"""Verbs of redemptions: reserve → approve → fulfil, or decline and withdraw, which give everything back.

The order of locks is always redemption, item, account.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import InvalidFields, NotAllowed, NotFound
from app.core.events import SCOPE_COUNT_MAX, record
from app.core.ids import new_id
from app.people.queries import scopes_of_holders, scopes_of_persons, units_above
from app.people.services import write_audit
from redpackets import ledger
from redpackets.models import FundAccount
from redpackets.points import queries
from redpackets.points.catalogue import CATALOGUE, may_keep
from redpackets.points.errors import (
    InsufficientPoints,
    LimitReached,
    NotOnOffer,
    OutOfStock,
    OwnRedemption,
    PriceChanged,
    RedemptionState,
)
from redpackets.points.events import RedemptionAsked, RedemptionChanged
from redpackets.points.expiring import expire_now
from redpackets.points.models import OPEN_STATES, CatalogueItem, Redemption
from redpackets.rules import POINT


def redeem(
    session: Session,
    *,
    caller: Caller,
    item_id: UUID,
    quantity: int,
    price_points: int,
    now: datetime,
) -> Redemption:
    """Reserve points for so many pieces of an item, at the price that the caller saw."""
    item = session.scalar(queries.item_locked(item_id))
    if item is None or not session.scalar(queries.is_offered_to(item_id, caller.unit_ids)):
        raise NotFound
    _require_on_offer(session, caller, item, quantity, price_points)
    account = _require_points(session, caller, quantity * item.price_points, now)
    if item.stock is not None:
        item.stock -= quantity
    redemption = Redemption(
        tenant_id=caller.tenant_id,
        id=new_id(),
        item_id=item.id,
        person_id=caller.person_id,
        quantity=quantity,
        price_points=item.price_points,
        points=quantity * item.price_points,
        tax_class=item.tax_class,
        cash_value_fen=quantity * item.cash_value_fen,
        state="reserved" if item.needs_approval else "approved",
        created_at=now,
    )
    session.add(redemption)
    session.flush()
    _post(session, "reserve_points", redemption, account.id, now)
    _tell(session, redemption, caller, item, now)
    asked = RedemptionAsked(
        redemption_id=redemption.id, person_id=caller.person_id, unit_id=item.unit_id
    )
    record(session, asked, ref=redemption.id)
    return redemption


def decide(
    session: Session,
    *,
    caller: Caller,
    redemption_id: UUID,
    decision: str,
    reason: str,
    now: datetime,
) -> Redemption:
    """Approve, decline or fulfil somebody else's redemption; saying the same again changes nothing."""
    redemption, item = _locked(session, redemption_id)
    if not may_keep(session, caller, item.unit_id):
        raise NotAllowed if redemption.person_id == caller.person_id else NotFound
    if redemption.person_id == caller.person_id:
        raise OwnRedemption
    _DECISIONS[decision](session, caller, redemption, item, reason, now)
    return redemption


def withdraw(session: Session, *, caller: Caller, redemption_id: UUID, now: datetime) -> Redemption:
    """Take one's own redemption back before it is fulfilled."""
    redemption, item = _locked(session, redemption_id)
    if redemption.person_id != caller.person_id:
        raise NotAllowed if may_keep(session, caller, item.unit_id) else NotFound
    if redemption.state == "withdrawn":
        return redemption
    _require_state(redemption, OPEN_STATES)
    _give_back(session, caller, redemption, item, "withdrawn", now)
    return redemption


def read_redemption(session: Session, *, caller: Caller, redemption_id: UUID) -> Row[Any]:
    """Find a redemption as it is shown to its person, and to whoever keeps the item; for others there is none."""
    row = session.execute(queries.redemption_shown(redemption_id)).one_or_none()
    if row is None:
        raise NotFound
    is_own = row.Redemption.person_id == caller.person_id
    if not is_own and not may_keep(session, caller, row.CatalogueItem.unit_id):
        raise NotFound
    return row


def worth_of(session: Session, redemption_ids: Sequence[UUID], /) -> dict[UUID, tuple[str, int]]:
    """Say what redemptions count for in the tax export: id → (tax class, fen of all pieces)."""
    found = session.execute(queries.worth_of(redemption_ids))
    return {row.id: (row.tax_class, row.cash_value_fen) for row in found}


def _require_on_offer(
    session: Session, caller: Caller, item: CatalogueItem, quantity: int, price_points: int
) -> None:
    if not item.active:
        raise NotOnOffer
    if price_points != item.price_points:
        raise PriceChanged(now=item.price_points)
    if item.stock is not None and item.stock < quantity:
        raise OutOfStock(available=item.stock)
    if item.per_person_limit is None:
        return
    taken = session.scalars(queries.taken_count(item.id, caller.person_id)).one()
    if taken + quantity > item.per_person_limit:
        raise LimitReached(limit=item.per_person_limit, taken=taken)


def _require_points(session: Session, caller: Caller, points: int, now: datetime) -> FundAccount:
    """Find the caller's account, alone, with enough on it; what has expired by now does not count."""
    account = session.scalar(queries.points_of(caller.person_id))
    if account is None:
        raise InsufficientPoints(available=0, requested=points)
    session.scalars(queries.accounts_locked([account.id])).one()
    expire_now(session, account_ids=[account.id], now=now)
    account = session.scalars(queries.points_of(caller.person_id)).one()
    assert account.balance_minor is not None
    if account.balance_minor < points:
        raise InsufficientPoints(available=account.balance_minor, requested=points)
    return account


def _locked(session: Session, redemption_id: UUID) -> tuple[Redemption, CatalogueItem]:
    redemption = session.scalar(queries.redemption_locked(redemption_id))
    if redemption is None:
        raise NotFound
    return redemption, session.scalars(queries.item_locked(redemption.item_id)).one()


def _approve(
    session: Session,
    caller: Caller,
    redemption: Redemption,
    item: CatalogueItem,
    reason: str,
    now: datetime,
) -> None:
    if redemption.state == "approved":
        return
    _require_state(redemption, ("reserved",))
    redemption.decided_by_id, redemption.decided_at = caller.person_id, now
    redemption.reason = reason
    _advance(session, caller, redemption, item, "approved", now)


def _decline(
    session: Session,
    caller: Caller,
    redemption: Redemption,
    item: CatalogueItem,
    reason: str,
    now: datetime,
) -> None:
    if redemption.state == "declined":
        return
    if not reason:
        raise InvalidFields({"reason": "required"})
    _require_state(redemption, OPEN_STATES)
    redemption.decided_by_id, redemption.decided_at = caller.person_id, now
    redemption.reason = reason
    _give_back(session, caller, redemption, item, "declined", now)


def _fulfil(
    session: Session,
    caller: Caller,
    redemption: Redemption,
    item: CatalogueItem,
    reason: str,
    now: datetime,
) -> None:
    if redemption.state == "fulfilled":
        return
    _require_state(redemption, ("approved",))
    treasury = ledger.company_account(session, "treasury", POINT)
    _post(session, "fulfil_points", redemption, treasury, now)
    redemption.fulfilled_by_id, redemption.fulfilled_at = caller.person_id, now
    _advance(session, caller, redemption, item, "fulfilled", now)


_DECISIONS: dict[str, Callable[..., None]] = {
    "approve": _approve,
    "decline": _decline,
    "fulfil": _fulfil,
}
DECISIONS = tuple(_DECISIONS)


def _require_state(redemption: Redemption, states: tuple[str, ...]) -> None:
    if redemption.state not in states:
        raise RedemptionState(state=redemption.state)


def _give_back(
    session: Session,
    caller: Caller,
    redemption: Redemption,
    item: CatalogueItem,
    state: str,
    now: datetime,
) -> None:
    account = session.scalars(queries.points_of(redemption.person_id)).one()
    if item.stock is not None:
        item.stock += redemption.quantity
    # The reference says whose will it was: points of a declined redemption get time to be spent otherwise.
    verb = "decline" if state == "declined" else "withdraw"
    _post(session, "release_points", redemption, account.id, now, reference=verb)
    _advance(session, caller, redemption, item, state, now)


def _advance(
    session: Session,
    caller: Caller,
    redemption: Redemption,
    item: CatalogueItem,
    state: str,
    now: datetime,
) -> None:
    redemption.state = state
    redemption.version += 1
    session.flush()
    _tell(session, redemption, caller, item, now)


def _post(
    session: Session,
    kind: str,
    redemption: Redemption,
    account_id: UUID,
    now: datetime,
    *,
    reference: str = "",
) -> None:
    """Move the redemption's points between the catalogue and an account; only a reservation comes in."""
    catalogue = ledger.company_account(session, "catalogue", POINT)
    comes_in = kind == "reserve_points"
    ledger.post(
        session,
        kind=kind,
        debit=account_id if comes_in else catalogue,
        credit=catalogue if comes_in else account_id,
        amount_minor=redemption.points,
        unit=POINT,
        reference=f"{reference or kind}:{redemption.id}",
        now=now,
    )


def _tell(
    session: Session, redemption: Redemption, caller: Caller, item: CatalogueItem, now: datetime
) -> None:
    """Write the act down, and tell the phones of the person and of whoever keeps the item."""
    write_audit(
        session,
        actor_id=caller.person_id,
        action=f"redpackets.redemption_{redemption.state}",
        subject=f"redemption:{redemption.id}",
        detail=f"{redemption.quantity} × {item.name_en}, {redemption.points} points; {redemption.reason}",
        now=now,
    )
    concerned = session.execute(scopes_of_persons([redemption.person_id]))
    scope_ids = tuple(row.id for row in concerned)
    fact = RedemptionChanged(
        redemption_id=redemption.id,
        person_id=redemption.person_id,
        state=redemption.state,
        points=redemption.points,
        by_id=caller.person_id,
        scope_ids=scope_ids,
    )
    keepers = scopes_of_holders(CATALOGUE, units_above(item.unit_id)).limit(
        SCOPE_COUNT_MAX - len(scope_ids)
    )
    heard_by = {*scope_ids, *session.scalars(keepers)}
    record(session, fact, ref=redemption.id, version=redemption.version, scope_ids=heard_by)
