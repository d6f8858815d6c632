"""Writes documents into a U8-shaped book set, one transaction a deed."""

import time
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from psycopg import Connection
from psycopg.conninfo import make_conninfo

DAY = date(2026, 3, 2)


@dataclass
class U8Book:
    """A book set, as somebody in the ERP's office works in it."""

    connection: Connection[Any]
    url: str
    reader: str
    password: str

    @property
    def reader_url(self) -> str:
        return make_conninfo(self.url, user=self.reader, password=self.password)

    def office(self) -> None:
        """A company of two units and three people."""
        self.write(
            "INSERT INTO u8.department (cdepcode, cdepname, cdepperson, idepgrade, bdepend, ddepbegindate)"
            " VALUES ('01', 'Chestnut', '1', 1, 0, %s), ('0102', 'Sales', '2', 2, 1, %s)",
            DAY,
            DAY,
        )
        for code, login, unit, title in (
            ("1", "ash", "01", "总经理"),
            ("2", "beech", "0102", "销售总监"),
            ("3", "cedar", "0102", "客户经理"),
        ):
            self.person(code, login, unit, title)

    def person(self, code: str, login: str, unit: str, title: str) -> None:
        self.write(
            "INSERT INTO u8.person (cpersoncode, cpersonname, cdepcode, cpersonprop, cpersondefine1)"
            " VALUES (%s, %s, %s, %s, %s)",
            code,
            login.title(),
            unit,
            title,
            login,
        )

    def order(
        self, salesperson: str | None = "3", day: date = DAY, unit: str | None = "0102"
    ) -> int:
        return self._insert(
            "INSERT INTO u8.so_somain (csocode, ddate, ccuscode, cdepcode, cpersoncode)"
            " VALUES (gen_random_uuid()::text::varchar(30), %s, 'C1', %s, %s) RETURNING id",
            day,
            unit,
            salesperson,
        )

    def line(
        self, order: int, net: Decimal | int, connection: Connection[Any] | None = None
    ) -> int:
        return self._insert(
            "INSERT INTO u8.so_sodetails (id, csocode, irowno, cinvcode, iquantity, iunitprice, imoney, itax,"
            " isum, inatmoney, inattax, inatsum)"
            " VALUES (%s, 'x', 1, 'P1', 1, 1, 0, 0, 0, %s, 0, %s) RETURNING autoid",
            order,
            net,
            net,
            connection=connection,
        )

    def write(self, statement: str, *values: Any) -> None:
        self.connection.execute(statement, values)

    def settle(self, seconds: float) -> bool:
        """Wait until the bound has passed all that is written: even an ANALYZE of the server's own holds it back."""
        mark = self.one("SELECT pg_current_xact_id()::text::bigint")
        deadline = time.monotonic() + seconds
        while self.one("SELECT u8.min_active_rowversion()") <= mark:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def one(self, statement: str, *values: Any) -> Any:
        row = self.connection.execute(statement, values).fetchone()
        assert row is not None
        return row[0] if len(row) == 1 else row

    def _insert(
        self, statement: str, *values: Any, connection: Connection[Any] | None = None
    ) -> int:
        row = (connection or self.connection).execute(statement, values).fetchone()
        assert row is not None
        return int(row[0])
