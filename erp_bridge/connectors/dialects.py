"""The statements that read a table by its change stamp, in the words of each database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

#: ``version`` counts with every write of the database, ``xmin`` is PostgreSQL's own mark of the writing
#: transaction, ``timestamp`` says when, and ``none`` has no stamp: the whole table is read.
StampKind = Literal["version", "xmin", "timestamp", "none"]


@dataclass(frozen=True, slots=True)
class TableRead:
    """One table to read: its columns, its change stamp and its key."""

    schema: str
    table: str
    columns: tuple[str, ...]
    stamp: str | None
    key: tuple[str, ...]
    kind: StampKind = "version"
    #: What stands in for the stamp of a row that was never edited.
    first_stamp: str | None = None


Statement = tuple[str, tuple[Any, ...]]


class Dialect(Protocol):
    """What differs between databases that keep a stamp of the last change."""

    def bound(self, schema: str, kind: StampKind = "version") -> str:
        """Asks for the lowest stamp that an open transaction may still write, or for the time."""
        ...

    def page(
        self, read: TableRead, after: Sequence[Any] | None, until: int | None, limit: int
    ) -> Statement:
        """The next rows after (stamp, key), or from a stamp alone, below the bound, in that order."""
        ...

    def keys(self, read: TableRead, after: Sequence[Any] | None, limit: int) -> Statement:
        """The next rows in order of the key alone, whatever their stamp."""
        ...

    def one(self, read: TableRead, key: Sequence[Any]) -> Statement:
        """One row by its key."""
        ...

    def sample(self, read: TableRead) -> Statement:
        """Any one row, to see that every column may be read."""
        ...

    def unstamped(self, read: TableRead) -> Statement:
        """Any one row without a stamp, which reading by stamps would never find."""
        ...

    def side_table(self, schema: str, table: str, columns: Sequence[str]) -> Statement:
        """Some columns of a whole table."""
        ...

    def write_probes(self, read: TableRead) -> Sequence[str]:
        """Writes that touch no row and must be refused all the same."""
        ...

    def write_rights(self) -> str:
        """Asks what the account may write anywhere in the database, streams or not; a few names."""
        ...


_POSTGRES_RIGHTS = """
    SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
       AND CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'USAGE, UPDATE')
                WHEN c.relkind IN ('r', 'p', 'v', 'm', 'f')
                THEN has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
                     OR has_any_column_privilege(c.oid, 'INSERT, UPDATE')
                ELSE false END
    UNION ALL
    SELECT 'schema ' || quote_ident(nspname) FROM pg_namespace
     WHERE nspname !~ '^pg_' AND has_schema_privilege(oid, 'CREATE')
    UNION ALL
    SELECT 'superuser' FROM pg_roles
     WHERE rolname = current_user AND (rolsuper OR rolcreaterole OR rolcreatedb)
     LIMIT 3
"""
_SQL_SERVER_RIGHTS = """
    SELECT TOP (3) QUOTENAME(s.name) + '.' + QUOTENAME(o.name)
      FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id
     CROSS APPLY (VALUES ('INSERT'), ('UPDATE'), ('DELETE'), ('ALTER')) AS wanted (permission)
     WHERE o.type IN ('U', 'V')
       AND HAS_PERMS_BY_NAME(QUOTENAME(s.name) + '.' + QUOTENAME(o.name), 'OBJECT', wanted.permission) = 1
"""

#: A transaction id of 32 bits, counted on from the present one; what is older than four billion transactions
#: looks younger than it is, which costs one more reading and loses nothing.
_XMIN = (
    "(pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
    " - ((pg_snapshot_xmax(pg_current_snapshot())::text::bigint - xmin::text::bigint) & 4294967295))"
)


class PostgresDialect:
    """PostgreSQL: keysets compare as rows; ``folding`` names are lower case however they are written."""

    def __init__(self, *, folding: bool = True) -> None:
        self._folding = folding

    def bound(self, schema: str, kind: StampKind = "version") -> str:
        if kind == "xmin":
            return "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
        if kind == "version":
            return f"SELECT {self._name(schema)}.min_active_rowversion()"
        return "SELECT clock_timestamp()"

    def page(
        self, read: TableRead, after: Sequence[Any] | None, until: int | None, limit: int
    ) -> Statement:
        stamp = self._stamp(read)
        order = ", ".join([stamp, *map(self._name, read.key)])
        conditions, parameters = [], list(after or ())
        if after is not None and len(after) == 1:
            conditions.append(f"{stamp} >= {_MARK}")
        elif after is not None:
            conditions.append(f"({order}) > ({_marks(after)})")
        if until is not None:
            conditions.append(f"{stamp} < {_MARK}")
            parameters.append(until)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"{self._select(read)}{where} ORDER BY {order} LIMIT {limit:d}", tuple(parameters)

    def keys(self, read: TableRead, after: Sequence[Any] | None, limit: int) -> Statement:
        order = ", ".join(map(self._name, read.key))
        where = f" WHERE ({order}) > ({_marks(after)})" if after else ""
        return f"{self._select(read)}{where} ORDER BY {order} LIMIT {limit:d}", tuple(after or ())

    def one(self, read: TableRead, key: Sequence[Any]) -> Statement:
        where = " AND ".join(f"{self._name(name)}::text = {_MARK}" for name in read.key)
        return f"{self._select(read)} WHERE {where}", tuple(key)

    def sample(self, read: TableRead) -> Statement:
        return f"{self._select(read)} LIMIT 1", ()

    def unstamped(self, read: TableRead) -> Statement:
        return f"{self._select(read)} WHERE {self._stamp(read)} IS NULL LIMIT 1", ()

    def side_table(self, schema: str, table: str, columns: Sequence[str]) -> Statement:
        names = ", ".join(map(self._name, columns))
        return f"SELECT {names} FROM {self._name(schema)}.{self._name(table)}", ()

    def write_probes(self, read: TableRead) -> Sequence[str]:
        table, key = self._table(read), self._name(read.key[0])
        stamped = read.stamp is not None and read.kind != "xmin"
        column = self._name(read.stamp) if stamped and read.stamp else key
        return (
            f"INSERT INTO {table} ({key}) OVERRIDING SYSTEM VALUE SELECT {key} FROM {table} WHERE false",
            f"UPDATE {table} SET {column} = {column} WHERE false",
            f"DELETE FROM {table} WHERE false",
        )

    def write_rights(self) -> str:
        return _POSTGRES_RIGHTS

    def _name(self, name: str) -> str:
        return '"' + (name.lower() if self._folding else name).replace('"', '""') + '"'

    def _table(self, read: TableRead) -> str:
        return f"{self._name(read.schema)}.{self._name(read.table)}"

    def _select(self, read: TableRead) -> str:
        names = ", ".join(self._column(column, read) for column in read.columns)
        return f"SELECT {names} FROM {self._table(read)}"

    def _column(self, column: str, read: TableRead) -> str:
        name = self._name(column)
        shown = self._stamp(read) if column == read.stamp else name
        return name if shown == name else f"{shown} AS {name}"

    def _stamp(self, read: TableRead) -> str:
        assert read.stamp is not None, "a table without a stamp is read by its key"
        if read.kind == "xmin":
            return _XMIN
        if read.first_stamp is None:
            return self._name(read.stamp)
        return f"COALESCE({self._name(read.stamp)}, {self._name(read.first_stamp)})"


class SqlServerDialect:
    """SQL Server: rowversion is eight bytes, kept by us as a whole number; no row comparison.

    Times are read as text to their last digit: a stamp that lost one would be met again and again.
    """

    def bound(self, schema: str, kind: StampKind = "version") -> str:
        if kind == "version":
            return "SELECT CAST(MIN_ACTIVE_ROWVERSION() AS bigint)"
        return "SELECT SYSDATETIMEOFFSET()"

    def page(
        self, read: TableRead, after: Sequence[Any] | None, until: int | None, limit: int
    ) -> Statement:
        stamp, mark = _ms_stamp(read), _ms_mark(read)
        names = [stamp, *map(_ms, read.key)]
        conditions: list[str] = []
        parameters: list[Any] = []
        if after is not None and len(after) == 1:
            conditions.append(f"{stamp} >= {mark}")
            parameters = list(after)
        elif after is not None:
            conditions.append(f"({_lexicographic(names, [mark, *(_MARK for _ in read.key)])})")
            parameters = _repeated(after)
        if until is not None:
            conditions.append(f"{stamp} < {mark}")
            parameters.append(until)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"{_ms_select(read, limit)}{where} ORDER BY {', '.join(names)}", tuple(parameters)

    def keys(self, read: TableRead, after: Sequence[Any] | None, limit: int) -> Statement:
        names = [_ms(name) for name in read.key]
        where = f" WHERE {_lexicographic(names, [_MARK] * len(names))}" if after else ""
        statement = f"{_ms_select(read, limit)}{where} ORDER BY {', '.join(names)}"
        return statement, tuple(_repeated(after or ()))

    def one(self, read: TableRead, key: Sequence[Any]) -> Statement:
        where = " AND ".join(f"CAST({_ms(name)} AS nvarchar(200)) = {_MARK}" for name in read.key)
        return f"{_ms_select(read, 1)} WHERE {where}", tuple(key)

    def sample(self, read: TableRead) -> Statement:
        return _ms_select(read, 1), ()

    def unstamped(self, read: TableRead) -> Statement:
        return f"{_ms_select(read, 1)} WHERE {_ms_stamp(read)} IS NULL", ()

    def side_table(self, schema: str, table: str, columns: Sequence[str]) -> Statement:
        names = ", ".join(_ms(column) for column in columns)
        return f"SELECT {names} FROM {_ms(schema)}.{_ms(table)}", ()

    def write_probes(self, read: TableRead) -> Sequence[str]:
        table, key = f"{_ms(read.schema)}.{_ms(read.table)}", _ms(read.key[0])
        return (f"DELETE FROM {table} WHERE {key} IS NULL AND 1 = 0",)

    def write_rights(self) -> str:
        return _SQL_SERVER_RIGHTS


_MARK = "%s"


def _ms(name: str) -> str:
    return "[" + name.replace("]", "]]") + "]"


def _marks(values: Sequence[Any]) -> str:
    return ", ".join(_MARK for _ in values)


def _ms_select(read: TableRead, limit: int) -> str:
    names = ", ".join(_ms_column(column, read) for column in read.columns)
    return f"SELECT TOP ({limit:d}) {names} FROM {_ms(read.schema)}.{_ms(read.table)}"


def _ms_column(column: str, read: TableRead) -> str:
    if column != read.stamp:
        return _ms(column)
    if read.kind == "timestamp":
        shown = f"CONVERT(nvarchar(33), CAST({_ms_stamp(read)} AS datetime2(7)), 126)"
        return f"{shown} AS {_ms(column)}"
    return f"CAST({_ms(column)} AS bigint) AS {_ms(column)}"


def _ms_stamp(read: TableRead) -> str:
    assert read.stamp is not None, "a table without a stamp is read by its key"
    if read.first_stamp is None:
        return _ms(read.stamp)
    return f"COALESCE({_ms(read.stamp)}, {_ms(read.first_stamp)})"


def _ms_mark(read: TableRead) -> str:
    # The parameter is converted, never the column: an index on the stamp stays usable.
    if read.kind == "timestamp":
        return f"CAST({_MARK} AS datetime2(7))"
    return f"CONVERT(binary(8), CAST({_MARK} AS bigint))"


def _lexicographic(names: Sequence[str], marks: Sequence[str]) -> str:
    """(a, b) > (x, y), written out: a > x OR (a = x AND b > y)."""
    cases = []
    for length in range(1, len(names) + 1):
        equal = [f"{names[i]} = {marks[i]}" for i in range(length - 1)]
        cases.append(" AND ".join([*equal, f"{names[length - 1]} > {marks[length - 1]}"]))
    return " OR ".join(f"({case})" for case in cases)


def _repeated(values: Sequence[Any]) -> list[Any]:
    """The parameters of `_lexicographic`, in the order of its marks."""
    return [value for length in range(1, len(values) + 1) for value in values[:length]]
