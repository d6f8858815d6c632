"""Hearing of changed figures: those whose own they are, once a batch, and nobody else."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.people import services
from tests.builders.clock import MovableClock
from tests.builders.company import found_company
from tests.roledata.conftest import found_sales


def head_of(phone):
    phone.company.settle()
    return phone.get("/sync?after=0&limit=100").json["head"]


def heard(phone, after):
    events = phone.company.events(phone, after)
    return [e for e in events if e["kind"] == "roledata.cards_changed"]


def test_a_new_order_is_heard_by_its_seller_and_the_leaders_above_only(sales):
    phones = (sales.ann, sales.wen, sales.director, sales.owner, sales.bo, sales.cai, sales.he)
    after = {phone: head_of(phone) for phone in phones}

    sales.erp.order("1", "10", seller=sales.key(sales.ann))

    for phone in (sales.ann, sales.wen, sales.director, sales.owner):
        (event,) = heard(phone, after[phone])
        assert "sales" in event["data"]["cards"]
    for phone in (sales.bo, sales.cai, sales.he):
        assert heard(phone, after[phone]) == []


def test_what_is_heard_names_own_nodes_and_carries_no_figure(sales):
    after = head_of(sales.wen)
    sales.erp.order("1", "10", seller=sales.key(sales.ann))

    (event,) = heard(sales.wen, after)
    assert event["data"]["nodes"] == [str(sales.north)]
    assert set(event["data"]) == {"cards", "nodes", "data_version"}
    assert "profit" not in event["data"]["cards"]
    (owners,) = heard(sales.owner, after)
    assert {"sales", "order_execution", "stock"} <= set(owners["data"]["cards"])


def test_a_batch_of_many_orders_is_heard_once(sales):
    after = head_of(sales.wen)
    with sales.erp.batch():
        for number in range(12):
            sales.erp.order(str(number), "10", seller=sales.key(sales.ann))
        sales.erp.quota("1", "5", sales.erp.today, sales.erp.today, salesperson_key="E003")

    assert len(heard(sales.wen, after)) == 1


def test_a_batch_that_changes_nothing_is_not_heard(sales):
    sales.erp.order("1", "10", seller=sales.key(sales.ann))
    after = head_of(sales.wen)
    sales.erp.order("1", "10", seller=sales.key(sales.ann))

    assert heard(sales.wen, after) == []


def test_an_order_that_changes_hands_is_heard_by_both_sides(sales):
    sales.erp.order("1", "10", seller=sales.key(sales.ann))
    after = {phone: head_of(phone) for phone in (sales.ann, sales.cai, sales.he, sales.bo)}
    sales.erp.order("1", "10", seller=sales.key(sales.cai))

    for phone in (sales.ann, sales.cai, sales.he):
        assert len(heard(phone, after[phone])) == 1
    assert heard(sales.bo, after[sales.bo]) == []


def test_stock_is_heard_by_whose_orders_ask_for_it(sales):
    sales.erp.order("1", "10", seller=sales.key(sales.ann), product_key="P1", quantity=5)
    after = {phone: head_of(phone) for phone in (sales.ann, sales.wen, sales.cai)}
    level = {"warehouse_key": "W", "product_key": "P1", "on_hand": 1, "available": 1}
    sales.erp.write("stock_level", "1", **level)

    assert [e["data"]["cards"] for e in heard(sales.ann, after[sales.ann])] == [["stock"]]
    assert [e["data"]["cards"] for e in heard(sales.wen, after[sales.wen])] == [["stock"]]
    assert heard(sales.cai, after[sales.cai]) == []


def test_receivables_and_tasks_are_heard_by_whose_they_are(sales):
    after = {phone: head_of(phone) for phone in (sales.ann, sales.wen, sales.cai)}
    item = {"customer_key": "C1", "booked_on": sales.erp.today, "amount": 9, "open_amount": 9}
    sales.erp.write("receivable_item", "1", **item, salesperson_key=sales.key(sales.ann))
    assert [e["data"]["cards"] for e in heard(sales.ann, after[sales.ann])] == [["my_receivables"]]
    assert [e["data"]["cards"] for e in heard(sales.wen, after[sales.wen])] == [
        ["receivables_ageing"]
    ]

    after = {phone: head_of(phone) for phone in (sales.ann, sales.wen, sales.director)}
    request = {"document_kind": "purchase_requisition", "document_code": "1", "state": "pending"}
    sales.erp.write("approval_task", "1", **request, approver_key=sales.key(sales.wen))
    assert [e["data"]["cards"] for e in heard(sales.wen, after[sales.wen])] == [["waiting_for_me"]]
    assert heard(sales.ann, after[sales.ann]) == heard(sales.director, after[sales.director]) == []


def test_who_moves_takes_the_figures_along(sales):
    sales.erp.order("1", "10", seller=sales.key(sales.ann))
    after = {phone: head_of(phone) for phone in (sales.wen, sales.he)}
    with sales.company.transaction() as session:
        services.place_person(session, person_id=sales.ann.person.id, unit_ids=[sales.south])

    assert len(heard(sales.wen, after[sales.wen])) == len(heard(sales.he, after[sales.he])) == 1
    assert sales.wen.get("/cards/sales").json["value"] == 0
    assert sales.he.get("/cards/sales").json["value"] == 1000


orders = st.lists(
    st.tuples(
        st.sampled_from("123"), st.integers(-50, 50), st.sampled_from(["ann", "bo", "cai", "wen"])
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(orders, min_size=1, max_size=3))
def test_a_phone_that_follows_its_events_shows_what_a_fresh_read_gives(app, space, batches):
    sales = found_sales(found_company(app, space, MovableClock()))
    phones = (sales.ann, sales.bo, sales.cai, sales.wen, sales.he, sales.director, sales.owner)
    shown = {p: {c["key"]: c for c in p.get("/home").json["cards"]} for p in phones}
    seen = {phone: head_of(phone) for phone in phones}
    for batch in batches:
        with sales.erp.batch():
            for key, net, who in batch:
                sales.erp.order(key, str(net), seller=sales.key(getattr(sales, who)))
        for phone in phones:
            for event in heard(phone, seen[phone]):
                for key in set(event["data"]["cards"]) & set(shown[phone]):
                    shown[phone][key] = phone.get(f"/cards/{key}").json
            seen[phone] = head_of(phone)
            fresh = {c["key"]: c for c in phone.get("/home").json["cards"]}
            assert shown_figures(shown[phone]) == shown_figures(fresh)


def shown_figures(cards):
    """All that a card shows but the batch, which counts batches that changed nobody's figure too."""
    return {k: {n: v for n, v in card.items() if n != "batch"} for k, card in cards.items()}
