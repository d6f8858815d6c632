"""Jobs: asked for in the transaction that needs them."""

import pytest
from sqlalchemy import text

from app.core.jobs import defer

ROUND = "tests.round"


@pytest.fixture(scope="module", autouse=True)
def round_job(space):
    def go_round(bench, **arguments) -> None:
        """Do nothing: these tests ask for the job and never run it."""

    space.jobs.functions.setdefault(ROUND, go_round)


def waiting(company) -> int:
    with company.transaction() as session:
        found = text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = :name")
        return session.execute(found, {"name": ROUND}).scalar_one()


def test_a_job_asked_for_once_waits_once(company):
    for _ in range(3):
        with company.transaction() as session:
            defer(session, ROUND, lock="round", once=True)
            defer(session, ROUND, lock="round", once=True)

    assert waiting(company) == 1


def test_each_company_has_a_round_of_its_own(company, other_company):
    for asking in (company, other_company):
        with asking.transaction() as session:
            defer(session, ROUND, lock="round", once=True)

    assert waiting(company) == waiting(other_company) == 1


def ask_and_fail(company) -> None:
    with company.transaction() as session:
        defer(session, ROUND, lock="round", once=True)
        raise ZeroDivisionError


def test_a_transaction_that_fails_asks_for_nothing(company):
    with pytest.raises(ZeroDivisionError):
        ask_and_fail(company)

    assert waiting(company) == 0


def test_a_failed_job_may_wait_again_beside_its_successor(company, space):
    with company.transaction() as session:
        defer(session, ROUND, lock="round", once=True)
    with space.database.relay() as relay:
        relay.execute(
            text("UPDATE procrastinate_jobs SET status = 'doing' WHERE task_name = :name"),
            {"name": ROUND},
        )
    with company.transaction() as session:
        defer(session, ROUND, lock="round", once=True)
    with space.database.relay() as relay:
        relay.execute(
            text("UPDATE procrastinate_jobs SET status = 'todo' WHERE task_name = :name"),
            {"name": ROUND},
        )

    assert waiting(company) == 2
