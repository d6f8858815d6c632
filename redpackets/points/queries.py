"""All SELECTs of points, and the statement by which points expire."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, exists, func, or_, select, text
from sqlalchemy.orm import aliased

from app.people.models import OrgUnit, OrgUnitClosure, Person, Tenant
from redpackets.models import FundAccount
from redpackets.points.models import CatalogueItem, PointsPolicy, Redemption

UNITS_TOLD_MAX = 1_000

#: What is no longer good of some accounts' points: the balance, less what was received since, less what was
#: given back by a decline lately (``rules.Holding.gone_on`` says the same of one person).
_GONE = """
    SELECT a.tenant_id, a.id AS account_id, a.person_id,
           a.balance_minor - COALESCE(c.good, 0) - COALESCE(c.kept, 0) AS gone
      FROM redpackets_fund_account a
     CROSS JOIN LATERAL (
           SELECT sum(j.amount_minor) FILTER (
                      WHERE j.kind = 'claim' AND (j.at AT TIME ZONE :zone)::date >= :received_since) AS good,
                  sum(j.amount_minor) FILTER (
                      WHERE j.kind = 'release_points' AND j.reference LIKE 'decline:%'
                        AND (j.at AT TIME ZONE :zone)::date >= :declined_since) AS kept
             FROM redpackets_journal j
            WHERE j.tenant_id = a.tenant_id AND j.credit_account_id = a.id) AS c
     WHERE a.id = ANY(CAST(:account_ids AS uuid[])) AND a.kind = 'user_points'
"""
GONE = text(f"SELECT account_id, person_id FROM ({_GONE}) AS g WHERE gone > 0")  # noqa: S608 - our own text

#: Post what is gone to the treasury, once for each account and day, together with the balances. Runs after
#: ``accounts_locked`` in a statement (and so a snapshot) of its own.
EXPIRE = text(f"""
    WITH gone AS ({_GONE}), posted AS (
        INSERT INTO redpackets_journal (tenant_id, id, kind, debit_account_id, credit_account_id,
                                        amount_minor, unit, reference, at)
        SELECT g.tenant_id, e.id, 'points_expired', g.account_id, :treasury_id, g.gone, 'POINT',
               'points_expired:' || g.account_id || ':' || CAST(:today AS date), :now
          FROM gone g
          JOIN unnest(CAST(:account_ids AS uuid[]), CAST(:entry_ids AS uuid[])) AS e (account_id, id)
            ON e.account_id = g.account_id
         WHERE g.gone > 0
            ON CONFLICT (tenant_id, reference) DO NOTHING
     RETURNING tenant_id, debit_account_id, amount_minor
    )
    UPDATE redpackets_fund_account a SET balance_minor = a.balance_minor - p.amount_minor
      FROM posted p WHERE a.tenant_id = p.tenant_id AND a.id = p.debit_account_id
 RETURNING a.person_id, p.amount_minor
""")  # noqa: S608 - our own text

#: Note until when people know what expires; gives those who did not know yet.
MARK_TOLD = text("""
    INSERT INTO redpackets_points_told AS t (tenant_id, person_id, told_until)
    SELECT :tenant_id, p.id, :told_until FROM unnest(CAST(:person_ids AS uuid[])) AS p (id) ORDER BY 2
        ON CONFLICT (tenant_id, person_id)
        DO UPDATE SET told_until = excluded.told_until WHERE t.told_until < :soon
 RETURNING person_id
""")

#: What a person received by day, newest first, as far back as the balance reaches.
RECEIVED = text("""
    SELECT day, amount FROM (
        SELECT day, amount, sum(amount) OVER (ORDER BY day DESC) - amount AS newer FROM (
            SELECT (j.at AT TIME ZONE :zone)::date AS day, sum(j.amount_minor)::bigint AS amount
              FROM redpackets_journal j
             WHERE j.credit_account_id = :account_id AND j.kind = 'claim' GROUP BY 1) AS days) AS r
     WHERE newer < :balance ORDER BY day DESC
""")
#: What was given back by a decline, by the day of it.
DECLINED = text("""
    SELECT (j.at AT TIME ZONE :zone)::date AS day, sum(j.amount_minor)::bigint AS amount
      FROM redpackets_journal j
     WHERE j.credit_account_id = :account_id AND j.kind = 'release_points'
       AND j.reference LIKE 'decline:%' AND (j.at AT TIME ZONE :zone)::date >= :declined_since
     GROUP BY 1
""")


def time_zone() -> Select[str]:
    """The company's time zone; row-level security shows one company only."""
    return select(Tenant.time_zone)


def policies() -> Select[PointsPolicy]:
    """Every version of how long points live, oldest first."""
    return select(PointsPolicy).order_by(PointsPolicy.version)


def point_accounts(*, after: UUID | None, limit: int) -> Select[UUID]:
    """Accounts with points on them, in order of id."""
    found = (
        select(FundAccount.id)
        .where(FundAccount.kind == "user_points", FundAccount.balance_minor > 0)
        .order_by(FundAccount.id)
        .limit(limit)
    )
    return found.where(FundAccount.id > after) if after else found


def accounts_locked(account_ids: Collection[UUID]) -> Select[UUID]:
    """Accounts against any other movement, in order of id so that nobody waits in a circle."""
    return (
        select(FundAccount.id)
        .where(FundAccount.id.in_(account_ids))
        .order_by(FundAccount.id)
        .with_for_update()
    )


def points_of(person_id: UUID) -> Select[FundAccount]:
    """A person's account of points."""
    return (
        select(FundAccount)
        .where(FundAccount.person_id == person_id, FundAccount.kind == "user_points")
        .execution_options(populate_existing=True)
    )


def reserved_points(person_id: UUID) -> Select[int]:
    """How many of a person's points lie in open redemptions."""
    return select(func.coalesce(func.sum(Redemption.points), 0)).where(
        Redemption.person_id == person_id, _is_open()
    )


def item_locked(item_id: UUID) -> Select[CatalogueItem]:
    """An item, alone: its stock and price cannot change until we commit."""
    return (
        select(CatalogueItem)
        .where(CatalogueItem.id == item_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def items_offered(
    unit_ids: Collection[UUID], *, before: UUID | None, limit: int
) -> Select[CatalogueItem]:
    """What is on offer to members of these units, newest first."""
    above = select(OrgUnitClosure.ancestor_id).where(OrgUnitClosure.descendant_id.in_(unit_ids))
    found = select(CatalogueItem).where(
        CatalogueItem.active,
        or_(CatalogueItem.unit_id.is_(None), CatalogueItem.unit_id.in_(above)),
    )
    return _page(found, CatalogueItem.id, before, limit)


def items_kept(
    held_at: Collection[UUID], *, before: UUID | None, limit: int
) -> Select[CatalogueItem]:
    """What is kept in the catalogue where the permission is held, on offer or not, newest first."""
    return _page(select(CatalogueItem).where(_is_kept_at(held_at)), CatalogueItem.id, before, limit)


def is_offered_to(item_id: UUID, unit_ids: Collection[UUID]) -> Select[UUID]:
    """Whether an item is meant for members of these units."""
    above = select(OrgUnitClosure.ancestor_id).where(OrgUnitClosure.descendant_id.in_(unit_ids))
    return select(CatalogueItem.id).where(
        CatalogueItem.id == item_id,
        or_(CatalogueItem.unit_id.is_(None), CatalogueItem.unit_id.in_(above)),
    )


def taken_count(item_id: UUID, person_id: UUID) -> Select[int]:
    """How many pieces of an item a person has redeemed or is about to."""
    return select(func.coalesce(func.sum(Redemption.quantity), 0)).where(
        Redemption.item_id == item_id,
        Redemption.person_id == person_id,
        or_(_is_open(), Redemption.state == "fulfilled"),
    )


def units_with_aged(before: datetime) -> Select[UUID | None]:
    """The units in whose catalogues a redemption has waited since before a time."""
    since = func.coalesce(Redemption.decided_at, Redemption.created_at)
    return (
        select(CatalogueItem.unit_id)
        .join(
            Redemption,
            and_(
                Redemption.tenant_id == CatalogueItem.tenant_id,
                Redemption.item_id == CatalogueItem.id,
            ),
        )
        .where(_is_open(), since < before)
        .distinct()
        .limit(UNITS_TOLD_MAX)
    )


def redemption_locked(redemption_id: UUID) -> Select[Redemption]:
    """A redemption, alone."""
    return (
        select(Redemption)
        .where(Redemption.id == redemption_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def redemptions_of(
    person_id: UUID, *, state: str | None, before: UUID | None, limit: int
) -> Select[Any]:
    """A person's redemptions as they are shown, newest first."""
    found = _shown().where(Redemption.person_id == person_id)
    return _page(_in_state(found, state), Redemption.id, before, limit)


def redemptions_handled(
    held_at: Collection[UUID], *, state: str | None, before: UUID | None, limit: int
) -> Select[Any]:
    """The redemptions of items kept where the permission is held, as they are shown, newest first."""
    found = _shown().where(_is_kept_at(held_at))
    return _page(_in_state(found, state), Redemption.id, before, limit)


def redemption_shown(redemption_id: UUID) -> Select[Any]:
    """One redemption as it is shown."""
    return _shown().where(Redemption.id == redemption_id)


def worth_of(redemption_ids: Collection[UUID]) -> Select[UUID, str, int]:
    """(id, tax class, fen) of redemptions, as fixed when they were asked for."""
    return select(Redemption.id, Redemption.tax_class, Redemption.cash_value_fen).where(
        Redemption.id.in_(redemption_ids)
    )


def is_root_among(unit_ids: Collection[UUID]) -> Select[bool]:
    """Whether one of these units is a root, and so stands for the whole company."""
    return select(exists().where(OrgUnit.parent_id.is_(None), OrgUnit.id.in_(unit_ids)))


def start_of(today: date, zone: str, received_since: date, declined_since: date) -> dict[str, Any]:
    """Write the days that ``GONE`` and ``EXPIRE`` count from."""
    return {
        "today": today,
        "zone": zone,
        "received_since": received_since,
        "declined_since": declined_since,
    }


def _shown() -> Select[Any]:
    """(redemption, item, names of its person, of who decided and of who fulfilled)."""
    person, decider, giver = aliased(Person), aliased(Person), aliased(Person)

    def is_named(who: Any, column: Any) -> Any:
        return and_(who.tenant_id == Redemption.tenant_id, who.id == column)

    shown: tuple[Any, ...] = (
        Redemption,
        CatalogueItem,
        person.name.label("person_name"),
        decider.name.label("decider_name"),
        giver.name.label("giver_name"),
    )
    return (
        select(*shown)
        .join(
            CatalogueItem,
            and_(
                CatalogueItem.tenant_id == Redemption.tenant_id,
                CatalogueItem.id == Redemption.item_id,
            ),
        )
        .join(person, is_named(person, Redemption.person_id))
        .outerjoin(decider, is_named(decider, Redemption.decided_by_id))
        .outerjoin(giver, is_named(giver, Redemption.fulfilled_by_id))
    )


def _is_open() -> Any:
    return Redemption.state.in_(("reserved", "approved"))


def _is_kept_at(held_at: Collection[UUID]) -> Any:
    below = select(OrgUnitClosure.descendant_id).where(OrgUnitClosure.ancestor_id.in_(held_at))
    return or_(
        CatalogueItem.unit_id.in_(below),
        and_(
            CatalogueItem.unit_id.is_(None),
            exists().where(OrgUnit.parent_id.is_(None), OrgUnit.id.in_(held_at)),
        ),
    )


def _in_state(found: Select[Any], state: str | None) -> Select[Any]:
    return found.where(Redemption.state == state) if state else found


def _page(found: Select[Any], key: Any, before: UUID | None, limit: int) -> Select[Any]:
    found = found.order_by(key.desc()).limit(limit)
    return found.where(key < before) if before else found
