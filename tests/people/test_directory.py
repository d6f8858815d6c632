"""The directory: finding colleagues, and what of them one may know."""

from typing import Any

import pytest

from app.people import services


def names(reply) -> list[str]:
    assert reply.status_code == 200, reply.json
    return [person["name"] for person in reply.json["items"]]


def colleague(phone, other) -> dict[str, Any]:
    reply = phone.get(f"/directory/people/{other.id}")
    assert reply.status_code == 200, reply.json
    found: dict[str, Any] = reply.json
    return found


def test_colleagues_are_found_by_part_of_a_name_in_any_case(company):
    lin = company.phone("Lin")
    company.person("王小明")
    company.person("Mingyu")
    assert names(lin.get("/directory/people", query_string={"q": "小明"})) == ["王小明"]
    assert names(lin.get("/directory/people?q=mING")) == ["Mingyu"]
    assert names(lin.get("/directory/people?q=%25")) == []


def test_a_unit_lists_its_own_members_and_not_those_below(company):
    sales = company.unit("Sales")
    east = company.unit("East", sales)
    lin = company.phone("Lin")
    company.person("Head", sales)
    company.person("Seller", east)
    assert names(lin.get(f"/directory/people?unit={sales}")) == ["Head"]
    assert names(lin.get(f"/directory/people?unit={east}&q=sell")) == ["Seller"]
    assert lin.get("/directory/people?unit=x").status_code == 422


def test_a_colleagues_page_says_who_where_and_the_roles_of_ones_own_line(company):
    sales, office = company.unit("Sales"), company.unit("Office")
    boss = company.person("Boss", sales, role="manager")
    seller, clerk = company.phone("Seller", sales), company.phone("Clerk", office)
    auditor = company.phone("Auditor", office, role="auditor")

    seen = colleague(seller, boss)
    assert (seen["name"], [unit["name"] for unit in seen["units"]]) == ("Boss", ["Sales"])
    assert {role["name"] for role in seen["roles"]} == {"Manager", "Employee"}
    assert colleague(clerk, boss)["roles"] == []
    assert len(colleague(auditor, boss)["roles"]) == 2
    chinese = seller.get(f"/directory/people/{boss.id}", headers={"Accept-Language": "zh-CN"})
    assert "部门经理" in {role["name"] for role in chinese.json["roles"]}


def test_who_has_left_or_is_elsewhere_has_no_page(company, other_company):
    lin, gone = company.phone("Lin"), company.person("Gone")
    with company.transaction() as session:
        services.set_active(session, person_id=gone.id, active=False)
    for person in (gone, other_company.person("Stranger")):
        assert lin.get(f"/directory/people/{person.id}").status_code == 404


def test_those_whom_an_audience_reaches_are_found_by_name(company):
    sales, office = company.unit("Sales"), company.unit("Office")
    lin = company.phone("Lin", sales)
    company.person("Linda", sales)
    company.person("Lina", office)
    asked = {"scopes": [{"kind": "unit", "id": str(sales)}], "q": "lin"}
    assert sorted(names(lin.post("/directory/audience-people", asked))) == ["Lin", "Linda"]


@pytest.mark.parametrize("body", [{}, {"scopes": [{"kind": "planet"}]}, {"scopes": [], "q": 1}])
def test_a_malformed_audience_is_refused(company, body):
    assert company.phone("Lin").post("/directory/audience-people", body).status_code == 422
