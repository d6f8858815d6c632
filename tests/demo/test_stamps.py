"""The change stamps a bridge reads by, and the login it reads with."""

import time
import uuid

import psycopg
import pytest
from psycopg import conninfo, errors, sql

from demo import u8_schema
from demo.u8_schema import STAMPED


def test_an_update_moves_the_stamp_of_the_row(trading):
    for table, (key, stamp) in STAMPED.items():
        first, before = trading.execute(
            f"SELECT {key}, {stamp} FROM u8.{table} ORDER BY {key} LIMIT 1"
        ).fetchone()
        (after,) = trading.execute(
            f"UPDATE u8.{table} SET {key} = {key} WHERE {key} = %s RETURNING {stamp}", [first]
        ).fetchone()
        assert after > before, table


def test_every_table_is_stamped(founded):
    tables = founded.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'u8'").fetchall()
    assert {table for (table,) in tables} == set(STAMPED)


def test_a_writer_cannot_choose_the_stamp(trading):
    trading.execute(
        "UPDATE u8.so_somain SET ufts = 1 WHERE id = (SELECT min(id) FROM u8.so_somain)"
    )
    assert trading.execute("SELECT min(ufts) > 1 FROM u8.so_somain").fetchone() == (True,)


def test_editing_a_line_leaves_the_header_as_it_was(trading):
    header_before, line_before = _stamps(trading)
    trading.execute("UPDATE u8.so_sodetails SET dpredate = dpredate + 1 WHERE id = 1")
    header_after, line_after = _stamps(trading)

    assert header_after == header_before
    assert line_after > line_before


def test_rows_of_an_open_transaction_are_not_final(trading_url):
    with (
        psycopg.connect(trading_url) as slow,
        psycopg.connect(trading_url, autocommit=True) as fast,
    ):
        slow.execute("UPDATE u8.so_somain SET cmemo = 'slow' WHERE id = 1")
        fast.execute("UPDATE u8.so_somain SET cmemo = 'fast' WHERE id = 2")
        (slow_stamp,) = slow.execute("SELECT ufts FROM u8.so_somain WHERE id = 1").fetchone()
        (fast_stamp,) = fast.execute("SELECT ufts FROM u8.so_somain WHERE id = 2").fetchone()

        assert slow_stamp < fast_stamp
        assert _bound(fast) <= slow_stamp
        slow.commit()
        # Other databases of the server may hold the bound back for a while, never for good.
        _wait_until(lambda: _bound(fast) > fast_stamp)


def test_the_bridge_reads_everything(reader):
    for table in STAMPED:
        assert reader.execute(f"SELECT count(*) > 0 FROM u8.{table}").fetchone() == (True,)
    assert reader.execute("SELECT u8.min_active_rowversion() > 0").fetchone() == (True,)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE u8.so_somain SET cmemo = 'mine'",
        "DELETE FROM u8.so_sodetails",
        "INSERT INTO u8.districtclass (cdccode, cdcname) VALUES ('x', 'x')",
        "TRUNCATE u8.ar_detail",
        "CREATE TABLE u8.mine (id int)",
        "CREATE TABLE public.mine (id int)",
        "SELECT nextval('u8.so_somain_id_seq')",
    ],
)
def test_the_bridge_may_not_write(reader, statement):
    # The session's own setting is no lock: anybody may turn it off. The missing rights are.
    reader.execute("SET default_transaction_read_only = off")
    with pytest.raises(errors.InsufficientPrivilege):
        reader.execute(statement)


def test_the_bridges_login_can_be_given_a_new_password(trading, reader):
    u8_schema.create_reader(trading, reader.info.user, "another 'one'")
    url = conninfo.make_conninfo(trading.info.dsn, user=reader.info.user, password="another 'one'")
    with psycopg.connect(url) as again:
        assert again.execute("SELECT current_user").fetchone() == (reader.info.user,)


@pytest.fixture
def reader(trading, trading_url):
    name = f"workspace_demo_reader_{uuid.uuid4().hex[:8]}"
    u8_schema.create_reader(trading, name, "s'ecret")
    url = conninfo.make_conninfo(trading_url, user=name, password="s'ecret")
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection
    trading.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))
    trading.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def _stamps(connection):
    (header,) = connection.execute("SELECT ufts FROM u8.so_somain WHERE id = 1").fetchone()
    (line,) = connection.execute("SELECT max(dufts) FROM u8.so_sodetails WHERE id = 1").fetchone()
    return header, line


def _bound(connection):
    return connection.execute("SELECT u8.min_active_rowversion()").fetchone()[0]


def _wait_until(ready):
    for _ in range(3000):
        if ready():
            return
        time.sleep(0.01)
    raise AssertionError("waited in vain")
