"""Tables: the declarative base, key conventions and column types shared by every package.

Primary keys are ``(tenant_id, …)`` and foreign keys are composite, so that a row cannot point into
another tenant and the schema can be spread by tenant as it stands.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    Numeric,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.core.ids import new_id

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The base of every table."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as a class attribute
        UUID: Uuid(),
        datetime: DateTime(timezone=True),
        date: Date(),
        str: Text(),
        int: Integer(),
        Decimal: Numeric(18, 6),
        dict[str, Any]: JSONB(),
        list[Any]: JSONB(),
    }


class TenantRow:
    """A row that belongs to a tenant; ``tenant_id`` begins its primary key."""

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-20)


class Identified(TenantRow):
    """A tenant's row known by an id of its own."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id, sort_order=-19)


#: Money in whole minor units (fen, cents) or points.
Minor = BigInteger


def points_to(table: str, *columns: str, to: str = "id", **options: Any) -> ForeignKeyConstraint:
    """Make a composite foreign key from ``(tenant_id, *columns)`` to ``table (tenant_id, to…)``."""
    targets = [name.strip() for name in to.split(",")]
    return ForeignKeyConstraint(
        ["tenant_id", *columns],
        [f"{table}.tenant_id", *(f"{table}.{name}" for name in targets)],
        **options,
    )
