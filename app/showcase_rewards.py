"""The demo company's rewards, made as its own people would make them: through the verbs behind the API.

All of it is made once, in one transaction, as long as nobody has set an approval policy. What the demo's people
changed since is theirs.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.composition import Workspace
from app.core.ids import new_id
from app.people import queries
from app.people.access import load_access
from app.people.audiences import AudienceScope
from app.people.models import Person, RoleGrant, Tenant
from app.showcase_budgets import grants_of
from app.showcase_points import fill_catalogue
from app.showcase_rules import figure_rules
from redpackets.approval_queries import active_policy
from redpackets.bands import BandAsked
from redpackets.budgets import NewBudget, open_budget
from redpackets.campaigns import milestones
from redpackets.campaigns import services as campaigns
from redpackets.campaigns.ports import FIGURES
from redpackets.models import Budget
from redpackets.payouts.register import RAIL_NAME
from redpackets.payouts.services import NewPayout, name_account, prepare_payout
from redpackets.policies import set_policy
from redpackets.rules import POINT
from redpackets.sending import KEPT_OPEN_MAX, NewPacket, send_packet

POINTS_IN_ALL = 500_000
ALLOWANCE_POINTS = 100
WELCOME_POINTS = 500
THANKED_COUNT = 2
STAR_COUNT = 3
#: (up to, approvals)
BANDS = ((5_000_00, 0), (20_000_00, 1), (None, 2))
WAVE_HOURS = (10, 15, 20)
SEED_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Who acts, and where: the owner, the operator, who pays out, and who leads all of sales."""

    tenant: Tenant
    owner: Caller
    operator: Caller
    payer: Caller
    seller: Caller
    root_id: UUID
    sales_id: UUID
    now: datetime

    @property
    def today(self) -> date:
        """The company's day."""
        return self.now.astimezone(ZoneInfo(self.tenant.time_zone)).date()


def set_up_rewards(space: Workspace, tenant_id: UUID) -> None:
    """Show rewards in full: approval, points, kudos, a catalogue, a payout, rules, a rain to come; once."""
    with space.database.transaction(tenant_id) as session:
        if session.scalar(active_policy()) is not None:
            return
        cast = _cast(session, tenant_id, space.now())
        _set_policy(session, cast)
        activities = _root_budget(session, cast, "奖励活动", cast.tenant.currency, 100_000_00)
        points = _root_budget(session, cast, "积分", POINT, POINTS_IN_ALL)
        _thank(session, cast, points)
        _redeem(session, cast)
        _praise(session, cast, activities)
        terms = figure_rules(activities, sales_id=cast.sales_id, today=cast.today)
        _keep_figure_rules(space, session, cast, terms)
        _keep_milestones(session, cast, activities)
        _plan_rain(session, cast, activities)
        _ask_for_approval(session, cast)


def _cast(session: Session, tenant_id: UUID, now: datetime) -> Cast:
    tenant = session.get_one(Tenant, tenant_id)
    order = [unit.id for unit in session.scalars(queries.unit_tree())]
    held: dict[str, list[RoleGrant]] = {}
    for grant in session.scalars(grants_of("owner", "operator", "finance", "sales_leader")):
        held.setdefault(grant.role_key, []).append(grant)
    first = {
        role: min(grants, key=lambda grant: order.index(grant.unit_id))
        for role, grants in held.items()
    }
    return Cast(
        tenant=tenant,
        owner=_caller(session, tenant, first["owner"].person_id),
        operator=_caller(session, tenant, first["operator"].person_id),
        payer=_caller(session, tenant, first["finance"].person_id),
        seller=_caller(session, tenant, first["sales_leader"].person_id),
        root_id=order[0],
        sales_id=first["sales_leader"].unit_id,
        now=now,
    )


def _caller(session: Session, tenant: Tenant, person_id: UUID) -> Caller:
    """Let a person act without a phone."""
    person = session.get_one(Person, (tenant.id, person_id))
    return Caller(
        tenant_id=tenant.id,
        person_id=person.id,
        session_id=new_id(),
        device_id=None,
        login=person.login,
        name=person.name,
        locale=person.locale,
        time_zone=tenant.time_zone,
        currency=tenant.currency,
        **load_access(session, person.id),
    )


def _set_policy(session: Session, cast: Cast) -> None:
    bands = [
        BandAsked(
            unit=cast.tenant.currency,
            from_minor=None,
            up_to_minor=up_to_minor,
            approvals=approvals,
            permission="redpackets.approve",
            held_at="cost_centre",
        )
        for up_to_minor, approvals in BANDS
    ]
    set_policy(session, caller=cast.owner, asked=bands, now=cast.now)


def _root_budget(session: Session, cast: Cast, name: str, unit: str, limit_minor: int) -> Budget:
    """Open a budget for the whole company, from the treasury, that goes on year after year."""
    new = NewBudget(
        name=f"{name} {cast.today.year}",
        owner_id=cast.owner.person_id,
        unit_id=cast.root_id,
        unit=unit,
        limit_minor=limit_minor,
        period_from=date(cast.today.year, 1, 1),
        period_to=date(cast.today.year, 12, 31),
        rolls_over=True,
    )
    return open_budget(session, new, actor_id=cast.owner.person_id, now=cast.now)


def _thank(session: Session, cast: Cast, points: Budget) -> None:
    """Welcome everybody with points, give everybody points to give, and let a leader begin."""
    everybody = list(session.scalars(select(Person.id).where(Person.active).order_by(Person.login)))
    welcome = campaigns.NewGrant(
        gift=_gift(cast, points, cast.root_id, "welcome", "欢迎使用积分"),
        receivers=[(person_id, WELCOME_POINTS) for person_id in everybody],
    )
    campaigns.make_grant(session, caller=cast.operator, new=welcome, seed=_seed(), now=cast.now)
    programme = campaigns.NewProgramme(
        name="同事之谢",
        unit_id=cast.root_id,
        budget_id=points.id,
        unit=POINT,
        allowance_minor=ALLOWANCE_POINTS,
        tax_class="wage_income",
    )
    campaigns.add_programme(session, caller=cast.operator, new=programme, now=cast.now)
    thanks = campaigns.Thanks(
        receiver_ids=_team(session, cast, THANKED_COUNT),
        amount_minor=20,
        unit=POINT,
        text="谢谢你们周末帮忙盘点！",
        value="合作",
    )
    campaigns.give_kudos(session, caller=cast.seller, thanks=thanks, seed=_seed(), now=cast.now)


def _redeem(session: Session, cast: Cast) -> None:
    """Let points be redeemed, and some of those who were thanked begin."""
    people = [
        _caller(session, cast.tenant, person_id)
        for person_id in _team(session, cast, THANKED_COUNT)
    ]
    fill_catalogue(session, keeper=cast.operator, people=people, now=cast.now)


def _praise(session: Session, cast: Cast, activities: Budget) -> None:
    """Give some of sales money: what waits to be paid out on payday, and what they still hold."""
    team = _team(session, cast, STAR_COUNT)
    for person_id in team:
        star = _caller(session, cast.tenant, person_id)
        name_account(
            session, caller=star, rail=RAIL_NAME, account=f"demo-{star.login}", now=cast.now
        )
    _give_money(session, cast, activities, "季度之星", 300_00)
    payday = NewPayout(
        method="payroll",
        rail=None,
        unit=cast.tenant.currency,
        unit_id=None,
        period=f"{cast.today:%Y-%m}",
    )
    prepare_payout(session, caller=cast.payer, new=payday, now=cast.now)
    _give_money(session, cast, activities, "月度之星", 120_00)


def _give_money(
    session: Session, cast: Cast, activities: Budget, purpose: str, amount_minor: int
) -> None:
    stars = campaigns.NewGrant(
        gift=_gift(cast, activities, cast.sales_id, "recognition", purpose),
        receivers=[(person_id, amount_minor) for person_id in _team(session, cast, STAR_COUNT)],
    )
    campaigns.make_grant(session, caller=cast.owner, new=stars, seed=_seed(), now=cast.now)


def _keep_figure_rules(
    space: Workspace, session: Session, cast: Cast, kept: Iterable[campaigns.RuleTerms]
) -> None:
    figures = space.ports[FIGURES]
    for terms in kept:
        campaigns.add_rule(session, caller=cast.owner, figures=figures, terms=terms, now=cast.now)


def _keep_milestones(session: Session, cast: Cast, activities: Budget) -> None:
    """Celebrate the days people joined; the days are invented, as the people are."""
    people = session.scalars(select(Person.id).where(Person.active).order_by(Person.login))
    rows = [_day_of_joining(person_id, place, cast.today) for place, person_id in enumerate(people)]
    milestones.put_dates(session, caller=cast.operator, rows=rows, now=cast.now)
    rule = milestones.NewMilestoneRule(
        kind="anniversary",
        unit_id=cast.root_id,
        budget_id=activities.id,
        unit=cast.tenant.currency,
        amount_minor=66_00,
        steps=[[3, 188_00], [5, 388_00]],
        purpose_text="入职周年",
        greeting="感谢一路同行！",
        tax_class="wage_income",
        starts_on=cast.today,
    )
    milestones.add_rule(session, caller=cast.operator, new=rule, now=cast.now)


def _day_of_joining(person_id: UUID, place: int, today: date) -> milestones.DateRow:
    joined = date(today.year - 1 - place % 9, 1, 1) + timedelta(days=place * 37 % 365)
    return milestones.DateRow(
        person_id=person_id,
        kind="anniversary",
        month=joined.month,
        day=joined.day,
        year=joined.year,
    )


def _plan_rain(session: Session, cast: Cast, activities: Budget) -> None:
    """Let three waves fall on sales tomorrow."""
    zone = ZoneInfo(cast.tenant.time_zone)
    tomorrow = cast.today + timedelta(days=1)
    waves = [
        campaigns.Wave(
            opens_at=datetime.combine(tomorrow, time(hour), zone), total_minor=888_00, count=30
        )
        for hour in WAVE_HOURS
    ]
    rain = campaigns.NewRain(
        gift=_gift(cast, activities, cast.sales_id, "campaign", "红包雨", "下一波更大！"),
        waves=waves,
        audience=[AudienceScope(kind="unit", id=cast.sales_id)],
        cap_count=2,
        kept_open=timedelta(hours=1),
        cover="rain",
    )
    campaigns.make_rain(session, caller=cast.owner, new=rain, seed=_seed(), now=cast.now)


def _ask_for_approval(session: Session, cast: Cast) -> None:
    """Let the leader of sales ask for more than they may give alone, if their budget still has it."""
    total_minor = 6_000_00
    found = select(Budget).where(
        Budget.unit_id == cast.sales_id,
        Budget.unit == cast.tenant.currency,
        Budget.closed_at.is_(None),
    )
    able = [b for b in session.scalars(found) if b.available_minor >= total_minor]
    if not able:
        return
    packet = NewPacket(
        kind="lucky",
        unit=cast.tenant.currency,
        total_minor=total_minor,
        share_count=30,
        min_minor=None,
        max_minor=None,
        budget_id=able[0].id,
        on_behalf_of_id=cast.sales_id,
        audience=[AudienceScope(kind="unit", id=cast.sales_id)],
        purpose_category="sales",
        purpose_text="秋季订货会收官",
        purpose_evidence="",
        tax_class="wage_income",
        greeting="辛苦了，大家开心一下！",
        opens_at=None,
        expires_at=cast.now + KEPT_OPEN_MAX,
        cover="champion",
    )
    send_packet(session, caller=cast.seller, new=packet, seed=_seed(), now=cast.now)


def _gift(
    cast: Cast, budget: Budget, unit_id: UUID, category: str, purpose: str, greeting: str = ""
) -> campaigns.Gift:
    return campaigns.Gift(
        budget_id=budget.id,
        on_behalf_of_id=unit_id,
        unit=budget.unit,
        purpose_category=category,
        purpose_text=purpose,
        purpose_evidence="",
        tax_class="wage_income",
        greeting=greeting or purpose,
    )


def _team(session: Session, cast: Cast, count: int) -> list[UUID]:
    """Pick some of those below the leader of sales."""
    below = queries.units_below([cast.sales_id])
    found = (
        select(RoleGrant.person_id)
        .where(RoleGrant.role_key == "account_manager", RoleGrant.unit_id.in_(below))
        .order_by(RoleGrant.person_id)
    )
    return list(session.scalars(found.limit(count)))


def _seed() -> bytes:
    return secrets.token_bytes(SEED_BYTES)
