"""A real Tryton 8.2: what waits in it is decided from the phone, as the supervisor; see `test_tryton_live`."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.people.models import Person
from erp_bridge.models import Employee
from tests.builders.company import Company, Phone
from tests.erp_bridge.bridge import Bridge, connect
from tests.erp_bridge.test_tryton_live import Office, config, office, pytestmark

assert office
assert pytestmark

#: The head of the company, who is everybody's supervisor in the end, and a head of sales.
BOSS, HEAD_OF_SALES = 1, 3


@pytest.fixture
def live(company: Company) -> Bridge:
    bridge = connect(company, "tryton", "tryton", **config(rows_per_page=100))
    bridge.sync()
    return bridge


@pytest.fixture
def phone_of(company: Company, live: Bridge) -> Callable[[int], Phone]:
    """The phone of an employee who may decide in Tryton with a key of their own."""
    operator = company.phone("Hazel", role="operator")
    keys = json.loads(Path(os.environ["WORKSPACE_TRYTON_KEYS"]).read_text())

    def sign_in(employee: int) -> Phone:
        with company.transaction() as session:
            known = select(Employee.person_id).where(Employee.source_key == str(employee))
            person = session.get_one(Person, (company.tenant_id, session.scalar(known)))
        said = {
            "person_id": str(person.id),
            "erp_user": str(employee),
            "key": keys["keys"]["admin"],
        }
        made = operator.post(f"/erp/sources/{live.source_id}/approvers", said)
        assert (made.status_code, made.json["has_key"]) == (201, True)
        assert keys["keys"]["admin"] not in made.text
        return company.phone_of(person)

    return sign_in


def ask(office: Office) -> str:
    """Somebody asks for something again, and it waits; gives its number."""
    first = office.all("purchase.requisition", [], "id")[0]["id"]
    (copied,) = office.do("purchase.requisition", "copy", [first])
    supply = {"__class__": "date", "year": 2030, "month": 1, "day": 15}
    office.do("purchase.requisition", "write", [copied], {"supply_date": supply})
    office.do("purchase.requisition", "wait", [copied])
    row: dict[str, Any] = office.all("purchase.requisition", [["id", "=", copied]], "number")[0]
    return str(row["number"])


def shown(phone: Phone, code: str) -> dict[str, Any]:
    items = phone.get("/approvals?limit=100").json["items"]
    (found,) = [one for one in items if one["code"] == code]
    read: dict[str, Any] = phone.get(f"/approvals/{found['id']}").json
    return read


def decide(phone: Phone, one: dict[str, Any], decision: str, **more: str) -> int:
    said = {"decision": decision, "version": one["version"], **more}
    return phone.pay(f"/approvals/{one['id']}/decision", said).status_code


def document(office: Office, code: str) -> dict[str, Any]:
    (row,) = office.all(
        "purchase.requisition", [["number", "=", code]], "state", "approved_by", "rejected_by"
    )
    return row


@pytest.mark.parametrize(
    ("decision", "field", "states"),
    [
        ("approve", "approved_by", {"approved", "processing", "done"}),
        ("reject", "rejected_by", {"rejected"}),
    ],
)
def test_a_requisition_is_decided_as_the_supervisor(
    live: Bridge,
    office: Office,
    phone_of: Callable[[int], Phone],
    decision: str,
    field: str,
    states: set[str],
) -> None:
    boss, code = phone_of(BOSS), ask(office)
    live.sync()
    waiting = shown(boss, code)
    assert (waiting["may"], len(waiting["lines"])) == (["approve", "reject"], 1)
    assert waiting["amount"] == {"amount_minor": 55_000, "unit": "CNY"}
    assert decide(boss, waiting, decision, reason="Live.") == 202
    live.company.settle()
    after = boss.get(f"/approvals/{waiting['id']}").json
    assert after["decision"]["state"] == "confirmed", after
    assert after["decision"]["code"] is None
    row = document(office, code)
    assert row["state"] in states
    assert row[field] == BOSS


def test_a_requisition_that_is_edited_meanwhile_is_not_approved(
    live: Bridge, office: Office, phone_of: Callable[[int], Phone]
) -> None:
    boss, code = phone_of(BOSS), ask(office)
    live.sync()
    waiting = shown(boss, code)
    (row,) = office.all("purchase.requisition", [["number", "=", code]], "lines")
    # While it waits nobody edits it in Tryton: it goes back, is edited, and waits again, under the same number.
    (number,) = [
        one["id"] for one in office.all("purchase.requisition", [["number", "=", code]], "id")
    ]
    office.do("purchase.requisition", "draft", [number])
    office.do("purchase.requisition.line", "write", row["lines"], {"quantity": 99.0})
    office.do("purchase.requisition", "wait", [number])
    assert decide(boss, waiting, "approve") == 202
    live.company.settle()
    after = boss.get(f"/approvals/{waiting['id']}").json
    assert after["decision"]["code"] == "erp_bridge.document_changed"
    assert (after["amount"]["amount_minor"], after["may"]) == (544_500, ["approve", "reject"])
    assert document(office, code)["state"] == "waiting"
    assert decide(boss, after, "reject", reason="Too many.") == 202
    live.company.settle()
    assert document(office, code)["state"] == "rejected"


def test_a_requisition_decided_in_tryton_meanwhile_is_not_decided_again(
    live: Bridge, office: Office, phone_of: Callable[[int], Phone]
) -> None:
    boss, code = phone_of(BOSS), ask(office)
    live.sync()
    waiting = shown(boss, code)
    (row,) = office.all("purchase.requisition", [["number", "=", code]], "id")
    office.do("purchase.requisition", "reject", [row["id"]])
    assert decide(boss, waiting, "approve") == 202
    live.company.settle()
    after = boss.get(f"/approvals/{waiting['id']}").json
    assert (after["decision"]["code"], after["state"]) == (
        "erp_bridge.approval_decided",
        "rejected",
    )
    assert document(office, code)["state"] == "rejected"


def test_a_quotation_is_confirmed_by_the_head_of_who_quoted(
    live: Bridge, office: Office, phone_of: Callable[[int], Phone]
) -> None:
    head = phone_of(HEAD_OF_SALES)
    live.sync()
    waiting = [
        one
        for one in head.get("/approvals?limit=100").json["items"]
        if one["kind"] == "sales_quotation"
    ]
    if not waiting:
        pytest.skip("every quotation of this Tryton has been confirmed by earlier runs")
    one = waiting[0]
    assert one["may"] == ["approve"]
    assert decide(head, one, "approve") == 202
    live.company.settle()
    assert head.get(f"/approvals/{one['id']}").json["decision"]["state"] == "confirmed"
    (sale,) = office.all("sale.sale", [["number", "=", one["code"]]], "state", "confirmed_by")
    assert sale["confirmed_by"] == HEAD_OF_SALES
    assert sale["state"] in {"confirmed", "processing", "done"}
