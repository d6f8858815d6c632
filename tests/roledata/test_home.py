"""Opening the home: the cards of one's most senior role, in one short answer."""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, update

from app.core.errors import Texts
from app.people import services
from app.people.models import OrgUnit, Person, Tenant
from roledata import grammar, routes
from tests.roledata.conftest import Sales


@contextmanager
def counted_statements(space):
    seen = []

    def note(connection, cursor, statement, *rest):
        seen.append(statement)

    event.listen(space.database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(space.database.engine, "before_cursor_execute", note)


HOMES = {
    "sales_leader": [
        "sales",
        "order_execution",
        "income",
        "receivables_ageing",
        "stock",
        "waiting_for_me",
    ],
    "owner": [
        "income",
        "profit",
        "expense",
        "sales",
        "receivables_ageing",
        "order_execution",
        "waiting_for_me",
    ],
    "finance": ["income", "profit", "expense", "receivables_ageing", "waiting_for_me"],
    "account_manager": ["sales", "order_execution", "stock", "my_receivables", "waiting_for_me"],
    "manager": ["waiting_for_me"],
    "operator": ["waiting_for_me"],
    "auditor": ["waiting_for_me"],
    None: ["waiting_for_me"],
}


@pytest.mark.parametrize("role", HOMES)
def test_every_role_opens_a_home_of_its_own(company, role):
    home = company.phone("Lin", role=role).get("/home").json
    assert [card["key"] for card in home["cards"]] == HOMES[role]
    assert home["role"] == (
        role
        if role in {"sales_leader", "owner", "finance", "account_manager", "manager", "operator"}
        else "employee"
    )


def test_who_holds_two_roles_opens_the_senior_home(company):
    phone = company.phone("Lin", role="account_manager")
    with company.transaction() as session:
        services.grant_role(
            session, person_id=phone.person.id, role_key="owner", unit_id=company.root_id
        )
    assert phone.get("/home").json["role"] == "owner"


def test_the_home_says_of_every_card_what_the_card_says_itself(sales):
    ann = sales.key(sales.ann)
    sales.erp.order("1", "12.34", seller=ann, due_on=sales.erp.today)
    sales.erp.invoice("1", "10", seller=ann)
    sales.company.settle()

    for phone in (sales.wen, sales.ann, sales.owner):
        for card in phone.get("/home").json["cards"]:
            assert card == phone.get(f"/cards/{card['key']}").json


def test_a_home_of_six_cards_takes_few_statements_and_fewer_again(sales, space):
    sales.erp.order("1", "10", seller=sales.key(sales.ann))
    sales.company.settle()
    sales.wen.get("/me")

    with counted_statements(space) as first:
        assert len(sales.wen.get("/home").json["cards"]) == 6
    with counted_statements(space) as again:
        sales.wen.get("/home")
    assert len(first) <= 10, first
    assert len(again) <= 4, again


def test_titles_follow_the_readers_language(sales):
    def titles(language):
        home = sales.wen.get("/home", headers={"Accept-Language": language}).json
        return [card["title"] for card in home["cards"]][:2]

    assert titles("en") == ["Sales", "Order execution"]
    assert titles("zh-CN") == ["销售", "订单执行"]


@pytest.fixture
def trading(sales) -> Sales:
    """Let there be something on every card of Wen's: an order, too little in stock, a debt."""
    ann, bo, today = sales.key(sales.ann), sales.key(sales.bo), sales.erp.today
    sales.erp.order("1", "10", seller=ann, product_key="P1", quantity=10, due_on=today)
    sales.erp.write("stock_level", "1", warehouse_key="W", product_key="P1", available=6, on_hand=6)
    debt = {"customer_key": "C1", "booked_on": today, "due_on": today, "amount": 9}
    sales.erp.write("receivable_item", "1", **debt, open_amount=9, salesperson_key=bo)
    sales.company.settle()
    return sales


def _set(sales: Sales, change: Any) -> None:
    with sales.company.transaction() as session:
        session.execute(change)


def order_more(sales: Sales) -> None:
    sales.erp.order("2", "10", seller=sales.key(sales.bo))


def let_a_day_pass(sales: Sales) -> None:
    sales.company.clock.move(days=1)


def let_facts_grow_late(sales: Sales) -> None:
    sales.company.clock.move(minutes=61)


def say_facts_are_older(sales: Sales) -> None:
    sales.erp.age(minutes=5)


def wait_for_a_signature(sales: Sales) -> None:
    request = {"document_kind": "expense", "document_code": "1", "state": "pending"}
    sales.erp.write("approval_task", "1", **request, approver_key=sales.key(sales.wen))


def take_a_role_away(sales: Sales) -> None:
    with sales.company.transaction() as session:
        services.revoke_role(
            session, person_id=sales.wen.person.id, role_key="sales_leader", unit_id=sales.north
        )


def lead_the_other_team_too(sales: Sales) -> None:
    with sales.company.transaction() as session:
        services.grant_role(
            session, person_id=sales.wen.person.id, role_key="sales_leader", unit_id=sales.south
        )


def call_the_team_otherwise(sales: Sales) -> None:
    with sales.company.transaction() as session:
        session.execute(update(OrgUnit).where(OrgUnit.id == sales.north).values(name="Far North"))
        services.structure_changed(session)


def call_the_reader_otherwise(sales: Sales) -> None:
    _set(sales, update(Person).where(Person.id == sales.wen.person.id).values(name="Wen Li"))


def count_in_dollars(sales: Sales) -> None:
    tenant_id = sales.company.tenant_id
    _set(sales, update(Tenant).where(Tenant.id == tenant_id).values(currency="USD"))


def live_far_in_the_west(sales: Sales) -> None:
    tenant_id, zone = sales.company.tenant_id, "Pacific/Pago_Pago"
    _set(sales, update(Tenant).where(Tenant.id == tenant_id).values(time_zone=zone))
    if sales.wen.get("/home").json["today"] == sales.erp.today.isoformat():
        # The same day in both for a few hours of each.
        sales.company.clock.move(hours=12)


@pytest.mark.parametrize(
    "change",
    [
        order_more,
        let_a_day_pass,
        let_facts_grow_late,
        say_facts_are_older,
        wait_for_a_signature,
        take_a_role_away,
        lead_the_other_team_too,
        call_the_team_otherwise,
        call_the_reader_otherwise,
        count_in_dollars,
        live_far_in_the_west,
    ],
)
def test_whatever_changes_the_home_changes_its_tag(trading, change: Callable[[Sales], None]):
    first = trading.wen.get("/home")

    change(trading)
    trading.company.settle()

    # Signed in anew: where a day has passed, the token has run out.
    wen = trading.company.phone_of(trading.wen.person)
    again = wen.get("/home", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 200
    assert again.json != first.json
    assert again.headers["ETag"] != first.headers["ETag"]


def test_the_home_in_another_language_has_another_tag(trading):
    first = trading.wen.get("/home")
    held = {"If-None-Match": first.headers["ETag"], "Accept-Language": "zh-CN"}
    again = trading.wen.get("/home", headers=held)
    assert again.status_code == 200
    assert again.json["cards"][0]["title"] != first.json["cards"][0]["title"]


def test_a_card_defined_otherwise_changes_the_tag(trading, monkeypatch):
    first = trading.wen.get("/home")
    known = grammar.catalogue()
    sales = replace(known.cards["sales"], title=Texts(zh="销售额", en="Turnover"))
    defined = replace(known, cards=known.cards | {"sales": sales})
    monkeypatch.setattr(routes, "catalogue", lambda: defined)

    again = trading.wen.get("/home", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 200
    assert again.json["cards"][0]["title"] == "Turnover"


def test_two_people_never_share_a_tag(trading):
    tags = {p: p.get("/home").headers["ETag"] for p in (trading.wen, trading.he, trading.ann)}
    assert len(set(tags.values())) == len(tags)


def _card(sales: Sales, key: str) -> dict[str, Any]:
    return next(card for card in sales.wen.get("/home").json["cards"] if card["key"] == key)


def test_an_order_put_off_into_the_past_is_overdue_at_once(trading):
    assert _card(trading, "order_execution")["parts"][-1]["count"] == 0
    trading.erp.write("sales_order_line", "1", due_on=trading.erp.today - timedelta(days=3))
    trading.company.settle()
    assert _card(trading, "order_execution")["parts"][-1]["count"] == 1


def test_a_debt_leaves_the_home_with_the_seller_who_leaves_the_team(trading):
    first = trading.wen.get("/home")
    assert _card(trading, "receivables_ageing")["value"] == 900
    with trading.company.transaction() as session:
        services.place_person(session, person_id=trading.bo.person.id, unit_ids=[trading.south])
    trading.company.settle()

    again = trading.wen.get("/home", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 200
    assert _card(trading, "receivables_ageing")["value"] == 0


def test_a_home_that_has_not_changed_costs_few_statements(trading, space):
    trading.wen.get("/me")
    with counted_statements(space) as whole:
        first = trading.wen.get("/home")
    with counted_statements(space) as unchanged:
        again = trading.wen.get("/home", headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert len(unchanged) <= 3, unchanged
    assert len(whole) >= 3 * len(unchanged), whole
