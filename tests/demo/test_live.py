"""The live business keeps the books in order, and its ticker can be cut, stopped and not doubled."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from demo import backoffice_deeds, live, sales_deeds
from demo.desk import Desk
from tests.demo.invariants import broken

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 11, 19, 4, tzinfo=UTC)


@pytest.mark.parametrize("luck", [1, 2])
def test_the_books_stay_in_order_while_the_company_trades(trading, luck):
    said = _trade(trading, steps=60, rng=Random(luck))

    kinds = {sentence.split()[0] for sentence in said}
    assert {"ordered", "edited", "approved", "deleted", "shipped", "invoiced", "received"} <= kinds
    assert broken(trading) == {}


def test_every_step_brings_an_order(trading):
    before = _orders(trading)
    said = _trade(trading, steps=10, rng=Random(5))

    deleted = sum(sentence.startswith("deleted") for sentence in said)
    assert _orders(trading) == before + 10 - deleted


def test_an_edit_touches_one_line_and_nothing_else(trading):
    before = _newest_stamps(trading)
    assert _do(trading, sales_deeds.edit_line)
    after = _newest_stamps(trading)

    assert after["line"] > before["line"]
    assert after["header"] == before["header"]


def test_a_deleted_order_is_gone_with_its_lines(trading):
    code = _do(trading, sales_deeds.delete_order).removeprefix("deleted ")
    for table in ("so_somain", "so_sodetails"):
        left = trading.execute(f"SELECT 1 FROM u8.{table} WHERE csocode = %s", [code]).fetchone()
        assert left is None


def test_the_number_of_a_deleted_last_order_is_used_again(trading):
    ordered = _do(trading, sales_deeds.place_order).removeprefix("ordered ")
    trading.execute("DELETE FROM u8.so_sodetails WHERE csocode = %s", [ordered])
    trading.execute("DELETE FROM u8.so_somain WHERE csocode = %s", [ordered])

    assert _do(trading, sales_deeds.place_order) == f"ordered {ordered}"


def test_an_order_that_needs_more_than_there_is_ships_in_part(trading):
    warehouse, product = trading.execute(
        "SELECT l.cwhcode, l.cinvcode FROM u8.so_sodetails l JOIN u8.so_somain m"
        " USING (id) WHERE m.istatus = 1 AND m.ccloser IS NULL AND l.cscloser IS NULL"
        " AND l.iquantity > l.ifhquantity + 1 ORDER BY l.id DESC LIMIT 1"
    ).fetchone()
    trading.execute(
        "UPDATE u8.currentstock SET iquantity = CASE WHEN (cwhcode, cinvcode) = (%s, %s)"
        " THEN 1 ELSE 0 END",
        [warehouse, product],
    )
    assert _do(trading, sales_deeds.ship_order)
    assert trading.execute(
        "SELECT sum(iquantity), max(d.cinvcode) FROM u8.dispatchlists d"
        " WHERE dlid = (SELECT max(dlid) FROM u8.dispatchlist)"
    ).fetchone() == (1, product)
    assert _do(trading, sales_deeds.ship_order) is None


def test_a_new_month_gets_quotas(trading):
    later = datetime(2027, 3, 2, 4, tzinfo=UTC)
    assert backoffice_deeds.plan_months(Desk(trading, Random(1), later)) == "set quotas for 2027-03"

    planned = trading.execute(
        "SELECT dbegin, count(*) FROM u8.sa_salesquota WHERE dbegin > '2027-01-01'"
        " GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert [(month.month, count) for month, count in planned] == [(3, 24), (4, 24)]
    assert backoffice_deeds.plan_months(Desk(trading, Random(1), later)) is None


def test_a_second_ticker_is_refused(trading_url):
    with live.open_ticker(trading_url), pytest.raises(live.TickerRunningError):
        live.open_ticker(trading_url)


def test_a_database_without_a_company_is_refused(scratch_database):
    with pytest.raises(live.NotSeededError):
        live.open_ticker(scratch_database)


def test_the_ticker_comes_back_after_the_database_cut_it_off(trading, trading_url):
    stop = threading.Event()
    ticker = threading.Thread(
        target=live.trade,
        args=(trading_url,),
        kwargs={"every": 0.01, "rng": Random(3), "stop": stop},
    )
    ticker.start()
    try:
        for _ in range(2):
            before = _highest_order(trading)
            _wait_until(lambda before=before: _highest_order(trading) > before)
            _cut_everybody_else(trading)
        before = _highest_order(trading)
        _wait_until(lambda: _highest_order(trading) > before)
    finally:
        stop.set()
        ticker.join()
    assert broken(trading) == {}


def test_the_command_trades_until_it_is_told_to_stop(trading, trading_url):
    before = _highest_order(trading)
    command = [sys.executable, "-m", "demo.live", "--every", "0.05"]
    ticker = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"DEMO_ERP_URL": trading_url}, stderr=subprocess.PIPE
    )
    try:
        _wait_until(lambda: _highest_order(trading) > before + 1)
    finally:
        ticker.send_signal(signal.SIGTERM)
        _, said = ticker.communicate()

    assert ticker.returncode == 0
    assert b"ordered SO" in said
    assert broken(trading) == {}


def _trade(connection, *, steps, rng):
    said = []
    for number in range(steps):
        said += live.step(connection, rng=rng, now=NOON + timedelta(seconds=4 * number))
    return said


def _do(connection, deed):
    with connection.transaction():
        return deed(Desk(connection, Random(4), NOON))


def _orders(connection):
    return connection.execute("SELECT count(*) FROM u8.so_somain").fetchone()[0]


def _highest_order(connection):
    # A sequence never goes back, whatever is deleted.
    return connection.execute("SELECT last_value FROM u8.so_somain_id_seq").fetchone()[0]


def _newest_stamps(connection):
    return {
        "header": connection.execute("SELECT max(ufts) FROM u8.so_somain").fetchone()[0],
        "line": connection.execute("SELECT max(dufts) FROM u8.so_sodetails").fetchone()[0],
    }


def _cut_everybody_else(connection):
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def _wait_until(ready):
    for _ in range(3000):
        if ready():
            return
        time.sleep(0.01)
    raise AssertionError("waited in vain")
