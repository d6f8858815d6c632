"""Freshness: what is told of each stream, who hears when a source turns red, and what Prometheus sees."""

from typing import Any

import pytest
from prometheus_client import REGISTRY, generate_latest

from erp_bridge.metrics import show_streams
from tests.builders.company import Company, Phone
from tests.erp_bridge.bridge import Bridge, DropFolder
from tests.erp_bridge.doubles.odoo_server import OdooServer
from tests.erp_bridge.office import NOON, Office, at


@pytest.fixture
def operator(company: Company) -> Phone:
    return company.phone("Hazel", role="operator")


@pytest.fixture
def office(company: Company, odoo: OdooServer) -> Office:
    at(company, NOON)
    made = Office(company, odoo)
    made.poll()
    return made


def test_a_source_that_turns_red_is_told_once_and_again_when_it_is_well(
    office: Office, operator: Phone
) -> None:
    assert {stream["freshness"] for stream in office.told()["items"]} == {"fresh"}
    office.company.clock.move(seconds=100)
    assert office.stream()["freshness"] == "late"
    office.judge()
    assert notices(office) == []
    office.company.clock.move(seconds=100)
    for _ in range(3):
        office.judge()
    assert office.stream()["freshness"] == "red"
    assert office.stream("warehouses")["freshness"] == "fresh"
    assert [text for text, _ in notices(office)] == ["An ERP's figures are far too old"]
    assert operator.person.id in {person for _, people in notices(office) for person in people}
    office.poll()
    for _ in range(2):
        office.judge()
    told = [text for text, _ in notices(office)]
    assert told == ["An ERP's figures are far too old", "An ERP's figures are current again"]


def notices(office: Office) -> list[tuple[str, list[Any]]]:
    rows = office.bridge.rows(
        "SELECT n.texts -> 'title' ->> 'en', array_agg(s.person_id) FROM delivery_notice n"
        " JOIN people_scope s ON s.tenant_id = n.tenant_id AND s.id = ANY (n.scope_ids)"
        " WHERE n.kind = 'erp_bridge.freshness' GROUP BY n.id, 1 ORDER BY n.id"
    )
    return [(title, people) for title, people in rows]


def test_a_source_that_is_switched_off_is_not_judged(office: Office) -> None:
    office.judge()
    office.bridge.rows("UPDATE erp_source SET active = false RETURNING 1")
    office.company.clock.move(hours=1)
    office.judge()
    assert notices(office) == []
    assert office.bridge.rows("SELECT 1 FROM erp_stream WHERE freshness IS NOT NULL") == []


def test_a_source_that_never_could_be_read_turns_red(company: Company, odoo: OdooServer) -> None:
    at(company, NOON)
    office = Office(company, odoo, api_key="wrong")
    office.poll()
    assert {stream["freshness"] for stream in office.told()["items"]} == {"fresh"}
    office.poll(minutes=50)
    office.judge()
    assert {stream["freshness"] for stream in office.told()["items"]} == {"red"}
    assert len(notices(office)) == 1


def test_a_folder_is_as_fresh_as_the_last_look_into_it(
    company: Company, files: Bridge, folder: DropFolder
) -> None:
    folder.people((1, "ash", "Clerk", ""))
    files.sync(streams=["employees"])
    operator = company.phone("Rowan", role="operator")
    streams = operator.get(f"/erp/sources/{files.source_id}/streams").json["items"]
    states = {stream["name"]: (stream["freshness"], stream["as_of"]) for stream in streams}
    assert states["employees"][0] == "fresh"
    # The file itself is years old, and that is what cards say.
    assert states["employees"][1].startswith("2023")


def test_prometheus_sees_streams_by_table_and_no_company(office: Office) -> None:
    office.judge()
    # A process serves one workspace; this one has made others since.
    show_streams(office.company.space)
    shown = generate_latest(REGISTRY).decode()
    lines = [line for line in shown.splitlines() if line.startswith("workspace_erp_")]
    assert any(
        line.startswith('workspace_erp_streams{state="fresh",table="sales_order"}')
        for line in lines
    )
    assert any(line.startswith('workspace_erp_age_seconds{table="sales_order"}') for line in lines)
    assert not any(str(office.company.tenant_id) in line or "tenant" in line for line in lines)
