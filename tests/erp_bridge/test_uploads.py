"""Files sent over the API into a company's own drop folder: whole, under a plain name, and nowhere else."""

import gzip
import io
from pathlib import Path
from typing import Any

import pytest

from erp_bridge.connectors import dropping
from tests.builders.company import API, Company, Phone
from tests.erp_bridge.bridge import connect

ORDERS = b"order_id,order_number\n1,SO1\n"


@pytest.fixture
def operator(company: Company) -> Phone:
    return company.phone("Hazel", role="operator")


@pytest.fixture
def source(operator: Phone) -> str:
    made = operator.post(
        "/erp/sources",
        {
            "name": "Drops",
            "connector": "files",
            "mapping": "adventureworks",
            "config": {"folder": "exports"},
        },
    )
    return str(made.json["id"])


def send(phone: Phone, source: str, name: str | None, body: bytes = ORDERS) -> Any:
    given = {} if name is None else {"file": (io.BytesIO(body), name)}
    return phone.company.app.test_client().post(
        f"{API}/erp/sources/{source}/files",
        data=given,
        content_type="multipart/form-data",
        headers={"Authorization": f"Bearer {phone.token}"},
    )


def folder_of(company: Company) -> Path:
    return company.space.settings.data_dir / "drop" / str(company.tenant_id) / "exports"


@pytest.mark.parametrize("name", ["orders.csv", "订单 2026-03.xlsx"])
def test_a_file_lies_in_the_folder_under_its_name(
    operator: Phone, company: Company, source: str, name: str
) -> None:
    reply = send(operator, source, name)
    assert reply.status_code == 201
    assert (reply.json["name"], reply.json["size"]) == (name, len(ORDERS))
    assert {path.name: path.read_bytes() for path in folder_of(company).iterdir()} == {name: ORDERS}


def test_a_path_that_comes_along_is_dropped() -> None:
    assert dropping.fit_name(r"C:\exports\orders.csv") == "orders.csv"
    assert dropping.fit_name("/exports/..") is None


def test_a_file_sent_again_takes_the_place_of_the_first(
    operator: Phone, company: Company, source: str
) -> None:
    for body in (ORDERS, b"order_id,order_number\n2,SO2\n"):
        assert send(operator, source, "orders.csv.gz", gzip.compress(body)).status_code == 201
    (kept,) = folder_of(company).iterdir()
    assert gzip.decompress(kept.read_bytes()).endswith(b"SO2\n")


@pytest.mark.parametrize(
    "name",
    ["../orders.exe", ".hidden.csv", "orders.csv.part", "a\x00b.csv", "x" * 200 + ".csv", None],
)
def test_a_name_that_is_no_tables_is_refused(
    operator: Phone, company: Company, source: str, name: str | None
) -> None:
    reply = send(operator, source, name)
    assert (reply.status_code, reply.json["code"]) == (422, "invalid_fields")
    assert list(folder_of(company).iterdir()) == []


def test_a_path_in_the_name_leads_nowhere(operator: Phone, company: Company, source: str) -> None:
    assert send(operator, source, "../../orders.csv").status_code == 201
    assert [path.name for path in folder_of(company).iterdir()] == ["orders.csv"]
    assert not (folder_of(company).parent.parent / "orders.csv").exists()


def test_a_file_that_is_too_large_is_refused(
    operator: Phone, company: Company, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dropping, "UPLOAD_BYTES_MAX", 2_000)
    reply = send(operator, source, "orders.csv", b"x" * 3_000)
    assert reply.status_code == 413
    assert list(folder_of(company).iterdir()) == []


def test_a_full_folder_takes_what_it_has_and_nothing_new(
    operator: Phone, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dropping, "FOLDER_FILES_MAX", 1)
    assert send(operator, source, "a.csv").status_code == 201
    assert send(operator, source, "b.csv").json["code"] == "erp_bridge.drop_folder_full"
    assert send(operator, source, "a.csv").status_code == 201


def test_a_folder_that_only_the_command_line_may_name_takes_no_uploads(
    operator: Phone, company: Company, tmp_path: Path
) -> None:
    bridge = connect(company, "files", "adventureworks", folder=str(tmp_path))
    reply = send(operator, str(bridge.source_id), "orders.csv")
    assert (reply.status_code, reply.json["code"]) == (409, "erp_bridge.not_a_drop_folder")
    assert list(tmp_path.glob("*.csv")) == []


def test_only_an_operator_of_the_same_company_may_send_files(
    company: Company, other_company: Company, source: str
) -> None:
    assert send(company.phone("Fig"), source, "orders.csv").status_code == 403
    stranger = other_company.phone("Yew", role="operator")
    assert send(stranger, source, "orders.csv").status_code == 404
    assert list(folder_of(company).iterdir()) == []
