"""A check proves that the account can only read, wherever the ERP can be asked; elsewhere it says that it cannot tell."""

from collections.abc import Iterator

import pytest

from erp_bridge.connectors.base import NOT_PROVABLE, Connector, Finding
from erp_bridge.connectors.odata_metadata import read_metadata
from erp_bridge.connectors.registry import open_connector, read_settings
from erp_bridge.mappings.loader import parse_mapping, shipped_mapping
from tests.erp_bridge.doubles.odata import Books, ODataDouble
from tests.erp_bridge.doubles.odoo_server import OdooServer
from tests.erp_bridge.doubles.tryton import TrytonDouble
from tests.erp_bridge.test_odata import config as odata_config
from tests.erp_bridge.test_tryton import config as tryton_config

pytestmark = pytest.mark.usefixtures("permitted_loopback")

PLACES = """
mapping: places
time_zone: Asia/Shanghai
currency: CNY
root_unit: "1"
streams:
  - name: places
    into: warehouse
    from: {table: A_Place, stamp_kind: none, key: [Code]}
    key: [Code]
    fields: {name: Name}
"""


def verdict(connector: Connector) -> Finding:
    try:
        (found,) = [f for f in connector.check().findings if f.check == "read_only"]
        return found
    finally:
        connector.close()


@pytest.fixture
def tryton() -> Iterator[TrytonDouble]:
    double = TrytonDouble()
    with double.server:
        yield double


@pytest.fixture(params=["v2", "v4"])
def odata(request: pytest.FixtureRequest) -> Iterator[ODataDouble]:
    double = ODataDouble(Books(), request.param)
    with double.server:
        yield double


def of_tryton(double: TrytonDouble) -> Finding:
    settings = read_settings("tryton", tryton_config(double))
    return verdict(open_connector("tryton", settings, shipped_mapping("tryton")))


def of_odata(double: ODataDouble) -> Finding:
    settings = read_settings("odata", odata_config(double))
    return verdict(open_connector("odata", settings, parse_mapping(PLACES)))


def test_tryton_tells_what_its_user_may_do(tryton: TrytonDouble) -> None:
    assert of_tryton(tryton) == Finding("read_only", passed=True)
    tryton.rights = {("sale.sale", "write"), ("party.party", "delete")}
    found = of_tryton(tryton)
    assert (found.passed, found.detail) == (False, "party.party: delete, sale.sale: write")


def test_a_tryton_that_does_not_tell_leaves_it_to_a_person(tryton: TrytonDouble) -> None:
    tryton.rights = None
    found = of_tryton(tryton)
    assert found.warning
    assert found.detail == f"{NOT_PROVABLE}: erp.not_allowed"


def test_an_odata_service_that_takes_no_writes_says_so(odata: ODataDouble) -> None:
    assert of_odata(odata).warning
    odata.closed = {"Insert", "Update"}
    assert of_odata(odata).warning
    odata.closed = {"Insert", "Update", "Delete"}
    assert of_odata(odata) == Finding("read_only", passed=True)


def test_what_is_closed_of_what_hangs_on_a_set_does_not_close_the_set() -> None:
    closed = "".join(
        f'<Annotation Term="Capabilities.NavigationRestrictions"><Record><PropertyValue><Collection><Record>'
        f'<PropertyValue Property="{write}able" Bool="false"/></Record></Collection></PropertyValue></Record></Annotation>'
        for write in ("Insert", "Updat", "Delet")
    )
    document = (
        '<Edmx><Schema Namespace="erp"><EntityType Name="T"/><EntityContainer Name="c">'
        f'<EntitySet Name="Orders" EntityType="erp.T"/></EntityContainer>'
        f'<Annotations Target="erp.c/Orders">{closed}</Annotations></Schema></Edmx>'
    )
    assert not read_metadata(document.encode())["Orders"].is_read_only


def test_an_odoo_that_does_not_tell_leaves_it_to_a_person(odoo: OdooServer) -> None:
    odoo.tells_rights = False
    settings = read_settings("odoo", odoo.settings())
    found = verdict(open_connector("odoo", settings, shipped_mapping("odoo")))
    assert found.warning
    assert found.detail.startswith(NOT_PROVABLE)
