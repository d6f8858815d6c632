"""Who looks after a company's ERP: those who may manage it for the whole company."""

from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.errors import NotAllowed
from erp_bridge import queries

PERMISSION = "erp.manage"


def require_operator(session: Session, caller: Caller) -> None:
    """Refuse unless the caller may manage the ERP for the whole company."""
    units = caller.units_with(PERMISSION)
    if not units or not session.scalar(queries.holds_at_a_root(list(units))):
        raise NotAllowed
