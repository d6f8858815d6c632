"""Sealing every secret of the bridge anew under the installation's key of today, so that former keys may go."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import LargeBinary, Select, and_, func, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.elements import ColumnElement

from app.core.crypto import SecretUnreadable, head_of, key_id
from app.people.services import write_audit
from erp_bridge.hooks import reseal_keys
from erp_bridge.models import Hook, Source
from erp_bridge.opening import reseal_secrets

Sealed = InstrumentedAttribute[bytes] | InstrumentedAttribute[bytes | None]

BATCH = 100


@dataclass
class Rotated:
    """What a batch came to; it is the last when it looked at nothing."""

    last: UUID | None = None
    sources: int = 0
    #: Sources of which something could not be opened by any key there is.
    unreadable: list[str] = field(default_factory=list)


def rotate_batch(
    session: Session, *, secret_key: str, after: UUID | None, now: datetime
) -> Rotated:
    """Seal the next sources' secrets anew; those that are sealed under today's key are not looked at.

    So the work may be cut off at any moment and begun again.
    """
    done = Rotated()
    for source, hook in session.execute(_sealed_otherwise(head_of(secret_key), after)).all():
        done.last = source.id
        try:
            reseal_secrets(source, secret_key=secret_key)
            if hook is not None:
                reseal_keys(hook, secret_key=secret_key)
            done.sources += 1
        except SecretUnreadable as error:
            done.unreadable.append(f"{source.name}: {error}".removesuffix(": "))
    if done.sources:
        detail = f"{done.sources} sources under {key_id(secret_key).hex()}"
        write_audit(
            session,
            actor_id=None,
            action="erp.rotate_keys",
            subject="erp_source",
            detail=detail,
            now=now,
        )
    return done


def _sealed_otherwise(head: bytes, after: UUID | None) -> Select[Source, Hook]:
    found = (
        select(Source, Hook)
        .outerjoin(Hook, and_(Hook.tenant_id == Source.tenant_id, Hook.source_id == Source.id))
        .where(or_(_begins_otherwise(Source.secrets, head), _begins_otherwise(Hook.keys, head)))
        .order_by(Source.id)
        .limit(BATCH)
        .with_for_update(of=Source)
    )
    return found.where(Source.id > after) if after else found


def _begins_otherwise(column: Sealed, head: bytes) -> ColumnElement[bool]:
    begins = func.substr(column, 1, len(head), type_=LargeBinary())
    return begins != literal(head, LargeBinary())
