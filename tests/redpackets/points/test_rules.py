"""How long points live, as arithmetic: rules, plans and what is gone, against the plainest model there is."""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from redpackets.points.rules import (
    DEFAULT_RULE,
    NOTICE_DAYS,
    ExpiryPlan,
    ExpiryRule,
    Holding,
    months_later,
)

DAYS = st.dates(date(2020, 1, 1), date(2032, 12, 31))
RULES = st.one_of(
    st.builds(ExpiryRule, st.just("end_of_year"), st.integers(1, 3)),
    st.builds(ExpiryRule, st.just("months"), st.integers(1, 30)),
    st.just(ExpiryRule("never", 1)),
)
ONE_DAY = timedelta(days=1)


def test_points_of_one_year_live_to_the_end_of_the_next():
    assert DEFAULT_RULE.last_day(date(2026, 1, 1)) == date(2027, 12, 31)
    assert DEFAULT_RULE.last_day(date(2026, 12, 31)) == date(2027, 12, 31)


def test_a_month_that_lacks_the_day_ends_earlier():
    assert months_later(date(2027, 12, 31), 2) == date(2028, 2, 29)
    assert months_later(date(2028, 2, 29), -12) == date(2027, 2, 28)


@given(RULES, DAYS, DAYS)
def test_good_since_and_last_day_say_the_same(rule, received_on, day):
    assert (received_on >= rule.received_since(day)) == (rule.last_day(received_on) >= day)


@given(RULES, DAYS, st.integers(0, 400))
def test_what_is_received_later_never_expires_earlier(rule, day, later):
    assert rule.last_day(day) <= rule.last_day(day + timedelta(days=later))


@given(RULES, RULES, DAYS)
def test_nobody_loses_points_to_a_new_rule_before_the_notice_is_over(before, after, today):
    plan = ExpiryPlan(((date(2019, 1, 1), before),))
    effective_on = plan.effective_on(after, today)
    changed = ExpiryPlan((*plan.versions, (effective_on, after)))
    for ahead in range(NOTICE_DAYS):
        day = today + timedelta(days=ahead)
        assert changed.on(day).received_since(day) <= before.received_since(day)


def test_a_kinder_rule_is_in_force_at_once_and_a_harsher_one_later():
    today = date(2026, 11, 22)
    plan = ExpiryPlan()
    assert plan.effective_on(ExpiryRule("never", 1), today) == today
    assert plan.effective_on(ExpiryRule("months", 1), today) == today + timedelta(days=NOTICE_DAYS)


class Lots:
    """The plainest model: every lot in a list, spent from the front, dropped when its day is over."""

    def __init__(self, rule: ExpiryRule) -> None:
        self.rule = rule
        self.lots: list[list] = []

    def receive(self, day: date, amount: int) -> None:
        self.lots.append([day, amount])

    def spend(self, amount: int) -> int:
        spent = 0
        for lot in self.lots:
            taken = min(lot[1], amount - spent)
            lot[1] -= taken
            spent += taken
        return spent

    def expire(self, day: date) -> int:
        gone = sum(amount for received, amount in self.lots if self.rule.last_day(received) < day)
        self.lots = [lot for lot in self.lots if self.rule.last_day(lot[0]) >= day]
        return gone


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["receive", "spend", "night"]), st.integers(1, 200), st.integers(0, 90)
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(RULES, STEPS)
def test_what_is_gone_is_what_a_list_of_lots_would_lose(rule, steps):
    plan = ExpiryPlan(((date(2019, 1, 1), rule),))
    model, received, balance, day = Lots(rule), {}, 0, date(2026, 1, 15)
    for verb, amount, days in steps:
        day += timedelta(days=days)
        # The night's work is done before anything else happens that day.
        gone = Holding(balance=balance, received=list(received.items())).gone_on(day, plan)
        assert gone == model.expire(day)
        balance -= gone
        if verb == "receive":
            received[day] = received.get(day, 0) + amount
            model.receive(day, amount)
            balance += amount
        elif verb == "spend":
            balance -= model.spend(min(amount, balance))
    assert balance == sum(amount for _, amount in model.lots)


@settings(max_examples=150, deadline=None)
@given(RULES, st.lists(st.tuples(DAYS, st.integers(1, 99)), min_size=1, max_size=8), st.data())
def test_the_next_expiry_is_the_first_day_after_which_something_is_gone(rule, received, data):
    plan = ExpiryPlan(((date(2019, 1, 1), rule),))
    today = max(day for day, _ in received)
    total = sum(amount for _, amount in received)
    held = Holding(balance=data.draw(st.integers(1, total)), received=received)
    found = held.next_expiry(today, plan)

    if found is None:
        assert rule.rule == "never"
        return
    last_day, amount = found
    assert amount == held.gone_on(last_day + ONE_DAY, plan) > 0
    assert last_day == today or held.gone_on(last_day, plan) == 0


def test_what_a_decline_gave_back_is_kept_for_its_time():
    plan = ExpiryPlan()
    held = Holding(balance=100, received=[(date(2024, 5, 1), 100)], kept=[(date(2026, 1, 20), 60)])
    assert held.gone_on(date(2026, 1, 5), plan) == 40
    assert held.gone_on(date(2026, 1, 21), plan) == 100
    assert held.next_expiry(date(2026, 1, 20), plan) == (date(2026, 1, 20), 100)
