"""What is refused to who takes, redeems or repeats, and in what words: the rows of the design's table, one by one."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.core.idempotency import forget_answers
from tests.redpackets.points.pointing import pointing
from tests.redpackets.test_bad_inputs import ZH, assert_said_in_both

NOBODY = "01920000-0000-7000-8000-000000000000"


def refused(phone, path, body=None, **headers):
    """Ask in both languages; say (status, code) and the answer in English."""
    english = phone.post(path, body, headers=headers)
    chinese = phone.post(path, body, headers=ZH | headers)
    assert_said_in_both(english.json, chinese.json)
    return (english.status_code, english.json["code"]), english.json


def grabbing(phone, packet):
    return refused(phone, f"{packet}/grab")


@pytest.mark.usefixtures("way_in")
def test_a_grab_that_cannot_be_is_refused_by_its_reason(rewards, clock):
    company, [lin] = rewards.company, rewards.team("Lin")
    now = clock()
    packet = rewards.send()
    assert grabbing(rewards.owner, packet)[0] == (403, "redpackets.not_eligible")
    for packet_id in (NOBODY, "7", "seven"):
        assert grabbing(lin, f"/red-packets/{packet_id}")[0] == (404, "not_found")

    later = rewards.send(opens_at=(now + timedelta(hours=1)).isoformat())
    found, answer = grabbing(lin, later)
    assert found == (409, "redpackets.not_open")
    assert answer["opens_at"] == rewards.manager.get(later).json["opens_at"]

    stopped = {"frozen": True, "reason": "A question"}
    assert rewards.owner.post(f"{packet}/freeze", stopped).status_code == 200
    assert grabbing(lin, packet)[0] == (423, "redpackets.frozen")

    withdrawn = rewards.send()
    rewards.manager.post(f"{withdrawn}/cancellation")
    assert grabbing(lin, withdrawn)[0] == (410, "redpackets.cancelled")

    brief = rewards.send(expires_at=(now + timedelta(minutes=5)).isoformat())
    clock.move(minutes=5)
    assert grabbing(lin, brief)[0] == (410, "redpackets.expired")
    company.settle()
    assert grabbing(lin, brief)[0] == (410, "redpackets.expired")
    assert lin.get("/wallet").json["balances"] == []
    assert rewards.verify().holds


@pytest.mark.fault
@pytest.mark.usefixtures("way_in")
def test_an_hour_forth_and_back_around_the_end_takes_nothing_twice(rewards, clock):
    """A clock set back lets people take what is left, unless it was settled: then it is over for good."""
    lin, zhao = rewards.team("Lin", "Zhao")
    packet = rewards.send(
        count=2, kind="equal", expires_at=(clock() + timedelta(minutes=30)).isoformat()
    )
    for phone in (lin, zhao):
        phone.token = rewards.company.phone_of(phone.person).token
    clock.move(minutes=60)
    late = rewards.company.phone_of(lin.person)
    assert late.post(f"{packet}/grab").json["code"] == "redpackets.expired"
    clock.move(minutes=-60)
    assert lin.post(f"{packet}/grab").json["result"] == "won"

    clock.move(minutes=60)
    rewards.company.settle()
    clock.move(minutes=-60)
    assert zhao.post(f"{packet}/grab").json["code"] == "redpackets.expired"
    assert lin.post(f"{packet}/grab").json["first"] is False
    budget = rewards.budget()
    assert (budget["held_minor"], budget["spent_minor"]) == (0, 500)
    assert rewards.verify().holds


def test_a_redemption_that_cannot_be_is_refused_with_what_is_there(rewards):
    points = pointing(rewards)
    lin = points.person_with(250)
    mug, last = points.offer(stock=9), points.offer(stock=1)

    def redeeming(item, **changes):
        asked = {"item_id": item["id"], "price_points": item["price_points"]}
        return refused(lin, "/redemptions", asked | changes, **{"Idempotency-Key": "k"})

    found, answer = redeeming(mug, quantity=3)
    assert found == (409, "redpackets.insufficient_points")
    assert (answer["available"], answer["requested"]) == (250, 300)
    assert redeeming(last, quantity=2)[0] == (409, "redpackets.out_of_stock")
    points.keeper.patch(f"/catalogue/{mug['id']}", {"version": 1, "price_points": 120})
    found, answer = redeeming(mug)
    assert (found, answer["now"]) == ((409, "redpackets.price_changed"), 120)
    assert (points.balance(lin), points.stock(mug), points.stock(last)) == (250, 9, 1)


def test_money_moves_only_under_a_key(rewards):
    points = pointing(rewards)
    item, lin = points.offer(), points.person_with(250)
    gift = {
        key: value
        for key, value in rewards.asked().items()
        if key in {"unit", "budget_id", "on_behalf_of", "purpose"}
    }
    moves = [
        (rewards.manager, "/red-packets", rewards.asked()),
        (rewards.owner, "/budgets", rewards.budget_asked()),
        (rewards.owner, f"/budgets/{rewards.budget_id}/recovery", {}),
        (lin, "/redemptions", {"item_id": item["id"], "price_points": item["price_points"]}),
        (
            lin,
            "/kudos",
            {"receivers": [NOBODY], "amount_minor": 1, "unit": "POINT", "text": "Well"},
        ),
        (
            rewards.manager,
            "/grants",
            gift | {"receivers": [{"person_id": str(lin.person.id), "amount_minor": 1}]},
        ),
        (rewards.owner, "/payouts", {"method": "payroll", "unit": "CNY", "period": "2024-01"}),
    ]
    before = rewards.budget()
    for headers in ({}, {"Idempotency-Key": ""}, {"Idempotency-Key": "k" * 129}):
        for mover, path, asked in moves:
            found, _ = refused(mover, path, asked, **headers)
            assert found == (400, "idempotency_key_required"), path
    assert rewards.budget() == before


def test_the_same_key_sends_once(rewards):
    first = rewards.manager.pay("/red-packets", rewards.asked(), key="payday")
    again = rewards.manager.pay("/red-packets", rewards.asked(), key="payday")
    other, _ = refused(
        rewards.manager,
        "/red-packets",
        rewards.asked(total_minor=2_000),
        **{"Idempotency-Key": "payday"},
    )

    assert (again.json, again.headers["Idempotent-Replayed"]) == (first.json, "true")
    assert other == (422, "idempotency_key_reused")
    assert rewards.budget()["held_minor"] == 1_000


def test_a_key_pays_once_however_late_it_comes_again(rewards, clock):
    company, asked = rewards.company, rewards.asked()
    first = rewards.manager.pay("/red-packets", asked, key="payday")
    for days, found in ((29, (201, None)), (2, (409, "idempotency_key_spent"))):
        clock.move(minutes=days * 24 * 60)
        forget_answers(company.bench())
        manager = company.phone_of(rewards.manager.person)
        again = manager.pay("/red-packets", asked, key="payday")
        assert (again.status_code, again.json.get("code")) == found
    sent = manager.get("/red-packets?mine=true").json["items"]
    assert [packet["id"] for packet in sent] == [first.json["id"]]
    late, _ = refused(manager, "/red-packets", asked, **{"Idempotency-Key": "payday"})
    assert late == (409, "idempotency_key_spent")


def test_a_key_whose_first_request_still_runs_is_refused_for_a_moment(rewards):
    row = {
        "tenant": str(rewards.company.tenant_id),
        "person": rewards.manager.person.id,
        "route": "POST /api/v1/red-packets",
    }
    with rewards.company.space.database.engine.connect() as first:
        first.execute(text("SELECT set_config('app.tenant', :tenant, true)"), row)
        first.execute(
            text(
                "INSERT INTO core_idempotency (tenant_id, person_id, route, key, body_hash, created_at)"
                " VALUES (CAST(:tenant AS uuid), :person, :route, 'busy', '', now())"
            ),
            row,
        )
        meanwhile = rewards.manager.pay("/red-packets", rewards.asked(), key="busy")
        chinese = rewards.manager.post(
            "/red-packets", rewards.asked(), headers=ZH | {"Idempotency-Key": "busy"}
        )
        first.rollback()
    assert (meanwhile.status_code, meanwhile.json["code"]) == (409, "idempotency_key_in_progress")
    assert meanwhile.headers["Retry-After"] == "1"
    assert_said_in_both(meanwhile.json, chinese.json)
    assert rewards.budget()["held_minor"] == 0
    assert rewards.manager.pay("/red-packets", rewards.asked(), key="busy").status_code == 201
