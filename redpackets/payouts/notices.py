"""News of payouts, for those who pay out."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.core.errors import Texts
from app.core.subscriptions import Handling
from app.core.work import tenant_of
from app.delivery.notices import Notice, notify
from app.people.queries import scopes_of_persons
from redpackets.payouts.events import AccountNamed, PayoutPrepared
from redpackets.payouts.models import PayoutBatch
from redpackets.payouts.settling import scopes_of_payers

PAYOUTS = "redpackets.payouts"
KIND_NAME = Texts("发放", "Payouts")
ACCOUNT = "redpackets.payee_account"
ACCOUNT_NAME = Texts("收款账户变更", "Changes of where I am paid")
CHANGED = (
    Texts("你的收款账户已变更", "Where you are paid was changed"),
    Texts("若非本人操作，请立即联系管理员", "If it was not you, tell your administrator at once."),
)
PREPARED = (
    Texts("有一笔发放等待放行", "A payout waits to be released"),
    Texts("请核对后放行或退回", "Please check it, then release or reject it."),
)
AGED = (
    Texts("有一笔发放长时间未完成", "A payout is not settled for long"),
    Texts("资金仍在途，请跟进结果", "Its money is still in flight; please see what became of it."),
)


def tell_releasers(session: Session, fact: PayoutPrepared, handling: Handling) -> None:
    """Tell those who may release a payout that one waits."""
    batch = session.get_one(PayoutBatch, (tenant_of(session), fact.payout_id))
    notice = Notice(
        kind=PAYOUTS,
        texts=PREPARED,
        link=f"/payouts/{fact.payout_id}",
        scope_ids=scopes_of_payers(session, batch),
        collapse_key=f"payout:{fact.payout_id}",
        source=f"{PAYOUTS}.prepared:{fact.payout_id}",
        except_person_id=fact.created_by,
    )
    notify(session, notice, seq=handling.seq, now=handling.now)


def tell_payee(session: Session, fact: AccountNamed, handling: Handling) -> None:
    """Tell a person that where they are paid was changed, on every phone of theirs."""
    notice = Notice(
        kind=ACCOUNT,
        texts=CHANGED,
        link="/wallet",
        scope_ids=[row.id for row in session.execute(scopes_of_persons([fact.person_id]))],
        collapse_key=f"{ACCOUNT}:{fact.rail}",
        source=f"{ACCOUNT}:{fact.change_id}",
    )
    notify(session, notice, seq=handling.seq, now=handling.now)


def tell_payers_of_aged(session: Session, batch: PayoutBatch, *, now: datetime) -> None:
    """Tell who pays out at its unit that a payout's money is in flight for too long; once a day."""
    notice = Notice(
        kind=PAYOUTS,
        texts=AGED,
        link=f"/payouts/{batch.id}",
        scope_ids=scopes_of_payers(session, batch),
        collapse_key=f"payout:{batch.id}",
        source=f"{PAYOUTS}.aged:{batch.id}:{now.date()}",
    )
    notify(session, notice, seq=None, now=now)
