"""Signing in to the databases that can be read directly, and their errors in our words."""

from __future__ import annotations

import importlib
from typing import Any

import psycopg

from erp_bridge.connectors.base import ConnectorError

CONNECT_SECONDS = 10
READ_ONLY = "-c default_transaction_read_only=on -c statement_timeout={milliseconds}"


def connect(settings: dict[str, Any], *, statement_seconds: int, writable: bool) -> Any:
    """Sign in; a session that is not ``writable`` refuses to write even where the account may.

    An ``address`` among the settings is connected to whatever the host's name may mean by then.
    """
    if settings["dialect"] == "sqlserver":
        return _connect_sql_server(settings, statement_seconds)
    connection = psycopg.connect(
        host=settings["host"],
        hostaddr=settings.get("address"),
        port=settings["port"],
        dbname=settings["database"],
        user=settings["user"],
        password=settings["password"],
        connect_timeout=CONNECT_SECONDS,
        autocommit=not writable,
        options=None if writable else READ_ONLY.format(milliseconds=statement_seconds * 1000),
    )
    if writable:
        # The account's own default would hide that it may write: ask for it plainly.
        connection.read_only = False
    return connection


def _connect_sql_server(settings: dict[str, Any], statement_seconds: int) -> Any:
    connection = _sql_server_driver().connect(
        dsn=settings.get("address") or settings["host"],
        port=settings["port"],
        database=settings["database"],
        user=settings["user"],
        password=settings["password"],
        login_timeout=CONNECT_SECONDS,
        timeout=statement_seconds,
        autocommit=True,
    )
    connection.cursor().execute("SET TRANSACTION ISOLATION LEVEL SNAPSHOT")
    return connection


def _sql_server_driver() -> Any:
    """python-tds, which only installations with a SQL Server need."""
    try:
        return importlib.import_module("pytds")
    except ImportError as error:
        raise ConnectorError("erp.driver_missing", "python-tds") from error


def driver_errors(settings: dict[str, Any]) -> tuple[type[Exception], ...]:
    """What the driver of this database raises."""
    if settings["dialect"] == "sqlserver":
        errors: type[Exception] = _sql_server_driver().Error
        return (errors, OSError)
    return (psycopg.Error,)


_SQL_SERVER_CODES = {207: "erp.missing_column", 208: "erp.missing_table", 229: "erp.not_allowed"}
_POSTGRES_CODES: tuple[tuple[type[Exception], str], ...] = (
    (psycopg.errors.InsufficientPrivilege, "erp.not_allowed"),
    (psycopg.errors.ReadOnlySqlTransaction, "erp.not_allowed"),
    # A view that nobody can write to.
    (psycopg.errors.ObjectNotInPrerequisiteState, "erp.not_writable"),
    (psycopg.errors.UndefinedColumn, "erp.missing_column"),
    (psycopg.errors.UndefinedTable, "erp.missing_table"),
    (psycopg.errors.InvalidSchemaName, "erp.missing_table"),
    (psycopg.errors.UndefinedFunction, "erp.missing_bound"),
    (psycopg.errors.InvalidPassword, "erp.sign_in_refused"),
    (psycopg.errors.InvalidAuthorizationSpecification, "erp.sign_in_refused"),
    (psycopg.errors.QueryCanceled, "erp.too_slow"),
    (psycopg.DataError, "erp.unreadable_value"),
)


def code_of(error: Exception) -> str:
    """A stable code; the driver's own text may name hosts and accounts and stays out of it."""
    for kind, code in _POSTGRES_CODES:
        if isinstance(error, kind):
            return code
    return _SQL_SERVER_CODES.get(getattr(error, "number", 0), "erp.unavailable")
