"""All SELECTs of feeds. The hot ones are texts, prepared once; the rest are built."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, and_, func, literal, or_, select, text

from app.people import queries as people
from app.people.models import Membership, OrgUnit, OrgUnitClosure, Person
from feeds.models import (
    ACTIVITY_SEQ,
    PUBLISH_SEQ,
    PUBLISHED,
    REMOVED,
    Comment,
    Counter,
    Nudge,
    Picture,
    Post,
    Reaction,
    Receipt,
)

#: How far back a scope's announcements are looked through for those that must still be acknowledged.
PINNED_DEPTH = 200
PINNED_MAX = 50

_MERGE = """
    SELECT DISTINCT line.post_id, line.{seq} AS seq
      FROM unnest(CAST(:scope_ids AS uuid[])) AS own(scope_id)
     CROSS JOIN LATERAL (
           SELECT a.post_id, a.{seq}
             FROM feeds_post_audience a
            WHERE a.tenant_id = :tenant_id AND a.scope_id = own.scope_id AND a.{seq} < :before
            ORDER BY a.{seq} DESC
            LIMIT :count) AS line
     ORDER BY seq DESC
     LIMIT :count
"""
#: The newest items over all of a reader's scopes: the newest few of each scope, merged.
MERGED = {
    "published": text(_MERGE.format(seq="publish_seq")),
    "activity": text(_MERGE.format(seq="activity_seq")),
}

#: What a reader must still acknowledge, the one that ends first on top.
PINNED = text(f"""
    SELECT DISTINCT line.post_id, p.expires_at, line.publish_seq
      FROM unnest(CAST(:scope_ids AS uuid[])) AS own(scope_id)
     CROSS JOIN LATERAL (
           SELECT a.post_id, a.publish_seq
             FROM feeds_post_audience a
            WHERE a.tenant_id = :tenant_id AND a.scope_id = own.scope_id AND a.pins
            ORDER BY a.publish_seq DESC
            LIMIT {PINNED_DEPTH}) AS line
      JOIN feeds_post p ON p.tenant_id = :tenant_id AND p.id = line.post_id
     WHERE (p.expires_at IS NULL OR p.expires_at > :now)
       AND p.author_id <> :person_id
       AND NOT EXISTS (
           SELECT FROM feeds_receipt r
            WHERE r.tenant_id = :tenant_id AND r.post_id = p.id AND r.person_id = :person_id
              AND r.acknowledged_at IS NOT NULL)
     ORDER BY p.expires_at NULLS LAST, line.publish_seq DESC
     LIMIT {PINNED_MAX}
""")  # noqa: S608 - only constants of this file

#: What has certain words and a reader may see, newest first.
FOUND = text("""
    SELECT p.id, p.publish_seq
      FROM feeds_post p
     WHERE p.tenant_id = :tenant_id AND p.words @@ CAST(:words AS tsquery)
       AND p.scope_ids && CAST(:scope_ids AS uuid[]) AND p.state = 'published'
       AND p.publish_seq < :before
     ORDER BY p.publish_seq DESC
     LIMIT :count
""")

#: Whole items by id, with what is the reader's own.
ITEMS = text("""
    SELECT p.id, p.type, p.version, p.body, p.body_html, p.response, p.publish_at, p.expires_at,
           p.edited_at, p.publish_seq, p.subject_kind, p.subject_id, p.subject,
           author.id AS author_id, author.name AS author_name, author.title AS author_title,
           unit.id AS unit_id, unit.name AS unit_name,
           c.comment_count, c.reactions, c.activity_seq,
           ARRAY(SELECT jsonb_build_object('id', f.id, 'width', f.width, 'height', f.height)
                   FROM feeds_picture f
                  WHERE f.tenant_id = p.tenant_id AND f.post_id = p.id
                  ORDER BY f.position) AS attachments,
           r.seen_at, r.acknowledged_at, r.answer,
           ARRAY(SELECT x.kind FROM feeds_reaction x
                  WHERE x.tenant_id = p.tenant_id AND x.post_id = p.id
                    AND x.person_id = :person_id
                  ORDER BY x.kind) AS my_reactions
      FROM feeds_post p
      JOIN feeds_counter c ON c.tenant_id = p.tenant_id AND c.post_id = p.id
      JOIN people_person author ON author.tenant_id = p.tenant_id AND author.id = p.author_id
      LEFT JOIN people_org_unit unit ON unit.tenant_id = p.tenant_id AND unit.id = p.on_behalf_of
      LEFT JOIN feeds_receipt r ON r.tenant_id = p.tenant_id AND r.post_id = p.id
                               AND r.person_id = :person_id
     WHERE p.tenant_id = :tenant_id AND p.id = ANY(CAST(:post_ids AS uuid[]))
       AND p.state = 'published'
""")


def post_written(author_id: UUID, client_id: UUID) -> Select[UUID]:
    """The id of what an author has already sent under this id of the phone's."""
    return select(Post.id).where(Post.author_id == author_id, Post.client_id == client_id)


def post_made_by(source: str) -> Select[UUID]:
    """The id of the item that another package's fact has already made."""
    return select(Post.id).where(Post.source == source)


def published_post(post_id: UUID, *, lock: bool = False) -> Select[Post]:
    """An item that is there; locked against another change of it where it shall be changed."""
    found = select(Post).where(Post.id == post_id, Post.state == PUBLISHED)
    return found.with_for_update(key_share=True) if lock else found


def counter_locked(post_ids: Collection[UUID]) -> Select[Counter]:
    """The counters of these items, locked in one order: whoever tells of a count tells in turn."""
    return (
        select(Counter)
        .where(Counter.post_id.in_(post_ids))
        .order_by(Counter.post_id)
        .with_for_update(key_share=True)
    )


def trackable_posts(post_ids: Collection[UUID], scope_ids: Collection[UUID]) -> Select[UUID]:
    """Those of these items that ask for a response and that somebody in these scopes may see."""
    return select(Post.id).where(
        Post.id.in_(post_ids),
        Post.state == PUBLISHED,
        Post.response != "none",
        Post.scope_ids.overlap(list(scope_ids)),
    )


def receipt_of(post_id: UUID, person_id: UUID) -> Select[Receipt]:
    """One reader's response to an item."""
    return select(Receipt).where(Receipt.post_id == post_id, Receipt.person_id == person_id)


def personal_scope(person_id: UUID) -> Select[UUID]:
    """The scope of one person alone."""
    rows = people.scopes_of_persons([person_id]).subquery()
    return select(rows.c.id)


def readers_named(scope_ids: Collection[UUID], person_ids: Collection[UUID]) -> Select[UUID, str]:
    """(id, name) of those of these persons who are in any of these scopes."""
    readers = people.people_in_scopes(scope_ids)
    return select(Person.id, Person.name).where(Person.id.in_(person_ids), Person.id.in_(readers))


def picture_uploaded(author_id: UUID, client_id: UUID) -> Select[Picture]:
    """What an author has already uploaded under this id of the phone's."""
    return select(Picture).where(Picture.author_id == author_id, Picture.client_id == client_id)


def pictures_waiting(author_id: UUID) -> Select[int]:
    """How many pictures of an author wait for their item."""
    return select(func.count()).where(Picture.author_id == author_id, Picture.post_id.is_(None))


def pictures_to_attach(author_id: UUID, picture_ids: Collection[UUID]) -> Select[Picture]:
    """Those of these pictures that are the author's and wait, locked, so that one item gets each."""
    return (
        select(Picture)
        .where(
            Picture.id.in_(picture_ids), Picture.author_id == author_id, Picture.post_id.is_(None)
        )
        .order_by(Picture.id)
        .with_for_update()
    )


def pictures_to_drop(uploaded_before: datetime, limit: int) -> Select[Picture]:
    """Pictures that have waited too long, and those of items that were taken back."""
    of_removed = select(Post.id).where(Post.id == Picture.post_id, Post.state == REMOVED).exists()
    forgotten = and_(Picture.post_id.is_(None), Picture.uploaded_at < uploaded_before)
    return (
        select(Picture)
        .where(or_(forgotten, of_removed))
        .order_by(Picture.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Picture)
    )


def comment_rows() -> Select[Comment, str, str]:
    """Comments with their authors."""
    return select(Comment, Person.name, Person.title).join(
        Person, (Person.tenant_id == Comment.tenant_id) & (Person.id == Comment.author_id)
    )


def comments_of(post_id: UUID, *, after: int, limit: int) -> Select[Comment, str, str]:
    """An item's comments, oldest first."""
    return (
        comment_rows()
        .where(Comment.post_id == post_id, Comment.seq > after)
        .order_by(Comment.seq)
        .limit(limit)
    )


def comment_written(author_id: UUID, client_id: UUID) -> Select[Comment, str, str]:
    """What an author has already said under this id of the phone's."""
    return comment_rows().where(Comment.author_id == author_id, Comment.client_id == client_id)


def reaction_counts(post_ids: Collection[UUID]) -> Select[UUID, str, int]:
    """(item, kind, how many) of these items' reactions."""
    return (
        select(Reaction.post_id, Reaction.kind, func.count())
        .where(Reaction.post_id.in_(post_ids))
        .group_by(Reaction.post_id, Reaction.kind)
    )


def last_nudge(post_id: UUID) -> Select[Nudge]:
    """The latest nudge about an item."""
    newest_first = Nudge.nudged_at.desc()
    return select(Nudge).where(Nudge.post_id == post_id).order_by(newest_first).limit(1)


def primary_unit(person_id: UUID) -> Select[UUID]:
    """The unit where reports count a person."""
    return select(Membership.unit_id).where(
        Membership.person_id == person_id, Membership.is_primary
    )


def branch_of(unit_id: UUID | None, tops: Collection[UUID] | None) -> Select[UUID, str]:
    """(id, name) of the units one level below: the unit's children, or the tops (of the whole tree)."""
    found = select(OrgUnit.id, OrgUnit.name).order_by(OrgUnit.code)
    if unit_id is not None:
        return found.where(OrgUnit.parent_id == unit_id)
    return found.where(OrgUnit.parent_id.is_(None) if tops is None else OrgUnit.id.in_(tops))


def units_in_branches(branch_ids: Collection[UUID]) -> Select[UUID, UUID]:
    """(branch, unit) for every unit at or below each branch."""
    return select(OrgUnitClosure.ancestor_id, OrgUnitClosure.descendant_id).where(
        OrgUnitClosure.ancestor_id.in_(branch_ids)
    )


def tops_among(unit_ids: Collection[UUID]) -> Select[UUID]:
    """Those of these units that lie below no other of them."""
    inner = (
        select(literal(1))
        .where(
            OrgUnitClosure.descendant_id == OrgUnit.id,
            OrgUnitClosure.ancestor_id.in_(unit_ids),
            OrgUnitClosure.depth > 0,
        )
        .exists()
    )
    return select(OrgUnit.id).where(OrgUnit.id.in_(unit_ids), ~inner)


def names_of_units(unit_ids: Collection[UUID]) -> Select[UUID, str]:
    """(id, name) of these units."""
    return select(OrgUnit.id, OrgUnit.name).where(OrgUnit.id.in_(unit_ids))


def next_places() -> Select[int, int]:
    """The next number in the order of publishing, and in the order of activity."""
    return select(PUBLISH_SEQ.next_value(), ACTIVITY_SEQ.next_value())
