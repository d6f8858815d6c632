"""A drop folder, and a U8-shaped database that a bridge reads with an account that may only read."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from demo import u8_schema
from erp_bridge.connectors.egress import permit_hosts
from tests.builders.company import Company
from tests.erp_bridge.approving import Desk, open_desk
from tests.erp_bridge.bridge import Bridge, DropFolder, connect
from tests.erp_bridge.doubles.kingdee_server import KingdeeServer
from tests.erp_bridge.doubles.odoo_server import OdooServer
from tests.erp_bridge.doubles.u8_gateway import U8Gateway
from tests.erp_bridge.u8_book import U8Book


@pytest.fixture
def folder(tmp_path: Path) -> DropFolder:
    return DropFolder(tmp_path)


@pytest.fixture
def files(company: Company, folder: DropFolder) -> Bridge:
    """A company whose ERP drops files in the shape of AdventureWorks."""
    return connect(company, "files", "adventureworks", folder=str(folder.path))


@pytest.fixture(scope="session")
def reader(servers: tuple[str, str]) -> Iterator[str]:
    """The name of a login that may only read U8; logins belong to the whole server."""
    name = f"workspace_test_u8_{uuid.uuid4().hex[:8]}"
    yield name
    with psycopg.connect(servers[0], autocommit=True) as connection:
        connection.execute(f'DROP ROLE IF EXISTS "{name}"')


@pytest.fixture
def book(scratch_database: str, reader: str) -> Iterator[U8Book]:
    """An empty U8 book set to write documents into."""
    with psycopg.connect(scratch_database, autocommit=True) as connection:
        with connection.transaction():
            u8_schema.create(connection)
        u8_schema.create_reader(connection, reader, "chestnut")
        yield U8Book(connection, scratch_database, reader, "chestnut")
        connection.execute(f'DROP OWNED BY "{reader}"')


@pytest.fixture
def u8(company: Company, book: U8Book) -> Bridge:
    """A company whose ERP is the book."""
    bridge = connect(company, "u8_sql", "u8", url=book.reader_url, rows_per_page=7)
    # A transaction that a test holds open holds the bound for good: then this is only a short pause.
    bridge.before_sync = lambda: book.settle(0.3)
    return bridge


@pytest.fixture
def permitted_loopback() -> Iterator[None]:
    """Doubles of ERPs run on this machine, where no company may look without the installation's leave."""
    permit_hosts("127.0.0.1, localhost")
    yield
    permit_hosts("")


@pytest.fixture
def gateway(book: U8Book, permitted_loopback: None) -> Iterator[U8Gateway]:
    """The book set again, behind U8's OpenAPI gateway."""
    with U8Gateway(book.url) as running:
        yield running


@pytest.fixture
def kingdee(permitted_loopback: None) -> Iterator[KingdeeServer]:
    """A Kingdee with nothing in it yet."""
    with KingdeeServer() as running:
        yield running


@pytest.fixture
def odoo(permitted_loopback: None) -> Iterator[OdooServer]:
    """An Odoo with nothing in it yet."""
    with OdooServer() as running:
        yield running


@pytest.fixture
def desk(company: Company, permitted_loopback: None) -> Iterator[Desk]:
    """A company whose sales leader may decide what waits for them in a U8 behind its gateway."""
    with U8Gateway(None) as gateway:
        yield open_desk(company, gateway)
