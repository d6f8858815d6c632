"""Departments, people, customers and goods as rows of the U8 archives."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Final

from demo import catalogue, company
from demo.documents import Row
from demo.money import yuan

_FOUNDED: Final = date(2019, 3, 1)

DEPARTMENT: Final = "cdepcode cdepname cdepperson idepgrade bdepend ddepbegindate"
PERSON: Final = "cpersoncode cpersonname cdepcode cpersonprop cpersondefine1 dpvaliddate"
CUSTOMER: Final = (
    "ccuscode ccusname ccusabbname ccccode cdccode ccuspperson icuscreline icuscredate iarmoney"
    " dcusdevdate"
)
INVENTORY: Final = "cinvcode cinvname cinvstd cinvccode ccomunitname iinvscost iinvncost dsdate"


def department_rows() -> Iterator[Row]:
    parents = {department.parent for department in company.DEPARTMENTS}
    for unit in company.DEPARTMENTS:
        leader = company.leader_of(unit.code).code
        yield (unit.code, unit.name, leader, unit.grade, int(unit.code not in parents), _FOUNDED)


def person_rows() -> Iterator[Row]:
    for person in company.PEOPLE:
        yield (person.code, person.name, person.department, person.title, person.login, _FOUNDED)


def district_rows() -> Iterator[Row]:
    for team in company.teams():
        yield team, catalogue.city_of(team)


def customer_rows(goods: catalogue.Catalogue, owed_fen: Counter[str]) -> Iterator[Row]:
    for customer in goods.customers:
        yield (
            customer.code, customer.name, customer.short_name, customer.kind, customer.team,
            customer.seller, yuan(customer.credit_fen), customer.credit_days,
            yuan(owed_fen[customer.code]), _FOUNDED,
        )  # fmt: skip


def vendor_rows() -> Iterator[Row]:
    for code, name in catalogue.vendors().items():
        yield code, name, name


def inventory_rows(goods: catalogue.Catalogue) -> Iterator[Row]:
    for product in goods.products:
        yield (
            product.code, product.name, product.model, product.category, product.unit,
            yuan(product.price_fen), yuan(product.cost_fen), _FOUNDED,
        )  # fmt: skip


def warehouse_rows() -> Iterator[Row]:
    keepers = company.people_titled("仓管员")
    for place, (code, name) in enumerate(catalogue.WAREHOUSES.items()):
        yield code, name, "010401", keepers[place % len(keepers)].code
