"""Any SQL database by declaration: every kind of stamp, late commits, line-only edits, mappings of one's own."""

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from erp_bridge.connectors.base import Connector, ConnectorError
from erp_bridge.connectors.egress import permit_hosts
from erp_bridge.connectors.registry import SettingsError, open_connector, read_settings
from erp_bridge.connectors.watermark import micros_of
from erp_bridge.mappings.loader import parse_mapping, shipped_mapping
from tests.builders.clock import MovableClock
from tests.builders.company import Company, Phone
from tests.erp_bridge.bridge import connect
from tests.erp_bridge.doubles.seeds import SEEDS
from tests.erp_bridge.doubles.shop import Shop, open_shop
from tests.erp_bridge.test_contract import ConnectorContract

STAMPS = {
    "timestamp": "stamp: changed_at, first_stamp: created_at, stamp_kind: timestamp",
    "xmin": "stamp: xmin, stamp_kind: xmin",
    "none": "stamp_kind: none",
}
MAPPING = """
mapping: own_shop
time_zone: Asia/Shanghai
currency: CNY
root_unit: "1"
streams:
  - name: places
    into: warehouse
    from: {table: public.places, %s, key: [code], overlap_seconds: %s}
    key: [code]
    fields: {name: name}
"""

pytestmark = pytest.mark.usefixtures("permitted_loopback")


@pytest.fixture(scope="module")
def shop_database(servers: tuple[str, str]) -> Iterator[str]:
    name = f"workspace_scratch_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(servers[0], autocommit=True) as owner:
        owner.execute(f'CREATE DATABASE "{name}"')
        yield make_conninfo(servers[0], dbname=name)
        owner.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def shop(shop_database: str, reader: str) -> Iterator[Shop]:
    with open_shop(shop_database, reader) as connection:
        open_for_business = Shop(connection, shop_database, reader)
        with open_for_business.opened:
            yield open_for_business
        connection.execute(f'DROP OWNED BY "{reader}"')


def connector(shop: Shop, kind: str, *, overlap: int = 120, **settings: Any) -> Connector:
    given = {"url": shop.reader_url, "rows_per_page": 2} | settings
    mapping = parse_mapping(MAPPING % (STAMPS[kind], overlap))
    opened = open_connector("sql", read_settings("sql", given), mapping)
    shop.opened.callback(opened.close)
    return opened


class Copy:
    """What a connector told of the places, merged as the bridge does: by key, never an older over a newer."""

    def __init__(self, connector: Connector) -> None:
        self.connector = connector
        self.cursor: dict[str, Any] = {}
        self.rows: dict[str, tuple[int, str]] = {}

    def read(self) -> int:
        """Read on; gives how many rows were told."""
        told = 0
        bound = self.connector.bound(MovableClock()())
        for page in self.connector.read("places", self.cursor, bound.until):
            for row in page.rows:
                told += 1
                named = dict(zip(page.columns, row, strict=True))
                stamp = int(named.get("changed_at") or named.get("xmin") or 0)
                if stamp >= self.rows.get(named["code"], (0, ""))[0]:
                    self.rows[named["code"]] = (stamp, named["name"])
            self.cursor = page.cursor
        return told

    def names(self) -> dict[str, str]:
        return {code: name for code, (_, name) in self.rows.items()}


class TestSql(ConnectorContract):
    stream, key = "places", "code"

    @pytest.fixture(params=list(STAMPS))
    def connector(self, shop: Shop, request: pytest.FixtureRequest) -> Connector:
        for code in "ABCDE":
            shop.write("INSERT INTO places (code, name) VALUES (%s, %s)", code, f"Place {code}")
        shop.settle()
        return connector(shop, request.param)


def test_old_rows_of_one_moment_are_read_once_over_the_border_of_a_page(shop: Shop) -> None:
    shop.write(
        "INSERT INTO places (code, name, changed_at) SELECT i, 'x', '2026-01-05 08:00+08'"
        " FROM generate_series(1, 7) i"
    )
    copy = Copy(connector(shop, "timestamp"))
    assert (copy.read(), copy.read()) == (7, 0)
    shop.write("UPDATE places SET name = 'y', changed_at = now() WHERE code = '3'")
    assert (copy.read(), copy.read()) == (1, 0)
    assert copy.names()["3"] == "y"


@pytest.mark.parametrize(("overlap", "found"), [(120, True), (0, False)])
def test_a_late_commit_is_found_by_the_overlap_and_lost_without(
    shop: Shop, overlap: int, found: bool
) -> None:
    copy = Copy(connector(shop, "timestamp", overlap=overlap))
    with psycopg.connect(shop.url) as slow:
        slow.execute("INSERT INTO places (code, name) VALUES ('late', 'Late')")
        shop.write("INSERT INTO places (code, name) VALUES ('soon', 'Soon')")
        shop.rows("SELECT pg_sleep(0.01)")
        copy.read()
        slow.commit()
    copy.read()
    assert ("late" in copy.rows) is found


def test_a_late_commit_is_found_by_the_mark_of_its_transaction(shop: Shop) -> None:
    copy = Copy(connector(shop, "xmin"))
    with psycopg.connect(shop.url) as slow:
        slow.execute("INSERT INTO places (code, name) VALUES ('late', 'Late')")
        shop.write("INSERT INTO places (code, name) VALUES ('soon', 'Soon')")
        copy.read()
        slow.commit()
    shop.settle()
    copy.read()
    assert copy.names() == {"late": "Late", "soon": "Soon"}


def test_a_stamp_in_the_future_does_not_hide_what_follows(shop: Shop) -> None:
    ahead = datetime.now(UTC) + timedelta(days=400)
    for code in "AB":
        shop.write(
            "INSERT INTO places (code, name, changed_at) VALUES (%s, 'far', %s)", code, ahead
        )
    copy = Copy(connector(shop, "timestamp"))
    copy.read()
    shop.write("INSERT INTO places (code, name) VALUES ('C', 'now')")
    assert copy.read() == 1
    assert set(copy.rows) == {"A", "B", "C"}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["timestamp", "xmin"])
def test_after_a_random_editor_stops_the_copy_equals_the_table(
    shop: Shop, kind: str, seed: int
) -> None:
    dice, copy = random.Random(seed), Copy(connector(shop, kind))
    slow: list[psycopg.Connection[Any]] = []
    edit = (
        "INSERT INTO places (code, name) VALUES (%s, %s)"
        " ON CONFLICT (code) DO UPDATE SET name = excluded.name, changed_at = now()"
    )
    for step in range(120):
        code, deed = str(dice.randint(1, 30)), dice.random()
        if deed < 0.7:
            shop.write(edit, code, f"name {step}")
        elif deed < 0.8 and len(slow) < 2:
            slow.append(psycopg.connect(shop.url))
            slow[-1].execute(edit, (f"slow {step}", f"late {step}"))
        elif deed < 0.9 and slow:
            slow[0].commit()
            slow.pop(0).close()
        else:
            copy.read()
    for connection in slow:
        connection.commit()
        connection.close()
    shop.settle()
    copy.read()
    assert copy.names() == dict(shop.rows("SELECT code, name FROM places"))


def test_a_table_without_stamps_is_read_anew_after_a_pause(shop: Shop) -> None:
    shop.write("INSERT INTO places (code, name) SELECT i, 'x' FROM generate_series(1, 4) i")
    opened = connector(shop, "none")
    copy = Copy(opened)
    assert (copy.read(), copy.read()) == (4, 0)
    shop.write("UPDATE places SET name = 'y'")
    copy.cursor["read_at"] -= 301 * 1_000_000
    assert copy.read() == 4
    assert set(copy.names().values()) == {"y"}


def test_another_mapping_reads_everything_again(shop: Shop) -> None:
    shop.write(
        "INSERT INTO places (code, name, changed_at) SELECT i, 'x', '2026-01-05'"
        " FROM generate_series(1, 4) i"
    )
    copy = Copy(connector(shop, "timestamp"))
    copy.read()
    copy.connector = connector(shop, "timestamp", overlap=121)
    assert (copy.read(), copy.read()) == (4, 0)


def test_a_clock_of_ours_that_goes_wrong_moves_no_bound(shop: Shop) -> None:
    opened = connector(shop, "timestamp")
    for minutes in (-10, 10):
        ((before,),) = shop.rows("SELECT clock_timestamp()")
        bound = opened.bound(datetime.now(UTC) + timedelta(minutes=minutes))
        ((after,),) = shop.rows("SELECT clock_timestamp()")
        assert micros_of(before) <= bound.until["timestamp"] <= micros_of(after)


def test_a_row_without_a_stamp_fails_the_check(shop: Shop) -> None:
    shop.write("INSERT INTO places (code, name, created_at) VALUES ('A', 'x', NULL)")
    findings = connector(shop, "timestamp").check().findings
    assert ("places", "erp.row_without_stamp") in [(f.check, f.detail) for f in findings]


def test_local_stamps_of_a_zone_with_summer_time_are_refused(shop: Shop) -> None:
    shop.write("ALTER TABLE places ALTER created_at TYPE timestamp")
    shop.write("ALTER TABLE places ALTER changed_at TYPE timestamp")
    shop.write("INSERT INTO places (code, name) VALUES ('A', 'x')")
    assert connector(shop, "timestamp").check().passed
    berlin = connector(shop, "timestamp", time_zone="Europe/Berlin")
    assert ("places", "erp.stamps_ambiguous: Europe/Berlin") in [
        (f.check, f.detail) for f in berlin.check().findings
    ]
    with pytest.raises(ConnectorError, match=r"erp\.stamps_ambiguous"):
        Copy(berlin).read()


@pytest.mark.parametrize("right", ["INSERT", "UPDATE", "DELETE"])
def test_an_account_that_may_write_in_any_way_is_not_fit(shop: Shop, right: str) -> None:
    shop.write(f'GRANT {right} ON places TO "{shop.reader}"')
    findings = {f.check: f.passed for f in connector(shop, "timestamp").check().findings}
    assert findings == {"sign_in": True, "places": True, "read_only": False}


@pytest.mark.parametrize(
    ("grant", "named"),
    [
        ('GRANT UPDATE ON items TO "{}"', "public.items"),
        ('GRANT TRUNCATE ON items TO "{}"', "public.items"),
        ('GRANT UPDATE (name) ON items TO "{}"', "public.items"),
        ('GRANT CREATE ON SCHEMA public TO "{}"', "schema public"),
        ('CREATE SEQUENCE numbers; GRANT USAGE ON numbers TO "{}"', "public.numbers"),
    ],
)
def test_an_account_that_may_write_what_no_stream_reads_is_not_fit_either(
    shop: Shop, grant: str, named: str
) -> None:
    assert connector(shop, "timestamp").check().passed
    shop.write(grant.format(shop.reader))
    refused = [f for f in connector(shop, "timestamp").check().findings if not f.passed]
    assert [(found.check, found.detail) for found in refused] == [("read_only", named)]


def test_a_host_that_the_installation_does_not_name_is_not_asked(shop: Shop) -> None:
    permit_hosts("")
    with pytest.raises(ConnectorError, match=r"erp\.host_refused"):
        Copy(connector(shop, "timestamp")).read()


def test_a_whole_company_lands_from_the_example(shop: Shop, company: Company) -> None:
    shop.office()
    shop.order("SO1", 10, 20)
    bridge = connect(company, "sql", "example_sql", url=shop.reader_url, rows_per_page=2)
    nets = "SELECT right(source_key, 1), net, org_unit_key FROM erp_sales_order_line ORDER BY net"
    shop.settle()
    bridge.sync()
    assert bridge.rows(nets) == [("0", Decimal(10), "2"), ("1", Decimal(20), "2")]
    assert bridge.one("SELECT count(*) FROM people_person WHERE login IN ('oak', 'elm')") == 2


def test_a_mapping_of_ones_own_is_checked_before_it_may_run(shop: Shop) -> None:
    wrong = (MAPPING % (STAMPS["xmin"], 120)).replace("name: name", "colour: name")
    with pytest.raises(SettingsError) as refused:
        read_settings("sql", {"url": shop.reader_url, "mapping_text": wrong})
    assert set(refused.value.problems) == {
        "mapping_text.streams.0.fields.name",
        "mapping_text.streams.0.fields.colour",
    }


def test_a_company_brings_its_own_mapping_over_http(
    shop: Shop, company: Company, operator: Phone
) -> None:
    shop.write("INSERT INTO places (code, name, changed_at) VALUES ('A', 'Own', '2026-01-05')")
    config = {"url": shop.reader_url, "mapping_text": "mapping: ["}
    source = {"name": "Shop", "connector": "sql", "mapping": "own_shop", "config": config}
    refused = operator.post("/erp/sources", source)
    assert (refused.status_code, refused.json["code"]) == (422, "invalid_fields")
    config["mapping_text"] = MAPPING % (STAMPS["timestamp"], 120)
    made = operator.post("/erp/sources", source)
    assert made.status_code == 201
    operator.post(f"/erp/sources/{made.json['id']}/runs")
    company.settle()
    streams = operator.get(f"/erp/sources/{made.json['id']}/streams").json["items"]
    assert [(stream["name"], stream["rows_landed"]) for stream in streams] == [("places", 1)]


@pytest.fixture
def operator(company: Company) -> Phone:
    return company.phone("Hazel", role="operator")


def test_the_shipped_example_reads_every_kind_of_stamp() -> None:
    kinds = {stream.origin.kind for stream in shipped_mapping("example_sql").streams}
    assert kinds == {"none", "timestamp", "xmin"}
