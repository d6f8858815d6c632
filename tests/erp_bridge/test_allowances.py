"""The requests of a day: counted for all readings of all processes, and never more than there are."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from erp_bridge import queries
from erp_bridge.allowances import LOT, DayAllowance
from erp_bridge.connectors.base import ConnectorError
from tests.builders.company import Company
from tests.erp_bridge.doubles.odoo_server import OdooServer
from tests.erp_bridge.office import NOON, SHANGHAI, Office, at


def test_a_day_has_so_many_requests_for_all_readings_of_all_processes(
    company: Company, odoo: OdooServer
) -> None:
    at(company, NOON)
    office = Office(company, odoo, requests_per_day=18)
    odoo.asked.clear()
    problems = []
    for _ in range(2):
        report = office.bridge.sync()
        problems += [outcome.problem for outcome in report.streams.values()]
    assert len(odoo.asked) == 18
    assert "erp.budget_spent" in problems
    told = office.told()
    assert told["requests"] == {"day": "2031-03-03", "per_day": 18, "used": 18, "left": 0}
    midnight = NOON.replace(hour=0) + timedelta(days=1)
    due = {datetime.fromisoformat(stream["next_poll_at"]) for stream in told["items"]}
    assert due == {midnight.astimezone(UTC)}
    # A new day of the company's, and it goes on by itself.
    at(company, midnight)
    office.poll(seconds=1)
    assert office.told()["requests"]["used"] > 0
    assert office.stream()["problem"] is None


def allowance(office: Office, per_day: int, now: Callable[[], datetime]) -> DayAllowance:
    company = office.company
    with company.transaction() as session:
        source = session.scalars(queries.source_by_id(office.bridge.source_id)).one()
    database = company.space.database
    return DayAllowance(database, source, per_day=per_day, zone=SHANGHAI, now=now)


def used(office: Office, day: date) -> int:
    with office.company.transaction() as session:
        return session.scalar(queries.requests_used(office.bridge.source_id, day)) or 0


def take_until_refused(counting: DayAllowance) -> int:
    for taken in range(10_000):
        try:
            counting.take()
        except ConnectorError as error:
            return taken if error.code == "erp.budget_spent" else -1
    return -1


def test_readers_at_once_never_take_more_than_there_is(company: Company, odoo: OdooServer) -> None:
    office, day = Office(company, odoo), datetime(2031, 3, 4, 12, tzinfo=SHANGHAI)
    readers = [allowance(office, 3 * LOT + 7, lambda: day) for _ in range(4)]
    taken: list[int] = []
    threads = [
        threading.Thread(target=lambda r=reader: taken.append(take_until_refused(r)))
        for reader in readers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 3 * LOT + 7 == used(office, day.date())


def test_what_is_not_spent_is_given_back_unless_the_reader_was_killed(
    company: Company, odoo: OdooServer
) -> None:
    office, day = Office(company, odoo), datetime(2031, 3, 5, 12, tzinfo=SHANGHAI)
    well, killed = (allowance(office, 100, lambda: day) for _ in range(2))
    well.take()
    killed.take()
    assert well.settle() == 1
    assert used(office, day.date()) == 1 + LOT


def test_a_reading_over_midnight_counts_for_both_days(company: Company, odoo: OdooServer) -> None:
    moment = [datetime(2031, 3, 6, 23, 59, tzinfo=SHANGHAI)]
    office = Office(company, odoo)
    counting = allowance(office, 2, lambda: moment[0])
    assert take_until_refused(counting) == 2
    moment[0] += timedelta(minutes=2)
    assert take_until_refused(counting) == 2
    assert (used(office, date(2031, 3, 6)), used(office, date(2031, 3, 7))) == (2, 2)
