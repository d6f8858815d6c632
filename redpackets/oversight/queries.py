"""All SELECTs of oversight: the patterns, the flags, the report; each over a bounded window of time."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Select, TextClause, func, select, text

from app.people.models import OrgUnitClosure, Person, Tenant
from redpackets.models import Budget, PacketMember
from redpackets.oversight.models import Flag, OversightPolicy

EDGES_MAX = 10_000
ROWS_MAX = 1_000

_FOR_ONE_ALONE = """
    (SELECT count(*) FROM (
         SELECT FROM redpackets_packet_member m
          WHERE m.tenant_id = p.tenant_id AND m.packet_id = p.id LIMIT 2) AS some_of_them) = 1
"""
#: What people gave others of packets that somebody sent. A gift is directed where the giver picked the receiver:
#: named receivers, or an audience of one. What a rule sent is nobody's gift.
_GIVEN = f"""
    sent AS MATERIALIZED (
        SELECT p.tenant_id, p.id, p.actor_id, p.unit,
               p.kind IN ('targeted', 'kudos', 'grant') OR {_FOR_ONE_ALONE} AS directed
          FROM redpackets_packet p
         WHERE p.opened_at >= :since AND p.opened_at < :until
           AND p.kind NOT IN ('kpi', 'milestone')
    ), given AS (
        SELECT p.actor_id AS giver_id, s.holder_id AS receiver_id, p.unit, s.amount_minor, s.at,
               p.id AS packet_id, p.directed
          FROM sent p
          JOIN redpackets_share s
            ON s.tenant_id = p.tenant_id AND s.packet_id = p.id AND s.state = 'claimed'
         WHERE s.holder_id <> p.actor_id
    ), pairs AS (
        SELECT giver_id, receiver_id, unit, count(*) AS gift_count,
               sum(amount_minor)::bigint AS amount_minor, min(at) AS first_at, max(at) AS last_at,
               array_agg(DISTINCT packet_id) AS packet_ids
          FROM given WHERE directed GROUP BY giver_id, receiver_id, unit
    ), totals AS (
        SELECT giver_id, unit, sum(amount_minor)::bigint AS total_minor,
               (sum(amount_minor) FILTER (WHERE directed))::bigint AS directed_minor
          FROM given GROUP BY giver_id, unit
    )
"""  # noqa: S608 - our own text
#: Who gives one person so often and such a part of all that they give.
SAME_RECEIVERS = text(f"""
    WITH {_GIVEN}
    SELECT p.*, t.total_minor FROM pairs p JOIN totals t USING (giver_id, unit)
     WHERE p.gift_count >= :receiver_count
       AND p.amount_minor * 100 >= t.total_minor * :receiver_percent
     ORDER BY p.amount_minor DESC LIMIT {EDGES_MAX}
""")  # noqa: S608 - our own text
#: Who gives one person so often and such a part of their directed gifts: what rings are made of.
RING_EDGES = text(f"""
    WITH {_GIVEN}
    SELECT p.* FROM pairs p JOIN totals t USING (giver_id, unit)
     WHERE p.gift_count >= :ring_count
       AND p.amount_minor * 100 >= t.directed_minor * :receiver_percent
     ORDER BY p.amount_minor DESC LIMIT {EDGES_MAX}
""")  # noqa: S608 - our own text

#: Who took what they had named themselves for, or sent to nobody else; also by a rule of theirs that names them.
#: A birthday that everybody has is nobody's choice.
SELF_GIFTS = text(f"""
    SELECT p.actor_id AS giver_id, p.unit, count(DISTINCT p.id) AS gift_count,
           sum(s.amount_minor)::bigint AS amount_minor, min(s.at) AS first_at, max(s.at) AS last_at,
           array_agg(DISTINCT p.id) AS packet_ids
      FROM redpackets_packet p
      JOIN redpackets_share s
        ON s.tenant_id = p.tenant_id AND s.packet_id = p.id AND s.state = 'claimed'
       AND s.holder_id = p.actor_id
     WHERE p.opened_at >= :since AND p.opened_at < :until AND p.kind <> 'milestone'
       AND (s.receiver_id = p.actor_id OR {_FOR_ONE_ALONE})
     GROUP BY p.actor_id, p.unit
     ORDER BY p.actor_id, p.unit LIMIT {EDGES_MAX}
""")  # noqa: S608 - our own text

#: What one person decided to give from one budget, each time below a threshold and, within a day, together above it.
#: The packets of one origin are one decision. What as many have approved as a threshold asks for dodged nothing.
SPLITS = text(f"""
    WITH bands AS (
        SELECT b.*, row_number() OVER (PARTITION BY unit ORDER BY above_minor) AS approvals
          FROM unnest(CAST(:units AS text[]), CAST(:amounts AS bigint[])) AS b (unit, above_minor)
    ), made AS (
        SELECT p.id, p.actor_id, p.budget_id, p.unit, p.total_minor, p.created_at,
               p.state NOT IN ('cancelled', 'rejected') AS stands,
               COALESCE(NULLIF(p.origin, ''), CAST(p.id AS text)) AS decision,
               COALESCE(r.approval_count, 0) AS approvals
          FROM redpackets_packet p
          LEFT JOIN redpackets_approval_request r
            ON r.tenant_id = p.tenant_id AND r.packet_id = p.id AND r.approved_at IS NOT NULL
         WHERE p.created_at >= :since AND p.created_at < :until
           AND p.kind IN ('equal', 'lucky', 'targeted', 'grant', 'rain')
    ), decided AS (
        SELECT m.*, sum(total_minor) OVER whole AS decided_minor,
               min(approvals) FILTER (WHERE stands) OVER whole AS approved_by,
               row_number() OVER (PARTITION BY decision ORDER BY stands DESC, id) = 1 AS is_first
          FROM made m
        WINDOW whole AS (PARTITION BY decision)
    ), sent AS (
        SELECT d.*, b.above_minor
          FROM decided d
          JOIN bands b ON b.unit = d.unit AND d.decided_minor <= b.above_minor
           AND d.approved_by < b.approvals
         WHERE d.stands
    ), running AS (
        SELECT s.*, (s.created_at AT TIME ZONE :zone)::date AS day, sum(s.total_minor) OVER w AS together_minor,
               count(*) OVER w AS packet_count, count(*) FILTER (WHERE is_first) OVER w AS decision_count,
               array_agg(s.id) OVER w AS packet_ids,
               min(s.created_at) OVER w AS first_at, s.created_at AS last_at
          FROM sent s
        WINDOW w AS (PARTITION BY s.actor_id, s.budget_id, s.above_minor ORDER BY s.created_at
                     RANGE BETWEEN interval '24 hours' PRECEDING AND CURRENT ROW)
    )
    SELECT DISTINCT ON (actor_id, budget_id, above_minor, day) * FROM running
     WHERE together_minor > above_minor AND decision_count >= 2
     ORDER BY actor_id, budget_id, above_minor, day, together_minor DESC LIMIT {EDGES_MAX}
""")  # noqa: S608 - our own text

#: Keep a finding: once for each pattern, with its newest evidence for as long as nobody has looked.
KEEP = text("""
    INSERT INTO redpackets_flag AS f
           (tenant_id, id, kind, pattern, subject_ids, packet_ids, figures, window_from, window_to,
            state, note, created_at)
    VALUES (:tenant_id, :id, :kind, :pattern, CAST(:subject_ids AS uuid[]), CAST(:packet_ids AS uuid[]),
            CAST(:figures AS jsonb), :window_from, :window_to, 'open', '', :now)
        ON CONFLICT (tenant_id, kind, pattern) DO UPDATE
       SET packet_ids = excluded.packet_ids, figures = excluded.figures,
           window_from = excluded.window_from, window_to = excluded.window_to
     WHERE f.state = 'open'
 RETURNING id
""")

_AT_UNIT = """
    JOIN people_org_unit_closure inside
      ON inside.tenant_id = p.tenant_id AND inside.ancestor_id = CAST(:unit_id AS uuid)
     AND inside.descendant_id = p.on_behalf_of_id
"""
#: The part of the tree that a packet counts for: the branch just below the unit, or what the reader oversees.
_BRANCH = """
    LEFT JOIN LATERAL (
         SELECT c.ancestor_id FROM people_org_unit_closure c
           JOIN people_org_unit u ON u.tenant_id = c.tenant_id AND u.id = c.ancestor_id
          WHERE c.tenant_id = p.tenant_id AND c.descendant_id = p.on_behalf_of_id
            AND (u.parent_id = CAST(:unit_id AS uuid) OR (CAST(:unit_id AS uuid) IS NULL AND u.id = ANY(CAST(:tops AS uuid[]))))
          LIMIT 1) AS branch ON true
    JOIN people_org_unit g
      ON g.tenant_id = p.tenant_id AND g.id = COALESCE(branch.ancestor_id, p.on_behalf_of_id)
"""
#: What a report is by → (key, name, what has to be joined for them).
_KEYS = {
    "unit": ("CAST(g.id AS text)", "g.name", _BRANCH),
    "purpose": ("p.purpose_category", "p.purpose_category", ""),
    "kind": ("p.kind", "p.kind", ""),
    "budget": ("CAST(b.id AS text)", "b.name", ""),
    "month": ("to_char(p.opened_at AT TIME ZONE :zone, 'YYYY-MM')",) * 2 + ("",),
}
REPORTED_BY = tuple(_KEYS)


def report(by: str, *, at_unit: bool) -> TextClause:
    """What was given, taken and given back by packets opened in a time that the reader may see, by group and unit."""
    key, name, joined = _KEYS[by]
    return text(f"""
        WITH chosen AS (
            SELECT p.tenant_id, p.id, p.unit, p.total_minor, {key} AS key, {name} AS name
              FROM redpackets_packet p
              JOIN redpackets_budget b ON b.tenant_id = p.tenant_id AND b.id = p.budget_id
              {_AT_UNIT if at_unit else ""} {joined}
             WHERE p.opened_at >= :since AND p.opened_at < :until
               AND (b.owner_id = :person_id OR p.on_behalf_of_id IN (
                        SELECT descendant_id FROM people_org_unit_closure
                         WHERE ancestor_id = ANY(CAST(:held_at AS uuid[]))))
        ), packets AS (
            SELECT key, name, unit, count(*) AS packets, sum(total_minor)::bigint AS given_minor
              FROM chosen GROUP BY key, name, unit
        ), shares AS (
            SELECT c.key, c.unit, count(DISTINCT s.holder_id) AS receivers,
                   count(*) FILTER (WHERE s.state = 'claimed') AS claims,
                   COALESCE(sum(s.amount_minor) FILTER (WHERE s.state = 'claimed'), 0)::bigint AS claimed_minor,
                   COALESCE(sum(s.amount_minor) FILTER (WHERE s.state = 'refunded'), 0)::bigint AS refunded_minor
              FROM chosen c
              JOIN redpackets_share s ON s.tenant_id = c.tenant_id AND s.packet_id = c.id
             GROUP BY c.key, c.unit
        ), members AS (
            SELECT c.key, c.unit, count(*) AS audience
              FROM chosen c
              JOIN redpackets_packet_member m ON m.tenant_id = c.tenant_id AND m.packet_id = c.id
             GROUP BY c.key, c.unit
        )
        SELECT key, name, unit, packets, given_minor, claimed_minor, refunded_minor, receivers, claims,
               COALESCE(audience, 0) AS audience
          FROM packets JOIN shares USING (key, unit) LEFT JOIN members USING (key, unit)
         ORDER BY key, unit LIMIT {ROWS_MAX}
    """)  # noqa: S608 - only texts of this file


def time_zone() -> Select[str]:
    """The company's time zone; row-level security shows one company only."""
    return select(Tenant.time_zone)


def policy(*, lock: bool = False) -> Select[OversightPolicy]:
    """From when on the company's patterns are flagged, where somebody has said so."""
    found = select(OversightPolicy)
    return found.with_for_update() if lock else found


def flag_locked(flag_id: UUID) -> Select[Flag]:
    """A flag, alone."""
    return (
        select(Flag)
        .where(Flag.id == flag_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def flags(*, state: str | None, kind: str | None, before: UUID | None, limit: int) -> Select[Flag]:
    """Flags in a state and of a kind, newest first."""
    found = select(Flag).order_by(Flag.id.desc()).limit(limit)
    if state:
        found = found.where(Flag.state == state)
    if kind:
        found = found.where(Flag.kind == kind)
    return found.where(Flag.id < before) if before else found


def names_of(person_ids: Collection[UUID]) -> Select[UUID, str]:
    """(id, name) of persons."""
    return select(Person.id, Person.name).where(Person.id.in_(person_ids))


def members_of(packet_id: UUID) -> Select[UUID]:
    """Who was in the audience when a packet opened."""
    return select(PacketMember.person_id).where(PacketMember.packet_id == packet_id)


def member_count(packet_id: UUID) -> Select[int]:
    """How many were in the audience when a packet opened."""
    return select(func.count()).select_from(PacketMember).where(PacketMember.packet_id == packet_id)


def budgets_owned(person_id: UUID) -> Select[UUID]:
    """A budget that the person answers for, if there is one."""
    return select(Budget.id).where(Budget.owner_id == person_id).limit(1)


def inside_of(unit_ids: Collection[UUID]) -> Select[Any]:
    """Those of these units that lie below another of them."""
    return select(OrgUnitClosure.descendant_id).where(
        OrgUnitClosure.ancestor_id.in_(unit_ids),
        OrgUnitClosure.descendant_id.in_(unit_ids),
        OrgUnitClosure.depth > 0,
    )
