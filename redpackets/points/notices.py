"""News of points. A push shows on a locked screen: it names no number, no item and no reason."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import Texts
from app.core.subscriptions import Handling
from app.delivery.notices import SCOPE_COUNT_MAX, Notice, notify
from app.people.queries import scopes_of_holders, units_above
from redpackets.points.catalogue import CATALOGUE
from redpackets.points.events import PointsExpiring, RedemptionAsked, RedemptionChanged

EXPIRING = "redpackets.points_expiring"
TO_HANDLE = "redpackets.redemption_to_handle"
REDEMPTION = "redpackets.redemption"
KINDS = {
    EXPIRING: Texts("积分到期提醒", "Points that expire"),
    TO_HANDLE: Texts("待处理的兑换", "Redemptions to handle"),
    REDEMPTION: Texts("我的兑换", "My redemptions"),
}
_LOOK = Texts("打开看看", "Open the app to see more.")
_EXPIRING = Texts("你有积分即将过期", "Some of your points expire soon")
_TO_HANDLE = Texts("有新的兑换待处理", "A redemption waits for you")
_AGED = Texts("有兑换长时间未处理", "Redemptions have waited for days")
_CHANGED = {
    "approved": Texts("你的兑换已通过", "Your redemption was approved"),
    "declined": Texts(
        "你的兑换未通过，积分已退回", "Your redemption was declined; the points are back"
    ),
    "fulfilled": Texts("你的兑换已发放", "Your redemption was fulfilled"),
}


def tell_expiring(session: Session, fact: PointsExpiring, handling: Handling) -> None:
    """Tell people that points of theirs expire soon."""
    notice = Notice(
        kind=EXPIRING,
        texts=(_EXPIRING, _LOOK),
        link="/points",
        scope_ids=fact.scope_ids,
        collapse_key="points-expiring",
        source=f"{EXPIRING}:{fact.until}:{min(fact.scope_ids)}",
    )
    notify(session, notice, seq=handling.seq, now=handling.now)


def tell_keepers(session: Session, fact: RedemptionAsked, handling: Handling) -> None:
    """Tell whoever keeps the item's catalogue that there is something to do."""
    keepers = scopes_of_holders(CATALOGUE, units_above(fact.unit_id)).limit(SCOPE_COUNT_MAX)
    notice = Notice(
        kind=TO_HANDLE,
        texts=(_TO_HANDLE, _LOOK),
        link=f"/redemptions/{fact.redemption_id}",
        scope_ids=list(session.scalars(keepers)),
        collapse_key="redemptions-to-handle",
        source=f"{TO_HANDLE}:{fact.redemption_id}",
        except_person_id=fact.person_id,
    )
    notify(session, notice, seq=handling.seq, now=handling.now)


def tell_keepers_of_aged(session: Session, unit_id: UUID | None, *, now: datetime) -> None:
    """Tell whoever keeps a unit's catalogue that redemptions wait for too long; once a day."""
    keepers = scopes_of_holders(CATALOGUE, units_above(unit_id)).limit(SCOPE_COUNT_MAX)
    notice = Notice(
        kind=TO_HANDLE,
        texts=(_AGED, _LOOK),
        link="/redemptions",
        scope_ids=list(session.scalars(keepers)),
        collapse_key="redemptions-to-handle",
        source=f"{TO_HANDLE}.aged:{unit_id}:{now.date()}",
    )
    notify(session, notice, seq=None, now=now)


def tell_person(session: Session, fact: RedemptionChanged, handling: Handling) -> None:
    """Tell a person what others decided about a redemption of theirs."""
    title = _CHANGED.get(fact.state)
    if title is None or fact.by_id == fact.person_id:
        return
    notice = Notice(
        kind=REDEMPTION,
        texts=(title, _LOOK),
        link=f"/redemptions/{fact.redemption_id}",
        scope_ids=fact.scope_ids,
        collapse_key=f"redemption:{fact.redemption_id}",
        source=f"{REDEMPTION}:{fact.redemption_id}:{fact.state}",
    )
    notify(session, notice, seq=handling.seq, now=handling.now)
