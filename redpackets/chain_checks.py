"""Proving the chain: every link from its entry and the link before it, its heads, and that no entry stands outside."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from app.core.work import tenant_of
from redpackets.chain import CANONICAL

UNSEALED_MINUTES_MAX = 5

#: Each gives the first row that breaks the rule: (subject, expected, found).
_CHECKS = {
    # A link is judged by what the one before it says, so that the first bad one is the one that was changed.
    "chain_is_unbroken": f"""
        WITH links AS (
            SELECT tenant_id, position, entry_id, hash,
                   lag(position, 1, 0::bigint) OVER by_position AS position_before,
                   lag(hash, 1, decode(repeat('00', 32), 'hex')) OVER by_position AS hash_before
              FROM redpackets_chain WHERE tenant_id = :tenant_id
            WINDOW by_position AS (ORDER BY position)
        ), broken AS MATERIALIZED (
        SELECT l.position,        'position ' || l.position || ', entry ' || l.entry_id AS subject,
               CASE WHEN l.position <> l.position_before + 1
                    THEN 'position ' || l.position_before + 1
                    WHEN j.id IS NULL THEN 'an entry'
                    ELSE encode(sha256(l.hash_before || {CANONICAL}), 'hex') END AS expected,
               CASE WHEN l.position <> l.position_before + 1
                    THEN 'position ' || l.position
                    WHEN j.id IS NULL THEN 'nothing'
                    ELSE encode(l.hash, 'hex') END AS found
          FROM links l
          LEFT JOIN redpackets_journal j ON j.tenant_id = l.tenant_id AND j.id = l.entry_id
         WHERE l.position <> l.position_before + 1 OR j.id IS NULL
            OR l.hash <> sha256(l.hash_before || {CANONICAL})
        ) SELECT subject, expected, found FROM broken ORDER BY position LIMIT 1""",
    # Counting is cheap; who stands outside is looked for only where the numbers say that somebody does.
    "each_entry_is_sealed": f"""
        WITH waiting AS (
            SELECT count(*) AS count
              FROM redpackets_chain_queue q
              JOIN redpackets_journal j ON j.tenant_id = q.tenant_id AND j.id = q.entry_id
             WHERE q.queued_at >= now() - interval '{UNSEALED_MINUTES_MAX} minutes'
               AND NOT EXISTS (SELECT FROM redpackets_chain c
                                WHERE c.tenant_id = q.tenant_id AND c.entry_id = q.entry_id)
        ), outside AS MATERIALIZED (
        SELECT j.id,
               'entry ' || j.id AS subject, 'sealed within {UNSEALED_MINUTES_MAX} minutes' AS expected,
               CASE WHEN q.entry_id IS NULL THEN 'neither sealed nor waiting'
                    ELSE 'waiting since ' || q.queued_at END AS found
          FROM redpackets_journal j
          LEFT JOIN redpackets_chain_queue q ON q.tenant_id = j.tenant_id AND q.entry_id = j.id
         WHERE (SELECT count(*) FROM redpackets_journal)
               <> (SELECT count(*) FROM redpackets_chain) + (SELECT count FROM waiting)
           AND NOT EXISTS (SELECT FROM redpackets_chain c
                            WHERE c.tenant_id = j.tenant_id AND c.entry_id = j.id)
           AND (q.entry_id IS NULL OR q.queued_at < now() - interval '{UNSEALED_MINUTES_MAX} minutes')
        ) SELECT subject, expected, found FROM outside ORDER BY id LIMIT 1""",
    "heads_are_links": """
        SELECT 'head of ' || h.day || ', position ' || h.position AS subject,
               encode(h.hash, 'hex') AS expected, COALESCE(encode(c.hash, 'hex'), 'nothing') AS found
          FROM redpackets_chain_head h
          LEFT JOIN redpackets_chain c ON c.tenant_id = h.tenant_id AND c.position = h.position
         WHERE c.hash IS DISTINCT FROM h.hash
         ORDER BY h.day LIMIT 1""",
}
CHAIN_CHECKS = {name: text(statement) for name, statement in _CHECKS.items()}
_AT = text("""
    SELECT encode(hash, 'hex') FROM redpackets_chain
     WHERE tenant_id = :tenant_id AND position = :position
""")


@dataclass(frozen=True, kw_only=True)
class HandedHead:
    """A head as somebody outside was given it."""

    position: int
    hash_hex: str


def broken_links(session: Session) -> list[tuple[str, Row[Any]]]:
    """Run every check of the chain; (check, first row that breaks it)."""
    place = {"tenant_id": tenant_of(session)}
    return [
        (name, row)
        for name, statement in CHAIN_CHECKS.items()
        for row in session.execute(statement, place)
    ]


def heads_not_found(session: Session, handed: Iterable[HandedHead]) -> list[tuple[HandedHead, str]]:
    """Compare heads that were handed out with the chain as it stands; (head, what stands there now)."""
    tenant_id = tenant_of(session)
    lost = []
    for head in handed:
        found = session.scalar(_AT, {"tenant_id": tenant_id, "position": head.position})
        if found != head.hash_hex:
            lost.append((head, found or "nothing"))
    return lost
