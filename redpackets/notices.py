"""News of red packets. A push shows on a locked screen: it names no amount, no sender and no reason."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import Texts
from app.core.subscriptions import Handling
from app.delivery.notices import Notice, notify
from redpackets.events import (
    ApprovalDecided,
    ApprovalRequested,
    BudgetChanged,
    PacketOpened,
    RightLent,
)

PACKET_OPENED = "redpackets.packet_opened"
KIND_NAME = Texts("红包", "Red packets")
TITLE = Texts("你有一个红包", "A red packet for you")
BODY = Texts("打开看看", "Open the app to take your share.")
APPROVAL = "redpackets.approval"
APPROVAL_NAME = Texts("红包审批", "Approval of red packets")
BUDGET = "redpackets.budget"
BUDGET_NAME = Texts("红包预算", "Reward budgets")
LOOK = Texts("打开查看", "Open the app to see it.")
OUTCOMES = {
    "approve": Texts("你的红包已获批准", "Your red packet was approved"),
    "reject": Texts("你的红包未获批准", "Your red packet was not approved"),
}


def tell_audience(session: Session, fact: PacketOpened, handling: Handling) -> None:
    """Tell the audience that a packet is open."""
    notice = Notice(
        kind=PACKET_OPENED,
        texts=(TITLE, BODY),
        link=f"/red-packets/{fact.packet_id}",
        scope_ids=fact.scope_ids,
        collapse_key=f"red-packet:{fact.packet_id}",
        source=f"{PACKET_OPENED}:{fact.packet_id}" + (f":{fact.part}" if fact.part else ""),
        except_person_id=fact.sender_id,
    )
    notify(session, notice, seq=handling.seq, now=handling.now)


def tell_approvers(session: Session, fact: ApprovalRequested, handling: Handling) -> None:
    """Tell those who may approve that a packet waits for them."""
    title = Texts("有红包等待审批", "A red packet waits for approval")
    key = f"{APPROVAL}:requested:{fact.packet_id}"
    notice = _approval(title, f"/red-packets/{fact.packet_id}", fact.scope_ids, key)
    notify(session, notice, seq=handling.seq, now=handling.now)


def tell_sender(session: Session, fact: ApprovalDecided, handling: Handling) -> None:
    """Tell the sender how the approval ended; one approval of several is no news yet."""
    if fact.state != "pending_approval":
        key = f"{APPROVAL}:decided:{fact.packet_id}"
        link = f"/red-packets/{fact.packet_id}"
        notice = _approval(OUTCOMES[fact.decision], link, fact.sender_scope_ids, key)
        notify(session, notice, seq=handling.seq, now=handling.now)


def tell_delegate(session: Session, fact: RightLent, handling: Handling) -> None:
    """Tell a person that they may approve in somebody's stead."""
    if not fact.revoked:
        title = Texts("有人委托你审批红包", "You may approve red packets for a colleague")
        key = f"{APPROVAL}:lent:{fact.delegation_id}"
        notice = _approval(title, "/red-packet-approvals", fact.scope_ids, key)
        notify(session, notice, seq=handling.seq, now=handling.now)


def tell_owners(session: Session, fact: BudgetChanged, handling: Handling) -> None:
    """Tell a budget's owner that it was closed; smaller changes are seen in the list."""
    if fact.closed:
        notice = Notice(
            kind=BUDGET,
            texts=(Texts("一项预算已关闭", "A budget was closed"), LOOK),
            link=f"/budgets/{fact.budget_id}",
            scope_ids=fact.scope_ids,
            collapse_key=f"{BUDGET}:{fact.budget_id}",
            # What is refunded later closes nothing again.
            source=f"{BUDGET}:closed:{fact.budget_id}",
        )
        notify(session, notice, seq=handling.seq, now=handling.now)


def _approval(title: Texts, link: str, scope_ids: tuple[UUID, ...], key: str) -> Notice:
    return Notice(
        kind=APPROVAL,
        texts=(title, LOOK),
        link=link,
        scope_ids=scope_ids,
        collapse_key=key,
        source=key,
    )
