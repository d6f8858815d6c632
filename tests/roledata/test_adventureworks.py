"""A whole company from its raw files: every seller's and manager's card of every month, against the files themselves."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import duckdb
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from app.people.models import Person
from erp_bridge.models import Employee
from roledata.rules import minor
from tests.builders.adventureworks import FOLDER

MONTHS = [f"{2011 + (4 + n) // 12}-{(4 + n) % 12 + 1:02d}" for n in range(38)]


class RawFiles:
    """The files as they are, read by an engine of their own."""

    def __init__(self) -> None:
        with duckdb.connect() as engine:
            self.managers = dict(self._rows(engine, "employees", "employee_id, manager_id"))
            sold = """
                SELECT coalesce(o.salesperson_id, '0'), substr(o.order_date, 1, 7),
                       sum(l.net_amount::DECIMAL(18,6)), sum(l.quantity::DECIMAL(18,6) * l.unit_cost::DECIMAL(18,4))
                  FROM {orders} o JOIN {order_lines} l USING (order_id) GROUP BY ALL
            """
            self.sold, self.cost = defaultdict(Decimal), defaultdict(Decimal)
            for seller, month, net, cost in engine.execute(self._named(sold)).fetchall():
                self.sold[seller, month] += net
                self.cost[seller, month] += cost
            quotas = self._rows(engine, "sales_quotas", "employee_id, quota_date, quota")
        self.quotas = [(who, date.fromisoformat(day), Decimal(q)) for who, day, q in quotas]

    def team(self, leader: str) -> set[str]:
        """Everybody who reports to the leader, directly or not, and the leader."""
        team = {leader}
        while more := {e for e, m in self.managers.items() if m in team} - team:
            team |= more
        return team

    def value(self, sellers: set[str], month: str) -> int:
        return minor(sum((self.sold[s, month] for s in sellers), Decimal(0)), "USD")

    def target(self, sellers: set[str], month: str) -> int | None:
        """Spread every quota over the days until the next one, day by day."""
        starts = sorted({day for _, day, _ in self.quotas})
        ends = dict(zip(starts, [*starts[1:], date(2014, 6, 1)], strict=True))
        parts = []
        for who, first, amount in self.quotas:
            if who in sellers:
                days = [first + timedelta(days=n) for n in range((ends[first] - first).days)]
                inside = sum(1 for day in days if f"{day:%Y-%m}" == month)
                if inside:
                    parts.append(Fraction(amount) * inside / len(days))
        return minor(sum(parts, Fraction(0)), "USD") if parts else None

    def _rows(self, engine, file, columns):
        return engine.execute(self._named(f"SELECT {columns} FROM {{{file}}}")).fetchall()

    def _named(self, query: str) -> str:
        files = ("employees", "orders", "order_lines", "sales_quotas")
        named = {f: f"read_csv('{FOLDER / f}.csv.gz', all_varchar=true)" for f in files}
        return query.format(**named)


@pytest.fixture(scope="module")
def loaded(adventureworks):
    """Give the company that was loaded."""
    return adventureworks.company


@pytest.fixture(scope="module")
def phones(loaded):
    """Sign in everybody whose cards are looked at: sellers, managers, the head of all."""
    wanted = ["1", *(str(n) for n in range(273, 291))]
    with loaded.transaction() as session:
        found = session.execute(
            select(Employee.source_key, Person)
            .join(Person, Person.id == Employee.person_id)
            .where(Employee.source_key.in_(wanted))
        )
        people = dict(found.all())
    return {key: loaded.phone_of(person) for key, person in people.items()}


@pytest.fixture(scope="module")
def raw(adventureworks):
    return RawFiles()


def test_every_month_of_every_seller_equals_the_files(phones, raw):
    sellers = {who for (who, _), amount in raw.sold.items() if amount} - {"0"}
    assert len(sellers) == 17
    for seller in sellers:
        for month in MONTHS:
            node = phones[seller].person.id
            card = phones[seller].get(f"/cards/sales?period={month}&scope={node}").json
            expect_equal(card, raw, {seller}, month)


def test_every_month_of_every_manager_equals_the_files(phones, raw):
    for leader in ("273", "274", "285", "287"):
        for month in MONTHS:
            card = phones[leader].get(f"/cards/sales?period={month}").json
            assert [unit["name"] for unit in card["scope"]["units"]], leader
            expect_equal(card, raw, raw.team(leader), month)


def test_the_whole_company_sold_what_the_files_say_online_too(phones, raw):
    for month in MONTHS[::4]:
        everybody = raw.team("1") | {"0"}
        card = phones["1"].get(f"/cards/sales?period={month}").json
        expect_equal(card, raw, everybody, month)
        profit = phones["1"].get(f"/cards/profit?period={month}").json
        sold = sum((raw.sold[s, month] for s in everybody), Decimal(0))
        cost = sum((raw.cost[s, month] for s in everybody), Decimal(0))
        assert profit["value"] == minor(sold - cost, "USD")


def test_a_quarter_of_a_manager_adds_up_from_its_people_and_documents(phones, raw):
    phone, period = phones["287"], "period=2013-Q4"
    card = phone.get(f"/cards/sales?{period}").json
    team = raw.team("287")
    months = ("2013-10", "2013-11", "2013-12")
    assert card["value"] == minor(
        sum((raw.sold[s, m] for s in team for m in months), Decimal(0)), "USD"
    )
    rows = phone.get(f"/cards/sales/breakdown?by=people&{period}").json["rows"]
    assert abs(sum(r["value"] for r in rows) - card["value"]) <= len(rows)
    total, cursor = Decimal(0), ""
    while True:
        page = phone.get(f"/cards/sales/documents?{period}&limit=100{cursor}").json
        total += sum((Decimal(d["amount"]) for d in page["items"]), Decimal(0))
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert minor(total, "USD") == card["value"]


def test_the_planner_has_seen_what_landed(loaded):
    with loaded.transaction() as session:
        seen = session.execute(
            text(
                "SELECT last_analyze IS NOT NULL FROM pg_stat_user_tables"
                " WHERE relname = 'erp_sales_order_line'"
            )
        ).scalar_one()
    assert seen


def test_the_bridge_may_not_look_into_tables_of_others(loaded):
    with (
        pytest.raises(ProgrammingError, match="not a table of the bridge"),
        loaded.transaction() as session,
    ):
        session.execute(text("SELECT erp_refresh_statistics('people_person')"))


def expect_equal(card, raw: RawFiles, sellers: set[str], month: str) -> None:
    before = f"{int(month[:4]) - 1}{month[4:]}"
    shown = (card["value"], card["target"], card["comparison"]["value"])
    assert shown == (
        raw.value(sellers, month),
        raw.target(sellers, month),
        raw.value(sellers, before),
    ), (sorted(sellers)[:3], month)
