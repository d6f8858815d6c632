"""Tables of people: tenant, org units with their closure, persons, roles, scopes, sign-ins, devices."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Identified, TenantRow, points_to
from app.core.ids import new_id


class Tenant(Base):
    """One company; nothing ever crosses between two."""

    __tablename__ = "people_tenant"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    locale: Mapped[str] = mapped_column(default="zh-CN")
    time_zone: Mapped[str] = mapped_column(default="Asia/Shanghai")
    currency: Mapped[str] = mapped_column(default="CNY")
    state: Mapped[str] = mapped_column(default="active")
    #: Counts changes of the tree; with a person's own version it says whether cached scopes still hold.
    structure_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("state IN ('active', 'suspended')", name="state"),)


class OrgUnit(Identified, Base):
    """A node of one of the organisation's trees."""

    __tablename__ = "people_org_unit"

    tree: Mapped[str] = mapped_column(default="admin")
    parent_id: Mapped[UUID | None]
    code: Mapped[str]
    name: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)

    __table_args__ = (
        points_to("people_org_unit", "parent_id"),
        UniqueConstraint("tenant_id", "tree", "code"),
    )


class OrgUnitClosure(TenantRow, Base):
    """Every pair of a unit and something at or below it (units only, never persons)."""

    __tablename__ = "people_org_unit_closure"

    ancestor_id: Mapped[UUID] = mapped_column(primary_key=True)
    descendant_id: Mapped[UUID] = mapped_column(primary_key=True)
    depth: Mapped[int]

    __table_args__ = (
        points_to("people_org_unit", "ancestor_id", ondelete="CASCADE"),
        points_to("people_org_unit", "descendant_id", ondelete="CASCADE"),
        Index(None, "tenant_id", "descendant_id", "ancestor_id"),
    )


class Person(Identified, Base):
    """Somebody who belongs to the company."""

    __tablename__ = "people_person"

    login: Mapped[str]
    name: Mapped[str]
    title: Mapped[str] = mapped_column(default="")
    employee_code: Mapped[str | None]
    locale: Mapped[str] = mapped_column(default="zh-CN")
    password_hash: Mapped[str | None]
    active: Mapped[bool] = mapped_column(default=True)
    #: Counts changes of this person's memberships and roles.
    access_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("tenant_id", "login"),
        UniqueConstraint("tenant_id", "employee_code"),
    )


class Membership(TenantRow, Base):
    """A person's place in a unit; the primary one is where reports count the person."""

    __tablename__ = "people_membership"

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    is_primary: Mapped[bool] = mapped_column(default=True)

    __table_args__ = (
        points_to("people_person", "person_id", ondelete="CASCADE"),
        points_to("people_org_unit", "unit_id", ondelete="CASCADE"),
        Index(None, "tenant_id", "unit_id", "person_id"),
    )


class Role(TenantRow, Base):
    """A named set of permissions."""

    __tablename__ = "people_role"

    key: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    permissions: Mapped[list[str]] = mapped_column(ARRAY(Text()))


class RoleGrant(TenantRow, Base):
    """A role held by a person at a unit, reaching everything below it."""

    __tablename__ = "people_role_grant"

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    role_key: Mapped[str] = mapped_column(primary_key=True)
    unit_id: Mapped[UUID] = mapped_column(primary_key=True)

    __table_args__ = (
        points_to("people_person", "person_id", ondelete="CASCADE"),
        points_to("people_role", "role_key", to="key"),
        points_to("people_org_unit", "unit_id", ondelete="CASCADE"),
        Index(None, "tenant_id", "role_key", "unit_id"),
    )


class Scope(Identified, Base):
    """One addressable set of people: everybody, a unit, a unit and below, a role (at a unit), one person."""

    __tablename__ = "people_scope"

    kind: Mapped[str]
    unit_id: Mapped[UUID | None]
    role_key: Mapped[str | None]
    person_id: Mapped[UUID | None]

    __table_args__ = (
        points_to("people_org_unit", "unit_id", ondelete="CASCADE"),
        points_to("people_person", "person_id", ondelete="CASCADE"),
        CheckConstraint(
            "kind IN ('tenant', 'unit', 'unit_tree', 'role', 'role_at', 'person')", name="kind"
        ),
        UniqueConstraint(
            "tenant_id",
            "kind",
            "unit_id",
            "role_key",
            "person_id",
            postgresql_nulls_not_distinct=True,
        ),
        Index(None, "tenant_id", "person_id"),
        Index(None, "tenant_id", "unit_id"),
    )


class Device(Identified, Base):
    """A phone or browser, and where to push to it; it belongs to whoever signed in on it last."""

    __tablename__ = "people_device"

    person_id: Mapped[UUID]
    platform: Mapped[str]
    name: Mapped[str]
    push_provider: Mapped[str | None]
    push_token: Mapped[str | None]
    last_seen_at: Mapped[datetime]

    __table_args__ = (
        points_to("people_person", "person_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "push_token"),
        Index(None, "tenant_id", "person_id"),
    )


class SignIn(Identified, Base):
    """One sign-in on one device: the family of its refresh tokens."""

    __tablename__ = "people_sign_in"

    person_id: Mapped[UUID]
    device_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]

    __table_args__ = (
        points_to("people_person", "person_id", ondelete="CASCADE"),
        Index(None, "tenant_id", "person_id"),
    )


class RefreshToken(TenantRow, Base):
    """A single-use refresh token, kept as its hash; ``successor_sealed`` repeats a lost answer within the grace."""

    __tablename__ = "people_refresh_token"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    sign_in_id: Mapped[UUID] = mapped_column(Uuid())
    issued_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    successor_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "sign_in_id"],
            ["people_sign_in.tenant_id", "people_sign_in.id"],
            ondelete="CASCADE",
        ),
    )


class AuditEntry(Identified, Base):
    """Who did what to which thing; append-only."""

    __tablename__ = "people_audit_entry"

    at: Mapped[datetime]
    actor_id: Mapped[UUID | None]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[str] = mapped_column(default="")

    __table_args__ = (Index(None, "tenant_id", "at"),)
