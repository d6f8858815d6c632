"""The statements for SQL Server, which no test server speaks, and that PostgreSQL's are the same reading."""

from erp_bridge.connectors.dialects import PostgresDialect, SqlServerDialect, TableRead

LINES = TableRead("dbo", "SO_SODetails", ("dufts", "AutoID", "iNatMoney"), "dufts", ("AutoID",))


def test_sql_server_reads_the_first_page_below_the_bound() -> None:
    statement, parameters = SqlServerDialect().page(LINES, None, 900, 50)
    assert statement == (
        "SELECT TOP (50) CAST([dufts] AS bigint) AS [dufts], [AutoID], [iNatMoney] FROM [dbo].[SO_SODetails]"
        " WHERE [dufts] < CONVERT(binary(8), CAST(%s AS bigint)) ORDER BY [dufts], [AutoID]"
    )
    assert parameters == (900,)


def test_sql_server_goes_on_after_stamp_and_key_without_row_comparison() -> None:
    statement, parameters = SqlServerDialect().page(LINES, [7, 3], 900, 50)
    stamp = "CONVERT(binary(8), CAST(%s AS bigint))"
    assert (
        f"(([dufts] > {stamp}) OR ([dufts] = {stamp} AND [AutoID] > %s)) AND [dufts] < {stamp}"
        in statement
    )
    assert parameters == (7, 7, 3, 900)
    assert statement.count("%s") == len(parameters)


def test_sql_server_keeps_below_the_lowest_stamp_in_use() -> None:
    assert "MIN_ACTIVE_ROWVERSION()" in SqlServerDialect().bound("dbo")


def test_sql_server_pages_through_keys_alone() -> None:
    read = TableRead("dbo", "T", ("a", "b"), "ts", ("a", "b"))
    statement, parameters = SqlServerDialect().keys(read, [1, 2], 10)
    assert "WHERE ([a] > %s) OR ([a] = %s AND [b] > %s) ORDER BY [a], [b]" in statement
    assert parameters == (1, 1, 2)


def test_a_bracket_in_a_name_cannot_leave_it() -> None:
    read = TableRead("dbo", "x]; DROP TABLE y --", ("a",), "ts", ("a",))
    assert "[x]]; DROP TABLE y --]" in SqlServerDialect().sample(read)[0]


def test_postgresql_compares_the_keyset_as_a_row() -> None:
    statement, parameters = PostgresDialect().page(LINES, [7, 3], 900, 50)
    assert statement == (
        'SELECT "dufts", "autoid", "inatmoney" FROM "dbo"."so_sodetails"'
        ' WHERE ("dufts", "autoid") > (%s, %s) AND "dufts" < %s ORDER BY "dufts", "autoid" LIMIT 50'
    )
    assert parameters == (7, 3, 900)


def test_write_probes_touch_no_row() -> None:
    for probe in (*PostgresDialect().write_probes(LINES), *SqlServerDialect().write_probes(LINES)):
        assert probe.endswith(("WHERE false", "1 = 0"))


BY_TIME = TableRead(
    "dbo", "Orders", ("changed", "id"), "changed", ("id",), "timestamp", first_stamp="made"
)


def test_sql_server_keeps_times_to_their_last_digit() -> None:
    statement, parameters = SqlServerDialect().page(
        BY_TIME, ["2026-03-02T08:00:00.1234567", 7], None, 50
    )
    assert (
        "CONVERT(nvarchar(33), CAST(COALESCE([changed], [made]) AS datetime2(7)), 126) AS [changed]"
        in statement
    )
    assert "COALESCE([changed], [made]) > CAST(%s AS datetime2(7))" in statement
    assert statement.count("%s") == len(parameters) == 3


def test_reading_from_a_moment_on_takes_that_moment_too() -> None:
    for dialect in (PostgresDialect(), SqlServerDialect()):
        statement, parameters = dialect.page(BY_TIME, ["2026-03-02"], None, 50)
        assert " >= " in statement
        assert parameters == ("2026-03-02",)


def test_names_of_any_database_are_kept_as_they_are_written() -> None:
    assert '"Orders"' in PostgresDialect(folding=False).sample(BY_TIME)[0]
    assert '"orders"' in PostgresDialect().sample(BY_TIME)[0]
