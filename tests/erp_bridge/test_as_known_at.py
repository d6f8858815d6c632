"""Figures as they were known: whatever was restated since, a moment's answer is what the ERP said then."""

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from app.people.models import Person
from tests.builders.company import Company, Phone
from tests.erp_bridge.bridge import Bridge
from tests.erp_bridge.u8_book import DAY, U8Book
from tests.erp_bridge.u8_editor import Editor

#: How many random stories are told; one in the suite, many when somebody asks.
SEEDS = int(os.environ.get("WORKSPACE_SURVIVAL_SEEDS", "1"))
MONTH = "period=2026-03"
SOLD = "SELECT coalesce(sum(d.inatmoney), 0) FROM u8.so_sodetails d JOIN u8.so_somain m USING (id)"
#: What the ERP itself says of March 2026: by its own tables, at the moment when it is asked.
SAID: dict[str, str] = {
    "everybody": f"{SOLD} WHERE m.ddate BETWEEN '2026-03-01' AND '2026-03-31'",
    "cedar": f"{SOLD} WHERE m.ddate BETWEEN '2026-03-01' AND '2026-03-31' AND m.cpersoncode = '3'",
    "expense": "SELECT coalesce(sum(md - mc), 0) FROM u8.gl_accvouch WHERE left(ccode, 2) = '66'"
    " AND coalesce(iflag, 0) <> 1 AND dbill_date BETWEEN '2026-03-01' AND '2026-03-31'",
    "promised": "SELECT sum(iamount) FROM u8.sa_salesquota WHERE cpersoncode = '3'",
}
ORDERS = """
    SELECT m.csocode, sum(d.inatmoney)::numeric(18, 2) FROM u8.so_sodetails d JOIN u8.so_somain m USING (id)
     WHERE m.cpersoncode = '3' AND m.ddate BETWEEN '2026-03-01' AND '2026-03-31' GROUP BY 1 ORDER BY 1
"""


REFUSED = [
    ("yesterday", "invalid_fields", "invalid_time"),
    ("2026-03-02", "invalid_fields", "invalid_time"),
    ("2026-03-02T10:00:00", "invalid_fields", "invalid_time"),
    ("2026-02-30T10:00:00Z", "invalid_fields", "invalid_time"),
    ("1999-12-31T23:59:59Z", "invalid_fields", "invalid_time"),
    ("2099-01-01T00:00:00Z", "roledata.moment_ahead", "in_the_future"),
    ("2001-01-01T00:00:00Z", "roledata.nothing_known_then", "before_the_first_batch"),
]


@dataclass
class Chronicle:
    """A company whose ERP is read now and then, and what the ERP said of itself each time."""

    company: Company
    bridge: Bridge
    book: U8Book
    told: list[tuple[datetime, dict[str, int | None], list[Any]]] = field(default_factory=list)

    def read(self, readings: int = 1) -> datetime:
        """Read the ERP an hour later (twice, for what was deleted), and write down what it says."""
        self.company.clock.move(hours=1)
        for _ in range(readings):
            self.bridge.sync(reconcile=readings > 1, release=True)
        said = {name: _fen(self.book.one(statement)) for name, statement in SAID.items()}
        orders = self.book.connection.execute(ORDERS).fetchall()
        self.told.append((self.company.clock(), said, orders))
        return self.company.clock()

    def phone(self, login: str) -> Phone:
        with self.company.transaction() as session:
            person = session.query(Person).filter(Person.login == login).one()
        return self.company.phone_of(person)


@pytest.fixture
def chronicle(company: Company, u8: Bridge, book: U8Book) -> Chronicle:
    # Nothing is edited while it is read: what the ERP says is then exactly what was read.
    u8.before_sync = lambda: book.settle(20)
    book.office()
    return Chronicle(company, u8, book)


def test_an_order_restated_twice_is_at_each_moment_what_it_was_then(chronicle: Chronicle) -> None:
    book = chronicle.book
    order = book.order()
    line = book.line(order, 100)
    voucher = _expense(book, 50)
    promise = _promise(book, 900)
    chronicle.read()
    book.write("UPDATE u8.so_sodetails SET inatmoney = 70 WHERE autoid = %s", line)
    book.write("UPDATE u8.gl_accvouch SET md = 55 WHERE i_id = %s", voucher)
    chronicle.read()
    book.write("UPDATE u8.so_somain SET ddate = '2026-04-02' WHERE id = %s", order)
    book.write("UPDATE u8.gl_accvouch SET iflag = 1 WHERE i_id = %s", voucher)
    book.write("UPDATE u8.sa_salesquota SET iamount = 800 WHERE autoid = %s", promise)
    chronicle.read()
    chronicle.company.settle()

    sold = [said["cedar"] for _, said, _ in chronicle.told]
    assert sold == [10000, 7000, 0]
    _every_moment_is_told(chronicle)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_after_random_edits_every_moment_is_what_the_erp_said_then(
    chronicle: Chronicle, seed: int
) -> None:
    dice = random.Random(seed)
    editor = _Editor(chronicle.book, dice)
    for _ in range(3):
        for _ in range(8):
            editor.act()
        chronicle.read(readings=2)
    chronicle.company.settle()

    assert len({str(said) for _, said, _ in chronicle.told}) > 1
    _every_moment_is_told(chronicle)


def test_what_was_deleted_since_is_there_at_the_moments_before(chronicle: Chronicle) -> None:
    order = chronicle.book.order()
    line = chronicle.book.line(order, 100)
    before = chronicle.read()
    chronicle.book.write("DELETE FROM u8.so_sodetails WHERE autoid = %s", line)
    chronicle.read(readings=2)
    chronicle.company.settle()

    assert _card(chronicle.phone("ash"), "sales")["value"] == 0
    assert _card(chronicle.phone("ash"), "sales", before)["value"] == 10000


def test_between_two_readings_the_first_one_is_what_was_known(chronicle: Chronicle) -> None:
    line = chronicle.book.line(chronicle.book.order(), 100)
    first = chronicle.read()
    chronicle.book.write("UPDATE u8.so_sodetails SET inatmoney = 70 WHERE autoid = %s", line)
    second = chronicle.read()
    ash = chronicle.phone("ash")

    assert _card(ash, "sales", second - timedelta(minutes=30))["value"] == 10000
    then, now = _card(ash, "sales", first), _card(ash, "sales", second)
    assert (then["value"], now["value"]) == (10000, 7000)
    assert datetime.fromisoformat(then["as_known_at"]) == first
    as_of = datetime.fromisoformat(then["freshness"]["as_of"])
    assert first - timedelta(minutes=30) < as_of <= first
    assert then["batch"] != now["batch"]
    assert "as_known_at" not in _card(ash, "sales")


def test_open_orders_and_receivables_are_known_as_they_were(chronicle: Chronicle) -> None:
    book = chronicle.book
    line = book.line(book.order(), 100)
    entry = (
        "INSERT INTO u8.ar_detail (cdwcode, cvouchtype, cvouchid, ccovouchtype, ccovouchid, dvouchdate, idamount,"
        " icamount, cperson) VALUES ('C1', %s, %s, '26', 'INV1', %s, %s, %s, '3')"
    )
    book.write(entry, "26", "INV1", DAY, 100, 0)
    before = chronicle.read()
    book.write("UPDATE u8.so_sodetails SET ifhquantity = 1 WHERE autoid = %s", line)
    book.write(entry, "48", "REC1", DAY, 0, 60)
    after = chronicle.read()
    cedar = chronicle.phone("cedar")

    for moment, parts, owed in ((before, 10000, 10000), (after, 0, 4000)):
        execution = {p["key"]: p["value"] for p in _card(cedar, "order_execution", moment)["parts"]}
        assert execution["open"] == parts
        receivables = cedar.get(f"/cards/my_receivables?as_known_at={_written(moment)}").json
        assert receivables["value"] == owed


def test_a_period_is_counted_from_the_day_of_the_moment(chronicle: Chronicle) -> None:
    then = chronicle.read()
    chronicle.company.clock.move(days=70)
    period = chronicle.phone("ash").get(f"/cards/sales?as_known_at={_written(then)}").json["period"]
    day = (then + timedelta(hours=8)).date()
    assert period == {"from": day.replace(day=1).isoformat(), "to": day.isoformat()}


def test_a_moment_that_cannot_be_asked_for_is_refused(chronicle: Chronicle) -> None:
    chronicle.read()
    ash = chronicle.phone("ash")
    for written, code, why in REFUSED:
        for path in ("/cards/sales", "/cards/sales/breakdown", "/cards/sales/documents"):
            reply = ash.get(f"{path}?as_known_at={written}")
            assert (reply.status_code, reply.json["code"]) == (422, code), (path, written)
            assert reply.json["errors"]["as_known_at"]["code"] == why


def test_the_past_is_no_way_around_what_one_may_see(
    chronicle: Chronicle, other_company: Company
) -> None:
    chronicle.book.line(chronicle.book.order(), 100)
    then = chronicle.read()
    cedar, ash = chronicle.phone("cedar"), chronicle.phone("ash")
    asked = f"as_known_at={_written(then)}"
    assert cedar.get(f"/cards/profit?{asked}").status_code == 404
    assert cedar.get(f"/cards/sales?{asked}&scope={ash.person.id}").status_code == 404
    stranger = other_company.phone("Oak", role="owner")
    assert stranger.get(f"/cards/sales?{asked}").json["code"] == "roledata.nothing_known_then"


def _every_moment_is_told(chronicle: Chronicle) -> None:
    ash, cedar = chronicle.phone("ash"), chronicle.phone("cedar")
    for moment, said, orders in chronicle.told:
        assert _card(ash, "sales", moment)["value"] == said["everybody"]
        own = _card(cedar, "sales", moment)
        assert (own["value"], own["target"]) == (said["cedar"], said["promised"])
        assert _card(ash, "expense", moment)["value"] == said["expense"]
        parts = _parts(ash, moment)
        assert parts.get(cedar.person.id, 0) == said["cedar"]
        assert sum(parts.values()) == said["everybody"]
        assert _documents(cedar, moment) == [(code, amount) for code, amount in orders]
    assert _card(ash, "sales")["value"] == chronicle.told[-1][1]["everybody"]


def _card(phone: Phone, key: str, moment: datetime | None = None) -> dict[str, Any]:
    asked = f"&as_known_at={_written(moment)}" if moment else ""
    reply = phone.get(f"/cards/{key}?{MONTH}{asked}")
    assert reply.status_code == 200, reply.json
    answer: dict[str, Any] = reply.json
    return answer


def _parts(phone: Phone, moment: datetime) -> dict[UUID | None, int]:
    rows = phone.get(
        f"/cards/sales/breakdown?by=people&{MONTH}&as_known_at={_written(moment)}"
    ).json["rows"]
    return {UUID(row["id"]) if row["id"] else None: row["value"] for row in rows}


def _documents(phone: Phone, moment: datetime) -> list[tuple[str, Decimal]]:
    found: list[tuple[str, Decimal]] = []
    cursor: str | None = ""
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        page = phone.get(
            f"/cards/sales/documents?{MONTH}&limit=7&as_known_at={_written(moment)}{more}"
        ).json
        assert datetime.fromisoformat(page["as_known_at"]) == moment
        found += [(item["code"], Decimal(item["amount"])) for item in page["items"]]
        cursor = page["next_cursor"]
    return sorted(found)


def _written(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _fen(amount: Decimal | None) -> int | None:
    return None if amount is None else int((amount * 100).to_integral_value())


def _expense(book: U8Book, amount: int) -> int:
    number: int = book.one(
        "INSERT INTO u8.gl_accvouch (iyear, iperiod, ino_id, inid, dbill_date, ccode, md, cdept_id)"
        " VALUES (2026, 3, 1, (SELECT count(*) + 1 FROM u8.gl_accvouch), %s, '6601', %s, '0102') RETURNING i_id",
        DAY,
        amount,
    )
    return number


def _promise(book: U8Book, amount: int) -> int:
    number: int = book.one(
        "INSERT INTO u8.sa_salesquota (cpersoncode, dbegin, dend, iamount)"
        " VALUES ('3', %s, %s, %s) RETURNING autoid",
        date(2026, 3, 1),
        date(2026, 3, 31),
        amount,
    )
    return number


class _Editor(Editor):
    """Also books expenses and changes promises; nobody is slow here, as what is not committed is not yet said."""

    def deeds(self) -> list[Callable[[], None]]:
        slow = {"_begin_slowly", "_commit_slow_one"}
        deeds = [deed for deed in super().deeds() if deed.__name__ not in slow]
        return [*deeds, self._book_expense, self._change_expense, self._promise_anew]

    def _book_expense(self) -> None:
        _expense(self.book, self.dice.randint(1, 500))

    def _change_expense(self) -> None:
        statement = self.dice.choice(
            ["UPDATE u8.gl_accvouch SET md = md + 1", "UPDATE u8.gl_accvouch SET iflag = 1"]
        )
        self.book.write(f"{statement} WHERE i_id = (SELECT max(i_id) FROM u8.gl_accvouch)")

    def _promise_anew(self) -> None:
        self.book.write("DELETE FROM u8.sa_salesquota")
        _promise(self.book, self.dice.randint(100, 900))
