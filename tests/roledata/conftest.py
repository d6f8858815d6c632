"""A small sales organisation with an ERP: two teams below one region, each with a leader and sellers."""

from dataclasses import dataclass
from uuid import UUID

import pytest

from tests.builders.company import Company, Phone
from tests.builders.figures import Erp, connect_erp


@dataclass
class Sales:
    """Who sells for whom, and under which keys the ERP knows them."""

    company: Company
    erp: Erp
    region: UUID
    north: UUID
    south: UUID
    director: Phone
    wen: Phone  # leads the north
    he: Phone  # leads the south
    ann: Phone  # sells in the north
    bo: Phone  # sells in the north
    cai: Phone  # sells in the south
    owner: Phone

    def key(self, phone: Phone) -> str:
        return self.erp.keys[phone.person.id]


@pytest.fixture
def sales(company: Company) -> Sales:
    return found_sales(company)


def found_sales(company: Company) -> Sales:
    region = company.unit("Region")
    north, south = company.unit("North", region), company.unit("South", region)
    erp = connect_erp(company)
    made = Sales(
        company=company,
        erp=erp,
        region=region,
        north=north,
        south=south,
        director=company.phone("Dao", region, role="sales_leader"),
        wen=company.phone("Wen", north, role="sales_leader"),
        he=company.phone("He", south, role="sales_leader"),
        ann=company.phone("Ann", north, role="account_manager"),
        bo=company.phone("Bo", north, role="account_manager"),
        cai=company.phone("Cai", south, role="account_manager"),
        owner=company.phone("Ou", role="owner"),
    )
    with erp.batch():
        for phone in (made.wen, made.he, made.ann, made.bo, made.cai):
            erp.employs(phone)
        erp.unit("N", north)
        erp.write("customer", "C1", name="Plum Stores")
    company.settle()
    return made
