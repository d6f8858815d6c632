"""Stories of an operator who tries a mapping on real rows before it runs."""

from typing import Any

import pytest

from erp_bridge.connectors.egress import permit_hosts
from tests.builders.company import Company, Phone
from tests.erp_bridge.bridge import Bridge, DropFolder
from tests.erp_bridge.u8_book import U8Book

OWN = """
mapping: own
time_zone: Asia/Shanghai
currency: CNY
root_unit: "01"
streams:
  - name: people
    into: employee
    from: {table: person, stamp: pubufts, key: [cpersoncode]}
    key: [cpersoncode]
    where: {not: {equals: cpersoncode, value: "2"}}
    fields:
      name: cpersonname
      login: %s
      active: cpersonprop
"""


@pytest.fixture
def operator(company: Company) -> Phone:
    return company.phone("Hazel", role="operator")


def tried(bridge: Bridge, phone: Phone, stream: str, text: str | None = None) -> dict[str, Any]:
    body = {"stream": stream} | ({"mapping_text": text} if text else {})
    reply = phone.post(f"/erp/sources/{bridge.source_id}/preview", body)
    assert reply.status_code == 200, reply.json
    shown: dict[str, Any] = reply.json
    return shown


def test_twenty_real_rows_are_shown_raw_beside_what_would_land(
    u8: Bridge, book: U8Book, operator: Phone
) -> None:
    order = book.order()
    for net in range(25):
        book.line(order, net)
    book.settle(20)
    shown = tried(u8, operator, "sales_order_lines")
    assert (len(shown["rows"]), shown["problems"]) == (20, {})
    assert (shown["rows"][3]["raw"]["inatmoney"], shown["rows"][3]["fields"]["net"]) == (
        "3.00",
        "3.000000",
    )
    assert shown["rows"][0]["fields"]["order_key"] == str(order)
    # Nothing of it is kept, and nothing was read as far as the bridge knows.
    assert u8.one("SELECT count(*) FROM erp_sales_order_line") == 0
    assert u8.one("SELECT count(*) FROM erp_stream") == 0


def test_what_does_not_fit_says_why_field_by_field_and_hides_no_other(
    files: Bridge, folder: DropFolder, operator: Phone
) -> None:
    folder.orders((10, "2014-01-31", ""))
    folder.drop(
        "order_lines.csv",
        "order_id,line_id,product_id,quantity,unit_price,discount,net_amount,unit_cost,exact",
        [(10, 1, 7, 2, 5, 0, "NaN", 3, 1), (10, 2, 7, "two", 5, 0, "", 3, 1), ("", 3)],
    )
    first, second, third = tried(files, operator, "order_lines")["rows"]
    assert (first["key"], first["errors"]["net"]) == ("10:1", "number.format")
    assert first["fields"]["quantity"] == "2"
    assert second["errors"] == {"quantity": "number.format", "net": "required"} | {
        name: code for name, code in second["errors"].items() if name not in {"quantity", "net"}
    }
    assert (third["key"], third["errors"]["key"]) == (None, "required")


def test_another_mapping_is_tried_before_it_may_run(
    u8: Bridge, book: U8Book, operator: Phone, permitted_loopback: None
) -> None:
    book.office()
    book.settle(20)
    rows = {
        row["key"]: row for row in tried(u8, operator, "people", OWN % "cpersondefine1")["rows"]
    }
    assert rows["1"]["fields"]["login"] == "ash"
    assert (rows["2"]["wanted"], rows["2"]["fields"]) == (False, {})
    # Nobody is active who has a title where yes or no was due.
    assert rows["3"]["errors"] == {"active": "bool.format"}


def test_a_mapping_that_is_wrong_is_told_by_its_place_and_nothing_is_asked(
    u8: Bridge, book: U8Book, operator: Phone
) -> None:
    shown = tried(u8, operator, "people", OWN % "{look_up: cpersondefine1}")
    assert shown["rows"] == []
    assert any("login" in place for place in shown["problems"])
    assert tried(u8, operator, "people", "mapping: [")["problems"]


def test_a_column_that_is_not_there_is_named(
    u8: Bridge, book: U8Book, operator: Phone, permitted_loopback: None
) -> None:
    shown = tried(u8, operator, "people", OWN % "cpersonlogin")
    assert (shown["rows"], "erp.missing_column" in shown["problems"]["source"]) == ([], True)


def test_a_mapping_of_ones_own_looks_only_where_the_installation_lets_it(
    u8: Bridge, book: U8Book, operator: Phone
) -> None:
    permit_hosts("")
    shown = tried(u8, operator, "people", OWN % "cpersondefine1")
    assert shown["rows"] == []
    assert book.password not in str(shown)
    assert shown["problems"]["source"]


def test_only_an_operator_of_the_company_tries_and_it_is_written_down(
    u8: Bridge, company: Company, other_company: Company, operator: Phone
) -> None:
    path = f"/erp/sources/{u8.source_id}/preview"
    assert company.phone("Pine").post(path, {"stream": "persons"}).status_code == 403
    stranger = other_company.phone("Elm", role="operator")
    assert stranger.post(path, {"stream": "persons"}).status_code == 404
    refused = operator.post(path, {"stream": "nothing"})
    assert refused.json["errors"]["stream"]["code"] == "not_a_choice"
    assert operator.post(path, {}).json["errors"]["stream"]["code"] == "required"
    tried(u8, operator, "persons")
    audit = "SELECT actor_id, detail FROM people_audit_entry WHERE action = 'erp.preview_mapping'"
    assert u8.one(audit) == (operator.person.id, "persons")
