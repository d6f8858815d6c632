"""Stories of an operator over HTTP: connect, check, read, look after quarantine."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.builders.company import Company, Phone
from tests.erp_bridge.bridge import DropFolder
from tests.erp_bridge.u8_book import U8Book


@pytest.fixture
def operator(company: Company) -> Phone:
    return company.phone("Hazel", role="operator")


def u8_source(book: U8Book) -> dict[str, Any]:
    return {
        "name": "Our U8",
        "connector": "u8_sql",
        "mapping": "u8",
        "config": {"url": book.reader_url},
    }


def test_a_secret_is_written_and_never_read_back(
    operator: Phone, company: Company, book: U8Book
) -> None:
    made = operator.post("/erp/sources", u8_source(book))
    assert made.status_code == 201
    assert made.json["secrets"] == ["password"]
    shown = operator.get(f"/erp/sources/{made.json['id']}")
    listed = operator.get("/erp/sources")
    for answer in (made, shown, listed):
        assert book.password not in answer.text
    assert shown.json in listed.json["items"]


def test_a_check_says_whether_the_source_is_fit(operator: Phone, book: U8Book) -> None:
    source = operator.post("/erp/sources", u8_source(book)).json["id"]
    report = operator.post(f"/erp/sources/{source}/check").json
    assert report["passed"]
    proved = {"check": "read_only", "passed": True, "warning": False, "detail": ""}
    assert proved in report["findings"]
    assert operator.get(f"/erp/sources/{source}").json["check_passed"]


def test_a_run_reads_the_erp_and_shows_how_it_went(
    operator: Phone, company: Company, book: U8Book
) -> None:
    book.office()
    book.line(book.order(), 12)
    source = operator.post("/erp/sources", u8_source(book)).json["id"]
    started = operator.post(f"/erp/sources/{source}/runs")
    assert (started.status_code, started.json["state"]) == (202, "running")
    company.settle()
    run = operator.get(f"/erp/runs/{started.json['id']}").json
    assert run["state"] == "done"
    lines = next(stream for stream in run["streams"] if stream["name"] == "sales_order_lines")
    assert (lines["state"], lines["rows_changed"]) == ("landed", 1)
    streams = operator.get(f"/erp/sources/{source}/streams").json
    assert {stream["state"] for stream in streams["items"]} == {"live"}
    assert all(stream["as_of"] for stream in streams["items"])


def test_a_poll_reads_what_is_due_and_leaves_no_run_behind_when_quiet(
    operator: Phone, company: Company, book: U8Book
) -> None:
    operator.post("/erp/sources", u8_source(book))
    poll = company.space.jobs.timers["erp_bridge.poll_sources"][1]
    poll(company.bench())
    company.settle()
    book.line(book.order(), 12)
    company.clock.move(seconds=10)
    poll(company.bench())
    company.settle()
    company.clock.move(seconds=10)
    poll(company.bench())
    company.settle()
    with company.transaction() as session:
        assert session.scalar(text("SELECT sum(net) FROM erp_sales_order_line")) == 12
        assert session.scalar(text("SELECT count(*) FROM erp_run")) == 1


def test_refused_rows_are_shown_with_their_reason_and_tried_again(
    operator: Phone, company: Company, tmp_path: Path
) -> None:
    made = operator.post(
        "/erp/sources",
        {
            "name": "Files",
            "connector": "files",
            "mapping": "adventureworks",
            "config": {"folder": "in"},
        },
    ).json
    folder = DropFolder(Path(made["config"]["folder"]))
    folder.orders((10, "2014-01-31", ""))
    folder.lines((10, 1, "1"), (10, 2, "NaN"))
    operator.post(f"/erp/sources/{made['id']}/runs")
    company.settle()
    (refused,) = operator.get(f"/erp/sources/{made['id']}/quarantine?stream=order_lines").json[
        "items"
    ]
    assert (refused["source_key"], refused["field"], refused["code"]) == (
        "10:2",
        "net",
        "number.format",
    )
    retry = operator.post(f"/erp/sources/{made['id']}/quarantine/retry", {"stream": "order_lines"})
    assert (retry.status_code, retry.json) == (202, {"waiting": 1})
    company.settle()
    assert len(operator.get(f"/erp/sources/{made['id']}/quarantine").json["items"]) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"connector": "sap"}, "connector"),
        ({"mapping": "nowhere"}, "mapping"),
        ({"config": {"host": "x"}}, "config.database"),
        ({"config": {"url": "not a url"}}, "config.url"),
        (
            {"connector": "files", "mapping": "adventureworks", "config": {"folder": "../up"}},
            "config.folder",
        ),
        (
            {"connector": "files", "mapping": "adventureworks", "config": {"folder": "/etc"}},
            "config.folder",
        ),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_field(
    operator: Phone, book: U8Book, change: dict[str, Any], field: str
) -> None:
    reply = operator.post("/erp/sources", u8_source(book) | change)
    assert reply.status_code == 422
    assert field in reply.json["errors"]


def test_a_name_is_taken_once(operator: Phone, book: U8Book) -> None:
    operator.post("/erp/sources", u8_source(book))
    reply = operator.post("/erp/sources", u8_source(book))
    assert (reply.status_code, reply.json["code"]) == (409, "erp_bridge.source_name_taken")


def test_changing_one_setting_keeps_the_others_secrets_included(
    operator: Phone, book: U8Book
) -> None:
    source = operator.post("/erp/sources", u8_source(book)).json["id"]
    changed = operator.patch(
        f"/erp/sources/{source}", {"name": "U8", "poll_seconds": 60, "config": {"rows_per_page": 9}}
    ).json
    assert (changed["name"], changed["poll_seconds"], changed["config"]["rows_per_page"]) == (
        "U8",
        60,
        9,
    )
    assert operator.post(f"/erp/sources/{source}/check").json["passed"]


def test_only_who_manages_the_erp_for_the_company_may_look(company: Company, book: U8Book) -> None:
    sales = company.unit("Sales")
    employee, half_operator = company.phone("Pine"), company.phone("Yew", sales, role="operator")
    for phone in (employee, half_operator):
        assert phone.get("/erp/sources").status_code == 403
        assert phone.post("/erp/sources", u8_source(book)).status_code == 403


def test_another_company_sees_nothing_of_a_source(
    operator: Phone, other_company: Company, book: U8Book
) -> None:
    source = operator.post("/erp/sources", u8_source(book)).json["id"]
    run = operator.post(f"/erp/sources/{source}/runs").json["id"]
    stranger = other_company.phone("Oak", role="operator")
    assert stranger.get("/erp/sources").json["items"] == []
    for path in (f"/erp/sources/{source}", f"/erp/sources/{source}/streams", f"/erp/runs/{run}"):
        assert stranger.get(path).status_code == 404
    assert stranger.post(f"/erp/sources/{source}/runs").status_code == 404
