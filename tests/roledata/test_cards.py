"""Reading cards: figures out of documents, within one's scope."""

from datetime import date

from tests.builders.figures import connect_erp


def value(phone, card="sales", **query):
    asked = "&".join(f"{name}={text}" for name, text in query.items())
    reply = phone.get(f"/cards/{card}?{asked}")
    assert reply.status_code == 200, reply.json
    return reply.json["value"]


def test_an_order_counts_for_its_seller_and_everybody_above(sales):
    sales.erp.order("1", "100.25", seller=sales.key(sales.ann))
    sales.company.settle()

    assert value(sales.ann) == 10025
    assert value(sales.wen) == value(sales.director) == value(sales.owner) == 10025
    assert value(sales.cai) == value(sales.he) == 0


def test_an_order_that_nobody_sold_counts_for_the_unit_the_erp_names(sales):
    sales.erp.order("1", "40", org_unit_key="N")
    sales.company.settle()

    assert (value(sales.wen), value(sales.ann), value(sales.he)) == (4000, 0, 0)


def test_an_order_of_nobody_and_no_unit_counts_for_the_company(sales):
    sales.erp.order("1", "40", seller="unknown")
    sales.company.settle()

    assert (value(sales.owner), value(sales.director)) == (4000, 0)


def test_a_cancelled_order_is_no_sale(sales):
    sales.erp.order("1", "40", seller=sales.key(sales.ann))
    sales.erp.order("1", "40", seller=sales.key(sales.ann), state="cancelled")
    sales.company.settle()

    assert value(sales.ann) == 0


def test_fractions_of_a_cent_are_rounded_once_when_answered(sales):
    for number in range(3):
        sales.erp.order(str(number), "0.005", seller=sales.key(sales.ann))
    sales.company.settle()

    assert value(sales.ann) == 2  # 0.015, half up


def test_a_named_month_is_compared_with_the_same_month_a_year_before(sales):
    ann = sales.key(sales.ann)
    sales.erp.order("1", "300", seller=ann, on=date(2013, 10, 31))
    sales.erp.order("2", "200", seller=ann, on=date(2012, 10, 1))
    sales.erp.order("3", "50", seller=ann, on=date(2013, 9, 30))
    sales.company.settle()

    october = sales.wen.get("/cards/sales?period=2013-10").json
    assert october["value"] == 30000
    assert october["comparison"] == {
        "kind": "last_year",
        "period": {"from": "2012-10-01", "to": "2012-10-31"},
        "value": 20000,
        "change": 10000,
        "ratio": 0.5,
    }
    before = sales.wen.get("/cards/sales?period=2013-10&compare=previous").json["comparison"]
    assert (before["value"], before["change"]) == (5000, 25000)


def test_a_quota_is_spread_over_its_days(sales):
    sales.erp.quota(
        "1", "9200", date(2013, 8, 30), date(2013, 11, 29), salesperson_key=sales.key(sales.ann)
    )
    sales.company.settle()

    assert sales.wen.get("/cards/sales?period=2013-10").json["target"] == 310000
    assert sales.ann.get("/cards/sales?period=2013-08").json["target"] == 20000
    quarter = sales.ann.get("/cards/sales?period=2013-Q4").json
    assert quarter["target"] == 600000
    assert sales.cai.get("/cards/sales?period=2013-10").json["target"] is None
    assert "quota" in sales.cai.get("/cards/sales?period=2013-10").json["missing"]


def test_month_to_date_is_measured_against_the_whole_month(sales):
    today = sales.erp.today
    first = today.replace(day=1)
    last = date(today.year + today.month // 12, today.month % 12 + 1, 1).toordinal() - 1
    sales.erp.quota("1", "1000", first, date.fromordinal(last), salesperson_key="E003")
    sales.erp.order("1", "250", seller="E003")
    sales.company.settle()

    card = sales.ann.get("/cards/sales").json
    assert (card["value"], card["target"], card["attainment"]) == (25000, 100000, 0.25)
    assert 0 <= card["pace"] <= 1
    assert card["series"][-1] == {"day": today.isoformat(), "value": 25000}
    assert card["period"] == {"from": first.isoformat(), "to": today.isoformat()}


def test_a_figure_without_its_facts_is_null_and_says_why(company):
    connect_erp(company, landed=("sales_order_line",))
    owner = company.phone("Ou", role="owner")

    income = owner.get("/cards/income").json
    assert (income["value"], income["missing"]) == (None, ["invoice_line"])
    assert income["freshness"] == {"as_of": None, "source": None, "late": True}


def test_profit_is_what_was_invoiced_less_its_cost(sales):
    sales.erp.invoice("1", "100", seller=sales.key(sales.ann), cost=60)
    sales.erp.invoice("2", "-10", seller=sales.key(sales.ann), cost=-6)
    sales.company.settle()

    profit = sales.owner.get("/cards/profit").json
    assert (profit["value"], profit["basis"], profit["missing"]) == (3600, "gross_profit", [])
    assert value(sales.owner, "income") == 9000


def test_profit_says_that_some_cost_is_not_known(sales):
    sales.erp.invoice("1", "100", cost=60)
    sales.erp.invoice("2", "100")
    sales.company.settle()

    profit = sales.owner.get("/cards/profit").json
    assert (profit["value"], profit["missing"]) == (4000, ["invoice_line.cost"])


def test_profit_comes_from_orders_where_the_erp_gives_no_invoices(company):
    erp = connect_erp(company, landed=("sales_order_line",))
    owner = company.phone("Ou", role="owner")
    erp.order("1", "100", cost=70)
    company.settle()

    profit = owner.get("/cards/profit").json
    assert (profit["value"], profit["basis"]) == (3000, "ordered_gross_profit")


def test_expense_is_debit_less_credit_on_expense_accounts(sales):
    entry = {"booked_on": sales.erp.today, "account_code": "6601", "account_type": "expense"}
    sales.erp.write("ledger_entry", "1", **entry, debit=80, credit=0)
    sales.erp.write("ledger_entry", "2", **entry, debit=0, credit=5)
    sales.erp.write("ledger_entry", "3", **entry | {"account_type": "cash"}, debit=0, credit=80)
    sales.company.settle()

    assert value(sales.owner, "expense") == 7500


def test_the_execution_of_orders_shows_what_is_shipped_invoiced_and_overdue(sales):
    ann, today = sales.key(sales.ann), sales.erp.today
    done = {"shipped_quantity": 1, "shipped_net": 100, "invoiced_net": 100, "state": "shipped"}
    sales.erp.order("1", "100", seller=ann, **done)
    sales.erp.order("2", "300", seller=ann, due_on=today.replace(year=today.year - 1))
    sales.company.settle()

    card = sales.wen.get("/cards/order_execution").json
    assert (card["value"], card["unit"]) == (0.25, "ratio")
    parts = {part["key"]: (part["value"], part["count"]) for part in card["parts"]}
    assert parts == {
        "ordered_net": (40000, None),
        "shipped_net": (10000, None),
        "invoiced_of_orders": (10000, None),
        "open": (30000, 1),
        "overdue": (30000, 1),
    }
    others = sales.he.get("/cards/order_execution").json
    assert (others["value"], others["parts"][-1]["count"]) == (None, 0)


def test_stock_is_short_where_own_open_orders_ask_for_more_than_is_available(sales):
    sales.erp.write("product", "P1", code="TEA-1", name="Green tea")
    stock = {"warehouse_key": "W", "product_key": "P1"}
    sales.erp.write("stock_level", "1", **stock, on_hand=9, available=6)
    sales.erp.order("1", "10", seller=sales.key(sales.ann), product_key="P1", quantity=10)
    sales.erp.order("2", "10", seller=sales.key(sales.cai), product_key="P1", quantity=5)
    sales.company.settle()

    short = sales.ann.get("/cards/stock").json
    assert short["value"] == 1
    assert short["items"] == [
        {"code": "TEA-1", "name": "Green tea", "available": 6.0, "demand": 10.0, "short": 4.0}
    ]
    assert value(sales.cai, "stock") == 0


def test_receivables_stand_by_age(sales):
    today = sales.erp.today
    item = {"customer_key": "C1", "salesperson_key": sales.key(sales.ann), "booked_on": today}
    for key, days, amount in (
        ("1", -5, 10),
        ("2", 1, 20),
        ("3", 30, 5),
        ("4", 31, 40),
        ("5", 99, 7),
    ):
        due = date.fromordinal(today.toordinal() - days)
        sales.erp.write("receivable_item", key, **item, due_on=due, amount=99, open_amount=amount)
    sales.company.settle()

    card = sales.ann.get("/cards/my_receivables").json
    assert card["value"] == 8200
    assert [(p["key"], p["value"], p["count"]) for p in card["parts"]] == [
        ("not_due", 1000, 1),
        ("1_30", 2500, 2),
        ("31_60", 4000, 1),
        ("61_90", 0, 0),
        ("over_90", 700, 1),
    ]
    assert value(sales.director, "receivables_ageing") == 8200
    assert value(sales.he, "receivables_ageing") == 0
    past = sales.ann.get("/cards/my_receivables?period=2013-10").json
    assert (past["value"], past["missing"]) == (None, ["receivable_item.history"])


def test_what_waits_for_me_is_mine_alone(sales):
    request = {"document_kind": "purchase_requisition", "document_code": "PR-7"}
    sales.erp.write(
        "approval_task",
        "1",
        **request,
        approver_key=sales.key(sales.wen),
        applicant_key=sales.key(sales.ann),
        amount="12.50",
        state="pending",
        requested_on=sales.erp.today,
    )
    sales.company.settle()

    card = sales.wen.get("/cards/waiting_for_me").json
    assert card["value"] == 1
    assert card["items"][0] | {} == {
        "source_id": str(sales.erp.source_id),
        "key": "1",
        "kind": "purchase_requisition",
        "code": "PR-7",
        "amount": 1250,
        "requested_on": sales.erp.today.isoformat(),
        "due_on": None,
        "applicant": "Ann",
    }
    assert value(sales.director, "waiting_for_me") == value(sales.owner, "waiting_for_me") == 0


def test_a_late_source_is_said_to_be_late(sales):
    sales.erp.age(hours=3)

    freshness = sales.wen.get("/cards/sales").json["freshness"]
    assert freshness["late"] is True
    assert freshness["source"].startswith("ERP")


def test_a_card_asked_for_another_period_or_comparison_than_there_is_is_refused(sales):
    for period in ("2013-13", "2013-Q5", "last", "2013-10-02..2013-10-01", "1999", "13"):
        reply = sales.wen.get(f"/cards/sales?period={period}")
        assert (reply.status_code, reply.json["code"]) == (422, "roledata.period_unknown"), period
    reply = sales.wen.get("/cards/stock?compare=last_year")
    assert (reply.status_code, reply.json["code"]) == (422, "roledata.comparison_unknown")


def test_what_changes_changes_the_etag_and_nothing_else_does(sales):
    sales.erp.order("1", "10", seller=sales.key(sales.ann))
    sales.company.settle()
    first = sales.wen.get("/home")
    held = {"If-None-Match": first.headers["ETag"]}

    assert sales.wen.get("/home", headers=held).status_code == 304
    sales.erp.order("2", "10", seller=sales.key(sales.bo))
    sales.company.settle()
    assert sales.wen.get("/home", headers=held).status_code == 200
