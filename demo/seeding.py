"""Founds the demo company in an empty database: its schema and everything until today."""

from datetime import date
from typing import Any, Final

import psycopg
from psycopg import Connection

from demo import u8_schema
from demo.catalogue import catalogue
from demo.history import write_history
from demo.loading import load_archives, load_documents

_FOUNDING_LOCK: Final = 7_305_118_002  # two founders at once would found it twice


def seed(url: str, *, today: date, seed: int = 7) -> None:
    """Create the company's ERP with its history up to ``today``; one that exists is left alone.

    All in one transaction: a founding that is cut short leaves nothing behind.
    """
    with psycopg.connect(url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_FOUNDING_LOCK])
        u8_schema.create(connection)
        if is_seeded(connection):
            return
        books = write_history(today=today, seed=seed)
        load_archives(connection, catalogue(seed), books)
        load_documents(connection, books, today)


def is_seeded(connection: Connection[Any]) -> bool:
    return connection.execute("SELECT 1 FROM u8.department LIMIT 1").fetchone() is not None
