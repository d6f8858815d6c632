"""A company is founded whole or not at all, and only once."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

import demo
from demo import company
from tests.demo.conftest import TODAY

ROOT = Path(__file__).parents[2]
FOUND = "import sys, datetime, demo; demo.seed(sys.argv[1], today=datetime.date(2026, 11, 18))"


def test_founding_again_changes_nothing(trading_url):
    before = _orders_and_stamp(trading_url)
    demo.seed(trading_url, today=TODAY)
    assert _orders_and_stamp(trading_url) == before


def test_a_killed_founding_leaves_nothing(scratch_database):
    founder = subprocess.Popen([sys.executable, "-c", FOUND, scratch_database], cwd=ROOT)
    with psycopg.connect(scratch_database, autocommit=True) as watcher:
        _wait_until(lambda: _count(watcher, "pg_locks WHERE locktype = 'advisory' AND granted"))
        os.kill(founder.pid, signal.SIGKILL)
        founder.wait()
        _wait_until(
            lambda: (
                not _count(
                    watcher,
                    "pg_stat_activity WHERE datname = current_database()"
                    " AND pid <> pg_backend_pid()"
                    " AND backend_type = 'client backend'",
                )
            )
        )
        assert watcher.execute("SELECT to_regnamespace('u8')").fetchone() == (None,)


def test_everybody_has_a_login_of_their_own_and_a_role():
    logins = [person.login for person in company.PEOPLE]

    assert len(set(logins)) == len(logins) >= 60
    assert all(login.isascii() for login in logins)
    assert {company.role_of(person) for person in company.PEOPLE} == {
        "owner", "manager", "sales_leader", "account_manager",
        "employee", "finance", "operator", "auditor",
    }  # fmt: skip


def test_every_unit_is_led_by_somebody_inside_it():
    for unit in company.DEPARTMENTS:
        assert company.leader_of(unit.code).department == unit.code


@pytest.mark.parametrize("person", company.PEOPLE, ids=lambda person: person.login)
def test_everybody_but_the_owner_answers_to_somebody_else(person):
    is_owner = person == company.general_manager()
    assert (company.superior_of(person) == person) is is_owner


def _orders_and_stamp(url):
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT count(*), max(ufts) FROM u8.so_somain").fetchone()


def _count(connection, what):
    return connection.execute(f"SELECT count(*) FROM {what}").fetchone()[0]


def _wait_until(ready):
    for _ in range(3000):
        if ready():
            return
        time.sleep(0.01)
    raise AssertionError("waited in vain")
