"""News of the bridge, for those who manage the ERP."""

from sqlalchemy.orm import Session

from app.core.errors import Texts
from app.core.subscriptions import Handling
from app.delivery.notices import Notice, notify
from app.people.queries import scopes_of_holders
from erp_bridge.events import SourceTurned
from erp_bridge.operators import PERMISSION
from erp_bridge.rules import RED

KIND = "erp_bridge.freshness"
KIND_NAME = Texts("数据源状态", "State of the ERP's data")
_RED = (
    Texts("数据源已严重滞后", "An ERP's figures are far too old"),
    Texts("超过目标时效三倍，请检查连接", "Three times older than they may be; please look at it."),
)
_WELL = (
    Texts("数据源已恢复", "An ERP's figures are current again"),
    Texts("数据已恢复到目标时效以内", "They are as fresh again as they should be."),
)


def tell_operators(session: Session, fact: SourceTurned, handling: Handling) -> None:
    """Tell who manages the ERP that a source turned red, or is well again; once each."""
    notice = Notice(
        kind=KIND,
        texts=_RED if fact.state == RED else _WELL,
        link=f"/erp/sources/{fact.source_id}",
        scope_ids=list(session.scalars(scopes_of_holders(PERMISSION))),
        collapse_key=f"erp_source:{fact.source_id}",
        source=f"{KIND}.{fact.state}:{fact.source_id}:{fact.since.isoformat()}",
    )
    notify(session, notice, seq=handling.seq, now=handling.now)
