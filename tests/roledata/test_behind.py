"""What is behind a figure: the parts it is cut into, its documents, and the figure put up for talk."""

from datetime import date
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roledata.events import FigureShared
from roledata.rules import minor
from tests.builders.clock import MovableClock
from tests.builders.company import found_company
from tests.roledata.conftest import found_sales


def all_documents(phone, card, **query):
    asked = "".join(f"&{name}={text}" for name, text in query.items())
    rows, cursor = [], ""
    while True:
        page = phone.get(f"/cards/{card}/documents?limit=2{asked}{cursor}").json
        rows += page["items"]
        if page["next_cursor"] is None:
            return rows
        cursor = f"&cursor={page['next_cursor']}"


money = st.decimals(-1000, 1000, places=4)
who = st.sampled_from(["wen", "ann", "bo", "cai", None])


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(money, who, st.integers(1, 30)), min_size=1, max_size=9))
def test_the_documents_and_the_parts_add_up_to_the_figure(app, space, orders):
    sales = found_sales(found_company(app, space, MovableClock()))
    with sales.erp.batch():
        for number, (net, name, day) in enumerate(orders):
            seller = sales.key(getattr(sales, name)) if name else None
            sales.erp.order(str(number), net, seller=seller, on=date(2013, 4, day))
    sales.company.settle()
    period = {"period": "2013-04"}

    for phone in (sales.owner, sales.director, sales.wen, sales.ann):
        figure = phone.get("/cards/sales?period=2013-04").json
        documents = all_documents(phone, "sales", **period)
        total = sum((Decimal(d["amount"]) for d in documents), Decimal(0))
        assert minor(total, "CNY") == figure["value"]
        days = [d["day"] for d in documents]
        assert days == sorted(days, reverse=True)
        assert len({d["key"] for d in documents}) == len(documents)
        for by in ("units", "people"):
            parts = phone.get(f"/cards/sales/breakdown?period=2013-04&by={by}").json
            assert parts["figure"] == figure
            assert abs(sum(r["value"] for r in parts["rows"]) - figure["value"]) <= len(
                parts["rows"]
            )


def test_a_document_says_where_it_comes_from(sales):
    sales.erp.order("7", "10.5", seller=sales.key(sales.ann))
    sales.company.settle()

    (document,) = all_documents(sales.wen, "sales")
    assert document == {
        "source": document["source"],
        "source_id": str(sales.erp.source_id),
        "kind": "sales_order",
        "key": "7",
        "code": "SO7",
        "day": sales.erp.today.isoformat(),
        "customer": "Plum Stores",
        "belongs_to": {"id": str(sales.ann.person.id), "name": "Ann"},
        "amount": "10.500000",
        "amount_minor": 1050,
    }


def test_documents_stand_behind_invoices_expenses_and_receivables(sales):
    ann, today = sales.key(sales.ann), sales.erp.today
    sales.erp.invoice("1", "10", seller=ann, cost=4)
    entry = {"account_code": "6601", "account_type": "expense", "booked_on": today}
    sales.erp.write("ledger_entry", "2", **entry, debit=7, credit=0, org_unit_key="N")
    item = {"customer_key": "C1", "invoice_code": "INV1", "booked_on": today, "amount": 9}
    sales.erp.write("receivable_item", "3", **item, open_amount=8, salesperson_key=ann)
    sales.company.settle()

    for card in ("income", "profit", "expense", "receivables_ageing"):
        documents = all_documents(sales.owner, card)
        value = sales.owner.get(f"/cards/{card}").json["value"]
        assert [d["amount_minor"] for d in documents] == [value], card


def test_a_breakdown_shows_value_target_and_last_year_of_each(sales):
    ann, bo = sales.key(sales.ann), sales.key(sales.bo)
    sales.erp.order("1", "30", seller=ann, on=date(2013, 4, 2))
    sales.erp.order("2", "10", seller=ann, on=date(2012, 4, 2))
    sales.erp.order("3", "5", on=date(2013, 4, 2), org_unit_key="N")
    sales.erp.quota("1", "60", date(2013, 4, 1), date(2013, 4, 30), salesperson_key=ann)
    sales.erp.quota("2", "40", date(2013, 4, 1), date(2013, 4, 30), salesperson_key=bo)
    sales.company.settle()

    people = sales.wen.get("/cards/sales/breakdown?period=2013-04&by=people").json["rows"]
    assert [(r["name"], r["value"], r["target"], r["before"], r["change"]) for r in people] == [
        ("Ann", 3000, 6000, 1000, 2000),
        ("Bo", 0, 4000, 0, 0),
        (None, 500, None, 0, 500),
    ]
    units = sales.director.get("/cards/sales/breakdown?period=2013-04").json["rows"]
    assert [(r["name"], r["value"], r["target"]) for r in units] == [
        ("North", 3500, 10000),
        ("South", 0, None),
    ]


def test_a_shared_figure_stays_as_it_was(sales, space):
    heard = []

    def hear(session, fact, handling):
        heard.append(fact)

    space.subscriptions.add(FigureShared, f"test.{sales.north}", hear)
    sales.erp.order("1", "10", seller=sales.key(sales.ann))
    sales.company.settle()
    audience = {"scopes": [{"kind": "unit", "id": str(sales.north)}]}
    reply = sales.wen.post("/cards/sales/shares", {"text": "Look", "audience": audience})
    sales.erp.order("2", "99", seller=sales.key(sales.ann))
    sales.company.settle()

    assert reply.status_code == 201
    assert reply.json["figure"]["value"] == 1000
    (fact,) = [fact for fact in heard if str(fact.share_id) == reply.json["id"]]
    assert (fact.card, fact.text, fact.figure["value"]) == ("sales", "Look", 1000)
    assert len(fact.scope_ids) == 1


def test_a_figure_shared_again_for_want_of_an_answer_is_shared_once(sales):
    sales.erp.order("1", "10", seller=sales.key(sales.ann))
    sales.company.settle()
    audience = {"scopes": [{"kind": "unit", "id": str(sales.north)}]}
    asked = {"text": "Look", "audience": audience}
    first = sales.wen.pay("/cards/sales/shares", asked, key="once")
    again = sales.wen.pay("/cards/sales/shares", asked, key="once")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json == first.json


def test_a_figure_is_shared_only_before_whom_one_may_address(sales):
    audience = {"scopes": [{"kind": "unit", "id": str(sales.south)}]}
    reply = sales.wen.post("/cards/sales/shares", {"audience": audience})
    assert (reply.status_code, reply.json["code"]) == (403, "people.audience_not_allowed")
