"""Tables of points: how long they live, who was told, the catalogue, redemptions."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Identified, Minor, TenantRow, points_to

#: Redemptions whose points lie on the catalogue's account.
OPEN_STATES = ("reserved", "approved")
REDEMPTION_STATES = (*OPEN_STATES, "fulfilled", "declined", "withdrawn")
_OPEN = "state IN ('reserved', 'approved')"


class PointsPolicy(TenantRow, Base):
    """One version of how long points live; never changed, only followed by the next."""

    __tablename__ = "redpackets_points_policy"

    version: Mapped[int] = mapped_column(primary_key=True)
    rule: Mapped[str]
    count: Mapped[int]
    effective_on: Mapped[date]
    changed_by_id: Mapped[UUID]
    changed_at: Mapped[datetime]

    __table_args__ = (
        points_to("people_person", "changed_by_id"),
        CheckConstraint("rule IN ('end_of_year', 'months', 'never')", name="rule"),
        CheckConstraint("count BETWEEN 1 AND 120", name="count"),
    )


class PointsTold(TenantRow, Base):
    """Until which day a person knows what expires."""

    __tablename__ = "redpackets_points_told"

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    told_until: Mapped[date]

    __table_args__ = (points_to("people_person", "person_id"),)


class CatalogueItem(Identified, Base):
    """Something that points are redeemed for, by everybody or by the people of a unit and below."""

    __tablename__ = "redpackets_catalogue_item"

    unit_id: Mapped[UUID | None]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    description_zh: Mapped[str] = mapped_column(default="")
    description_en: Mapped[str] = mapped_column(default="")
    price_points: Mapped[int] = mapped_column(Minor)
    #: How many are left; None where there is no end of them.
    stock: Mapped[int | None]
    per_person_limit: Mapped[int | None]
    needs_approval: Mapped[bool]
    active: Mapped[bool]
    tax_class: Mapped[str]
    #: What one piece counts for in the tax export.
    cash_value_fen: Mapped[int] = mapped_column(Minor)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]

    __table_args__ = (
        points_to("people_org_unit", "unit_id"),
        CheckConstraint("price_points >= 1", name="price"),
        CheckConstraint("stock >= 0", name="stock"),
        CheckConstraint("per_person_limit >= 1", name="per_person_limit"),
        CheckConstraint("cash_value_fen >= 0", name="cash_value"),
    )


class Redemption(Identified, Base):
    """A person's points for so many pieces of an item, at the price and value of that moment."""

    __tablename__ = "redpackets_redemption"

    item_id: Mapped[UUID]
    person_id: Mapped[UUID]
    quantity: Mapped[int]
    price_points: Mapped[int] = mapped_column(Minor)
    points: Mapped[int] = mapped_column(Minor)
    tax_class: Mapped[str]
    #: What all pieces together count for in the tax export, from the moment of fulfilment.
    cash_value_fen: Mapped[int] = mapped_column(Minor)
    state: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    decided_by_id: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    fulfilled_by_id: Mapped[UUID | None]
    fulfilled_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]

    __table_args__ = (
        points_to("redpackets_catalogue_item", "item_id"),
        points_to("people_person", "person_id"),
        points_to("people_person", "decided_by_id"),
        points_to("people_person", "fulfilled_by_id"),
        CheckConstraint("quantity >= 1 AND price_points >= 1", name="amounts"),
        CheckConstraint("points = price_points * quantity", name="points"),
        CheckConstraint(
            "state IN ('reserved', 'approved', 'fulfilled', 'declined', 'withdrawn')", name="state"
        ),
        CheckConstraint("(state = 'fulfilled') = (fulfilled_at IS NOT NULL)", name="fulfilment"),
        CheckConstraint(
            "decided_by_id <> person_id AND fulfilled_by_id <> person_id", name="four_eyes"
        ),
        Index(None, "tenant_id", "person_id", "id"),
        Index(None, "tenant_id", "item_id", "person_id"),
        Index(
            "ix_redpackets_redemption_open",
            "tenant_id",
            "item_id",
            "id",
            postgresql_where=text(_OPEN),
        ),
    )
