"""The U8-shaped database: its tables with change stamps, and the read-only login for a bridge."""

from pathlib import Path
from typing import Any, Final

from psycopg import Connection, sql

SCHEMA: Final = "u8"
READER_CONNECTIONS_MAX: Final = 8

# Table → (key, change stamp). Unquoted identifiers fold to lower case, so these are lower case.
STAMPED: Final[dict[str, tuple[str, str]]] = {
    "department": ("cdepcode", "pubufts"),
    "person": ("cpersoncode", "pubufts"),
    "districtclass": ("cdccode", "pubufts"),
    "customer": ("ccuscode", "pubufts"),
    "vendor": ("cvencode", "pubufts"),
    "inventoryclass": ("cinvccode", "pubufts"),
    "inventory": ("cinvcode", "pubufts"),
    "warehouse": ("cwhcode", "pubufts"),
    "code": ("ccode", "pubufts"),
    "so_somain": ("id", "ufts"),
    "so_sodetails": ("autoid", "dufts"),
    "dispatchlist": ("dlid", "ufts"),
    "dispatchlists": ("autoid", "ufts"),
    "salebillvouch": ("sbvid", "ufts"),
    "salebillvouchs": ("autoid", "ufts"),
    "sa_salesquota": ("autoid", "ufts"),
    "currentstock": ("autoid", "ufts"),
    "rdrecord01": ("id", "ufts"),
    "rdrecords01": ("autoid", "ufts"),
    "pu_appvouch": ("id", "ufts"),
    "pu_appvouchs": ("autoid", "ufts"),
    "gl_accvouch": ("i_id", "ufts"),
    "ar_detail": ("auto_id", "ufts"),
}


def create(connection: Connection[Any]) -> None:
    """Create the tables, their stamps and indexes, unless they exist; the caller commits."""
    connection.execute(sql.SQL(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")))
    for table, (key, stamp) in STAMPED.items():
        _stamp_every_write(connection, table, key, stamp)


def create_reader(connection: Connection[Any], name: str, password: str) -> None:
    """Create the login a bridge reads with, or give it a new password: SELECT, and only here."""
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    verb = sql.SQL("ALTER ROLE" if known else "CREATE ROLE")
    role = sql.Identifier(name)
    connection.execute(
        sql.SQL(
            "{verb} {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
            " CONNECTION LIMIT {limit} PASSWORD {password}"
        ).format(
            verb=verb,
            role=role,
            limit=sql.Literal(READER_CONNECTIONS_MAX),
            password=sql.Literal(password),
        )
    )
    for grant in (
        "ALTER ROLE {role} SET default_transaction_read_only = on",
        "ALTER ROLE {role} SET search_path = u8",
        "GRANT USAGE ON SCHEMA u8 TO {role}",
        "GRANT SELECT ON ALL TABLES IN SCHEMA u8 TO {role}",
    ):
        connection.execute(sql.SQL(grant).format(role=role))


def _stamp_every_write(connection: Connection[Any], table: str, key: str, stamp: str) -> None:
    names = {
        "trigger": sql.Identifier(f"{table}_stamp"),
        "index": sql.Identifier(f"{table}_by_stamp"),
        "table": sql.Identifier(SCHEMA, table),
        "function": sql.Identifier(SCHEMA, f"stamp_{stamp}"),
        "key": sql.Identifier(key),
        "stamp": sql.Identifier(stamp),
    }
    connection.execute(
        sql.SQL(
            "CREATE OR REPLACE TRIGGER {trigger} BEFORE INSERT OR UPDATE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION {function}()"
        ).format(**names)
    )
    # A bridge pages through what changed by (stamp, key).
    connection.execute(
        sql.SQL("CREATE INDEX IF NOT EXISTS {index} ON {table} ({stamp}, {key})").format(**names)
    )
