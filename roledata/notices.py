"""News of role data: a watch that turned, told without any figure."""

from sqlalchemy.orm import Session

from app.core.errors import Texts
from app.core.subscriptions import Handling
from app.core.work import tenant_of
from app.delivery.notices import Notice, notify
from app.people.queries import scopes_of_persons
from roledata.events import WatchTurned
from roledata.models import Watch
from roledata.rules import FIRING

KIND = "roledata.watch"
_FIRED = (
    Texts("指标预警", "A figure needs a look"),
    Texts("您关注的一项指标触发了预警，请打开查看", "A watch of yours has fired; open it to see."),
)
_WELL = (
    Texts("预警已恢复", "Back within bounds"),
    Texts("您关注的一项指标已恢复正常", "A figure that you watch is back within its bounds."),
)


def tell_owner(session: Session, fact: WatchTurned, handling: Handling) -> None:
    """Tell a watch's owner that it began to fire, or is well again."""
    watch = session.get(Watch, (tenant_of(session), fact.watch_id))
    if watch is None:
        return
    scope_ids = [row.id for row in session.execute(scopes_of_persons([watch.owner_id]))]
    news = Notice(
        kind=KIND,
        texts=_FIRED if fact.state == FIRING else _WELL,
        link=f"/cards/{fact.card}?scope={fact.node_id}",
        scope_ids=scope_ids,
        collapse_key=f"watch:{fact.watch_id}",
        source=f"roledata.watch:{fact.watch_id}:{handling.version}",
        urgency=fact.severity,
    )
    notify(session, news, seq=handling.seq, now=handling.now)
