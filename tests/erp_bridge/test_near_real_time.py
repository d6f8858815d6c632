"""Near real time: streams are asked for as often as they need, within the day's budget, and operators hear of trouble."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import redis

from app.delivery.ports import OPEN_APPS, OpenApps
from erp_bridge.attention import ATTENTION, LASTS_SECONDS, Attention
from tests.builders.company import Company, Phone
from tests.erp_bridge.bridge import Bridge, connect
from tests.erp_bridge.doubles.kingdee_server import KingdeeServer
from tests.erp_bridge.doubles.odata import Books, ODataDouble
from tests.erp_bridge.doubles.odoo_server import OdooServer
from tests.erp_bridge.doubles.tryton import TrytonDouble
from tests.erp_bridge.office import MIDNIGHT, NOON, Office, at
from tests.erp_bridge.test_odata import MAPPING as ODATA_MAPPING
from tests.erp_bridge.test_odata import config as odata_config
from tests.erp_bridge.test_odoo import order
from tests.erp_bridge.test_tryton import config as tryton_config


@pytest.fixture
def operator(company: Company) -> Phone:
    return company.phone("Hazel", role="operator")


@pytest.fixture
def office(company: Company, odoo: OdooServer) -> Office:
    at(company, NOON)
    made = Office(company, odoo)
    made.poll()
    return made


def test_by_day_a_quiet_stream_is_asked_for_twice_within_its_target(office: Office) -> None:
    assert office.stream("sales_orders")["interval_seconds"] == pytest.approx(30, abs=0.1)
    assert office.stream("warehouses")["interval_seconds"] == pytest.approx(120, abs=0.1)
    requests = office.told()["requests"]
    assert (requests["per_day"], requests["day"]) == (1_000_000, "2031-03-03")
    assert 0 < requests["used"] == 1_000_000 - requests["left"]


def test_after_a_change_a_stream_is_asked_for_often_and_then_less(office: Office) -> None:
    order(office.odoo, 70)
    office.poll(seconds=31)
    assert office.stream()["interval_seconds"] == pytest.approx(10, abs=0.1)
    # A stream whose pace is another was not asked for along with it.
    assert office.stream("warehouses")["polled_at"] < office.stream()["polled_at"]
    office.poll(seconds=90)
    assert 10 < office.stream()["interval_seconds"] < 20
    office.poll(seconds=600)
    assert office.stream()["interval_seconds"] == pytest.approx(30, abs=0.1)


def test_at_night_a_stream_is_left_alone_unless_somebody_looks(
    company: Company, odoo: OdooServer
) -> None:
    at(company, MIDNIGHT)
    office = Office(company, odoo)
    office.poll()
    assert office.stream()["interval_seconds"] == pytest.approx(120, abs=0.1)
    odoo.asked.clear()
    office.poll(seconds=60)
    assert odoo.asked == []
    attention: Attention = company.space.tools[ATTENTION]
    attention.note(company.tenant_id, ["sales_order"], now=company.clock())
    office.poll()
    assert {asked.path.split("/")[3] for asked in odoo.asked} == {"sale.order"}
    office.poll(seconds=LASTS_SECONDS + 1)
    odoo.asked.clear()
    office.poll(seconds=15)
    assert odoo.asked == []


def test_reading_a_card_is_looking_at_its_table(company: Company) -> None:
    attention: Attention = company.space.tools[ATTENTION]
    leader = company.phone("Linden", role="sales_leader")
    assert company.tenant_id not in attention.watched(company.clock())
    assert leader.get("/home").status_code == 200
    watched = attention.watched(company.clock())[company.tenant_id]
    assert {"sales_order_line", "invoice_line"} <= watched
    assert {"sales_order", "invoice"} <= watched, "a line says nothing before its document is there"


def test_whoever_has_the_app_open_goes_on_looking(company: Company) -> None:
    attention: Attention = company.space.tools[ATTENTION]
    open_apps: OpenApps = company.space.ports[OPEN_APPS]
    open_apps(company.tenant_id, frozenset({"employee"}), now=company.clock())
    assert company.tenant_id not in attention.watched(company.clock())
    open_apps(company.tenant_id, frozenset({"employee", "sales_leader"}), now=company.clock())
    watched = attention.watched(company.clock())[company.tenant_id]
    assert "sales_order_line" in watched
    assert "approval_task" not in watched, "with everybody's app it would be looked at all day"


def test_attention_is_told_now_and_then_and_redis_may_be_away() -> None:
    class Away:
        asked = 0

        def pipeline(self, **_: Any) -> "Away":
            self.asked += 1
            raise redis.ConnectionError

    away, moment = Away(), [100.0]
    attention = Attention(away, monotonic=lambda: moment[0])
    now, company = datetime.now(UTC), UUID(int=7)
    attention.note(company, ["sales_order"], now=now)
    attention.note(company, ["sales_order"], now=now)
    assert away.asked == 1
    assert attention.watched(now) == {}
    moment[0] += 60
    attention.note(company, ["sales_order"], now=now)
    assert away.asked == 3


@pytest.fixture
def tryton(permitted_loopback: None) -> Iterator[TrytonDouble]:
    double = TrytonDouble()
    with double.server:
        yield double


@pytest.fixture
def odata(permitted_loopback: None) -> Iterator[ODataDouble]:
    double = ODataDouble(Books(), "v4")
    with double.server:
        yield double


def _of_odoo(company: Company, request: pytest.FixtureRequest) -> tuple[Bridge, Any]:
    odoo: OdooServer = request.getfixturevalue("odoo")
    order(odoo, 70)
    return connect(company, "odoo", "odoo", **odoo.settings()), odoo


def _of_kingdee(company: Company, request: pytest.FixtureRequest) -> tuple[Bridge, Any]:
    kingdee: KingdeeServer = request.getfixturevalue("kingdee")
    kingdee.save_order(1, 2)
    return connect(company, "kingdee", "kingdee", **kingdee.settings()), kingdee


def _of_tryton(company: Company, request: pytest.FixtureRequest) -> tuple[Bridge, Any]:
    tryton: TrytonDouble = request.getfixturevalue("tryton")
    tryton.sale("1", "70")
    tryton.tick(600)
    settings = tryton_config(tryton, requests_per_second=1_000)
    return connect(company, "tryton", "tryton", **settings), tryton.server


def _of_odata(company: Company, request: pytest.FixtureRequest) -> tuple[Bridge, Any]:
    odata: ODataDouble = request.getfixturevalue("odata")
    odata.books.order("1", "70")
    settings = odata_config(odata, requests_per_second=1_000, mapping_text=ODATA_MAPPING)
    return connect(company, "odata", "s4_odata", **settings), odata.server


#: Tryton is also asked what waits: two kinds of documents, and the lines of those that do.
@pytest.mark.parametrize(
    ("erp", "for_approvals"), [(_of_odoo, 0), (_of_kingdee, 0), (_of_tryton, 4), (_of_odata, 0)]
)
def test_a_poll_that_finds_nothing_asks_once_a_stream_and_once_who_is_there(
    company: Company,
    request: pytest.FixtureRequest,
    erp: Callable[..., tuple[Bridge, Any]],
    for_approvals: int,
) -> None:
    bridge, server = erp(company, request)
    bridge.sync()
    server.asked.clear()
    report = bridge.sync(reconcile=False)
    assert report.rows_changed == 0
    assert {outcome.problem for outcome in report.streams.values()} == {None}
    assert len(server.asked) <= len(report.streams) + 1 + for_approvals


def test_the_pace_is_the_companys_to_choose(company: Company, odoo: OdooServer) -> None:
    at(company, NOON)
    office = Office(company, odoo)
    operator = company.phone("Hazel", role="operator")
    shown = operator.get(office.path).json
    assert (shown["poll_seconds"], shown["poll_seconds_max"]) == (10, 120)
    assert (shown["night_from"], shown["night_until"]) == ("22:00", "06:00")
    chosen = {
        "poll_seconds": 20,
        "poll_seconds_max": 40,
        "night_from": "11:00",
        "night_until": "13:00",
        "freshness_seconds": {"sales_order": 600},
    }
    changed = operator.patch(office.path, chosen).json
    assert {name: changed[name] for name in chosen} == chosen
    office.poll()
    assert office.stream()["interval_seconds"] == pytest.approx(40, abs=0.1)
    assert office.stream()["allowed_seconds"] == 600
    assert operator.patch(office.path, {"poll_seconds": 90}).json["poll_seconds_max"] == 90


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"poll_seconds_max": 1}, "poll_seconds_max"),
        ({"poll_seconds_max": 0}, "poll_seconds_max"),
        ({"night_from": "25:00"}, "night_from"),
        ({"night_until": 6}, "night_until"),
        ({"freshness_seconds": {"moon": 60}}, "freshness_seconds.moon"),
        ({"freshness_seconds": {"sales_order": 1}}, "freshness_seconds.sales_order.value"),
        ({"freshness_seconds": []}, "freshness_seconds"),
        ({"config": {"requests_per_day": 0}}, "config.requests_per_day"),
    ],
)
def test_a_pace_that_cannot_be_is_refused_by_its_field(
    office: Office, operator: Phone, change: dict[str, Any], field: str
) -> None:
    operator = office.company.phone("Elder", role="operator")
    reply = operator.patch(office.path, change)
    assert (reply.status_code, list(reply.json["errors"])) == (422, [field])
