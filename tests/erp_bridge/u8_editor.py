"""Somebody who works in a U8 book set at random."""

import random
from collections.abc import Callable
from decimal import Decimal

import psycopg

from tests.erp_bridge.u8_book import U8Book


class Editor:
    """Somebody who writes, edits, approves, deletes, and now and then forgets to commit for a while."""

    def __init__(self, book: U8Book, dice: random.Random) -> None:
        self.book = book
        self.dice = dice
        self.slow: list[psycopg.Connection] = []
        for _ in range(10):
            self._order()

    def act(self) -> None:
        self.dice.choice(self.deeds())()

    def deeds(self) -> list[Callable[[], None]]:
        deeds = [self._order, self._edit_line, self._edit_line, self._edit_header, self._close_line]
        return [*deeds, self._delete_line, self._begin_slowly, self._commit_slow_one]

    def stop(self) -> None:
        while self.slow:
            self._commit_slow_one()

    def _order(self) -> None:
        order = self.book.order(self.dice.choice(["2", "3", None]))
        for _ in range(self.dice.randint(1, 4)):
            self.book.line(order, self._amount())

    def _edit_line(self) -> None:
        self._on_some_line(
            "UPDATE u8.so_sodetails SET inatmoney = %s WHERE autoid = %s", self._amount()
        )

    def _close_line(self) -> None:
        closer = self.dice.choice(["Ash", None])
        self._on_some_line("UPDATE u8.so_sodetails SET cscloser = %s WHERE autoid = %s", closer)

    def _edit_header(self) -> None:
        statement = self.dice.choice(
            [
                "UPDATE u8.so_somain SET cverifier = 'Ash' WHERE id = %s",
                "UPDATE u8.so_somain SET ddate = ddate + 1 WHERE id = %s",
                "UPDATE u8.so_somain SET cpersoncode = '2' WHERE id = %s",
                "UPDATE u8.so_somain SET ccloser = 'Ash' WHERE id = %s",
            ]
        )
        order = self.book.one("SELECT id FROM u8.so_somain ORDER BY random() LIMIT 1")
        self.book.write(statement, order)

    def _delete_line(self) -> None:
        if self.dice.random() < 0.3 and self.book.one("SELECT count(*) FROM u8.so_sodetails") > 1:
            self._on_some_line(
                "DELETE FROM u8.so_sodetails WHERE %s::int IS NULL AND autoid = %s", None
            )

    def _begin_slowly(self) -> None:
        if len(self.slow) > 2:
            return
        connection = psycopg.connect(self.book.url)
        order = self.book.one("SELECT id FROM u8.so_somain ORDER BY random() LIMIT 1")
        self.book.line(order, self._amount(), connection=connection)
        self.slow.append(connection)

    def _commit_slow_one(self) -> None:
        if self.slow:
            connection = self.slow.pop(0)
            connection.commit()
            connection.close()

    def _on_some_line(self, statement: str, value: object) -> None:
        line = self.book.one("SELECT autoid FROM u8.so_sodetails ORDER BY random() LIMIT 1")
        self.book.write(statement, value, line)

    def _amount(self) -> Decimal:
        return Decimal(self.dice.randint(-10_000, 1_000_000)) / 100
