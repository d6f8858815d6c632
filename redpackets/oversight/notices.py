"""News of oversight. A push shows on a locked screen: it says that there is something to look at, and no more."""

from sqlalchemy.orm import Session

from app.core.errors import Texts
from app.core.subscriptions import Handling
from app.delivery.notices import Notice, notify
from redpackets.oversight.events import PatternFlagged

FLAGGED = "redpackets.pattern_flagged"
KIND_NAME = Texts("红包审计预警", "Red packet audit flags")
TITLE = Texts("有新的红包预警待查看", "A pattern in red packets waits for you")
BODY = Texts("打开看看", "Open the app to see more.")


def tell_auditors(session: Session, fact: PatternFlagged, handling: Handling) -> None:
    """Tell the auditors whom it is not about that a pattern was flagged."""
    if not fact.scope_ids:
        return
    notice = Notice(
        kind=FLAGGED,
        texts=(TITLE, BODY),
        link=f"/oversight/flags/{fact.flag_id}",
        scope_ids=fact.scope_ids,
        collapse_key="redpackets-flags",
        source=f"{FLAGGED}:{fact.flag_id}",
    )
    notify(session, notice, seq=handling.seq, now=handling.now)
