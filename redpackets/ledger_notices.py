"""News of the ledger, for auditors."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.core.errors import Texts
from app.delivery.notices import HIGH, Notice, notify
from app.people.queries import scopes_of_holders, units_above

LEDGER_BROKEN = "redpackets.ledger_broken"
KIND_NAME = Texts("账本核验", "Proof of the ledger")
TITLE = Texts("账本核验未通过", "The ledger does not hold")
BODY = Texts("请立即查看核验结果", "Please look at what was found.")


def tell_auditors(session: Session, *, now: datetime) -> None:
    """Tell the auditors of the whole company that the nightly proof failed; once a day, whatever the hour."""
    notice = Notice(
        kind=LEDGER_BROKEN,
        texts=(TITLE, BODY),
        link="/ledger",
        scope_ids=list(session.scalars(scopes_of_holders("redpackets.audit", units_above(None)))),
        collapse_key=LEDGER_BROKEN,
        source=f"{LEDGER_BROKEN}:{now.date()}",
        urgency=HIGH,
    )
    notify(session, notice, seq=None, now=now)
