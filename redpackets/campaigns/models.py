"""Tables of campaigns: rules on figures and what came of them, allowances for kudos, rains and grants, milestones."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Index, Numeric, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Identified, Minor, TenantRow, points_to

#: A figure as it is answered: minor units, a count, or a ratio to four decimals.
Figure = Numeric(24, 4)


class TriggerRule(Identified, Base):
    """A rule on a figure: when it is met, a packet goes from a budget to the rule's subject, once a period.

    ``total_minor`` for all together, or ``per_head_minor`` for each. Each change is a version of its own.
    """

    __tablename__ = "redpackets_trigger_rule"

    name: Mapped[str]
    owner_id: Mapped[UUID]
    budget_id: Mapped[UUID]
    on_behalf_of_id: Mapped[UUID]
    metric: Mapped[str]
    comparison: Mapped[str]
    threshold: Mapped[Decimal] = mapped_column(Figure)
    period: Mapped[str]
    #: The last day of the period that counts, from 1; None for all of it.
    deadline_day: Mapped[int | None]
    subject_kind: Mapped[str]
    subject_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    unit: Mapped[str]
    total_minor: Mapped[int | None] = mapped_column(Minor)
    per_head_minor: Mapped[int | None] = mapped_column(Minor)
    split: Mapped[str]
    audience: Mapped[str]
    purpose_category: Mapped[str]
    purpose_text: Mapped[str]
    greeting: Mapped[str]
    tax_class: Mapped[str]
    kept_open_hours: Mapped[int]
    starts_on: Mapped[date]
    active: Mapped[bool] = mapped_column(default=True)
    removed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]

    __table_args__ = (
        points_to("redpackets_budget", "budget_id", "unit", to="id, unit"),
        points_to("people_person", "owner_id"),
        points_to("people_org_unit", "on_behalf_of_id"),
        CheckConstraint("comparison IN ('value', 'target', 'growth')", name="comparison"),
        CheckConstraint("threshold > 0", name="threshold"),
        CheckConstraint("period IN ('month', 'quarter', 'year')", name="period"),
        CheckConstraint("deadline_day BETWEEN 1 AND 366", name="deadline"),
        CheckConstraint("subject_kind IN ('units', 'children', 'persons')", name="subjects"),
        CheckConstraint("num_nonnulls(total_minor, per_head_minor) = 1", name="amount"),
        CheckConstraint("COALESCE(total_minor, per_head_minor) > 0", name="amount_positive"),
        CheckConstraint("split IN ('equal', 'lucky', 'one')", name="split"),
        CheckConstraint("audience IN ('subject', 'unit')", name="audience"),
        CheckConstraint("removed_at IS NULL OR NOT active", name="removal"),
        Index(None, "tenant_id", "budget_id"),
    )


class TriggerVersion(TenantRow, Base):
    """A rule as it was from one change to the next; append-only."""

    __tablename__ = "redpackets_trigger_version"

    rule_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    terms: Mapped[dict[str, Any]]
    changed_by: Mapped[UUID]
    at: Mapped[datetime]

    __table_args__ = (
        points_to("redpackets_trigger_rule", "rule_id"),
        points_to("people_person", "changed_by"),
    )


class TriggerFire(Identified, Base):
    """A rule fired for a subject in a period: at which figure, made of which documents, and with which packet."""

    __tablename__ = "redpackets_trigger_fire"

    rule_id: Mapped[UUID]
    rule_version: Mapped[int]
    comparison: Mapped[str]
    threshold: Mapped[Decimal] = mapped_column(Figure)
    period_from: Mapped[date]
    deadline: Mapped[date]
    period_to: Mapped[date]
    subject_id: Mapped[UUID]
    #: Set in the same transaction.
    packet_id: Mapped[UUID | None]
    value: Mapped[Decimal] = mapped_column(Figure)
    target: Mapped[Decimal | None] = mapped_column(Figure)
    last_year: Mapped[Decimal | None] = mapped_column(Figure)
    as_of: Mapped[datetime | None]
    source: Mapped[str | None]
    batch_id: Mapped[UUID | None]
    metric: Mapped[str]
    metric_version: Mapped[str]
    #: How many of the ERP's documents the figure adds up.
    document_count: Mapped[int]
    fired_on: Mapped[date]
    at: Mapped[datetime]

    __table_args__ = (
        points_to("redpackets_trigger_version", "rule_id", "rule_version", to="rule_id, version"),
        points_to("redpackets_packet", "packet_id"),
        UniqueConstraint(
            "tenant_id",
            "rule_id",
            "period_from",
            "subject_id",
            name="uq_redpackets_trigger_fire_once",
        ),
        Index(None, "tenant_id", "packet_id"),
    )


class TriggerDocument(TenantRow, Base):
    """A document of the ERP that a rule fired on, as the source of figures named it then; newest first, append-only."""

    __tablename__ = "redpackets_trigger_document"

    fire_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[UUID]
    source: Mapped[str]
    kind: Mapped[str]
    key: Mapped[str]
    code: Mapped[str | None]
    day: Mapped[date]
    amount_minor: Mapped[int] = mapped_column(Minor)

    __table_args__ = (points_to("redpackets_trigger_fire", "fire_id"),)


class TriggerMiss(TenantRow, Base):
    """Why a rule could not be judged or paid for a subject in a period."""

    __tablename__ = "redpackets_trigger_miss"

    rule_id: Mapped[UUID] = mapped_column(primary_key=True)
    period_from: Mapped[date] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(primary_key=True)
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]

    __table_args__ = (points_to("redpackets_trigger_rule", "rule_id"),)


class TriggerProposal(Identified, Base):
    """A figure that fired was restated downwards: whether to take back what nobody has taken is for people to decide."""

    __tablename__ = "redpackets_trigger_proposal"

    fire_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(default="open")
    value: Mapped[Decimal | None] = mapped_column(Figure)
    target: Mapped[Decimal | None] = mapped_column(Figure)
    last_year: Mapped[Decimal | None] = mapped_column(Figure)
    batch_id: Mapped[UUID | None]
    opened_at: Mapped[datetime]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")
    #: What accepting it came to: cancelled, closed or nothing_left.
    outcome: Mapped[str | None]

    __table_args__ = (
        points_to("redpackets_trigger_fire", "fire_id"),
        points_to("people_person", "decided_by"),
        UniqueConstraint("tenant_id", "fire_id"),
        CheckConstraint("state IN ('open', 'accepted', 'rejected')", name="state"),
        CheckConstraint(
            "num_nonnulls(decided_by, decided_at) = CASE state WHEN 'open' THEN 0 ELSE 2 END",
            name="decision",
        ),
    )


class KudosProgramme(Identified, Base):
    """What everybody at or below a unit may give to others each month, out of a budget; nobody may keep it."""

    __tablename__ = "redpackets_kudos_programme"

    name: Mapped[str]
    unit_id: Mapped[UUID]
    budget_id: Mapped[UUID]
    unit: Mapped[str]
    allowance_minor: Mapped[int] = mapped_column(Minor)
    tax_class: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]

    __table_args__ = (
        points_to("people_org_unit", "unit_id"),
        points_to("redpackets_budget", "budget_id", "unit", to="id, unit"),
        CheckConstraint("allowance_minor > 0", name="allowance"),
        Index(None, "tenant_id", "unit_id"),
    )


class KudosAllowance(TenantRow, Base):
    """A person's give-only budget of a month; opened when they first give."""

    __tablename__ = "redpackets_kudos_allowance"

    programme_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    budget_id: Mapped[UUID]

    __table_args__ = (
        points_to("redpackets_kudos_programme", "programme_id"),
        points_to("people_person", "person_id"),
        points_to("redpackets_budget", "budget_id"),
    )


class Campaign(Identified, Base):
    """A rain or a grant: what somebody gave in several packets, which name it as their origin."""

    __tablename__ = "redpackets_campaign"

    kind: Mapped[str]
    actor_id: Mapped[UUID]
    budget_id: Mapped[UUID]
    on_behalf_of_id: Mapped[UUID]
    unit: Mapped[str]
    total_minor: Mapped[int] = mapped_column(Minor)
    purpose_category: Mapped[str]
    purpose_text: Mapped[str]
    cap_count: Mapped[int | None]
    created_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]

    __table_args__ = (
        points_to("people_person", "actor_id"),
        points_to("redpackets_budget", "budget_id", "unit", to="id, unit"),
        points_to("people_org_unit", "on_behalf_of_id"),
        CheckConstraint("kind IN ('rain', 'grant')", name="kind"),
        CheckConstraint("total_minor > 0", name="total"),
        Index(None, "tenant_id", "actor_id"),
    )


class MilestoneRule(Identified, Base):
    """What a birthday or a work anniversary is worth to everybody at or below a unit.

    ``steps``: [least years, amount] for anniversaries; where none is reached, ``amount_minor``.
    """

    __tablename__ = "redpackets_milestone_rule"

    kind: Mapped[str]
    owner_id: Mapped[UUID]
    unit_id: Mapped[UUID]
    budget_id: Mapped[UUID]
    unit: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(Minor)
    steps: Mapped[list[Any]]
    purpose_text: Mapped[str]
    greeting: Mapped[str]
    tax_class: Mapped[str]
    starts_on: Mapped[date]
    active: Mapped[bool] = mapped_column(default=True)
    #: Why the last gift could not be given; empty once one could.
    last_refusal: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]

    __table_args__ = (
        points_to("people_person", "owner_id"),
        points_to("people_org_unit", "unit_id"),
        points_to("redpackets_budget", "budget_id", "unit", to="id, unit"),
        CheckConstraint("kind IN ('birthday', 'anniversary')", name="kind"),
        CheckConstraint("amount_minor > 0", name="amount"),
        Index(None, "tenant_id", "unit_id"),
    )


class MilestoneDate(TenantRow, Base):
    """A person's day: of a birthday without its year, of an anniversary with the year they joined."""

    __tablename__ = "redpackets_milestone_date"

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[int]
    day: Mapped[int]
    year: Mapped[int | None]

    __table_args__ = (
        points_to("people_person", "person_id", ondelete="CASCADE"),
        CheckConstraint("kind IN ('birthday', 'anniversary')", name="kind"),
        CheckConstraint("month BETWEEN 1 AND 12 AND day BETWEEN 1 AND 31", name="day"),
        CheckConstraint("(kind = 'birthday') = (year IS NULL)", name="year"),
        Index(None, "tenant_id", "kind", "month", "day"),
    )


class MilestoneGift(TenantRow, Base):
    """A person was given a rule's gift of a year, with this packet; once."""

    __tablename__ = "redpackets_milestone_gift"

    rule_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    #: Set in the same transaction.
    packet_id: Mapped[UUID | None]
    at: Mapped[datetime]

    __table_args__ = (
        points_to("redpackets_milestone_rule", "rule_id"),
        points_to("people_person", "person_id"),
        points_to("redpackets_packet", "packet_id"),
    )
