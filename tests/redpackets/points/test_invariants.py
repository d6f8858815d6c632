"""Any order of giving, redeeming, deciding, withdrawing and nights loses no point and makes none."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.core.errors import Refusal
from redpackets.points import redeeming
from redpackets.points.expiring import expire_batch, read_points
from redpackets.points.models import CatalogueItem
from tests.redpackets.oversight.giving import Gift, giving

STOCK = 6
SUMS = text("""
    SELECT CASE WHEN state IN ('reserved', 'approved') THEN 'open' ELSE state END, sum(points)::bigint
      FROM redpackets_redemption WHERE person_id = :person_id GROUP BY 1
     UNION ALL
    SELECT 'expired', sum(j.amount_minor)::bigint FROM redpackets_journal j
      JOIN redpackets_fund_account a ON a.tenant_id = j.tenant_id AND a.id = j.debit_account_id
     WHERE a.person_id = :person_id AND j.kind = 'points_expired' HAVING count(*) > 0
""")
PIECES = text("""
    SELECT COALESCE(sum(quantity), 0) FROM redpackets_redemption
     WHERE item_id = :item_id AND state IN ('reserved', 'approved', 'fulfilled')
""")
BALANCE = text("""
    SELECT balance_minor FROM redpackets_fund_account
     WHERE person_id = :person_id AND kind = 'user_points'
""")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["redeem", "approve", "decline", "fulfil", "withdraw", "months", "give"]),
        st.integers(0, 7),
    ),
    min_size=4,
    max_size=14,
)


class Play:
    """One person, one item, a keeper; what the person was given and every redemption made."""

    def __init__(self, points, giver) -> None:
        self.points, self.giver = points, giver
        company = points.rewards.company
        [self.lin] = points.rewards.team("Lin")
        self.person, self.keeper = company.caller(self.lin), company.caller(points.keeper)
        item = points.offer(stock=STOCK, needs_approval=True, price_points=60)
        self.item_id, self.now, self.given = UUID(item["id"]), company.clock(), 0
        self.made: list[UUID] = []

    def act(self, verb: str, number: int) -> None:
        if verb == "give":
            self._give(10 + number * 25)
        elif verb == "months":
            self.now += timedelta(days=90 * number)
            self._do(lambda session: expire_batch(session, after=None, now=self.now))
        elif verb == "redeem":
            self._redeem(1 + number % 3)
        elif self.made:
            self._decide(verb, self.made[number % len(self.made)])

    def _give(self, amount: int) -> None:
        gift = Gift(
            giver=self.points.rewards.manager,
            receivers=(self.lin,),
            amount=amount,
            at=self.now,
            kind="equal",
            budget=self.points.budget_id,
            unit="POINT",
        )
        self.giver.plant([gift])
        self.given += amount

    def _redeem(self, quantity: int) -> None:
        made = self._do(
            lambda session: (
                redeeming.redeem(
                    session,
                    caller=self.person,
                    item_id=self.item_id,
                    quantity=quantity,
                    price_points=60,
                    now=self.now,
                ).id
            )
        )
        if made is not None:
            self.made.append(made)

    def _decide(self, verb: str, redemption_id: UUID) -> None:
        if verb == "withdraw":
            self._do(
                lambda session: redeeming.withdraw(
                    session, caller=self.person, redemption_id=redemption_id, now=self.now
                )
            )
            return
        self._do(
            lambda session: redeeming.decide(
                session,
                caller=self.keeper,
                redemption_id=redemption_id,
                decision=verb,
                reason="So be it",
                now=self.now,
            )
        )

    def check(self) -> None:
        """Every point given is held, reserved, fulfilled or expired; every piece is in stock or redeemed."""
        with self.points.rewards.company.transaction() as session:
            held = read_points(session, caller=self.person, now=self.now)
            sums = dict(session.execute(SUMS, {"person_id": self.person.person_id}).all())
            pieces = session.execute(PIECES, {"item_id": self.item_id}).scalar_one()
            stock = session.get_one(CatalogueItem, (self.person.tenant_id, self.item_id)).stock
            due = session.execute(
                BALANCE, {"person_id": self.person.person_id}
            ).scalar_one_or_none()
        assert held["reserved_minor"] == sums.get("open", 0)
        assert (due or 0) + sums.get("open", 0) + sums.get("fulfilled", 0) + sums.get(
            "expired", 0
        ) == self.given
        assert 0 <= held["balance_minor"] <= (due or 0)
        assert stock + pieces == STOCK
        assert self.points.rewards.verify().deviations == []

    def _do(self, verb):
        try:
            with self.points.rewards.company.transaction() as session:
                return verb(session)
        except Refusal:
            return None


@pytest.fixture
def giver(rewards):
    return giving(rewards)


def test_no_point_and_no_piece_is_lost_or_made(points, giver):
    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(STEPS)
    def play(steps):
        played = Play(points, giver)
        played.act("give", 7)
        for verb, number in steps:
            played.act(verb, number)
        played.check()

    play()
