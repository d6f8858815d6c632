"""What every deed of the live business needs: the connection, the dice, the hour, the next number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import cached_property
from random import Random
from typing import Any, Final, TypeVar

from psycopg import Connection, sql

from demo.money import yuan

# China keeps one time all year.
COMPANY_ZONE: Final = timezone(timedelta(hours=8))

T = TypeVar("T")
Row = tuple[Any, ...]
Leg = tuple[str, str | None, int, int]  # account, unit, debit, credit in fen


@dataclass
class Desk:
    """Where one deed is done, inside one transaction that the caller opens."""

    connection: Connection[Any]
    rng: Random
    now: datetime

    @cached_property
    def clock(self) -> datetime:
        """The company's local time, as its ERP writes it."""
        return self.now.astimezone(COMPANY_ZONE).replace(tzinfo=None, microsecond=0)

    @property
    def today(self) -> date:
        return self.clock.date()

    def rows(self, query: str, *values: object) -> list[Row]:
        return self.connection.execute(sql.SQL(query), values).fetchall()

    def one(self, query: str, *values: object) -> Row:
        row = self.connection.execute(sql.SQL(query), values).fetchone()
        assert row is not None
        return tuple(row)

    def write(self, query: str, *values: object) -> None:
        self.connection.execute(sql.SQL(query), values)

    def pick(self, choices: Sequence[T]) -> T | None:
        return self.rng.choice(choices) if choices else None

    def next_code(self, table: str, column: str, prefix: str) -> str:
        """One more than the highest of the month: the number of a deleted last one comes again."""
        month = f"{prefix}{self.today:%y%m}"
        query = sql.SQL(
            "SELECT coalesce(right(max({column}), 6)::int, 0) + 1 FROM {table}"
            " WHERE {column} BETWEEN %s AND %s"
        ).format(column=sql.Identifier(column), table=sql.Identifier("u8", table))
        row = self.connection.execute(query, [f"{month}000000", f"{month}999999"]).fetchone()
        assert row is not None
        return f"{month}{row[0]:06d}"

    def book(self, digest: str, legs: list[Leg]) -> None:
        """One balanced voucher in the general ledger."""
        assert sum(leg[2] for leg in legs) == sum(leg[3] for leg in legs)
        year, month = self.today.year, self.today.month
        (number,) = self.one(
            "SELECT coalesce(max(ino_id), 0) + 1 FROM u8.gl_accvouch"
            " WHERE iyear = %s AND iperiod = %s AND csign = '记'",
            year,
            month,
        )
        for place, (account, unit, debit_fen, credit_fen) in enumerate(legs, 1):
            self.write(
                "INSERT INTO u8.gl_accvouch (iyear, iperiod, ino_id, inid, dbill_date, cdigest,"
                " ccode, md, mc, cdept_id) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                year, month, number, place, self.today, digest,
                account, yuan(debit_fen), yuan(credit_fen), unit,
            )  # fmt: skip


def fen(amount: Any) -> int:
    """A numeric of the database as whole fen."""
    return int(amount * 100)
