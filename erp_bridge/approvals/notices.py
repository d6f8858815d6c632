"""News of approvals. A push shows on a locked screen: it names no document, no amount and nobody."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import Texts
from app.core.subscriptions import Handling
from app.delivery.notices import Notice, notify
from app.people.queries import scopes_of_persons
from erp_bridge.approvals.events import ApprovalCame, DecisionMoved

APPROVALS = "erp_bridge.approvals"
KIND_NAME = Texts("单据审批", "Documents to approve")
LOOK = Texts("打开查看", "Open the app to see it.")
CAME = Texts("有单据等待你审批", "A document waits for your approval")
NEWS = {
    "refused": Texts("你的审批未被 ERP 接受", "The ERP did not take your decision"),
    "unknown": Texts("你的审批结果待确认", "It is not yet known what became of your decision"),
}


def tell_approver(session: Session, fact: ApprovalCame, handling: Handling) -> None:
    """Tell the approver that a document waits; what had been waiting for long is no news."""
    if not fact.is_found:
        # The same document may come again, after it was sent back: each coming is a happening of its own.
        source = f"{APPROVALS}.came:{fact.approval_id}:{handling.seq}"
        _notify(session, fact.approval_id, fact.person_id, CAME, source, handling)


def tell_decider(session: Session, fact: DecisionMoved, handling: Handling) -> None:
    """Tell who decided when it did not come to what they decided; they have put the phone away by then."""
    title = NEWS.get(fact.state)
    if title is not None:
        source = f"{APPROVALS}.{fact.state}:{fact.decision_id}"
        _notify(session, fact.approval_id, fact.person_id, title, source, handling)


def _notify(
    session: Session,
    approval_id: UUID,
    person_id: UUID,
    title: Texts,
    source: str,
    handling: Handling,
) -> None:
    notice = Notice(
        kind=APPROVALS,
        texts=(title, LOOK),
        link=f"/approvals/{approval_id}",
        scope_ids=[row.id for row in session.execute(scopes_of_persons([person_id]))],
        collapse_key=f"erp-approval:{approval_id}",
        source=source,
    )
    notify(session, notice, seq=handling.seq, now=handling.now)
