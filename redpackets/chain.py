"""The chain over the journal: entries are sealed one after another, so that none can be changed, removed or added.

A claim does not wait for the chain: what a statement posts waits in a queue, written by a trigger in the same
transaction, and one sealer a company takes it from there a moment after the commit.

    hash of link n = SHA-256(hash of link n - 1, 32 bytes ‖ canonical bytes of its entry); before the first: 32 zeros

The canonical bytes of an entry are these lines in UTF-8, joined by a line feed, without one at the end:

    journal 1
    tenant id
    entry id
    kind
    debited account id
    credited account id
    amount in minor units
    unit
    time in whole microseconds since 1970-01-01T00:00:00Z
    reference

Ids are written in lower case with hyphens, numbers in decimal without leading zeros. Whoever can rewrite the
database can rewrite the whole chain as well; that is found by a head that was handed to somebody outside before.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from app.core.work import tenant_of
from app.people.models import Tenant
from redpackets.chain_models import ChainHead, ChainLink

SEALED_TOGETHER_MAX = 5_000
BATCHES_MAX = 100
HEADS_MAX = 400
BEFORE_THE_FIRST = bytes(32)

#: The canonical bytes of the journal's row ``j``, as the docstring writes them down.
CANONICAL = """convert_to(concat_ws(E'\\n', 'journal 1', j.tenant_id, j.id, j.kind, j.debit_account_id,
       j.credit_account_id, j.amount_minor, j.unit,
       (extract(epoch FROM j.at) * 1000000)::bigint, j.reference), 'UTF8')"""

_ENTER = text(
    "SELECT pg_try_advisory_xact_lock(hashtextextended('redpackets.chain ' || :tenant, 0))"
)
_TAKE = text(f"""
    WITH taken AS (
        DELETE FROM redpackets_chain_queue q
         USING (SELECT tenant_id, entry_id FROM redpackets_chain_queue
                 WHERE tenant_id = :tenant_id ORDER BY entry_id LIMIT {SEALED_TOGETHER_MAX}) AS oldest
         WHERE q.tenant_id = oldest.tenant_id AND q.entry_id = oldest.entry_id
     RETURNING q.tenant_id, q.entry_id
    )
    SELECT j.id, {CANONICAL} AS canonical
      FROM taken t JOIN redpackets_journal j ON j.tenant_id = t.tenant_id AND j.id = t.entry_id
     ORDER BY j.id
""")
_SEAL = text("""
    INSERT INTO redpackets_chain (tenant_id, position, entry_id, hash)
    SELECT :tenant_id, :after + place, entry_id, hash
      FROM unnest(CAST(:entry_ids AS uuid[]), CAST(:hashes AS bytea[]))
           WITH ORDINALITY AS sealed (entry_id, hash, place)
""")


@dataclass(frozen=True, kw_only=True)
class Head:
    """A link by place and hash: it stands for every entry up to it."""

    position: int
    hash: bytes


def seal_entries(session: Session) -> int:
    """Seal the company's oldest waiting entries, unless somebody else is just doing so; say how many."""
    tenant_id = tenant_of(session)
    if not session.scalar(_ENTER, {"tenant": str(tenant_id)}):
        return 0
    entries = session.execute(_TAKE, {"tenant_id": tenant_id}).all()
    if not entries:
        return 0
    head = read_head(session)
    session.execute(
        _SEAL,
        {
            "tenant_id": tenant_id,
            "after": head.position,
            "entry_ids": [entry.id for entry in entries],
            "hashes": _hashes(head.hash, [entry.canonical for entry in entries]),
        },
    )
    return len(entries)


def read_head(session: Session) -> Head:
    """Find the last link; place 0 where nothing is sealed yet."""
    found = select(ChainLink).order_by(ChainLink.position.desc()).limit(1)
    link = session.scalar(found)
    if link is None:
        return Head(position=0, hash=BEFORE_THE_FIRST)
    return Head(position=link.position, hash=link.hash)


def note_head(session: Session, *, now: datetime) -> ChainHead | None:
    """Keep the head as it stands after yesterday's end, once; None if it is kept already or nothing is sealed."""
    head = read_head(session)
    if head.position == 0:
        return None
    row = {
        "tenant_id": tenant_of(session),
        "day": _yesterday(session, now),
        "position": head.position,
        "hash": head.hash,
        "at": now,
    }
    made = upsert(ChainHead).values(row).on_conflict_do_nothing().returning(ChainHead)
    return session.scalar(made)


def heads(*, before: date | None, limit: int) -> Select[ChainHead]:
    """The daily heads, newest first."""
    found = select(ChainHead).order_by(ChainHead.day.desc()).limit(limit)
    return found.where(ChainHead.day < before) if before else found


def _hashes(last: bytes, entries: list[bytes]) -> list[bytes]:
    hashes = []
    for canonical in entries:
        last = hashlib.sha256(last + canonical).digest()
        hashes.append(last)
    return hashes


def _yesterday(session: Session, now: datetime) -> date:
    tenant = session.get_one(Tenant, tenant_of(session))
    return now.astimezone(ZoneInfo(tenant.time_zone)).date() - timedelta(days=1)
