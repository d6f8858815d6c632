"""The statements of the grab: one round trip each, by keys only. Claims lock and write; the gate's ground reads."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, TextClause, and_, func, select, text

from app.core.events import recording
from app.people.models import Person
from redpackets.events import ShareTaken
from redpackets.models import Budget, Packet, Share

#: Grabs of a packet share its lock and closing takes it alone, so no claim and no refund ever cross. A
#: waiting close holds new grabs back: it cannot be starved. Unlike a row lock it writes nothing, so a tap
#: that comes too late costs no flush. The second lock lets one person's taps pass one by one.
ENTER_GRAB = text("""
    SELECT pg_advisory_xact_lock_shared(hashtextextended(:packet_key, 0)),
           pg_advisory_xact_lock(hashtextextended(:person_key, 0))
""")

#: The same locks for many claims: first those of all packets, then those of all persons, each in the order they are
#: given. Lists of texts travel as JSON, which the driver writes in one go.
ENTER_TOGETHER = text("""
    SELECT count(CASE WHEN place <= :packets THEN pg_advisory_xact_lock_shared(hashtextextended(key, 0))::text
                      ELSE pg_advisory_xact_lock(hashtextextended(key, 0))::text END)
      FROM jsonb_array_elements_text(CAST(:keys AS jsonb)) WITH ORDINALITY AS k (key, place)
""")

#: What one person receives from a budget, or takes of an origin, is counted by one grab at a time.
ENTER_CAP = text("""
    SELECT count(pg_advisory_xact_lock(hashtextextended(key, 0)))
      FROM unnest(CAST(:keys AS text[])) AS k (key)
""")

#: Where a person stands with a packet. Runs after the locks in a statement (and so a snapshot) of its own.
STANDING = text("""
    SELECT p.state, p.unit, p.opens_at, p.opened_at, p.expires_at, p.actor_id, p.budget_id,
           p.frozen_at, p.split, p.origin, p.origin_cap_count, b.receive_cap_minor,
           s.index AS share_index, s.amount_minor,
           EXISTS (SELECT FROM redpackets_packet_member m WHERE m.tenant_id = p.tenant_id
                      AND m.packet_id = p.id AND m.person_id = :person_id) AS is_member,
           EXISTS (SELECT FROM redpackets_packet_scope c WHERE c.tenant_id = p.tenant_id
                      AND c.packet_id = p.id AND c.scope_id = ANY(:scope_ids)) AS is_addressed
      FROM redpackets_packet p
      JOIN redpackets_budget b ON b.tenant_id = p.tenant_id AND b.id = p.budget_id
      LEFT JOIN redpackets_share s
        ON s.tenant_id = p.tenant_id AND s.packet_id = p.id AND s.holder_id = :person_id
     WHERE p.id = :packet_id
""")


def _claim_next(whose: str) -> TextClause:
    """Take the next free share of those, credit the wallet and write the journal: all or nothing."""
    return text(f"""
    WITH next_free AS (
        SELECT tenant_id, packet_id, index FROM redpackets_share
         WHERE packet_id = :packet_id AND state = 'free' AND {whose}
         ORDER BY index LIMIT 1 FOR UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE redpackets_share s SET state = 'claimed', holder_id = :person_id, at = :now
          FROM next_free n
         WHERE s.tenant_id = n.tenant_id AND s.packet_id = n.packet_id AND s.index = n.index
     RETURNING s.tenant_id, s.index, s.amount_minor
    ), wallet AS (
        INSERT INTO redpackets_fund_account AS a
               (tenant_id, id, kind, unit, person_id, balance_minor, may_go_negative)
        SELECT tenant_id, :wallet_id, :wallet_kind, :unit, :person_id, amount_minor, false FROM taken
            ON CONFLICT (tenant_id, kind, unit, budget_id, packet_id, person_id)
            DO UPDATE SET balance_minor = a.balance_minor + excluded.balance_minor
     RETURNING id
    ), posted AS (
        INSERT INTO redpackets_journal (tenant_id, id, kind, debit_account_id, credit_account_id,
                                        amount_minor, unit, reference, at)
        SELECT t.tenant_id, :entry_id, 'claim', :packet_id, w.id, t.amount_minor, :unit,
               'claim:' || CAST(:packet_id AS text) || ':' || t.index, :now
          FROM taken t CROSS JOIN wallet w
    )
    SELECT index AS share_index, amount_minor FROM taken
    """)  # noqa: S608 - the conditions are the two below


CLAIM = _claim_next("receiver_id IS NULL")
CLAIM_OWN = _claim_next("receiver_id = :person_id")

#: SKIP LOCKED takes a share that somebody is just taking for gone, though that may yet be rolled back. Only where
#: this finds none, none was free.
FREE_SHARE = text("""
    SELECT index FROM redpackets_share
     WHERE packet_id = :packet_id AND state = 'free' AND receiver_id IS NULL ORDER BY index LIMIT 1
""")

#: Wait for whoever is taking this one share. One at a time: who waits while holding others can wait for ever.
AWAIT_SHARE = text("""
    SELECT state FROM redpackets_share WHERE packet_id = :packet_id AND index = :index FOR UPDATE
""")

_ASKED = """
    WITH asked AS (
        SELECT * FROM jsonb_to_recordset(CAST(:claims AS jsonb))
            AS a (place integer, packet_id uuid, person_id uuid, sign_in_id uuid, index integer,
                  moment timestamptz, told_at text, wallet_id uuid, entry_id uuid)
    ), """

#: What a request checks about its caller, for many at once. Each row is fetched by its whole key (``OFFSET 0`` keeps
#: the planner from merging it into the join): the plan is kept for long, and one made while the tables were small read
#: every packet of the company, and every free share of a packet, for each claim.
_CALLER_STANDS = """
         CROSS JOIN LATERAL (
               SELECT name FROM people_person
                WHERE tenant_id = :tenant_id AND id = a.person_id AND active OFFSET 0) AS x
         CROSS JOIN LATERAL (
               SELECT FROM people_sign_in
                WHERE tenant_id = :tenant_id AND id = a.sign_in_id AND person_id = a.person_id
                  AND ended_at IS NULL AND expires_at > a.moment OFFSET 0) AS g
         WHERE EXISTS (SELECT FROM people_tenant WHERE id = :tenant_id AND state = 'active')
"""

#: And what a grab checks about its packet.
_ALLOWED_BY_GATE = f"""allowed AS (
        SELECT a.*, p.unit, p.actor_id, x.name AS holder_name
          FROM asked a
         CROSS JOIN LATERAL (
               SELECT unit, actor_id, budget_id FROM redpackets_packet
                WHERE tenant_id = :tenant_id AND id = a.packet_id
                  AND state = 'open' AND frozen_at IS NULL AND a.moment < expires_at
                  AND split <> 'named' AND origin_cap_count IS NULL OFFSET 0) AS p
         CROSS JOIN LATERAL (
               SELECT FROM redpackets_budget
                WHERE tenant_id = :tenant_id AND id = p.budget_id
                  AND receive_cap_minor IS NULL OFFSET 0) AS b
         CROSS JOIN LATERAL (
               SELECT FROM redpackets_packet_member
                WHERE tenant_id = :tenant_id AND packet_id = a.packet_id
                  AND person_id = a.person_id OFFSET 0) AS m
         {_CALLER_STANDS}
           AND NOT EXISTS (SELECT FROM redpackets_share h WHERE h.tenant_id = :tenant_id
                              AND h.packet_id = a.packet_id AND h.holder_id = a.person_id OFFSET 0)
    ), """  # noqa: S608 - the conditions are the ones above

_ALLOWED_BY_NAME = """allowed AS (
        SELECT a.*, p.unit, p.actor_id, x.name AS holder_name
          FROM asked a
          JOIN redpackets_packet p ON p.tenant_id = :tenant_id AND p.id = a.packet_id
          JOIN people_person x ON x.tenant_id = :tenant_id AND x.id = a.person_id AND x.active
    ), """

#: A share somebody else is just taking is left alone: the gate was wrong about it. Wallets are credited in the
#: order of their owners, or two processes that commit at once would wait for each other for ever.
_CREDITED = """free AS (
        SELECT a.*, s.amount_minor, s.ctid AS at_row
          FROM allowed a
         CROSS JOIN LATERAL (
               SELECT amount_minor, ctid FROM redpackets_share
                WHERE tenant_id = :tenant_id AND packet_id = a.packet_id AND index = a.index
                  AND state = 'free' AND (receiver_id IS NULL OR receiver_id = a.person_id)
                  FOR UPDATE SKIP LOCKED) AS s
    ), taken AS (
        UPDATE redpackets_share s SET state = 'claimed', holder_id = f.person_id, at = f.moment
          FROM free f
         WHERE s.tenant_id = :tenant_id AND s.ctid = f.at_row
     RETURNING f.*
    ), wallet AS (
        INSERT INTO redpackets_fund_account AS a
               (tenant_id, id, kind, unit, person_id, balance_minor, may_go_negative)
        SELECT :tenant_id, (array_agg(wallet_id))[1],
               CASE unit WHEN 'POINT' THEN 'user_points' ELSE 'user_payable' END,
               unit, person_id, sum(amount_minor)::bigint, false
          FROM taken GROUP BY person_id, unit ORDER BY person_id, unit
            ON CONFLICT (tenant_id, kind, unit, budget_id, packet_id, person_id)
            DO UPDATE SET balance_minor = a.balance_minor + excluded.balance_minor
     RETURNING id, person_id, unit
    ), posted AS (
        INSERT INTO redpackets_journal (tenant_id, id, kind, debit_account_id, credit_account_id,
                                        amount_minor, unit, reference, at)
        SELECT :tenant_id, t.entry_id, 'claim', t.packet_id, w.id, t.amount_minor, t.unit,
               'claim:' || t.packet_id || ':' || t.index, t.moment
          FROM taken t JOIN wallet w ON w.person_id = t.person_id AND w.unit = t.unit
    ), told AS ("""

_TOLD = recording(
    ShareTaken,
    "taken AS t ORDER BY t.place",
    payload={
        "packet_id": "t.packet_id",
        "holder_id": "t.person_id",
        "holder_name": "t.holder_name",
        "index": "t.index",
        "amount_minor": "t.amount_minor",
        "unit": "t.unit",
        "taken_at": "t.told_at",
    },
    ref="t.packet_id",
    scope_ids="""ARRAY(SELECT id FROM people_scope c WHERE c.tenant_id = :tenant_id
                   AND c.kind = 'person' AND c.person_id IN (t.person_id, t.actor_id) ORDER BY id)""",
)

_TAKEN = """)
    SELECT place, index AS share_index, amount_minor, unit, true AS first FROM taken
"""

#: What askers hold already, whatever became of the packet since.
_HELD = f"""
     UNION ALL
    SELECT a.place, s.index, s.amount_minor, p.unit, false
      FROM asked a
     CROSS JOIN LATERAL (
           SELECT index, amount_minor FROM redpackets_share
            WHERE tenant_id = :tenant_id AND packet_id = a.packet_id
              AND holder_id = a.person_id OFFSET 0) AS s
     CROSS JOIN LATERAL (
           SELECT unit FROM redpackets_packet
            WHERE tenant_id = :tenant_id AND id = a.packet_id OFFSET 0) AS p
     {_CALLER_STANDS}
"""  # noqa: S608 - the conditions are the ones above
CLAIM_TOGETHER = text(_ASKED + _ALLOWED_BY_GATE + _CREDITED + _TOLD + _TAKEN + _HELD)
CLAIM_NAMED = text(_ASKED + _ALLOWED_BY_NAME + _CREDITED + _TOLD + _TAKEN)

#: All that a gate is built from, as Redis takes it: indexes as a list of numbers, persons as 16 bytes each. No row where
#: nobody may pass by a gate: not open, frozen, capped, or with shares that have names on them.
#: For the driver itself, which can be asked for bytes as bytes: as text they took most of the time.
GATE_GROUND = """
    SELECT p.share_count, p.expires_at,
           (SELECT string_agg(s.index::text, ',' ORDER BY s.index) FROM redpackets_share s
             WHERE s.tenant_id = p.tenant_id AND s.packet_id = p.id AND s.state = 'free') AS free,
           c.indexes AS taken, c.holders,
           (SELECT string_agg(uuid_send(m.person_id), '') FROM redpackets_packet_member m
             WHERE m.tenant_id = p.tenant_id AND m.packet_id = p.id) AS members
      FROM redpackets_packet p
      JOIN redpackets_budget b ON b.tenant_id = p.tenant_id AND b.id = p.budget_id
     CROSS JOIN LATERAL (
           SELECT string_agg(s.index::text, ',' ORDER BY s.index) AS indexes,
                  string_agg(uuid_send(s.holder_id), '' ORDER BY s.index) AS holders
             FROM redpackets_share s WHERE s.tenant_id = p.tenant_id AND s.packet_id = p.id
              AND s.state = 'claimed') AS c
     WHERE p.id = %(packet_id)s AND p.state IN ('open', 'exhausted') AND p.expires_at > %(now)s
       AND p.frozen_at IS NULL AND p.split <> 'named' AND p.origin_cap_count IS NULL
       AND b.receive_cap_minor IS NULL
"""


def shares_named(packet_id: UUID) -> Select[int, UUID | None, int]:
    """(index, receiver, amount) of the free shares that are meant for somebody who is still here."""
    return (
        select(Share.index.label("share_index"), Share.receiver_id, Share.amount_minor)
        .join(Person, and_(Person.tenant_id == Share.tenant_id, Person.id == Share.receiver_id))
        .where(Share.packet_id == packet_id, Share.state == "free", Person.active)
        .order_by(Share.index)
    )


def received_from(budget_id: UUID, person_ids: Collection[UUID]) -> Select[UUID | None, int]:
    """(person, minor units) that these persons claimed from the packets of a budget."""
    return (
        select(Share.holder_id, func.sum(Share.amount_minor))
        .join(Packet, and_(Packet.tenant_id == Share.tenant_id, Packet.id == Share.packet_id))
        .where(Packet.budget_id == budget_id, Share.holder_id.in_(person_ids))
        .group_by(Share.holder_id)
    )


def taken_of_origin(origin: str, person_id: UUID) -> Select[int]:
    """How many shares a person took of all packets of an origin."""
    return (
        select(func.count())
        .select_from(Share)
        .join(Packet, and_(Packet.tenant_id == Share.tenant_id, Packet.id == Share.packet_id))
        .where(Packet.origin == origin, Share.holder_id == person_id)
    )


def credited_packet(packet_id: UUID) -> Select[str, datetime | None, UUID, int | None]:
    """(kind, frozen_at, budget, receive cap) of a packet: what decides how its named shares are credited."""
    return (
        select(Packet.kind, Packet.frozen_at, Packet.budget_id, Budget.receive_cap_minor)
        .join(Budget, and_(Budget.tenant_id == Packet.tenant_id, Budget.id == Packet.budget_id))
        .where(Packet.id == packet_id)
    )
