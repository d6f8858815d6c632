"""Audiences: who is meant, and who may address whom."""

from random import Random

import pytest

from app.people import queries, services
from app.people.audiences import AudienceScope, resolve_audience
from app.people.errors import AudienceEmpty, AudienceNotAllowed, AudienceUnknown, UnitCycle
from app.people.models import OrgUnit, Person


def everybody() -> AudienceScope:
    return AudienceScope(kind="tenant")


def unit(unit_id, *, include_below=True) -> AudienceScope:
    return AudienceScope(kind="unit", id=unit_id, include_below=include_below)


def resolve(company, phone, *scopes, permission="feeds.announce", own_units=False):
    caller = company.caller(phone)
    with company.transaction() as session:
        return resolve_audience(
            session, caller=caller, scopes=list(scopes), permission=permission, own_units=own_units
        )


def names_in(company, scope_ids) -> set[str]:

    with company.transaction() as session:
        ids = session.scalars(queries.people_in_scopes(scope_ids)).all()
        return {session.get(Person, (company.tenant_id, person_id)).name for person_id in ids}


def test_a_unit_with_all_below_it_and_a_unit_alone(company):
    sales = company.unit("Sales")
    east = company.unit("East", sales)
    boss = company.phone("Boss", sales, role="manager")
    company.person("Lin", east)
    company.person("Wu")

    assert names_in(company, resolve(company, boss, unit(sales))) == {"Boss", "Lin"}
    assert names_in(company, resolve(company, boss, unit(sales, include_below=False))) == {"Boss"}


def test_a_role_reaches_those_who_hold_it_at_or_below_a_unit(company):
    sales = company.unit("Sales")
    east = company.unit("East", sales)
    boss = company.phone("Boss", role="manager")
    company.person("Lin", east, role="sales_leader")
    company.person("Wu", role="sales_leader")

    leaders = AudienceScope(kind="role", role="sales_leader", id=sales)
    assert names_in(company, resolve(company, boss, leaders)) == {"Lin"}
    assert names_in(
        company, resolve(company, boss, AudienceScope(kind="role", role="sales_leader"))
    ) == {
        "Lin",
        "Wu",
    }


def test_a_manager_may_not_address_a_sister_unit_or_everybody(company):
    sales, stock = company.unit("Sales"), company.unit("Stock")
    boss = company.phone("Boss", sales, role="manager")

    for scope in (
        unit(stock),
        unit(company.root_id),
        everybody(),
        AudienceScope(kind="role", role="owner"),
    ):
        with pytest.raises(AudienceNotAllowed):
            resolve(company, boss, scope)


def test_a_unit_of_another_company_does_not_exist(company, other_company):
    boss = company.phone("Boss", role="owner")
    with pytest.raises(AudienceUnknown):
        resolve(company, boss, unit(other_company.root_id))


def test_nobody_is_no_audience(company):
    with pytest.raises(AudienceEmpty):
        resolve(company, company.phone("Boss", role="owner"))


def test_members_may_address_their_own_unit_where_that_is_allowed(company):
    sales = company.unit("Sales")
    lin = company.phone("Lin", sales)

    assert resolve(company, lin, unit(sales), own_units=True)
    with pytest.raises(AudienceNotAllowed):
        resolve(company, lin, unit(sales), own_units=False)


def test_moving_a_unit_moves_its_people_into_the_new_audience(company):
    sales, stock = company.unit("Sales"), company.unit("Stock")
    east = company.unit("East", sales)
    lin = company.phone("Lin", east)
    boss = company.phone("Boss", role="owner")
    over_stock = resolve(company, boss, unit(stock))
    assert not company.caller(lin).scope_ids & set(over_stock)

    with company.transaction() as session:
        moved = session.get(OrgUnit, (company.tenant_id, east))
        services.move_unit(session, unit=moved, parent_id=stock)

    assert company.caller(lin).scope_ids & set(over_stock)
    assert names_in(company, over_stock) == {"Lin"}


def test_a_unit_cannot_move_below_itself(company):

    sales = company.unit("Sales")
    east = company.unit("East", sales)
    with company.transaction() as session, pytest.raises(UnitCycle):
        services.move_unit(
            session, unit=session.get(OrgUnit, (company.tenant_id, sales)), parent_id=east
        )


@pytest.mark.parametrize("seed", range(5))
def test_a_person_is_in_an_audience_exactly_if_one_of_their_scopes_is(company, seed):
    """The two directions — scopes of a person, persons of scopes — are one relation."""
    luck = Random(seed)
    units = [company.root_id]
    for i in range(6):
        units.append(company.unit(f"Unit{i}", luck.choice(units)))
    roles = [None, "manager", "sales_leader"]
    phones = [
        company.phone(
            f"P{i}", luck.choice(units), role=luck.choice(roles), role_at=luck.choice(units)
        )
        for i in range(8)
    ]
    boss = company.phone("Boss", role="owner")
    picks = [unit(luck.choice(units), include_below=luck.random() < 0.5) for _ in range(2)]
    picks.append(AudienceScope(kind="role", role="manager", id=luck.choice(units)))
    scope_ids = resolve(company, boss, *picks)

    by_scopes = {
        p.person.id for p in [*phones, boss] if company.caller(p).scope_ids & set(scope_ids)
    }
    with company.transaction() as session:
        by_people = set(session.scalars(queries.people_in_scopes(scope_ids)))
    assert by_scopes == by_people
