"""Nobody sees a figure that is not theirs: outside one's scope there is nothing, on every route."""

import itertools

import pytest

from app.people import services
from roledata import scopes
from roledata.grammar import catalogue
from tests.roledata.conftest import found_sales

CARDS = sorted(catalogue().cards)


def nodes_of(sales):
    units = {
        "root": sales.company.root_id,
        "region": sales.region,
        "north": sales.north,
        "south": sales.south,
    }
    people = {name: getattr(sales, name).person.id for name in ("wen", "he", "ann", "bo", "cai")}
    return units | people


SEEN = {
    "owner": {"root", "region", "north", "south", "wen", "he", "ann", "bo", "cai"},
    "director": {"region", "north", "south", "wen", "he", "ann", "bo", "cai"},
    "wen": {"north", "wen", "ann", "bo"},
    "he": {"south", "he", "cai"},
    "ann": {"ann"},
    "bo": {"bo"},
    "cai": {"cai"},
}


def reads(node_id, audience):
    """Every way to ask for a card of a node."""
    for key in CARDS:
        yield "GET", f"/cards/{key}?scope={node_id}", None
        yield "GET", f"/cards/{key}/breakdown?scope={node_id}", None
        yield "GET", f"/cards/{key}/breakdown?by=people&scope={node_id}", None
        yield "GET", f"/cards/{key}/documents?scope={node_id}", None
        yield "POST", f"/cards/{key}/shares", {"scope": str(node_id), "audience": audience}
        watch = {"card": key, "scope": str(node_id), "direction": "below", "enter": 1}
        yield "POST", "/watches", watch


@pytest.mark.parametrize("who", sorted(SEEN))
def test_what_is_outside_ones_scope_is_not_there_on_any_route(sales, who):
    phone, nodes = getattr(sales, who), nodes_of(sales)
    audience = {"scopes": [{"kind": "person", "id": str(phone.person.id)}]}

    for name in set(nodes) - SEEN[who] - {who}:
        for method, path, body in reads(nodes[name], audience):
            options = {"json": body} if body else {}
            reply = phone.call(method, path, **options)
            assert reply.status_code == 404, (who, name, method, path)


@pytest.mark.parametrize("who", sorted(SEEN))
def test_what_is_inside_ones_scope_is_there(sales, who):
    phone, nodes = getattr(sales, who), nodes_of(sales)
    for name in SEEN[who]:
        reply = phone.get(f"/cards/sales?scope={nodes[name]}")
        assert reply.status_code == 200, (who, name)


def test_profit_and_expense_are_the_companys_alone(sales):
    for phone, key in itertools.product(
        (sales.director, sales.wen, sales.ann), ("profit", "expense")
    ):
        assert phone.get(f"/cards/{key}").status_code == 404
    assert sales.owner.get("/cards/profit").status_code == 200


def test_who_has_no_part_in_figures_sees_none(sales):
    clerk = sales.company.phone("Mo", sales.north)
    for key in CARDS:
        expected = 200 if key == "waiting_for_me" else 404
        assert clerk.get(f"/cards/{key}").status_code == expected
        assert clerk.get(f"/cards/{key}?scope={sales.north}").status_code == 404
    assert [card["key"] for card in clerk.get("/cards").json["items"]] == ["waiting_for_me"]


def test_another_companys_nodes_are_not_there(sales, other_company):
    there = found_sales(other_company)
    sales.erp.order("1", "10", seller=sales.key(sales.ann))
    there.erp.order("1", "99", seller=there.key(there.ann))
    sales.company.settle()
    other_company.settle()

    for node_id in nodes_of(there).values():
        assert sales.owner.get(f"/cards/sales?scope={node_id}").status_code == 404
    assert sales.owner.get("/cards/sales").json["value"] == 1000
    assert there.owner.get("/cards/sales").json["value"] == 9900


def test_two_units_below_one_another_are_counted_once(sales):
    with sales.company.transaction() as session:
        services.grant_role(
            session,
            person_id=sales.director.person.id,
            role_key="sales_leader",
            unit_id=sales.north,
        )
    sales.erp.order("1", "10", seller=sales.key(sales.ann))
    sales.company.settle()

    card = sales.director.get("/cards/sales").json
    assert card["value"] == 1000
    assert [unit["name"] for unit in card["scope"]["units"]] == ["Region"]


def test_two_units_beside_one_another_are_added_up(sales):
    with sales.company.transaction() as session:
        services.grant_role(
            session, person_id=sales.wen.person.id, role_key="sales_leader", unit_id=sales.south
        )
    sales.erp.order("1", "10", seller=sales.key(sales.ann))
    sales.erp.order("2", "5", seller=sales.key(sales.cai))
    sales.company.settle()

    card = sales.wen.get("/cards/sales").json
    assert card["value"] == 1500
    assert {unit["name"] for unit in card["scope"]["units"]} == {"North", "South"}


def test_who_loses_a_role_loses_the_figures_at_once(sales):
    assert sales.wen.get(f"/cards/sales?scope={sales.north}").status_code == 200
    with sales.company.transaction() as session:
        services.revoke_role(
            session, person_id=sales.wen.person.id, role_key="sales_leader", unit_id=sales.north
        )
    assert sales.wen.get(f"/cards/sales?scope={sales.north}").status_code == 404
    assert sales.wen.get("/cards/sales").status_code == 404


def test_only_the_resolver_makes_scoped_nodes(sales):
    with pytest.raises(AssertionError):
        scopes.ScopedNode(sales.north, scopes.UNIT, "North", object())
    with pytest.raises(AssertionError):
        scopes.Scope((), cost=False)
