"""An ERP that is only read: what waits there is shown with its lines, and decided there."""

from contextlib import closing
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from app.core.ids import new_id
from erp_bridge.approvals.refreshing import refresh_tasks
from erp_bridge.models import ApprovalLine, ApprovalTask, Employee, Product, Source
from erp_bridge.opening import open_source
from tests.builders.company import Company, Phone
from tests.erp_bridge.bridge import Bridge


@pytest.fixture
def boss(company: Company) -> Phone:
    return company.phone("Ash", role="manager")


@pytest.fixture
def waiting(company: Company, files: Bridge, boss: Phone) -> Bridge:
    """Cedar asks for two things; it waits for Ash, as facts that landed say."""
    landed = {
        "tenant_id": company.tenant_id,
        "source_id": files.source_id,
        "hash": b"",
        "batch_id": new_id(),
        "seen_at": company.clock(),
    }
    line = landed | {"task_key": "7", "product_key": "P1", "quantity": Decimal(2)}
    with company.transaction() as session:
        session.add_all(
            [
                Employee(
                    **landed, source_key="1", name="Ash", active=True, person_id=boss.person.id
                ),
                Employee(**landed, source_key="3", name="Cedar", active=True),
                Product(**landed, source_key="P1", code="P1", name="Paper"),
                ApprovalLine(**line, source_key="7:1", amount=Decimal("12.5")),
                ApprovalLine(**line, source_key="7:2", amount=Decimal("7.505")),
                ApprovalTask(
                    **landed,
                    source_key="7",
                    document_kind="purchase_order",
                    document_code="PO7",
                    approver_key="1",
                    applicant_key="3",
                    amount=Decimal("20.005"),
                    state="pending",
                    requested_on=date(2026, 3, 2),
                ),
            ]
        )
    look(files)
    return files


def look(bridge: Bridge, changed: frozenset[str] = frozenset({"approval_task"})) -> None:
    space = bridge.company.space
    with bridge.company.transaction() as session:
        source = session.get_one(Source, (bridge.company.tenant_id, bridge.source_id))
    with closing(open_source(source, secret_key=space.settings.secret_key)) as opened:
        refresh_tasks(space.database, opened, changed=changed, now=bridge.company.clock)


def shown(boss: Phone) -> dict[str, Any]:
    (one,) = boss.get("/approvals").json["items"]
    read: dict[str, Any] = boss.get(f"/approvals/{one['id']}").json
    return read


def test_what_landed_as_facts_is_shown_and_cannot_be_decided_here(
    waiting: Bridge, boss: Phone
) -> None:
    one = shown(boss)
    assert (one["code"], one["applicant"], one["may"]) == ("PO7", "Cedar", [])
    assert one["read_only"] == "source_read_only"
    assert one["amount"] == {"amount_minor": 2_001, "unit": "USD"}
    assert [(line["name"], line["amount_minor"]) for line in one["lines"]] == [
        ("Paper", 1_250),
        ("Paper", 751),
    ]
    said = {"decision": "approve", "version": one["version"]}
    refused = boss.pay(f"/approvals/{one['id']}/decision", said)
    assert (refused.status_code, refused.json["code"]) == (409, "erp_bridge.source_read_only")


def test_it_follows_the_facts_and_looks_only_when_they_changed(
    waiting: Bridge, boss: Phone, company: Company
) -> None:
    one = shown(boss)
    with company.transaction() as session:
        session.execute(text("UPDATE erp_approval_task SET state = 'approved'"))
    look(waiting, frozenset({"sales_order"}))
    assert shown(boss)["state"] == "pending"
    look(waiting)
    assert boss.get("/approvals").json["items"] == []
    assert boss.get(f"/approvals/{one['id']}").json["state"] == "approved"


def test_nobody_is_set_up_to_decide_where_nothing_is_decided(
    waiting: Bridge, boss: Phone, company: Company
) -> None:
    operator = company.phone("Hazel", role="operator")
    said = {"person_id": str(boss.person.id), "erp_user": "1"}
    refused = operator.post(f"/erp/sources/{waiting.source_id}/approvers", said)
    assert refused.json["code"] == "erp_bridge.source_read_only"
