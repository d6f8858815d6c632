"""Hooks: an ERP says that there is something new. Their word is a hint to look, and never a fact."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import structlog
from sqlalchemy.orm import Session

from app.core.crypto import SecretUnreadable, seal, unseal
from app.core.jobs import defer
from app.core.work import enter_tenant
from app.people.models import Tenant
from erp_bridge import queries
from erp_bridge.mappings.loader import mapping_of
from erp_bridge.models import Hook, Source
from erp_bridge.polling import ask_for_reading

FETCH_DOCUMENTS = "erp_bridge.fetch_documents"
HOOK_BYTES_MAX = 16 * 1024
#: A hook that was signed longer ago, or later by the ERP's clock, is not heard.
SKEW = timedelta(minutes=5)
#: After a key was changed, the former one counts until the ERP surely has the new one.
FORMER_KEY_LASTS = timedelta(hours=24)
STREAMS_MAX = 100
DOCUMENTS_MAX = 20
DIRECTORY_TABLES = {"org_unit", "employee"}
KEY_PARTS_MAX = 8
PART_LENGTH_MAX = 200
#: What signs where there is no key: unknown sources take as long to refuse as forged words.
_NO_KEY = b"no key"
_SIGNATURE = re.compile(r"t=([0-9]{1,11}),v1=([0-9a-f]{64})").fullmatch

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Said:
    """What came in: the body as it was signed, and the header that signs it."""

    signature: str
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class _Signed:
    at: datetime
    digest: str


def set_key(
    session: Session, *, source: Source, key: str | None, secret_key: str, now: datetime
) -> None:
    """Let hooks of a source be signed with another key, or with None, no more; it is never read back."""
    hook = session.scalar(queries.hook_of(source.id))
    if key is None:
        if hook is not None:
            session.delete(hook)
        return
    keys: dict[str, str] = {"key": key}
    if hook is not None:
        before = _read_keys(hook, secret_key=secret_key, now=now)
        until = (now + FORMER_KEY_LASTS).isoformat()
        keys |= {"former": before[0], "former_until": until} if before else {}
    else:
        hook = Hook(tenant_id=source.tenant_id, source_id=source.id)
        session.add(hook)
    hook.keys = seal(orjson.dumps(keys), key=secret_key, place=place_of(hook))
    hook.changed_at = now


def reseal_keys(hook: Hook, *, secret_key: str) -> None:
    """Seal the keys of a hook anew, under the installation's key of today."""
    opened = unseal(hook.keys, key=secret_key, place=place_of(hook))
    hook.keys = seal(opened, key=secret_key, place=place_of(hook))


def hear(
    session: Session,
    *,
    source_id: UUID,
    said: Said,
    secret_key: str,
    is_first: Callable[[str], bool],
    now: datetime,
) -> None:
    """Look where a signed word points, at once; of any other word nothing comes, and nobody is told why.

    ``is_first`` says whether this word has not been heard before, from this source.
    """
    hook = session.scalar(queries.hook_of(source_id))
    if hook is not None:
        enter_tenant(session, hook.tenant_id)
    keys = _read_keys(hook, secret_key=secret_key, now=now) if hook else []
    signed = _signed(said, keys)
    problem = _problem(signed, now) if hook else "unknown"
    if problem is None and signed and not is_first(f"{source_id}:{signed.digest}"):
        problem = "repeated"
    if problem is not None or hook is None:
        log.info("hook_not_heard", source_id=str(source_id), problem=problem)
        return
    source = session.get_one(Source, (hook.tenant_id, source_id))
    if source.active and session.get_one(Tenant, hook.tenant_id).state == "active":
        hook.heard_at = now
        _hint(session, source, _wish_in(said.body, source), now)


def place_of(hook: Hook) -> str:
    """Where the keys of a hook are sealed for."""
    return f"{hook.tenant_id}|erp_hook|{hook.source_id}|keys"


def _read_keys(hook: Hook, *, secret_key: str, now: datetime) -> list[str]:
    """The keys that count now, the newest first; none when they cannot be read."""
    try:
        kept = orjson.loads(unseal(hook.keys, key=secret_key, place=place_of(hook)))
    except SecretUnreadable:
        return []
    counts = "former" in kept and now < datetime.fromisoformat(kept["former_until"])
    return [kept["key"], kept["former"]] if counts else [kept["key"]]


def _signed(said: Said, keys: Sequence[str]) -> _Signed | None:
    """The time and the digest of a word that one of the keys has signed."""
    found = _SIGNATURE(said.signature)
    moment, given = (found[1], found[2]) if found else ("0", "")
    text = moment.encode() + b"." + said.body
    # Each key is tried to its end, and one is tried where there is none: the time tells nothing.
    tried = [
        hmac.compare_digest(hmac.new(key, text, hashlib.sha256).hexdigest(), given)
        for key in ([key.encode() for key in keys] or [_NO_KEY])
    ]
    if not (keys and any(tried)):
        return None
    return _Signed(datetime.fromtimestamp(int(moment), UTC), given)


def _problem(signed: _Signed | None, now: datetime) -> str | None:
    if signed is None:
        return "forged"
    return None if abs(signed.at - now) <= SKEW else "old"


@dataclass(frozen=True, kw_only=True)
class _Wish:
    """What to look at: streams (all when it names none), and single documents."""

    streams: list[str]
    documents: list[dict[str, Any]]


def _wish_in(body: bytes, source: Source) -> _Wish:
    """What a word names of this source; every other thing it may say is not for us."""
    mapped = {stream.name: stream for stream in mapping_of(source.mapping, source.config).streams}
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        told = None
    told = told if isinstance(told, dict) else {}
    named, documents = told.get("streams"), told.get("documents")
    wished = [
        {"stream": document["stream"], "key": document["key"]}
        for document in (documents if isinstance(documents, list) else [])[:DOCUMENTS_MAX]
        if _names_document(document) and document["stream"] in mapped
    ]
    # Whom people belong to is brought to the directory by a reading of the stream only.
    whole = {d["stream"] for d in wished if mapped[d["stream"]].into in DIRECTORY_TABLES}
    wished = [document for document in wished if document["stream"] not in whole]
    streams = (named if isinstance(named, list) else [])[:STREAMS_MAX]
    known = {name for name in streams if isinstance(name, str) and name in mapped} | whole
    says_nothing = not isinstance(named, list) and not isinstance(documents, list)
    return _Wish(streams=list(mapped) if says_nothing else sorted(known), documents=wished)


def _names_document(found: object) -> bool:
    if not isinstance(found, dict) or not isinstance(found.get("stream"), str):
        return False
    key = found.get("key")
    return (
        isinstance(key, list)
        and 0 < len(key) <= KEY_PARTS_MAX
        and all(isinstance(part, str) and 0 < len(part) <= PART_LENGTH_MAX for part in key)
        and not any("\0" in part for part in key)
    )


def _hint(session: Session, source: Source, wish: _Wish, now: datetime) -> None:
    if wish.streams:
        ask_for_reading(session, source.id, names=wish.streams, now=now)
    if wish.documents:
        arguments = {"source_id": str(source.id), "documents": wish.documents}
        defer(session, FETCH_DOCUMENTS, lock=f"erp_bridge.{source.id}", **arguments)
