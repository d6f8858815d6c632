"""Facts of red packets, in the past tense."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from app.core.events import Fact


@dataclass(frozen=True, kw_only=True)
class PacketOpened(Fact):
    """A packet can be grabbed from now on; its audience hears who gives it and with which words, not how much."""

    kind: ClassVar[str] = "redpackets.packet_opened"

    packet_id: UUID
    packet_kind: str
    greeting: str
    sender_id: UUID
    sender_name: str
    on_behalf_of: UUID
    share_count: int
    unit: str
    opened_at: datetime
    expires_at: datetime
    scope_ids: tuple[UUID, ...]
    #: A packet for very many is told in parts, each to other scopes.
    part: int = 0
    #: Binds seed and split from now on, in hex; see ``fairness``.
    commitment: str = ""


@dataclass(frozen=True, kw_only=True)
class ShareTaken(Fact):
    """A share was taken; its taker and the sender of the packet hear of it."""

    kind: ClassVar[str] = "redpackets.share_taken"

    packet_id: UUID
    holder_id: UUID
    holder_name: str
    index: int
    amount_minor: int
    unit: str
    taken_at: datetime


@dataclass(frozen=True, kw_only=True)
class PacketChanged(Fact):
    """A packet's free shares became fewer, or its state changed; when many grab, several takings are one change."""

    kind: ClassVar[str] = "redpackets.packet_changed"

    packet_id: UUID
    state: str
    remaining: int
    frozen: bool = False


@dataclass(frozen=True, kw_only=True)
class ApprovalRequested(Fact):
    """A packet waits for approval; those who can give it hear of it."""

    kind: ClassVar[str] = "redpackets.approval_requested"

    packet_id: UUID
    sender_id: UUID
    sender_name: str
    total_minor: int
    unit: str
    approval_count: int
    policy_version: int
    expires_at: datetime
    scope_ids: tuple[UUID, ...]


@dataclass(frozen=True, kw_only=True)
class ApprovalDecided(Fact):
    """Somebody approved or rejected a packet; its sender and the other approvers hear of it.

    ``state`` is the packet's after it: ``pending_approval`` while more approvals are needed.
    """

    kind: ClassVar[str] = "redpackets.approval_decided"

    packet_id: UUID
    approver_id: UUID
    approver_name: str
    decision: str
    reason: str
    state: str
    approvals_made: int
    approval_count: int
    sender_scope_ids: tuple[UUID, ...]


@dataclass(frozen=True, kw_only=True)
class RightLent(Fact):
    """Somebody may approve in another's stead for a time, or no longer (``revoked``); the delegate hears of it."""

    kind: ClassVar[str] = "redpackets.right_lent"

    delegation_id: UUID
    delegator_id: UUID
    delegator_name: str
    starts_at: datetime
    ends_at: datetime
    revoked: bool
    scope_ids: tuple[UUID, ...]


@dataclass(frozen=True, kw_only=True)
class BudgetChanged(Fact):
    """A budget was opened, changed, closed or gave back what was unused.

    Its owner and the one above hear of it, and those who manage budgets there.
    """

    kind: ClassVar[str] = "redpackets.budget_changed"

    budget_id: UUID
    name: str
    unit: str
    limit_minor: int
    available_minor: int
    closed: bool
    successor_id: UUID | None
    #: The owners' alone, who get a notice.
    scope_ids: tuple[UUID, ...]
