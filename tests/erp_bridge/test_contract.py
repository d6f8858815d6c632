"""What every connector must keep, whatever it reads; each connector inherits the same tests."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from marshmallow import Schema

from erp_bridge.connectors.base import NOT_PROVABLE, Connector, ConnectorError
from erp_bridge.connectors.files import FilesConnector
from erp_bridge.connectors.kingdee import KingdeeConnector
from erp_bridge.connectors.odata import ODataConnector
from erp_bridge.connectors.odoo import OdooConnector
from erp_bridge.connectors.registry import CONNECTORS, open_connector, read_settings
from erp_bridge.connectors.sql import SqlConnector
from erp_bridge.connectors.tryton import TrytonConnector
from erp_bridge.connectors.u8_openapi import U8OpenApiConnector
from erp_bridge.connectors.u8_sql import U8SqlConnector
from erp_bridge.mappings.loader import parse_mapping, shipped_mapping
from tests.builders.clock import MovableClock
from tests.erp_bridge.doubles.kingdee_server import KingdeeServer
from tests.erp_bridge.doubles.odoo_server import OdooServer
from tests.erp_bridge.doubles.u8_gateway import U8Gateway
from tests.erp_bridge.u8_book import U8Book


class ConnectorContract:
    """Subclasses give ``connector`` with five rows in ``stream``, and the name of a key column."""

    stream: str
    key: str
    #: Whether the ERP can be asked what the account may do.
    proves_read_only = True

    def test_it_declares_its_settings(self, connector: Connector) -> None:
        assert issubclass(connector.spec(), Schema)

    def test_it_is_fit(self, connector: Connector) -> None:
        report = connector.check()
        assert [finding for finding in report.findings if not finding.passed] == []
        assert report.passed
        # That it can only read is proved, or it is said aloud that nobody can tell.
        (found,) = [finding for finding in report.findings if finding.check == "read_only"]
        proved, cannot_tell = (False, ""), (True, NOT_PROVABLE)
        wanted = proved if self.proves_read_only else cannot_tell
        assert (found.warning, found.detail) == wanted

    def test_every_stream_has_a_key_and_knows_how_rows_go(self, connector: Connector) -> None:
        for spec in connector.streams():
            assert spec.key
            assert spec.deletes in {"ids", "snapshot", "never"}
            assert (spec.grain == "row") == (spec.stamp is not None)

    def test_it_reads_every_row_once(self, connector: Connector) -> None:
        keys = self._read(connector, {})[0]
        assert len(keys) == len(set(keys)) == 5

    def test_nothing_comes_after_its_own_cursor(self, connector: Connector) -> None:
        _, cursor = self._read(connector, {})
        assert self._read(connector, cursor)[0] == []

    def test_it_is_read_again_from_its_beginning_whatever_was_read(
        self, connector: Connector
    ) -> None:
        first, _ = self._read(connector, {})
        assert sorted(self._read(connector, {})[0]) == sorted(first)

    def test_ids_name_the_same_rows_as_reading(self, connector: Connector) -> None:
        seen = []
        for page in connector.ids(self.stream):
            place = page.columns.index(self.key)
            seen += [str(row[place]) for row in page.rows]
        assert sorted(seen) == sorted(self._read(connector, {})[0])

    def test_one_document_can_be_had_by_its_key(self, connector: Connector) -> None:
        wanted = self._read(connector, {})[0][0]
        page = connector.get(self.stream, [wanted])
        assert page is not None
        assert [str(row[page.columns.index(self.key)]) for row in page.rows] == [wanted]
        assert connector.get(self.stream, ["404"]) is None

    def _read(
        self, connector: Connector, cursor: dict[str, Any]
    ) -> tuple[list[str], dict[str, Any]]:
        keys: list[str] = []
        bound = connector.bound(MovableClock()())
        for page in connector.read(self.stream, cursor, bound.until):
            rows = list(page.rows)
            keys += [str(row[page.columns.index(self.key)]) for row in rows]
            cursor = page.cursor
        return keys, cursor


FILE_MAPPING = """
mapping: small
time_zone: Asia/Shanghai
currency: CNY
root_unit: "1"
streams:
  - name: places
    into: warehouse
    from: {file: places.*, mode: %s}
    key: [id]
    fields: {name: name}
"""
ROWS = b"id,name\n" + b"".join(b"%d,Place %d\n" % (i, i) for i in range(5))


class TestFiles(ConnectorContract):
    stream, key = "places", "id"

    @pytest.fixture(params=["places.csv", "places.csv.gz", "places.xlsx"])
    def connector(self, tmp_path: Path, request: pytest.FixtureRequest) -> Connector:
        _write_table(tmp_path / request.param)
        return _files(tmp_path)

    def test_a_touched_file_is_not_read_again(self, tmp_path: Path) -> None:
        (tmp_path / "places.csv").write_bytes(ROWS)
        connector = _files(tmp_path)
        _, cursor = self._read(connector, {})
        (tmp_path / "places.csv").touch()
        assert self._read(connector, cursor)[0] == []

    def test_files_of_changes_are_read_in_order_of_their_names(self, tmp_path: Path) -> None:
        for name in ("places.2.csv", "places.1.csv"):
            (tmp_path / name).write_bytes(b"id,name\n" + name[7:8].encode() + b",x\n")
        assert self._read(_files(tmp_path, mode="changes"), {})[0] == ["1", "2"]

    def test_a_folder_that_is_away_is_an_error_with_a_code(self, tmp_path: Path) -> None:
        with pytest.raises(ConnectorError, match=r"folder\.missing"):
            self._read(_files(tmp_path / "away"), {})

    def test_a_chinese_export_is_read_in_its_own_encoding(self, tmp_path: Path) -> None:
        (tmp_path / "places.csv").write_bytes("id,name\n1,栗子仓\n".encode("gb18030"))
        (page,) = _files(tmp_path, encoding="gb18030").read("places", {}, None)
        assert list(page.rows) == [["1", "栗子仓"]]


class TestU8Sql(ConnectorContract):
    stream, key = "warehouses", "cwhcode"

    @pytest.fixture
    def connector(self, book: U8Book) -> Iterator[Connector]:
        for code in "ABCDE":
            book.write(
                "INSERT INTO u8.warehouse (cwhcode, cwhname) VALUES (%s, %s)", code, f"Place {code}"
            )
        settings = read_settings("u8_sql", {"url": book.reader_url, "rows_per_page": 2})
        connector = open_connector("u8_sql", settings, shipped_mapping("u8"))
        yield connector
        connector.close()

    def test_a_wrong_password_is_an_error_without_the_password(self, book: U8Book) -> None:
        settings = read_settings("u8_sql", {"url": book.reader_url, "password": "walnut-secret"})
        connector = open_connector(
            "u8_sql", settings | {"user": "nobody-here"}, shipped_mapping("u8")
        )
        report = connector.check()
        assert not report.passed
        assert "walnut-secret" not in str(report.findings)

    def test_a_missing_column_fails_the_check_of_its_stream(
        self, book: U8Book, connector: Connector
    ) -> None:
        book.write("ALTER TABLE u8.warehouse DROP COLUMN cwhname")
        failed = [finding for finding in connector.check().findings if not finding.passed]
        assert [(finding.check, finding.detail) for finding in failed] == [
            ("warehouses", "erp.missing_column")
        ]


class TestU8OpenApi(ConnectorContract):
    stream, key = "warehouses", "code"
    proves_read_only = False

    @pytest.fixture
    def connector(self, book: U8Book, gateway: U8Gateway) -> Iterator[Connector]:
        for code in "ABCDE":
            book.write(
                "INSERT INTO u8.warehouse (cwhcode, cwhname) VALUES (%s, %s)", code, f"Place {code}"
            )
        settings = read_settings("u8_openapi", gateway.settings(rows_per_page=2))
        connector = open_connector("u8_openapi", settings, shipped_mapping("u8_openapi"))
        yield connector
        connector.close()


class TestU8OpenApiDocuments(ConnectorContract):
    stream, key = "sales_orders", "code"
    proves_read_only = False

    @pytest.fixture
    def connector(self, book: U8Book, gateway: U8Gateway) -> Iterator[Connector]:
        for _ in range(5):
            book.order()
        settings = read_settings("u8_openapi", gateway.settings(rows_per_page=2))
        connector = open_connector("u8_openapi", settings, shipped_mapping("u8_openapi"))
        yield connector
        connector.close()


class TestKingdee(ConnectorContract):
    stream, key = "sales_orders", "FID"
    proves_read_only = False

    @pytest.fixture
    def connector(self, kingdee: KingdeeServer) -> Iterator[Connector]:
        for _ in range(5):
            kingdee.save_order(1, 2)
        settings = read_settings("kingdee", kingdee.settings(rows_per_page=2))
        connector = open_connector("kingdee", settings, shipped_mapping("kingdee"))
        yield connector
        connector.close()


class TestOdoo(ConnectorContract):
    stream, key = "warehouses", "id"

    @pytest.fixture
    def connector(self, odoo: OdooServer) -> Iterator[Connector]:
        for name in "ABCDE":
            odoo.write("stock.warehouse", name=f"Place {name}")
        settings = read_settings("odoo", odoo.settings(rows_per_page=2))
        connector = open_connector("odoo", settings, shipped_mapping("odoo"))
        yield connector
        connector.close()


def test_every_connector_is_registered() -> None:
    assert {
        "files": FilesConnector,
        "odata": ODataConnector,
        "sql": SqlConnector,
        "tryton": TrytonConnector,
        "kingdee": KingdeeConnector,
        "odoo": OdooConnector,
        "u8_openapi": U8OpenApiConnector,
        "u8_sql": U8SqlConnector,
    } == CONNECTORS


def _files(folder: Path, mode: str = "full", encoding: str = "utf-8") -> Connector:
    settings = read_settings("files", {"folder": str(folder), "encoding": encoding})
    return open_connector("files", settings, parse_mapping(FILE_MAPPING % mode))


def _write_table(path: Path) -> None:
    if path.suffix == ".xlsx":
        _write_workbook(path)
    else:
        path.write_bytes(gzip.compress(ROWS) if path.suffix == ".gz" else ROWS)


def _write_workbook(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for line in ROWS.decode().splitlines():
        number, name = line.split(",")
        sheet.append([int(number) if number.isdigit() else number, name])
    book.save(path)
