"""Milestones: a gift on the day, once a year, to who belongs; 29 February has a day every year."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.people import services as people
from redpackets.campaigns import jobs, services
from redpackets.campaigns.rules import celebrated_on, days_celebrated
from tests.redpackets.campaigns.conftest import (
    PERIOD_DAYS,
    SEED,
    balance_of,
    end_period,
    packets_of,
    people_told,
    shares_of,
    told,
)
from tests.redpackets.rewards import Rewards


@pytest.fixture
def giving(rewards: Rewards) -> Rewards:
    """A company whose budget reaches over the years."""
    today = rewards.company.clock().date()
    rewards.budget_id = rewards.open_budget(
        100_000,
        period_from=str(today - timedelta(days=3 * PERIOD_DAYS)),
        period_to=str(today + timedelta(days=3 * PERIOD_DAYS)),
    ).json["id"]
    return rewards


def today_of(rewards: Rewards) -> date:
    """The company's day, in Shanghai."""
    return (rewards.company.clock() + timedelta(hours=8)).date()


def asked(rewards: Rewards) -> dict:
    return {
        "kind": "birthday",
        "unit_id": str(rewards.sales),
        "budget_id": rewards.budget_id,
        "unit": "CNY",
        "amount_minor": 888,
        "purpose": "Happy birthday",
        "greeting": "生日快乐 🎂",
    }


def rule(rewards: Rewards, **changes) -> dict:
    made = rewards.owner.post("/milestone-rules", asked(rewards) | changes)
    assert made.status_code == 201, made.json
    return made.json


def dates(rewards: Rewards, *given_rows, by=None):
    rows = [
        {"person_id": str(p.person.id), "kind": kind, "day": day} for p, kind, day in given_rows
    ]
    return (by or rewards.owner).put("/milestone-dates", {"rows": rows})


def run(rewards: Rewards) -> None:
    jobs.give_gifts(rewards.company.bench())
    rewards.company.settle()


def gifts(rewards: Rewards) -> list[tuple[str, int]]:
    company = rewards.company
    return [
        (str(share.receiver_id), share.amount_minor)
        for packet in packets_of(company)
        for share in shares_of(company, packet.id)
    ]


def test_who_has_a_birthday_gets_the_gift_once(giving):
    lin, zhao = giving.team("Lin", "Zhao")
    rule(giving)
    today = today_of(giving)
    later = today + timedelta(days=40)
    dates(giving, (lin, "birthday", f"{today:%m-%d}"), (zhao, "birthday", f"{later:%m-%d}"))
    for _ in range(3):
        run(giving)

    assert gifts(giving) == [(str(lin.person.id), 888)]
    [packet] = packets_of(giving.company)
    assert (packet.kind, packet.purpose_category, packet.greeting) == (
        "milestone",
        "birthday",
        "生日快乐 🎂",
    )
    assert giving.verify().holds


def test_the_gift_is_credited_at_once(giving):
    [lin] = giving.team("Lin")
    rule(giving)
    dates(giving, (lin, "birthday", f"{today_of(giving):%m-%d}"))
    run(giving)

    assert balance_of(lin, "CNY") == 888


def test_years_with_the_company_are_worth_their_step(giving):
    new, five, twelve = giving.team("New", "Five", "Twelve")
    rule(
        giving,
        kind="anniversary",
        amount_minor=100,
        steps=[{"years": 5, "amount_minor": 500}, {"years": 10, "amount_minor": 1_000}],
    )
    today = today_of(giving)
    rows = [
        (phone, "anniversary", str(celebrated_on(today.month, today.day, today.year - years)))
        for phone, years in ((new, 1), (five, 5), (twelve, 12))
    ]
    dates(giving, *rows)
    run(giving)

    assert dict(gifts(giving)) == {
        str(new.person.id): 100,
        str(five.person.id): 500,
        str(twelve.person.id): 1_000,
    }


def test_the_day_of_joining_itself_is_no_anniversary(giving):
    [lin] = giving.team("Lin")
    rule(giving, kind="anniversary")
    dates(giving, (lin, "anniversary", str(today_of(giving))))
    run(giving)

    assert gifts(giving) == []


def test_who_left_or_sits_elsewhere_gets_nothing(giving):
    lin, zhao = giving.team("Lin", "Zhao")
    outside = giving.company.phone("Out")
    rule(giving)
    day = f"{today_of(giving):%m-%d}"
    dates(giving, *((phone, "birthday", day) for phone in (lin, zhao, outside)))
    with giving.company.transaction() as session:
        people.set_active(session, person_id=zhao.person.id, active=False)
    run(giving)

    assert gifts(giving) == [(str(lin.person.id), 888)]


def test_29_february_is_celebrated_on_the_28th_where_there_is_none(giving):
    leap, plain = giving.team("Leap", "Plain")
    made = rule(giving, starts_on="2023-01-01")
    dates(giving, (leap, "birthday", "02-29"), (plain, "birthday", "02-28"))

    def on(day: date) -> int | None:
        now = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
        with giving.company.transaction() as session:
            return services.give_gifts(session, rule_id=made_id, on=day, seed=SEED, now=now)

    made_id = type(giving.sales)(made["id"])
    given_on = {day: on(day) for day in (date(2027, 2, 28), date(2028, 2, 28), date(2028, 2, 29))}
    assert given_on == {date(2027, 2, 28): 2, date(2028, 2, 28): 1, date(2028, 2, 29): 1}


@given(st.dates(date(1904, 1, 1), date(2099, 12, 31)), st.integers(min_value=1904, max_value=2099))
def test_every_day_of_birth_has_exactly_one_day_in_every_year(born, year):
    day = celebrated_on(born.month, born.day, year)
    assert (born.month, born.day) in days_celebrated(day)
    around = [day + timedelta(days=shift) for shift in (-2, -1, 1, 2)]
    assert all((born.month, born.day) not in days_celebrated(other) for other in around)


def test_a_gift_that_could_not_be_paid_is_told_once_and_given_later(giving, clock):
    [lin] = giving.team("Lin")
    poor = giving.open_budget(100).json["id"]
    made = rule(giving, budget_id=poor)
    dates(giving, (lin, "birthday", f"{today_of(giving):%m-%d}"))
    for _ in range(2):
        run(giving)
    assert gifts(giving) == []
    assert told(giving.company) == ["The budget does not have enough left."]
    seen = giving.owner.get("/milestone-rules").json["items"][0]
    assert (seen["id"], seen["last_refusal"]) == (made["id"], "insufficient_budget")

    giving.owner.patch(f"/budgets/{poor}", {"version": 1, "limit_minor": 10_000})
    clock.move(days=2)
    run(giving)
    assert gifts(giving) == [(str(lin.person.id), 888)]
    assert giving.verify().holds


def test_a_file_of_dates_with_a_wrong_row_is_refused_whole(giving, other_company):
    lin, zhao = giving.team("Lin", "Zhao")
    stranger = other_company.phone("Stranger")
    rule(giving)
    day = f"{today_of(giving):%m-%d}"
    refused = dates(
        giving,
        (lin, "birthday", day),
        (stranger, "birthday", day),
        (lin, "birthday", day),
        (zhao, "anniversary", day),
        (zhao, "birthday", f"1990-{day}"),
    )

    assert (refused.status_code, refused.json["code"]) == (422, "redpackets.dates_refused")
    assert {path: e["code"] for path, e in refused.json["errors"].items()} == {
        "rows.1.person_id": "receiver_not_active",
        "rows.2.person_id": "duplicate_receiver",
        "rows.3.day": "invalid_date",
        "rows.4.day": "invalid_date",
    }
    run(giving)
    assert gifts(giving) == []
    for nonsense in ("02-30", "13-01", "1-1", "二月", 229, "0000-01-01"):
        wrong = dates(giving, (lin, "birthday", nonsense))
        assert wrong.json["errors"]["rows.0.day"]["code"] == "invalid_date", nonsense


def test_a_date_can_be_forgotten(giving):
    [lin] = giving.team("Lin")
    rule(giving)
    dates(giving, (lin, "birthday", f"{today_of(giving):%m-%d}"))
    assert dates(giving, (lin, "birthday", None)).status_code == 204
    run(giving)

    assert gifts(giving) == []


def test_who_may_not_keep_campaigns_keeps_neither_rules_nor_dates(giving):
    [lin] = giving.team("Lin")
    made = rule(giving)
    path = f"/milestone-rules/{made['id']}"
    elsewhere = giving.company.phone("Opal", giving.company.unit("Other"), role="operator")
    for phone in (lin, giving.manager):
        assert phone.get("/milestone-rules").status_code == 403
        assert phone.post("/milestone-rules", asked(giving)).status_code == 403
        assert phone.patch(path, {"version": 1}).status_code == 403
        assert dates(giving, (lin, "birthday", "01-01"), by=phone).status_code == 403
    assert elsewhere.get("/milestone-rules").json["items"] == []
    assert elsewhere.patch(path, {"version": 1, "active": False}).status_code == 404
    refused = dates(giving, (lin, "birthday", "01-01"), by=elsewhere)
    assert refused.json["errors"]["rows.0.person_id"]["code"] == "receiver_not_active"

    ended = giving.owner.patch(path, {"version": 1, "active": False})
    assert (ended.json["active"], ended.json["version"]) == (False, 2)


def test_only_who_may_spend_its_budget_says_what_a_rule_gives(giving):
    above = giving.open_budget(unit_id=str(giving.company.root_id)).json["id"]
    made = rule(giving, budget_id=above)
    path = f"/milestone-rules/{made['id']}"
    opal = giving.company.phone("Opal", giving.sales, role="operator")
    assert opal.post("/milestone-rules", asked(giving) | {"budget_id": above}).status_code == 404
    assert len(opal.get("/milestone-rules").json["items"]) == 1

    steps = [{"years": 1, "amount_minor": 99_999}]
    for tried in ({"amount_minor": 99_999}, {"steps": steps}, {"active": True}, {"greeting": "x"}):
        assert opal.patch(path, {"version": 1} | tried).status_code == 404, tried
        if "active" not in tried:
            both = {"version": 1, "active": False} | tried
            assert opal.patch(path, both).status_code == 404, tried
    assert giving.owner.get("/milestone-rules").json["items"][0]["amount_minor"] == 888

    stopped = opal.patch(path, {"version": 1, "active": False})
    assert (stopped.status_code, stopped.json["active"]) == (200, False)
    assert opal.patch(path, {"version": 2, "active": True}).status_code == 404


def test_a_rule_whose_owner_may_no_longer_spend_the_budget_gives_nothing(giving):
    [lin] = giving.team("Lin")
    boss = giving.company.phone("Second", role="owner")
    theirs = giving.open_budget(owner_id=str(boss.person.id)).json["id"]
    rule(giving, budget_id=theirs)
    dates(giving, (lin, "birthday", f"{today_of(giving):%m-%d}"))
    with giving.company.transaction() as session:
        people.revoke_role(
            session,
            person_id=giving.owner.person.id,
            role_key="owner",
            unit_id=giving.company.root_id,
        )
    for _ in range(2):
        run(giving)

    assert gifts(giving) == []
    assert told(giving.company) == ["Its owner may no longer spend its budget."]
    assert people_told(giving.company) == {frozenset({"Olive", "Second"})}
    assert boss.get("/milestone-rules").json["items"][0]["last_refusal"] == "owner_not_allowed"


def test_gifts_go_on_in_what_the_budget_rolled_over_into(giving, clock):
    [lin] = giving.team("Lin")
    today = today_of(giving)
    named = giving.open_budget(
        5_000,
        period_from=str(today - timedelta(days=2)),
        period_to=str(today + timedelta(days=2)),
        rolls_over=True,
    ).json["id"]
    made = rule(giving, budget_id=named)
    dates(giving, (lin, "birthday", f"{today + timedelta(days=14):%m-%d}"))
    for days in (4, 5, 5):
        succeeded = end_period(giving, clock, days=days)
    run(giving)

    assert gifts(giving) == [(str(lin.person.id), 888)]
    [packet] = packets_of(giving.company)
    assert str(packet.budget_id) == succeeded[succeeded[succeeded[named]]]
    changed = giving.owner.patch(
        f"/milestone-rules/{made['id']}", {"version": 1, "amount_minor": 9}
    )
    assert (changed.status_code, changed.json["budget_id"]) == (200, named)
    assert giving.verify().holds
