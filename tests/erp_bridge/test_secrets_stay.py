"""U8 carries its token and its secret in every address: neither is ever logged, told or kept."""

import logging

import pytest
from sqlalchemy import text

from tests.builders.company import Company
from tests.erp_bridge.doubles import u8_gateway
from tests.erp_bridge.doubles.server import Asked, Said
from tests.erp_bridge.doubles.u8_gateway import SECRET, U8Gateway

TABLES = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'"
TOKEN = "almond-token"


def moved(asked: Asked) -> Said:
    return Said(status=302, headers={"Location": f"http://127.0.0.1:1/?{asked.raw_query}"})


def refused(asked: Asked) -> Said:
    return u8_gateway.error("99", f"{asked.raw_query} is not known here")


@pytest.fixture
def gateway(permitted_loopback: None):  # type: ignore[no-untyped-def]
    with U8Gateway(None) as running:
        yield running


def test_whatever_goes_wrong_no_log_answer_or_row_holds_a_token_or_a_secret(
    company: Company,
    gateway: U8Gateway,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    gateway.kept["warehouse"] = [{"code": "1", "name": "Place"}]
    operator = company.phone("Hazel", role="operator")
    body = {"name": "U8", "connector": "u8_openapi", "mapping": "u8_openapi"}
    made = operator.post("/erp/sources", body | {"config": gateway.settings()})
    path = f"/erp/sources/{made.json['id']}"
    heard = [made.text]
    for fault in (u8_gateway.token_expired, moved, refused, u8_gateway.html):
        gateway.faults = [fault] * 3
        heard.append(operator.post(f"{path}/check").text)
    for fault in (moved, refused):
        gateway.faults = [fault] * 40
        started = operator.post(f"{path}/runs", {"streams": ["warehouses"]})
        company.settle()
        heard += [operator.get(f"/erp/runs/{started.json['id']}").text]
    heard += [operator.get(place).text for place in (path, f"{path}/streams", "/erp/sources")]
    assert "erp.redirected" in "".join(heard)
    assert any("token=" in asked.raw_query for asked in gateway.asked), "there was one to be told"

    told = "\n".join([*heard, caplog.text, *capfd.readouterr()])
    assert "/api/warehouse/batch_get" in told
    assert TOKEN not in told
    assert SECRET not in told
    with company.transaction() as session:
        tables = session.scalars(text(TABLES)).all()
        rows = {
            table: session.scalar(
                text(f'SELECT count(*) FROM "{table}" AS t WHERE t::text ~ :words'),
                {"words": f"{TOKEN}|{SECRET}"},
            )
            for table in tables
            if table.startswith(("erp_", "core_event", "people_audit"))
        }
    assert {table for table, count in rows.items() if count} == set()
    assert "erp_stream" in rows
