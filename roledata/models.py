"""Tables of role data: summaries by node and day, what changed, shared figures, watches."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ColumnElement,
    Identity,
    Index,
    Numeric,
    Uuid,
    and_,
    func,
    literal_column,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Identified, TenantRow, points_to
from erp_bridge.models import ReceivableItem, SalesOrderLine


def still_to_ship(columns: Any) -> ColumnElement[bool]:
    """Whether an order line has not been shipped in full."""
    shipped: ColumnElement[Any] = func.coalesce(columns.shipped_quantity, literal_column("0"))
    found: ColumnElement[bool] = shipped < columns.quantity
    return found


#: Of all the lines and items there ever were, few are open; the live cards read those only.
OPEN_LINES = Index(
    "ix_roledata_open_lines",
    SalesOrderLine.tenant_id,
    SalesOrderLine.source_id,
    SalesOrderLine.salesperson_key,
    postgresql_where=and_(
        SalesOrderLine.deleted_at.is_(None), still_to_ship(SalesOrderLine.__table__.c)
    ),
)
OPEN_ITEMS = Index(
    "ix_roledata_open_items",
    ReceivableItem.tenant_id,
    ReceivableItem.source_id,
    ReceivableItem.salesperson_key,
    postgresql_where=and_(
        ReceivableItem.deleted_at.is_(None), ReceivableItem.open_amount != literal_column("0")
    ),
)

#: Sums of facts keep the facts' six decimals; nothing is rounded on the way.
Exact = Numeric(30, 6)


class LeafDay(TenantRow, Base):
    """What the facts of a day give for the one they belong to: a person, or a unit where nobody sold.

    ``until`` is the last day the amount is for: the day itself, or a quota's last day.
    """

    __tablename__ = "roledata_leaf_day"

    leaf_id: Mapped[UUID] = mapped_column(primary_key=True)
    measure: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    until: Mapped[date] = mapped_column(primary_key=True)
    #: Where the leaf hung when it was added up.
    unit_id: Mapped[UUID]
    amount: Mapped[Decimal] = mapped_column(Exact)
    count: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (CheckConstraint("count > 0", name="count"),)


class NodeDay(TenantRow, Base):
    """A measure of a node on a day: a person's own, or a unit's with everything below."""

    __tablename__ = "roledata_node_day"

    node_id: Mapped[UUID] = mapped_column(primary_key=True)
    measure: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    until: Mapped[date] = mapped_column(primary_key=True)
    amount: Mapped[Decimal] = mapped_column(Exact)
    count: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (CheckConstraint("count >= 0", name="count"),)


class State(TenantRow, Base):
    """How current a company's summaries are; ``data_version`` counts every change of any figure."""

    __tablename__ = "roledata_state"

    data_version: Mapped[int] = mapped_column(BigInteger, default=0)
    #: Fingerprint of who was matched to whom, and of the metrics' definitions.
    matching: Mapped[str] = mapped_column(default="")
    #: Fingerprint of the tree, and of who sits where.
    placement: Mapped[str] = mapped_column(default="")
    refreshed_at: Mapped[datetime | None]


class Touch(TenantRow, Base):
    """A batch changed a figure that is read live (stock, receivables, tasks) for this person or unit."""

    __tablename__ = "roledata_touch"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    #: How the cards are read that it concerns (``Card.live``).
    live: Mapped[str]
    leaf_id: Mapped[UUID]


class Share(Identified, Base):
    """A figure as it was when somebody put it up for talk: frozen, with who may read it."""

    __tablename__ = "roledata_share"

    author_id: Mapped[UUID]
    card: Mapped[str]
    text: Mapped[str]
    figure: Mapped[dict[str, Any]]
    scope_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    created_at: Mapped[datetime]

    __table_args__ = (
        points_to("people_person", "author_id"),
        Index(None, "tenant_id", "author_id"),
    )


class Watch(Identified, Base):
    """A rule of a person on a card of a node, and how it stands."""

    __tablename__ = "roledata_watch"

    owner_id: Mapped[UUID]
    card: Mapped[str]
    node_id: Mapped[UUID]
    #: What is watched: the card's value, or its value against target and pace.
    of: Mapped[str]
    direction: Mapped[str]
    enter: Mapped[Decimal] = mapped_column(Exact)
    exit: Mapped[Decimal] = mapped_column(Exact)
    confirm: Mapped[int]
    severity: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    state: Mapped[str] = mapped_column(default="ok")
    #: Evaluations in a row that speak for the next state.
    streak: Mapped[int] = mapped_column(default=0)
    #: Counts the times it told its owner, so that each is told once.
    told: Mapped[int] = mapped_column(default=0)
    value: Mapped[Decimal | None] = mapped_column(Exact)
    evaluated_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    __table_args__ = (
        points_to("people_person", "owner_id", ondelete="CASCADE"),
        CheckConstraint("of IN ('value', 'pace')", name="of"),
        CheckConstraint("direction IN ('below', 'above')", name="direction"),
        CheckConstraint("severity IN ('normal', 'high')", name="severity"),
        CheckConstraint("state IN ('ok', 'pending', 'firing', 'recovering')", name="state"),
        CheckConstraint("confirm BETWEEN 1 AND 10", name="confirm"),
        Index(None, "tenant_id", "owner_id"),
        Index(None, "tenant_id", "node_id"),
    )
