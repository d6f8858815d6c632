"""Facts of approvals, in the past tense; they name no amount and no document, for the phone reads those itself."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.core.events import Fact


@dataclass(frozen=True, kw_only=True)
class ApprovalCame(Fact):
    """A document began to wait for somebody."""

    kind: ClassVar[str] = "erp_bridge.approval_came"

    approval_id: UUID
    person_id: UUID
    #: It waited before the ERP was connected: no news, only found.
    is_found: bool = False


@dataclass(frozen=True, kw_only=True)
class ApprovalChanged(Fact):
    """A document that waits has another content now."""

    kind: ClassVar[str] = "erp_bridge.approval_changed"

    approval_id: UUID
    version: str


@dataclass(frozen=True, kw_only=True)
class ApprovalClosed(Fact):
    """A document waits no longer: decided here or in the ERP, withdrawn, or given to somebody else."""

    kind: ClassVar[str] = "erp_bridge.approval_closed"

    approval_id: UUID
    state: str


@dataclass(frozen=True, kw_only=True)
class DecisionMoved(Fact):
    """A decision went a step on its way into the ERP."""

    kind: ClassVar[str] = "erp_bridge.decision_moved"

    approval_id: UUID
    decision_id: UUID
    person_id: UUID
    state: str
    code: str | None = None
