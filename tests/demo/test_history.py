"""The history is the same for everybody, its books are in order, and it feels like a company."""

from datetime import date

import psycopg
import pytest

import demo
from demo import company, season
from demo.history import write_history
from demo.u8_schema import STAMPED
from tests.demo.conftest import TODAY
from tests.demo.invariants import broken


def test_the_same_seed_and_day_give_the_same_rows(founded, trading_again):
    for table, (key, stamp) in STAMPED.items():
        assert _rows(founded, table, key, stamp) == _rows(trading_again, table, key, stamp), table


def test_the_books_are_in_order(founded):
    assert broken(founded) == {}


def test_two_years_of_orders_are_there(founded):
    orders, first, last = founded.execute(
        "SELECT count(*), min(ddate), max(ddate) FROM u8.so_somain"
    ).fetchone()
    (lines,) = founded.execute("SELECT count(*) FROM u8.so_sodetails").fetchone()

    assert 6_000 <= orders <= 8_500
    assert 17_000 <= lines <= 26_000
    assert (first - season.first_day(TODAY)).days < 4
    assert last == TODAY


def test_leaders_stand_at_different_points_around_their_pace(founded):
    paces = [_pace(founded, team) for team in company.teams()]

    assert all(0.7 <= pace <= 1.2 for pace in paces)
    assert max(paces) - min(paces) > 0.15
    assert 0.7 <= _pace(founded, company.SALES) <= 1.2


def test_every_salesperson_has_a_quota_for_every_month(founded):
    months = list(season.months(season.first_day(TODAY), season.next_month(TODAY.replace(day=1))))
    planned = founded.execute(
        "SELECT cpersoncode, dbegin FROM u8.sa_salesquota WHERE iamount > 0"
    ).fetchall()

    assert sorted(planned) == sorted(
        (seller.code, month) for seller in company.SALESPEOPLE for month in months
    )


def test_some_customers_pay_late_and_some_goods_run_short(founded):
    (overdue,) = founded.execute(
        "SELECT count(*) FROM (SELECT FROM u8.ar_detail GROUP BY ccovouchid HAVING"
        " max(dgatheringdate) < %s AND sum(idamount - icamount) > 0) late",
        [TODAY],
    ).fetchone()
    (short,) = founded.execute(
        "SELECT count(*) FROM u8.currentstock WHERE favaquantity < 0"
    ).fetchone()

    assert overdue > 20
    assert short > 3


def test_requisitions_wait_on_the_desks_of_team_leaders_and_the_owner(founded):
    waiting = founded.execute(
        "SELECT DISTINCT ccurrentauditor FROM u8.pu_appvouch WHERE iverifystateex = 1"
    ).fetchall()
    titles = {company.person(auditor).title for (auditor,) in waiting}

    assert {"销售组长", "大区经理", "采购经理", "总经理"} <= titles


def test_the_company_earns_money_every_quarter(founded):
    losses = founded.execute(
        "SELECT iyear, (iperiod - 1) / 3 FROM u8.gl_accvouch WHERE ccode LIKE '6%%'"
        " AND iflag IS NULL AND dbill_date >= %s GROUP BY 1, 2 HAVING sum(mc - md) <= 0",
        [season.month_before(TODAY, 20)],
    ).fetchall()
    assert losses == []


@pytest.mark.parametrize("today", [date(2026, 3, 1), date(2028, 2, 29), date(2025, 12, 31)])
def test_a_history_can_end_on_any_day(today):
    books = write_history(today=today, seed=11)

    assert max(order.ordered_on for order in books.orders) <= today
    assert all(quota.amount_fen > 0 for quota in books.quotas)
    assert max(quota.month for quota in books.quotas) == season.next_month(today.replace(day=1))


@pytest.fixture
def trading_again(scratch_database):
    demo.seed(scratch_database, today=TODAY)
    with psycopg.connect(scratch_database) as connection:
        yield connection


def _rows(connection, table, key, stamp):
    return connection.execute(
        f"SELECT md5(string_agg((to_jsonb(t) - '{stamp}')::text, ',' ORDER BY {key}))"
        f" FROM u8.{table} t"
    ).fetchone()


def _pace(connection, unit):
    (ordered,) = connection.execute(
        "SELECT sum(l.inatmoney) FROM u8.so_somain m JOIN u8.so_sodetails l USING (id)"
        " WHERE m.ddate >= %s AND m.cdepcode LIKE %s",
        [TODAY.replace(day=1), f"{unit}%"],
    ).fetchone()
    (quota,) = connection.execute(
        "SELECT sum(iamount) FROM u8.sa_salesquota WHERE dbegin = %s AND cdepcode LIKE %s",
        [TODAY.replace(day=1), f"{unit}%"],
    ).fetchone()
    return float(ordered / quota) / season.share_of_month_gone(TODAY)
