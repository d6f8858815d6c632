"""Watches: told once when a figure passes a threshold, told once when it is back, quiet in between."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.delivery.models import NoticeRow
from app.people import services
from roledata import jobs
from tests.roledata.conftest import found_sales


def watch(phone, **rule):
    given = {"card": "sales", "direction": "below", "enter": 1000, "exit": 1500} | rule
    reply = phone.post("/watches", given)
    assert reply.status_code == 201, reply.json
    return reply.json["id"]


def notices(phone):
    phone.company.settle()
    with phone.company.transaction() as session:
        rows = session.scalars(select(NoticeRow).where(NoticeRow.kind == "roledata.watch"))
        return sorted(rows, key=lambda row: row.id)


def turns(phone):
    events = phone.company.events(phone)
    return [e["data"]["state"] for e in events if e["kind"] == "roledata.watch_turned"]


def sell(sales, amount, key="1"):
    sales.erp.order(key, str(amount), seller=sales.key(sales.ann))
    sales.company.settle()


def test_a_figure_that_falls_below_is_told_once_and_its_recovery_once(sales):
    sell(sales, 20)
    watch(sales.wen)
    for amount in (9, 8, 12, 9, 14, 7, 16, 20):
        sell(sales, amount)

    assert turns(sales.wen) == ["firing", "ok"]
    assert len(notices(sales.wen)) == 2
    assert turns(sales.he) == []


def test_a_value_that_flaps_around_the_threshold_does_not_repeat(sales):
    sell(sales, 20)
    watch(sales.wen)
    for amount in (9.99, 10, 9.98, 10.01, 9.5, 10.5):
        sell(sales, amount)

    assert turns(sales.wen) == ["firing"]


def test_two_evaluations_may_be_asked_for(sales):
    sell(sales, 20)
    watch(sales.wen, confirm=2)
    sell(sales, 9)
    assert (turns(sales.wen), sales.wen.get("/watches").json["items"][0]["state"]) == (
        [],
        "pending",
    )
    sell(sales, 8)
    assert turns(sales.wen) == ["firing"]


def test_the_notice_carries_no_figure_and_leads_to_the_card(sales):
    sell(sales, 20)
    watch(sales.wen, severity="high")
    sell(sales, 9)

    (notice,) = notices(sales.wen)
    words = str(notice.texts)
    assert not any(character.isdigit() for character in words)
    assert notice.link == f"/cards/sales?scope={sales.north}"
    assert notice.urgency == "high"


def test_evaluating_again_tells_nothing_again(sales):
    sell(sales, 20)
    watch(sales.wen)
    sell(sales, 9)
    for _ in range(3):
        jobs.evaluate_all(sales.company.bench())

    assert turns(sales.wen) == ["firing"]
    assert len(notices(sales.wen)) == 1


def test_a_watch_rests_while_the_source_is_late(sales):
    sell(sales, 20)
    watch(sales.wen)
    sales.erp.age(hours=5)
    sell(sales, 9)
    assert turns(sales.wen) == []

    sales.erp.age(minutes=1)
    jobs.evaluate_all(sales.company.bench())
    assert turns(sales.wen) == ["firing"]


def test_who_may_no_longer_see_the_figure_is_not_told(sales):
    sell(sales, 20)
    watch(sales.wen)
    with sales.company.transaction() as session:
        services.revoke_role(
            session, person_id=sales.wen.person.id, role_key="sales_leader", unit_id=sales.north
        )
    sell(sales, 9)

    assert turns(sales.wen) == []


def test_pace_can_be_watched_where_there_is_a_target(company, clock):
    clock.move(days=(15 - clock().day) % 28)
    sales = found_sales(company)
    first = sales.erp.today.replace(day=1)
    month = (first, first + timedelta(days=27))
    sales.erp.quota("1", "100", *month, salesperson_key=sales.key(sales.ann))
    sell(sales, 1000)
    watch(sales.wen, of="pace", enter=0.95, exit=0.99)
    sell(sales, 1)

    assert turns(sales.wen) == ["firing"]
    assert 0 < sales.wen.get("/watches").json["items"][0]["value"] < 0.95


def test_a_watch_can_be_changed_and_removed_by_its_owner_alone(sales):
    mine = watch(sales.wen)

    assert sales.he.patch(f"/watches/{mine}", {"enter": 1}).status_code == 404
    assert sales.he.delete(f"/watches/{mine}").status_code == 404
    changed = sales.wen.patch(f"/watches/{mine}", {"enter": 500.5, "active": False})
    assert (changed.json["enter"], changed.json["active"]) == (500.5, False)
    assert sales.wen.delete(f"/watches/{mine}").status_code == 204
    assert sales.wen.get("/watches").json["items"] == []


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"exit": 900}, "roledata.thresholds_crossed"),
        ({"direction": "above", "enter": 1, "exit": 2}, "roledata.thresholds_crossed"),
        ({"card": "stock", "of": "pace"}, "roledata.not_watchable"),
        ({"enter": "12"}, "invalid_fields"),
        ({"enter": 1e300}, "invalid_fields"),
        ({"confirm": 0}, "invalid_fields"),
        ({"direction": "sideways"}, "invalid_fields"),
    ],
)
def test_a_rule_that_could_never_work_is_refused(sales, rule, code):
    given = {"card": "sales", "direction": "below", "enter": 1000, "exit": 1500} | rule
    reply = sales.wen.post("/watches", given)
    assert (reply.status_code, reply.json["code"]) == (422, code)
