"""Verbs of signing in: passwords, rotating refresh tokens with reuse detection, devices."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core import crypto
from app.core.errors import NotFound
from app.core.events import record
from app.core.ids import new_id
from app.core.settings import Settings
from app.core.work import enter_tenant, tenant_of
from app.people import queries
from app.people.errors import RefreshTokenInvalid, TenantSuspended, WrongPassword
from app.people.events import SignInEnded
from app.people.models import Device, Person, RefreshToken, Scope, SignIn
from app.people.passwords import verify_password
from app.people.services import write_audit

TOKEN_BYTES = 32
SUCCESSOR_PLACE = "{tenant}|people_refresh_token|{sign_in}|successor_sealed"


@dataclass(frozen=True, kw_only=True)
class DeviceIn:
    """The phone or browser that signs in."""

    id: UUID
    platform: str
    name: str


@dataclass(frozen=True)
class Opened:
    """A sign-in that stands, and the refresh token that continues it."""

    sign_in: SignIn
    person: Person
    refresh_token: str


def sign_in(
    session: Session,
    *,
    tenant_slug: str,
    login: str,
    password: str,
    device: DeviceIn | None,
    settings: Settings,
    now: datetime,
) -> Opened:
    """Open a sign-in; which of company, login and password was wrong is not told, nor by the time it took."""
    tenant = session.scalar(queries.tenant_by_slug(tenant_slug))
    person = None
    if tenant is not None:
        enter_tenant(session, tenant.id)
        person = session.scalar(queries.person_by_login(login))
    right = verify_password(person.password_hash if person else None, password)
    if tenant is None or person is None or not right:
        raise WrongPassword
    if tenant.state != "active":
        raise TenantSuspended
    if device is not None:
        _bind_device(session, device, person.id, now)
    return _open(session, person, device, settings, now)


def refresh(
    session: Session, *, tenant_id: UUID, token: str, settings: Settings, now: datetime
) -> Opened:
    """Rotate a refresh token.

    A token used again within the grace gets the same successor (its answer was lost on the way); later, its
    whole family is ended, and ``RefreshTokenInvalid`` is raised by the edge after that is committed.
    """
    enter_tenant(session, tenant_id)
    kept = session.scalar(queries.refresh_token(_hash(token)))
    if kept is None:
        raise RefreshTokenInvalid
    found = session.get_one(SignIn, (tenant_id, kept.sign_in_id))
    person = session.get_one(Person, (tenant_id, found.person_id))
    if found.ended_at is not None or found.expires_at <= now or not person.active:
        raise RefreshTokenInvalid
    if kept.used_at is None:
        return Opened(found, person, _succeed(session, kept, found, settings, now))
    if now - kept.used_at <= timedelta(seconds=settings.refresh_grace_seconds):
        return Opened(found, person, _repeat(kept, settings))
    end_sign_in(session, sign_in=found, reason="refresh_token_reused", now=now)
    return Opened(found, person, "")


def end_sign_in(session: Session, *, sign_in: SignIn, reason: str, now: datetime) -> None:
    """End a sign-in and all its tokens; its device gets no more pushes, its sockets are closed."""
    if sign_in.ended_at is not None:
        return
    sign_in.ended_at, sign_in.end_reason = now, reason
    if sign_in.device_id is not None:
        session.execute(
            update(Device).where(Device.id == sign_in.device_id).values(push_token=None)
        )
    own_scope = select(Scope.id).where(Scope.kind == "person", Scope.person_id == sign_in.person_id)
    record(
        session,
        SignInEnded(sign_in_id=sign_in.id, reason=reason),
        ref=sign_in.id,
        scope_ids=session.scalars(own_scope).all(),
    )
    write_audit(
        session,
        actor_id=sign_in.person_id,
        action="sign_in_ended",
        subject=str(sign_in.id),
        detail=reason,
        now=now,
    )


def bind_push_token(
    session: Session, *, device_id: UUID, person_id: UUID, provider: str, token: str
) -> None:
    """Push to this device from now on; a token moves with the phone, never staying with a former owner."""
    device = session.get(Device, (tenant_of(session), device_id))
    if device is None or device.person_id != person_id:
        raise NotFound
    session.execute(
        update(Device)
        .where(Device.push_token == token, Device.id != device_id)
        .values(push_token=None)
    )
    device.push_provider, device.push_token = provider, token


def _bind_device(session: Session, device: DeviceIn, person_id: UUID, now: datetime) -> None:
    values = {
        "tenant_id": tenant_of(session),
        "id": device.id,
        "person_id": person_id,
        "platform": device.platform,
        "name": device.name,
        "last_seen_at": now,
    }
    session.execute(delete(Device).where(Device.id == device.id, Device.person_id != person_id))
    session.execute(
        insert(Device)
        .values(values)
        .on_conflict_do_update(
            index_elements=["tenant_id", "id"],
            set_={"platform": device.platform, "name": device.name, "last_seen_at": now},
        )
    )


def _open(
    session: Session, person: Person, device: DeviceIn | None, settings: Settings, now: datetime
) -> Opened:
    opened = SignIn(
        tenant_id=person.tenant_id,
        id=new_id(),
        person_id=person.id,
        device_id=device.id if device else None,
        created_at=now,
        last_used_at=now,
        expires_at=now + timedelta(days=settings.refresh_token_days),
    )
    session.add(opened)
    session.flush()
    write_audit(session, actor_id=person.id, action="signed_in", subject=str(opened.id), now=now)
    return Opened(opened, person, _issue(session, opened, now))


def _issue(session: Session, sign_in: SignIn, now: datetime) -> str:
    token = f"{sign_in.tenant_id.hex}.{secrets.token_urlsafe(TOKEN_BYTES)}"
    session.add(
        RefreshToken(
            tenant_id=sign_in.tenant_id,
            token_hash=_hash(token),
            sign_in_id=sign_in.id,
            issued_at=now,
        )
    )
    return token


def _succeed(
    session: Session, kept: RefreshToken, sign_in: SignIn, settings: Settings, now: datetime
) -> str:
    successor = _issue(session, sign_in, now)
    kept.used_at = now
    kept.successor_sealed = crypto.seal(
        successor.encode(), key=settings.secret_key, place=_place(kept)
    )
    sign_in.last_used_at = now
    sign_in.expires_at = now + timedelta(days=settings.refresh_token_days)
    return successor


def _repeat(kept: RefreshToken, settings: Settings) -> str:
    assert kept.successor_sealed is not None
    return crypto.unseal(
        kept.successor_sealed, key=settings.secret_key, place=_place(kept)
    ).decode()


def _place(kept: RefreshToken) -> str:
    return SUCCESSOR_PLACE.format(tenant=kept.tenant_id, sign_in=kept.sign_in_id)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
