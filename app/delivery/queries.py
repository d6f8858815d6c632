"""All SELECTs of delivery.

Reading the log is textual SQL with payloads as the JSON text that PostgreSQL holds: it is the hottest read there
is, and nobody on the way looks into a payload. The socket's replay and ``/sync`` share one statement.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, text

from app.delivery.models import DeviceCursor, NoticeRow, Preference
from app.people.models import Device, Person, SignIn, Tenant

#: Where a tenant's log stands: its epoch, its head, and the oldest number it still has.
STANDING = text("""
    SELECT h.epoch, h.seq AS head,
           (SELECT min(e.seq) FROM core_event e WHERE e.tenant_id = h.tenant_id) AS oldest
      FROM core_event_head h
     WHERE h.tenant_id = :tenant_id
""")

#: The next events after a number, through the reader's scopes: the first few of each scope, merged.
REPLAY = text("""
    SELECT e.seq, e.kind, e.ref::text AS ref, e.version, e.payload::text AS payload
      FROM (SELECT DISTINCT heard.seq
              FROM unnest(CAST(:scope_ids AS uuid[])) AS scope (id)
             CROSS JOIN LATERAL (
                   SELECT a.seq
                     FROM core_event_audience a
                    WHERE a.tenant_id = :tenant_id AND a.scope_id = scope.id
                      AND a.seq > :after AND a.seq <= :head
                    ORDER BY a.seq
                    LIMIT :limit) AS heard
             ORDER BY heard.seq
             LIMIT :limit) AS found
      JOIN core_event e ON e.tenant_id = :tenant_id AND e.seq = found.seq
     ORDER BY e.seq
""")

#: How far the logs of these tenants have come, and by which structure their audiences are understood.
HEADS = text("""
    SELECT h.tenant_id, h.epoch, h.seq AS head, t.structure_version
      FROM core_event_head h
      JOIN people_tenant t ON t.id = h.tenant_id
     WHERE h.tenant_id = ANY(CAST(:tenant_ids AS uuid[]))
""")

#: The next events of one tenant for everybody, each with the scopes that hear it.
NEXT_EVENTS = text("""
    SELECT e.seq, e.kind, e.ref::text AS ref, e.version, e.payload::text AS payload,
           ARRAY(SELECT a.scope_id FROM core_event_audience a
                  WHERE a.tenant_id = e.tenant_id AND a.seq = e.seq) AS scope_ids
      FROM core_event e
     WHERE e.tenant_id = :tenant_id AND e.seq > :after AND e.seq <= :head
     ORDER BY e.seq
     LIMIT :limit
""")

#: What waits in the outbox, and how long ago the newest event was numbered.
BACKLOG = text("""
    SELECT (SELECT count(*) FROM core_outbox) AS depth,
           (SELECT extract(epoch FROM now() - min(recorded_at)) FROM core_outbox) AS waiting,
           (SELECT extract(epoch FROM now() - max(e.recorded_at))
              FROM core_event_head h
              JOIN core_event e ON e.tenant_id = h.tenant_id AND e.seq = h.seq) AS head_age
""")

#: The notices of a reader's scopes that are news to this reader: not before the reader came, and not the reader's own.
_MY_NOTICES = """
    SELECT DISTINCT line.number
      FROM unnest(CAST(:scope_ids AS uuid[])) AS own(scope_id)
     CROSS JOIN LATERAL (
           SELECT a.number
             FROM delivery_notice_audience a
             JOIN delivery_notice n ON n.tenant_id = a.tenant_id AND n.number = a.number
            WHERE a.tenant_id = :tenant_id AND a.scope_id = own.scope_id AND {wanted}
              AND n.except_person_id IS DISTINCT FROM :person_id
              AND n.created_at >= (SELECT p.created_at FROM people_person p
                                    WHERE p.tenant_id = :tenant_id AND p.id = :person_id)
            ORDER BY a.number DESC
            LIMIT :count) AS line
     ORDER BY line.number DESC
     LIMIT :count
"""
_IS_READ = """EXISTS (
    SELECT FROM delivery_notice_read x
     WHERE x.tenant_id = :tenant_id AND x.person_id = :person_id AND x.number = {number})
"""

#: A page of what a reader was told, newest first.
NOTICES = text(f"""
    SELECT n.id, n.number, n.kind, n.texts, n.link, n.created_at,
           n.number <= coalesce(r.through, 0) OR {_IS_READ.format(number="n.number")} AS read
      FROM ({_MY_NOTICES.format(wanted="a.number < :before")}) AS found
      JOIN delivery_notice n ON n.tenant_id = :tenant_id AND n.number = found.number
      LEFT JOIN delivery_notice_reader r ON r.tenant_id = :tenant_id AND r.person_id = :person_id
     ORDER BY n.number DESC
""")  # noqa: S608 - only constants of this file

_UNREAD = f"a.number > coalesce(r.through, 0) AND NOT {_IS_READ.format(number='a.number')}"

#: How many notices a reader has not read, counted no further than ``count``, and at which state of things.
UNREAD = text(f"""
    SELECT (SELECT count(*) FROM ({_MY_NOTICES.format(wanted=_UNREAD)}) AS found) AS unread,
           coalesce(h.number, 0) AS counted_to,
           coalesce(r.through, 0) AS through, coalesce(r.version, 0) AS version
      FROM (SELECT 1) AS one
      LEFT JOIN delivery_notice_head h ON h.tenant_id = :tenant_id
      LEFT JOIN delivery_notice_reader r ON r.tenant_id = :tenant_id AND r.person_id = :person_id
""")  # noqa: S608 - only constants of this file

#: A reader reads on: never back, and never beyond what was told.
READ_THROUGH = text("""
    INSERT INTO delivery_notice_reader (tenant_id, person_id, through, version)
    SELECT :tenant_id, :person_id, LEAST(:through, coalesce(max(h.number), 0)), 1
      FROM delivery_notice_head h
     WHERE h.tenant_id = :tenant_id
    ON CONFLICT (tenant_id, person_id) DO UPDATE
       SET through = GREATEST(delivery_notice_reader.through, excluded.through),
           version = delivery_notice_reader.version + 1
""")

#: These notices are read, as far as they are the reader's to read and not read already.
READ_THESE = text("""
    INSERT INTO delivery_notice_read (tenant_id, person_id, number)
    SELECT n.tenant_id, :person_id, n.number
      FROM delivery_notice n
      JOIN delivery_notice_reader r ON r.tenant_id = n.tenant_id AND r.person_id = :person_id
     WHERE n.tenant_id = :tenant_id AND n.id = ANY(CAST(:notice_ids AS uuid[]))
       AND n.number > r.through AND n.scope_ids && CAST(:scope_ids AS uuid[])
    ON CONFLICT DO NOTHING
""")

#: What was read by itself is covered by what was read through.
FORGET_COVERED = text("""
    DELETE FROM delivery_notice_read x
     USING delivery_notice_reader r
     WHERE r.tenant_id = x.tenant_id AND r.person_id = x.person_id AND x.number <= r.through
       AND x.tenant_id = :tenant_id AND x.person_id = :person_id
""")


def ended_sign_ins(sign_in_ids: Collection[UUID], now: datetime) -> Select[UUID]:
    """Of these sign-ins, those that no longer count: ended, run out, or their person or company shut out."""
    return (
        select(SignIn.id)
        .join(Person, (Person.tenant_id == SignIn.tenant_id) & (Person.id == SignIn.person_id))
        .join(Tenant, Tenant.id == SignIn.tenant_id)
        .where(
            SignIn.id.in_(sign_in_ids),
            SignIn.ended_at.is_not(None)
            | (SignIn.expires_at <= now)
            | ~Person.active
            | (Tenant.state != "active"),
        )
    )


def notice(notice_id: UUID) -> Select[NoticeRow]:
    """One notice."""
    return select(NoticeRow).where(NoticeRow.id == notice_id)


def devices_of(person_ids: Collection[UUID]) -> Select[UUID, UUID]:
    """(person, device) for every device of these persons, whether it can be pushed to or not."""
    return select(Device.person_id, Device.id).where(Device.person_id.in_(person_ids))


def preferences_of(person_ids: Collection[UUID]) -> Select[Preference]:
    """What these persons have decided about their notifications; who decided nothing has no row."""
    return select(Preference).where(Preference.person_id.in_(person_ids))


def persons_holding(seq: int, person_ids: Collection[UUID]) -> Select[UUID]:
    """Of these persons, those one of whose devices has acknowledged this number."""
    return (
        select(DeviceCursor.person_id)
        .where(DeviceCursor.person_id.in_(person_ids), DeviceCursor.seq >= seq)
        .distinct()
    )


def pushable_devices(
    person_ids: Select[Any],
) -> Select[UUID, str | None, str | None, str]:
    """(device, token, provider, language of its owner) for the devices of these persons that can be pushed to."""
    return (
        select(Device.id, Device.push_token, Device.push_provider, Person.locale)
        .join(Person, (Person.tenant_id == Device.tenant_id) & (Person.id == Device.person_id))
        .where(Device.person_id.in_(person_ids), Device.push_token.is_not(None))
        .order_by(Device.id)
    )
