"""A small ERP in a SQL database of nobody's making: the tables that the mapping `example_sql` reads."""

import time
from contextlib import ExitStack
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.conninfo import make_conninfo

TABLES = """
CREATE TABLE units (id int PRIMARY KEY, name text NOT NULL, parent_id int, head_id int);
CREATE TABLE categories (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE staff (id int PRIMARY KEY, full_name text NOT NULL, login text, job_title text, unit_id int,
                    active boolean DEFAULT true, changed_at timestamptz DEFAULT now());
CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, seller_id int, changed_at timestamptz DEFAULT now());
CREATE TABLE items (id int PRIMARY KEY, code text, name text, category_id int, unit_cost numeric,
                    changed_at timestamptz DEFAULT now());
CREATE TABLE places (code text PRIMARY KEY, name text NOT NULL, counter bigint,
                     changed_at timestamptz, created_at timestamptz DEFAULT now());
CREATE TABLE orders (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), number text, day date, customer_id int,
                     seller_id int, currency text DEFAULT 'CNY', state text DEFAULT 'draft',
                     changed_at timestamptz DEFAULT now());
CREATE TABLE order_lines (order_id uuid, line_no int, item_id int, quantity numeric DEFAULT 1, "netAmount" numeric,
                          cost numeric, PRIMARY KEY (order_id, line_no));
"""
PASSWORD = "hornbeam"
SETTLED_SECONDS = 20


class Shop:
    """Somebody who works in it, one transaction a deed."""

    def __init__(self, connection: Connection[Any], url: str, reader: str) -> None:
        self.connection = connection
        self.url = url
        self.reader = reader
        self.opened = ExitStack()

    @property
    def reader_url(self) -> str:
        return make_conninfo(self.url, user=self.reader, password=PASSWORD)

    def write(self, statement: str, *values: Any) -> None:
        self.connection.execute(statement, values)

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(statement, values).fetchall()

    def settle(self) -> None:
        """Wait until no transaction of the whole server, whoever's it is, began before all that is written."""
        (mark,) = self.rows("SELECT pg_current_xact_id()::text::bigint")[0]
        horizon = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
        deadline = time.monotonic() + SETTLED_SECONDS
        while self.rows(horizon)[0][0] <= mark and time.monotonic() < deadline:
            time.sleep(0.02)

    def order(self, number: str, *nets: int) -> None:
        with self.connection.transaction():
            self.write(
                "INSERT INTO orders (number, day, customer_id, seller_id) VALUES (%s, '2026-03-02', 1, 3)",
                number,
            )
            for line, net in enumerate(nets):
                self.write(
                    'INSERT INTO order_lines (order_id, line_no, item_id, "netAmount")'
                    " SELECT id, %s, 1, %s FROM orders WHERE number = %s",
                    line,
                    net,
                    number,
                )

    def office(self) -> None:
        self.write(
            "INSERT INTO units VALUES (1, 'Hornbeam', NULL, 1), (2, 'Sales', 1, 3)",
        )
        self.write(
            "INSERT INTO staff (id, full_name, login, job_title, unit_id) VALUES"
            " (1, 'Oak', 'oak', 'Owner', 1), (3, 'Elm', 'elm', 'Seller', 2)"
        )


def open_shop(url: str, reader: str) -> Connection[Any]:
    """Make the tables, and the login that may only read them."""
    connection = psycopg.connect(url, autocommit=True)
    connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    connection.execute(TABLES)
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (reader,)).fetchone()
    verb = "ALTER" if known else "CREATE"
    connection.execute(f"{verb} ROLE \"{reader}\" LOGIN PASSWORD '{PASSWORD}'")
    connection.execute(f'GRANT USAGE ON SCHEMA public TO "{reader}"')
    connection.execute(f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{reader}"')
    return connection
