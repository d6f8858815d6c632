"""A company in a rush: a crowd of thousands signed in at once, packets for all of it or for its units, and the sums."""

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.core.callers import Caller
from app.core.composition import Claims
from app.core.ids import new_id
from app.people.audiences import AudienceScope
from bench.ground import Company, Ground
from redpackets import services
from redpackets.entrance import TOOL, Entrance

BUDGET_MINOR = 10**12
EACH_MINOR = 1_000
#: A crowd at once: what ``services.add_person`` and a sign-in do, for thousands.
CROWD = (
    """
    INSERT INTO people_person (tenant_id, id, login, name, title, locale, active, access_version, created_at)
    SELECT :tenant_id, person_id, 'crowd-' || person_id, 'Member', '', 'zh-CN', true, 1, :now
      FROM unnest(CAST(:persons AS uuid[])) AS c (person_id)
    """,
    """
    INSERT INTO people_scope (tenant_id, id, kind, person_id)
    SELECT :tenant_id, gen_random_uuid(), 'person', person_id
      FROM unnest(CAST(:persons AS uuid[])) AS c (person_id)
    """,
    """
    INSERT INTO people_membership (tenant_id, person_id, unit_id, is_primary)
    SELECT :tenant_id, person_id, unit_id, true
      FROM unnest(CAST(:persons AS uuid[]), CAST(:units AS uuid[])) AS c (person_id, unit_id)
    """,
    """
    INSERT INTO people_sign_in (tenant_id, id, person_id, created_at, last_used_at, expires_at)
    SELECT :tenant_id, sign_in_id, person_id, :now, :now, CAST(:now AS timestamptz) + interval '1 day'
      FROM unnest(CAST(:persons AS uuid[]), CAST(:sign_ins AS uuid[])) AS c (person_id, sign_in_id)
    """,
)


@dataclass(frozen=True)
class Tap:
    """Somebody's tap on a packet."""

    packet_id: UUID
    claims: Claims
    token: str


@dataclass(frozen=True)
class Plan:
    """A rush to play: how many packets of how many shares for how many people each, and how many taps repeat."""

    name: str
    packets: int
    shares: int
    audience: int
    repeats: int

    @property
    def wins(self) -> int:
        return self.packets * min(self.shares, self.audience)

    @property
    def attempts(self) -> int:
        return self.packets * self.audience + self.repeats


@dataclass
class Rush:
    """A company that rewards its crowd: everybody in units of one plan's audience."""

    ground: Ground
    company: Company
    sender: Caller
    budget_id: UUID
    plan: Plan
    units: dict[UUID, list[tuple[Claims, str]]]

    @property
    def entrance(self) -> Entrance:
        entrance: Entrance = self.company.space.tools[TOOL]
        return entrance

    def taps(self) -> list[Tap]:
        """Send the plan's packets and let everybody tap, some twice, in no order."""
        units = list(self.units.items())[: self.plan.packets]
        taps = []
        for unit_id, people in units:
            packet_id = self.send(unit_id)
            # As the worker does when it hears that a packet opened.
            self.entrance.build(self.company.id, packet_id, self.company.space.now())
            taps += [Tap(packet_id, claims, token) for claims, token in people]
        taps += random.choices(taps, k=self.plan.repeats)
        random.shuffle(taps)
        return taps

    def send(self, unit_id: UUID) -> UUID:
        """Send a packet that is open at once to everybody in a unit."""
        new = services.NewPacket(
            kind="lucky",
            unit="CNY",
            total_minor=EACH_MINOR * self.plan.shares,
            share_count=self.plan.shares,
            min_minor=None,
            max_minor=None,
            budget_id=self.budget_id,
            on_behalf_of_id=self.company.root_id,
            audience=[AudienceScope(kind="unit", id=unit_id)],
            purpose_category="result",
            purpose_text="A good quarter",
            purpose_evidence="",
            tax_class="bonus",
            greeting="",
            opens_at=None,
            expires_at=None,
        )
        now = self.company.space.now()
        with self.company.transaction() as session:
            return services.send_packet(
                session, caller=self.sender, new=new, seed=random.randbytes(32), now=now
            ).id

    def check(self, answers: Sequence[tuple[Tap, dict[str, Any]]]) -> None:
        """Stop unless what people were told adds up for every packet."""
        told: dict[UUID, dict[UUID, Any]] = defaultdict(dict)
        firsts: Counter[UUID] = Counter()
        for tap, answer in answers:
            if answer["result"] == "won":
                share, person_id = answer["share"], tap.claims.person_id
                firsts[tap.packet_id] += bool(answer["first"])
                if told[tap.packet_id].setdefault(person_id, share) != share:
                    raise SystemExit(f"a repeat got another share: {answer}")
            elif answer["result"] != "sold_out":
                raise SystemExit(f"nobody knows: {answer}")
        for packet_id in {tap.packet_id for tap, _ in answers}:
            shares = told[packet_id].values()
            given = sum(share["amount_minor"] for share in shares)
            if len(shares) != firsts[packet_id] or len(shares) != self.plan.shares:
                raise SystemExit(f"{len(shares)} shares given, {firsts[packet_id]} times")
            if given != EACH_MINOR * self.plan.shares:
                raise SystemExit(f"the shares of {packet_id} do not make it up: {given}")


def prepare(ground: Ground, plan: Plan) -> Rush:
    """Found the company, its units and people, and a budget that lasts."""
    company = ground.found_company()
    [owner] = company.add_people("owner", 1, roles=["owner"])
    sender, today = company.caller(owner), company.space.now().date()
    new = services.NewBudget(
        name="Rewards",
        owner_id=owner.id,
        unit_id=company.root_id,
        unit="CNY",
        limit_minor=BUDGET_MINOR,
        period_from=today - timedelta(days=1),
        period_to=today + timedelta(days=1),
    )
    with company.transaction() as session:
        now = company.space.now()
        budget_id = services.create_budget(session, caller=sender, new=new, now=now).id
    unit_ids = [company.add_unit(f"unit-{number}") for number in range(plan.packets)]
    units = {unit_id: _crowd(company, unit_id, plan.audience) for unit_id in unit_ids}
    ground.tidy_up()
    return Rush(ground, company, sender, budget_id, plan, units)


def _crowd(company: Company, unit_id: UUID, count: int) -> list[tuple[Claims, str]]:
    claims = [Claims(company.id, new_id(), new_id()) for _ in range(count)]
    values = {
        "tenant_id": company.id,
        "now": company.space.now(),
        "persons": [each.person_id for each in claims],
        "sign_ins": [each.session_id for each in claims],
        "units": [unit_id] * count,
    }
    with company.transaction() as session:
        for statement in CROWD:
            session.execute(text(statement), values)
    return [(each, company.token(each)) for each in claims]
