"""Keeping the summaries: whatever changes, in whatever order, every node and day equals its documents."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from threading import Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.people import services
from app.people.models import OrgUnit
from erp_bridge.models import DirtyDay
from roledata import summaries
from roledata.grammar import catalogue
from roledata.models import LeafDay, NodeDay
from tests.builders.clock import MovableClock
from tests.builders.company import found_company
from tests.roledata.conftest import Sales, found_sales
from tests.roledata.oracle import add_up, kept

DAY = date(2026, 3, 1)
SELLERS = ("wen", "he", "ann", "bo", "cai")

keys = st.sampled_from([str(number) for number in range(6)])
money = st.decimals(-1000, 1000, places=4)
days = st.integers(0, 40).map(lambda back: DAY - timedelta(days=back))
sellers = st.sampled_from([*SELLERS, "a stranger", None])
unit_keys = st.sampled_from(["N", "unknown", None])


def order(sales: Sales, key: str, net: Decimal, on: date, seller: str | None, **more: Any) -> None:
    sales.erp.order(key, net, seller=seller_key(sales, seller), on=on, **more)


def seller_key(sales: Sales, seller: str | None) -> str | None:
    return sales.key(getattr(sales, seller)) if seller in SELLERS else seller


def invoice(sales: Sales, key: str, net: Decimal, on: date, seller: str | None) -> None:
    sales.erp.invoice(key, str(net), seller=seller_key(sales, seller), invoiced_on=on, cost=net / 2)


def book(sales: Sales, key: str, debit: Decimal, on: date, unit: str | None) -> None:
    entry = {"account_code": "66", "account_type": "expense", "credit": Decimal(1)}
    sales.erp.write("ledger_entry", key, **entry, debit=debit, booked_on=on, org_unit_key=unit)


def promise(sales: Sales, key: str, amount: Decimal, on: date, seller: str | None) -> None:
    whose = {"salesperson_key": seller_key(sales, seller), "org_unit_key": "N"}
    sales.erp.quota(key, str(amount), on, on + timedelta(days=30), **whose)


def move_person(sales: Sales, seller: str, unit: str) -> None:
    person, unit_id = getattr(sales, seller).person, getattr(sales, unit)
    with sales.company.transaction() as session:
        services.place_person(session, person_id=person.id, unit_ids=[unit_id])


def move_unit(sales: Sales, unit: str, *, below_root: bool) -> None:
    parent = sales.company.root_id if below_root else sales.region
    with sales.company.transaction() as session:
        found = session.get_one(OrgUnit, (sales.company.tenant_id, getattr(sales, unit)))
        services.move_unit(session, unit=found, parent_id=parent)


def lose_match(sales: Sales, seller: str) -> None:
    sales.erp.write("employee", seller_key(sales, seller) or "", person_id=None)


Change = Callable[[Sales], None]


def act(
    function: Callable[..., None], *given_values: Any, **more: Any
) -> st.SearchStrategy[Change]:
    return st.builds(
        lambda args, kw: lambda sales: function(sales, *args, **kw),
        st.tuples(*given_values),
        st.fixed_dictionaries(more),
    )


changes = st.one_of(
    act(
        order,
        keys,
        money,
        days,
        sellers,
        state=st.sampled_from(["open", "closed", "cancelled"]),
        org_unit_key=unit_keys,
        cost=st.none() | money,
        shipped_net=st.none() | money,
    ),
    act(invoice, keys, money, days, sellers),
    act(book, keys, money, days, unit_keys),
    act(promise, keys, money, days, sellers),
    act(
        lambda sales, table, key: sales.erp.delete(table, key),
        st.sampled_from(["sales_order_line", "invoice_line", "quota", "ledger_entry"]),
        keys,
    ),
    act(move_person, st.sampled_from(SELLERS), st.sampled_from(["north", "south", "region"])),
    act(move_unit, st.sampled_from(["north", "south"]), below_root=st.booleans()),
    act(lose_match, st.sampled_from(SELLERS)),
)


def bring_up_to_date(sales: Sales, verb=summaries.refresh) -> summaries.Refreshed:
    with sales.company.transaction() as session:
        return verb(session, catalogue=catalogue(), now=sales.company.clock())


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(changes, min_size=1, max_size=8), min_size=1, max_size=3))
def test_every_node_and_day_equals_its_documents(app, space, batches):
    sales = found_sales(found_company(app, space, MovableClock()))
    for batch in batches:
        for change in batch:
            change(sales)
        bring_up_to_date(sales)
        assert kept(sales.company) == add_up(sales.company)
    assert bring_up_to_date(sales, summaries.rebuild).is_empty
    assert kept(sales.company) == add_up(sales.company)


def test_refreshing_again_changes_nothing(sales):
    order(sales, "1", Decimal(10), DAY, "ann")
    assert bring_up_to_date(sales).measures
    version = bring_up_to_date(sales).data_version

    sales.erp.order("1", Decimal(10), seller=sales.key(sales.ann), on=DAY)
    again = bring_up_to_date(sales)
    assert (again.is_empty, again.data_version) == (True, version)
    with sales.company.transaction() as session:
        assert session.scalar(select(func.count()).select_from(DirtyDay)) == 0


def test_only_the_nodes_above_a_change_are_touched(sales):
    order(sales, "1", Decimal(10), DAY, "ann")
    touched = {node for node, _ in bring_up_to_date(sales).measures}

    assert touched == {sales.ann.person.id, sales.north, sales.region, sales.company.root_id}


def test_a_day_that_lost_its_last_document_is_gone(sales):
    order(sales, "1", Decimal(10), DAY, "ann")
    bring_up_to_date(sales)
    sales.erp.delete("sales_order_line", "1")
    bring_up_to_date(sales)

    with sales.company.transaction() as session:
        assert session.scalar(select(func.count()).select_from(NodeDay)) == 0
        assert session.scalar(select(func.count()).select_from(LeafDay)) == 0


def test_many_refreshers_at_once_add_up_once(sales):
    for number in range(20):
        order(sales, str(number), Decimal(number), DAY - timedelta(days=number % 3), "ann")

    crowd = [Thread(target=bring_up_to_date, args=(sales,)) for _ in range(6)]
    for one in crowd:
        one.start()
    for number in range(10):
        order(sales, str(number), Decimal("0.5"), DAY, "cai")
    for one in crowd:
        one.join()
    bring_up_to_date(sales)
    assert kept(sales.company) == add_up(sales.company)


def test_a_refresh_that_is_cut_off_leaves_everything_as_it_was(sales):
    order(sales, "1", Decimal(10), DAY, "ann")

    def refresh_and_die():
        with sales.company.transaction() as session:
            summaries.refresh(session, catalogue=catalogue(), now=sales.company.clock())
            raise InterruptedError

    with pytest.raises(InterruptedError):
        refresh_and_die()
    assert kept(sales.company) == {}
    bring_up_to_date(sales)
    assert kept(sales.company) == add_up(sales.company)
