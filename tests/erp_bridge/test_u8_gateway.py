"""How U8's OpenAPI gateway is spoken to: pages that move, tokens that end, verdicts in the body."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from erp_bridge.connectors import u8_client
from erp_bridge.connectors.base import ConnectorError
from erp_bridge.connectors.http import Caps
from erp_bridge.connectors.registry import SettingsError, open_connector, read_settings
from erp_bridge.connectors.u8_openapi import U8OpenApiConnector
from erp_bridge.mappings.loader import shipped_mapping
from tests.builders.clock import MovableClock
from tests.erp_bridge.doubles import u8_gateway
from tests.erp_bridge.doubles.server import Said
from tests.erp_bridge.doubles.u8_gateway import Fault, U8Gateway

Open = Callable[..., U8OpenApiConnector]


@pytest.fixture
def bare(permitted_loopback: None) -> Iterator[U8Gateway]:
    """A gateway without a book behind it."""
    with U8Gateway(None) as running:
        yield running


@pytest.fixture
def opened(bare: U8Gateway) -> Iterator[Open]:
    running: list[U8OpenApiConnector] = []

    def start(**more: Any) -> U8OpenApiConnector:
        settings = read_settings("u8_openapi", bare.settings(**more))
        made = open_connector("u8_openapi", settings, shipped_mapping("u8_openapi"))
        assert isinstance(made, U8OpenApiConnector)
        made._http.waiting.sleep = lambda _seconds: None
        running.append(made)
        return made

    yield start
    for connector in running:
        connector.close()


def warehouses(gateway: U8Gateway, count: int) -> list[dict[str, Any]]:
    """Fill the archive of a gateway without a book."""
    rows: list[dict[str, Any]] = [{"code": f"{i:03}", "name": "Place"} for i in range(count)]
    return gateway.kept.setdefault("warehouse", rows)


def read(connector: U8OpenApiConnector, stream: str = "warehouses") -> list[Any]:
    until = connector.bound(MovableClock()()).until
    return [row for page in connector.read(stream, {}, until) for row in page.rows]


def test_a_list_that_moves_between_its_pages_is_read_again(bare: U8Gateway, opened: Open) -> None:
    kept = warehouses(bare, 10)
    # What stood at the head of the second page slides to the end of the first, and would be missed.
    bare.between_pages = lambda: kept.pop(0)
    rows = read(opened(rows_per_page=5))
    assert sorted(row[0] for row in rows) == [f"{number:03}" for number in range(1, 10)]


def test_a_list_whose_rows_have_no_key_says_so(bare: U8Gateway, opened: Open) -> None:
    warehouses(bare, 2)[1]["code"] = None
    with pytest.raises(ConnectorError, match=r"erp\.missing_column: /api/warehouse/batch_get code"):
        read(opened())


def test_a_list_that_never_rests_is_given_up(bare: U8Gateway, opened: Open) -> None:
    kept = warehouses(bare, 10)

    def insert_before() -> None:
        kept.append({"code": f" {len(kept):02}", "name": "Place"})
        bare.between_pages = insert_before

    bare.between_pages = insert_before
    with pytest.raises(ConnectorError, match=r"erp\.list_moves"):
        read(opened(rows_per_page=5))


@pytest.mark.parametrize(
    "fault",
    [u8_gateway.too_often, u8_gateway.token_expired, u8_gateway.broken, u8_gateway.truncated],
)
@pytest.mark.parametrize("after", [0, 1], ids=["first_page", "second_page"])
def test_what_goes_wrong_once_is_overcome(
    bare: U8Gateway, opened: Open, fault: Fault, after: int
) -> None:
    warehouses(bare, 4)
    connector = opened(rows_per_page=2)
    connector._http.caps = Caps(read_seconds=0.1)
    connector._http._client.timeout = 0.1
    if after:
        bare.between_pages = lambda: bare.faults.append(fault)
    else:
        bare.faults.append(fault)
    assert len(read(connector)) == 4
    assert bare.faults == []


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (u8_gateway.too_often, "erp.busy"),
        (u8_gateway.token_expired, "erp.sign_in_refused"),
        (u8_gateway.broken, "erp.unavailable"),
        (u8_gateway.html, "erp.bad_answer"),
        (u8_gateway.slow, "erp.too_slow"),
        (lambda _: u8_gateway.error("20009", "没有权限"), "erp.not_allowed"),
        (lambda asked: u8_gateway.error("55", f"坏了 {asked.query}"), "erp.refused"),
        (lambda _: u8_gateway.error("<b>", "?"), "erp.refused"),
        (lambda _: Said({"message": "no verdict, walnut"}), "erp.bad_answer"),
        (lambda _: Said([]), "erp.bad_answer"),
    ],
)
def test_what_stays_wrong_has_a_code_and_tells_no_secret(
    bare: U8Gateway, opened: Open, fault: Fault, code: str
) -> None:
    bare.faults = [fault] * 50
    connector = opened()
    connector._http.caps.total_seconds = 0.1
    with pytest.raises(ConnectorError) as refused:
        read(connector)
    assert refused.value.code == code
    assert refused.value.detail.startswith("/api/warehouse/batch_get")
    assert not any(word in str(refused.value) for word in ("walnut", "almond", "<b>"))


def test_a_token_is_kept_between_readings_and_renewed_before_it_ends(
    bare: U8Gateway, opened: Open
) -> None:
    for _ in range(3):
        read(opened())
    assert len(bare.asked_for("/system/token")) == 1
    connector = opened()
    soon = time.monotonic() + u8_client.TOKEN_SECONDS - u8_client.TOKEN_MARGIN_SECONDS + 1
    connector._client.monotonic = lambda: soon
    read(connector)
    assert len(bare.asked_for("/system/token")) == 2


def test_a_check_says_what_is_wrong(bare: U8Gateway, opened: Open) -> None:
    (kept,) = warehouses(bare, 1)
    assert opened().check().passed
    kept.pop("name")
    failed = [finding for finding in opened().check().findings if not finding.passed]
    assert [(found.check, found.detail) for found in failed] == [
        ("warehouses", "erp.missing_column: name")
    ]
    wrong = opened(app_secret="hazel-secret").check()
    assert [(found.check, found.passed, found.detail) for found in wrong.findings] == [
        ("sign_in", False, "erp.sign_in_refused")
    ]


def test_settings_that_cannot_work_are_named() -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings("u8_openapi", {"since": "yesterday", "rows_per_page": 0, "app_key": 5})
    assert refused.value.problems == {
        "since": "invalid",
        "rows_per_page": "invalid",
        "app_key": "invalid",
        "app_secret": "required",
        "from_account": "required",
        "to_account": "required",
    }


def test_a_verdict_is_taken_as_text_or_number_and_counts_of_pages_are_not_believed(
    bare: U8Gateway, opened: Open
) -> None:
    rows = [{"code": "001", "name": "Place"}, {"code": "002", "name": "Place"}]
    for verdict in ("0", 0):
        body = {"errcode": verdict, "page_count": "99", "row_count": "2", "warehouse": rows}
        bare.faults = [lambda _asked, body=body: Said(body)]
        assert len(read(opened(rows_per_page=5))) == 2
    nothing = {"errcode": "20002", "errmsg": "no rows"}
    bare.faults = [lambda _asked: Said(nothing)]
    assert read(opened()) == []


def test_a_row_that_comes_twice_in_a_list_is_told_rather_than_counted_once_too_few(
    bare: U8Gateway, opened: Open
) -> None:
    kept = warehouses(bare, 4)
    kept.append(dict(kept[0]))
    with pytest.raises(ConnectorError, match=r"erp\.list_moves"):
        read(opened(rows_per_page=9))
