"""Tables of red packets: budgets, accounts, the journal, packets, their audience and their shares."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Identified, Minor, TenantRow, points_to

SHARE_COUNT_MAX = 50_000
PACKET_KINDS = ("equal", "lucky", "targeted", "kudos", "kpi", "rain", "milestone", "grant")
SPLITS = ("even", "double_mean", "named")
PACKET_STATES = (
    "pending_approval",
    "scheduled",
    "open",
    "exhausted",
    "expired",
    "cancelled",
    "rejected",
)
#: States in which a packet still holds money on its budget.
LIVE_STATES = ("pending_approval", "scheduled", "open")
#: One account of each kind and unit, of the company as a whole; no balance is kept on them.
COMPANY_ACCOUNTS = (
    "treasury",
    "payout_in_flight",
    "external_payroll",
    "external_rail",
    "catalogue",
)
OWNED_ACCOUNTS = ("budget", "escrow", "user_points", "user_payable")
MOVEMENTS = (
    "allot",
    "withdraw",
    "roll_over",
    "recover",
    "fund",
    "claim",
    "refund",
    "points_expired",
    "reserve_points",
    "release_points",
    "fulfil_points",
    "payout_sent",
    "payout_paid",
    "payout_failed",
)
KEPT_OPEN_DAYS_MAX = 7
#: What is left on a budget, as its index has it too.
UNUSED = "limit_minor > held_minor + spent_minor + allotted_minor"


def _one_of(column: str, values: tuple[str, ...]) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({listed})"


class Budget(Identified, Base):
    """What a cost centre may spend on rewards in a period.

    ``held_minor``: the totals of packets not yet settled; ``spent_minor``: what settled packets gave away. A claim
    touches neither, so that a rush never queues for this row.
    """

    __tablename__ = "redpackets_budget"

    name: Mapped[str]
    owner_id: Mapped[UUID]
    unit_id: Mapped[UUID]
    unit: Mapped[str]
    period_from: Mapped[date]
    period_to: Mapped[date]
    parent_id: Mapped[UUID | None]
    #: The budget of the period before, whose unused amount went on into this one.
    predecessor_id: Mapped[UUID | None]
    limit_minor: Mapped[int] = mapped_column(Minor)
    held_minor: Mapped[int] = mapped_column(Minor, default=0)
    spent_minor: Mapped[int] = mapped_column(Minor, default=0)
    #: The limits of the budgets below, which were carved out of this one.
    allotted_minor: Mapped[int] = mapped_column(Minor, default=0, server_default="0")
    #: A person's give-only allowance: it pays kudos to others and nothing else.
    give_only: Mapped[bool] = mapped_column(default=False, server_default="false")
    #: At the end of the period what is left goes on into the next period, or back to where it came from.
    rolls_over: Mapped[bool] = mapped_column(default=False, server_default="false")
    recovers_unused: Mapped[bool] = mapped_column(default=True, server_default="true")
    #: The most that one person may receive from this budget; None for no cap.
    receive_cap_minor: Mapped[int | None] = mapped_column(Minor)
    #: Set when nothing can be spent from it any more: the period was closed, or its owner left.
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]

    __table_args__ = (
        points_to("people_person", "owner_id"),
        points_to("people_org_unit", "unit_id"),
        UniqueConstraint("tenant_id", "id", "unit"),
        points_to("redpackets_budget", "parent_id", "unit", to="id, unit"),
        points_to("redpackets_budget", "predecessor_id", "unit", to="id, unit"),
        UniqueConstraint("tenant_id", "predecessor_id"),
        CheckConstraint(
            "held_minor >= 0 AND spent_minor >= 0 AND allotted_minor >= 0", name="amounts"
        ),
        CheckConstraint("held_minor + spent_minor + allotted_minor <= limit_minor", name="limit"),
        CheckConstraint("parent_id <> id", name="tree"),
        CheckConstraint("receive_cap_minor > 0", name="receive_cap"),
        CheckConstraint("period_from <= period_to", name="period"),
        Index(None, "tenant_id", "unit_id"),
        Index(None, "tenant_id", "owner_id"),
        Index(None, "tenant_id", "parent_id"),
        Index(
            "ix_redpackets_budget_open",
            "tenant_id",
            "period_to",
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(
            "ix_redpackets_budget_unused",
            "tenant_id",
            "id",
            postgresql_where=text(f"closed_at IS NOT NULL AND {UNUSED}"),
        ),
    )

    @property
    def available_minor(self) -> int:
        """What can still be put into packets, or into budgets below."""
        return self.limit_minor - self.held_minor - self.spent_minor - self.allotted_minor

    def covers(self, day: date) -> bool:
        """Say whether the budget may be spent on this day."""
        return self.period_from <= day <= self.period_to


class FundAccount(Identified, Base):
    """One account of the ledger; a budget's and a packet's account carry the id of their owner.

    The balance is kept on cold accounts (budget, person). Escrow is what the free shares say, never a row that all
    grabbers update; the treasury is the sum of all the others.
    """

    __tablename__ = "redpackets_fund_account"

    kind: Mapped[str]
    unit: Mapped[str]
    budget_id: Mapped[UUID | None]
    packet_id: Mapped[UUID | None]
    person_id: Mapped[UUID | None]
    balance_minor: Mapped[int | None] = mapped_column(Minor)
    may_go_negative: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        points_to("redpackets_budget", "budget_id", "unit", to="id, unit"),
        points_to("redpackets_packet", "packet_id", "unit", to="id, unit"),
        points_to("people_person", "person_id"),
        UniqueConstraint("tenant_id", "id", "unit"),
        UniqueConstraint(
            "tenant_id",
            "kind",
            "unit",
            "budget_id",
            "packet_id",
            "person_id",
            name="uq_redpackets_fund_account_owner",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint(_one_of("kind", COMPANY_ACCOUNTS + OWNED_ACCOUNTS), name="kind"),
        CheckConstraint(
            "num_nonnulls(budget_id, packet_id, person_id)"
            f" = ({_one_of('kind', OWNED_ACCOUNTS)})::int"
            " AND (kind = 'budget') = (budget_id IS NOT NULL)"
            " AND (kind = 'escrow') = (packet_id IS NOT NULL)",
            name="owner",
        ),
        CheckConstraint("id = COALESCE(budget_id, packet_id, id)", name="own_id"),
        CheckConstraint(
            f"(balance_minor IS NULL) = ({_one_of('kind', (*COMPANY_ACCOUNTS, 'escrow'))})",
            name="materialised",
        ),
        CheckConstraint("may_go_negative OR balance_minor >= 0", name="balance"),
        Index(None, "tenant_id", "person_id"),
    )


class JournalEntry(Identified, Base):
    """One movement from an account to another; append-only, known by a business reference used once."""

    __tablename__ = "redpackets_journal"

    kind: Mapped[str]
    debit_account_id: Mapped[UUID]
    credit_account_id: Mapped[UUID]
    amount_minor: Mapped[int] = mapped_column(Minor)
    unit: Mapped[str]
    reference: Mapped[str]
    at: Mapped[datetime]

    __table_args__ = (
        points_to("redpackets_fund_account", "debit_account_id", "unit", to="id, unit"),
        points_to("redpackets_fund_account", "credit_account_id", "unit", to="id, unit"),
        UniqueConstraint("tenant_id", "reference"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("debit_account_id <> credit_account_id", name="accounts"),
        CheckConstraint(_one_of("kind", MOVEMENTS), name="kind"),
        Index(None, "tenant_id", "debit_account_id", "id"),
        Index(None, "tenant_id", "credit_account_id", "id"),
    )


class Packet(Identified, Base):
    """A red packet with its six attributes: budget, principal, actor, scope, purpose, accountability."""

    __tablename__ = "redpackets_packet"

    budget_id: Mapped[UUID]
    on_behalf_of_id: Mapped[UUID]
    actor_id: Mapped[UUID]
    cost_centre_id: Mapped[UUID]
    tax_class: Mapped[str]
    purpose_category: Mapped[str]
    purpose_text: Mapped[str]
    purpose_evidence: Mapped[str] = mapped_column(default="")
    #: The audience as it was picked; ``PacketScope`` is what it means, ``PacketMember`` who it was at opening.
    audience: Mapped[list[Any]]
    kind: Mapped[str]
    split: Mapped[str]
    unit: Mapped[str]
    total_minor: Mapped[int] = mapped_column(Minor)
    share_count: Mapped[int]
    min_minor: Mapped[int] = mapped_column(Minor)
    max_minor: Mapped[int] = mapped_column(Minor)
    seed: Mapped[bytes] = mapped_column(LargeBinary)
    greeting: Mapped[str]
    #: The look of the envelope; the client knows the covers by name.
    cover: Mapped[str] = mapped_column(default="", server_default="")
    #: Whether those it is for learn who got what, as its sender decided.
    shows_claims: Mapped[bool] = mapped_column(default=False, server_default="false")
    #: What sent it, where no person pressed a button: ``rule:<id>:<period>:<subject>``, ``campaign:<id>``.
    origin: Mapped[str] = mapped_column(default="", server_default="")
    #: How many shares one person may take of all packets of this origin; None for as many as there are packets.
    origin_cap_count: Mapped[int | None]
    #: The hash of seed and split that was published at the opening; what is revealed at the end must fit it.
    commitment: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str]
    #: The approval policy that was in force when it was sent; None where the company had none.
    policy_version: Mapped[int | None]
    #: Set while claims are stopped by somebody; nothing else about the packet changes.
    frozen_at: Mapped[datetime | None]
    #: Counts what the audience was told; ``told_remaining`` is the last count of free shares it heard.
    version: Mapped[int] = mapped_column(default=1)
    told_remaining: Mapped[int]
    created_at: Mapped[datetime]
    opens_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]

    __table_args__ = (
        points_to("redpackets_budget", "budget_id", "unit", to="id, unit"),
        points_to("people_org_unit", "on_behalf_of_id"),
        points_to("people_org_unit", "cost_centre_id"),
        points_to("people_person", "actor_id"),
        points_to("redpackets_policy", "policy_version", to="version"),
        UniqueConstraint("tenant_id", "id", "unit"),
        CheckConstraint(_one_of("kind", PACKET_KINDS), name="kind"),
        CheckConstraint(_one_of("split", SPLITS), name="split"),
        CheckConstraint(_one_of("state", PACKET_STATES), name="state"),
        CheckConstraint(
            f"(settled_at IS NULL) = ({_one_of('state', LIVE_STATES)})", name="settlement"
        ),
        CheckConstraint("state <> 'open' OR opened_at IS NOT NULL", name="opening"),
        CheckConstraint(f"share_count BETWEEN 1 AND {SHARE_COUNT_MAX}", name="share_count"),
        CheckConstraint(
            "min_minor >= 1 AND min_minor * share_count <= total_minor"
            " AND total_minor <= max_minor::numeric * share_count",
            name="split_possible",
        ),
        CheckConstraint(
            f"expires_at > opens_at AND expires_at <= opens_at + interval '{KEPT_OPEN_DAYS_MAX * 24} hours'",
            name="times",
        ),
        CheckConstraint("origin_cap_count > 0", name="origin_cap"),
        Index(None, "tenant_id", "budget_id"),
        Index(None, "tenant_id", "actor_id", "id"),
        Index(None, "tenant_id", "opened_at"),
        Index(
            "ix_redpackets_packet_origin",
            "tenant_id",
            "origin",
            postgresql_where=text("origin <> ''"),
        ),
        Index(
            "ix_redpackets_packet_unsettled",
            "tenant_id",
            "expires_at",
            postgresql_where=text("settled_at IS NULL"),
        ),
    )


class PacketScope(TenantRow, Base):
    """A scope that a packet is addressed to."""

    __tablename__ = "redpackets_packet_scope"

    packet_id: Mapped[UUID] = mapped_column(primary_key=True)
    scope_id: Mapped[UUID] = mapped_column(primary_key=True)

    __table_args__ = (points_to("redpackets_packet", "packet_id"),)


class PacketMember(TenantRow, Base):
    """A person who was in the audience when the packet opened, and so may take a share."""

    __tablename__ = "redpackets_packet_member"

    packet_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)

    __table_args__ = (
        points_to("redpackets_packet", "packet_id"),
        points_to("people_person", "person_id"),
    )


class Share(TenantRow, Base):
    """The unit of money: one amount, free until it is claimed by one person or refunded to the budget."""

    __tablename__ = "redpackets_share"

    packet_id: Mapped[UUID] = mapped_column(primary_key=True)
    index: Mapped[int] = mapped_column(primary_key=True)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(default="free")
    #: Whom the share is meant for, where receivers are named; None where whoever comes first takes it.
    receiver_id: Mapped[UUID | None]
    holder_id: Mapped[UUID | None]
    at: Mapped[datetime | None]

    __table_args__ = (
        points_to("redpackets_packet", "packet_id"),
        points_to("people_person", "holder_id"),
        points_to("people_person", "receiver_id"),
        # Without the free shares, or the planner may take it for the way to one share and read them all.
        Index(
            "uq_redpackets_share_holder",
            "tenant_id",
            "packet_id",
            "holder_id",
            unique=True,
            postgresql_where=text("holder_id IS NOT NULL"),
        ),
        Index(
            "uq_redpackets_share_receiver",
            "tenant_id",
            "packet_id",
            "receiver_id",
            unique=True,
            postgresql_where=text("receiver_id IS NOT NULL"),
        ),
        CheckConstraint("amount_minor >= 1", name="amount"),
        CheckConstraint("state IN ('free', 'claimed', 'refunded', 'void')", name="state"),
        CheckConstraint(
            "COALESCE(holder_id, receiver_id) = COALESCE(receiver_id, holder_id)", name="receiver"
        ),
        CheckConstraint("(state = 'claimed') = (holder_id IS NOT NULL)", name="holder"),
        CheckConstraint("(state = 'free') = (at IS NULL)", name="moment"),
        Index(
            "ix_redpackets_share_free",
            "tenant_id",
            "packet_id",
            "index",
            postgresql_where=text("state = 'free'"),
        ),
    )
