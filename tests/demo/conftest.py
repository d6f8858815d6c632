"""One founded company for all tests that only read it, and a copy for each test that trades in it."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import psycopg
import pytest
from psycopg import Connection, conninfo, sql

import demo

TODAY = date(2026, 11, 18)


@pytest.fixture(scope="session")
def postgres_url(servers: tuple[str, str]) -> str:
    return servers[0]


@pytest.fixture(scope="session")
def founded_url(postgres_url: str) -> Iterator[str]:
    """The company with its history; tests only read here."""
    with _database(postgres_url) as url:
        demo.seed(url, today=TODAY)
        yield url


@pytest.fixture
def trading_url(postgres_url: str, founded_url: str) -> Iterator[str]:
    """A copy of the company that one test may change."""
    with _database(postgres_url, template=founded_url) as url:
        yield url


@pytest.fixture
def founded(founded_url: str) -> Iterator[Connection]:
    # Closed before another test copies the database: a template must have no visitors.
    with psycopg.connect(founded_url, autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = on")
        yield connection


@pytest.fixture
def trading(trading_url: str) -> Iterator[Connection]:
    with psycopg.connect(trading_url, autocommit=True) as connection:
        yield connection


@contextmanager
def _database(owner_url: str, template: str | None = None) -> Iterator[str]:
    name = f"workspace_demo_{uuid.uuid4().hex[:12]}"
    like = conninfo.conninfo_to_dict(template)["dbname"] if template else "template1"
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(str(like))
            )
        )
        yield conninfo.make_conninfo(owner_url, dbname=name)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
