"""The company goes on trading: ``python -m demo.live --url … --every 4``.

Every few seconds somebody orders, and now and then somebody edits a line, approves, ships, invoices,
pays, closes, deletes. Each deed is a transaction of its own. One database has one ticker.
"""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from random import Random
from threading import Event
from typing import Any, Final

import psycopg
from psycopg import Connection, OperationalError

from demo import backoffice_deeds, sales_deeds
from demo.desk import Desk
from demo.seeding import is_seeded

Deed = Callable[[Desk], str | None]

TICKER_LOCK: Final = 7_305_118_003
RETRY_SECONDS_MIN: Final = 0.5
RETRY_SECONDS_MAX: Final = 15.0
CONNECT_SECONDS_MAX: Final = 5
STATEMENT_LIMIT: Final = "-c statement_timeout=30000"

# How often each deed is tried in one step. What follows an order keeps up with the orders.
DEEDS: Final[tuple[tuple[Deed, float], ...]] = (
    (backoffice_deeds.plan_months, 1.0),
    (sales_deeds.place_order, 1.0),
    (sales_deeds.edit_line, 0.30),
    (sales_deeds.approve_order, 0.90),
    (sales_deeds.delete_order, 0.06),
    (sales_deeds.ship_order, 0.85),
    (sales_deeds.bill_dispatch, 0.85),
    (sales_deeds.collect_money, 0.75),
    (sales_deeds.close_order, 0.80),
    (sales_deeds.cancel_rest, 0.02),
    (backoffice_deeds.refill_stock, 0.04),
    (backoffice_deeds.receive_goods, 0.05),
    (backoffice_deeds.ask_for_own_use, 0.015),
    (backoffice_deeds.approve_requisition, 0.012),
    (backoffice_deeds.repay_travel, 0.02),
)

log = logging.getLogger(__name__)


class TickerRunningError(Exception):
    """Somebody else already trades in this database."""


class NotSeededError(Exception):
    """There is no company in this database."""


def step(connection: Connection[Any], *, rng: Random, now: datetime) -> list[str]:
    """One order and what else the dice want, each its own transaction; says what happened."""
    done = []
    for deed, chance in DEEDS:
        if rng.random() < chance:
            with connection.transaction():
                said = deed(Desk(connection, rng, now))
            if said is not None:
                done.append(said)
    return done


def open_ticker(url: str) -> Connection[Any]:
    """A connection that holds the right to trade here."""
    connection: Connection[Any] = psycopg.connect(
        url, autocommit=True, connect_timeout=CONNECT_SECONDS_MAX, options=STATEMENT_LIMIT
    )
    try:
        _claim(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def trade(url: str, *, every: float, rng: Random, stop: Event) -> None:
    """Trade until ``stop``; a database that goes away is waited for."""
    wait = RETRY_SECONDS_MIN
    has_traded = False
    while not stop.is_set():
        try:
            with closing(open_ticker(url)) as connection:
                has_traded, wait = True, RETRY_SECONDS_MIN
                _tick(connection, every=every, rng=rng, stop=stop)
        except TickerRunningError:
            # After a cut the server may hold our own old session, and its lock, for a while.
            if not has_traded:
                raise
            wait = _pause(stop, wait)
        except OperationalError as fault:
            log.warning("the database is away (%s), trying again", type(fault).__name__)
            wait = _pause(stop, wait)


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        trade(options.url, every=options.every, rng=Random(options.seed), stop=stop)
    except (TickerRunningError, NotSeededError) as refusal:
        log.warning("%s", refusal)
        return 1
    return 0


def _claim(connection: Connection[Any]) -> None:
    held = connection.execute("SELECT pg_try_advisory_lock(%s)", [TICKER_LOCK]).fetchone()
    if held != (True,):
        raise TickerRunningError("Another ticker already trades in this database.")
    known = connection.execute("SELECT to_regclass('u8.department') IS NOT NULL").fetchone()
    if known != (True,) or not is_seeded(connection):
        raise NotSeededError("There is no demo company in this database yet.")


def _tick(connection: Connection[Any], *, every: float, rng: Random, stop: Event) -> None:
    while not stop.is_set():
        for said in step(connection, rng=rng, now=datetime.now(UTC)):
            log.info("%s", said)
        stop.wait(every)


def _pause(stop: Event, seconds: float) -> float:
    """Wait, and say how long to wait next time."""
    stop.wait(seconds)
    return min(seconds * 2, RETRY_SECONDS_MAX)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo.live", description=__doc__)
    url = os.environ.get("DEMO_ERP_URL")
    parser.add_argument("--url", default=url, required=url is None, help="or DEMO_ERP_URL")
    parser.add_argument("--every", type=float, default=4.0, help="seconds between two orders")
    parser.add_argument("--seed", type=int, default=None, help="for the same deeds every time")
    return parser


if __name__ == "__main__":
    sys.exit(main())
