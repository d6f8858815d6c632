"""What survives behind the gateway: an ERP where somebody edits at random, and a line that fails at random."""

import os
import random
from collections.abc import Callable

import psycopg
import pytest

from erp_bridge.connectors import pacing
from tests.builders.company import Company
from tests.erp_bridge.bridge import connect
from tests.erp_bridge.doubles import u8_gateway
from tests.erp_bridge.doubles.u8_gateway import U8Gateway
from tests.erp_bridge.u8_book import U8Book
from tests.erp_bridge.u8_editor import Editor

#: How many random stories are told; a few in the suite, many when somebody asks.
SEEDS = int(os.environ.get("WORKSPACE_SURVIVAL_SEEDS", "2"))
ROUNDS = 6
STREAMS = ("sales_orders", "sales_order_lines")
FAULTS = (u8_gateway.too_often, u8_gateway.token_expired, u8_gateway.broken, u8_gateway.html)
LANDED_LINES = """
    SELECT source_key, order_key, ordered_on, salesperson_key, org_unit_key, net, state
      FROM erp_sales_order_line WHERE deleted_at IS NULL ORDER BY 1
"""
LINES_IN_THE_ERP = """
    SELECT m.csocode || ':' || row_number() OVER (PARTITION BY d.id ORDER BY d.autoid), m.csocode, m.ddate,
           m.cpersoncode, m.cdepcode, d.inatmoney::numeric(18, 6),
           CASE WHEN d.cscloser IS NOT NULL OR m.ccloser IS NOT NULL THEN 'closed'
                WHEN m.cverifier IS NOT NULL THEN 'approved' ELSE 'open' END
      FROM u8.so_sodetails d JOIN u8.so_somain m USING (id) ORDER BY 1
"""
LANDED_ORDERS = "SELECT code, ordered_on, salesperson_key FROM erp_sales_order WHERE deleted_at IS NULL ORDER BY 1"
ORDERS_IN_THE_ERP = "SELECT csocode, ddate, cpersoncode FROM u8.so_somain ORDER BY 1"


@pytest.mark.parametrize("seed", range(SEEDS))
def test_after_a_random_editor_stops_the_facts_equal_the_erp_row_for_row(
    company: Company, gateway: U8Gateway, book: U8Book, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(pacing, "BACKOFF_SECONDS", 0.001)
    dice = random.Random(seed)
    # Once everything is read in full every time, once only what the lists show to have changed.
    pace = {"rows_per_page": 7, "reread_seconds": 0 if seed % 2 else 3_600}
    bridge = connect(company, "u8_openapi", "u8_openapi", **gateway.settings(**pace))
    editor = _Editor(book, dice)
    for _ in range(ROUNDS):
        for _ in range(8):
            editor.act()
        gateway.faults = [dice.choice(FAULTS) for _ in range(dice.choice([0, 0, 1, 5]))]
        gateway.between_pages = dice.choice([None, editor.act])
        bridge.sync(streams=STREAMS, reconcile=dice.random() < 0.3)
    editor.stop()
    gateway.faults, gateway.between_pages = [], None
    company.clock.move(hours=2)
    # So much may be gone at once that a stream halted, as it should: somebody looks and lets it go on.
    for _ in range(2):
        report = bridge.sync(streams=STREAMS, reconcile=True, release=True)
    assert {outcome.problem for outcome in report.streams.values()} == {None}
    with psycopg.connect(book.url) as connection:
        assert bridge.rows(LANDED_LINES) == connection.execute(LINES_IN_THE_ERP).fetchall() != []
        assert bridge.rows(LANDED_ORDERS) == connection.execute(ORDERS_IN_THE_ERP).fetchall()


class _Editor(Editor):
    """Also deletes whole orders, and now and then uses their codes again."""

    def deeds(self) -> list[Callable[[], None]]:
        return [*super().deeds(), self._delete_order, self._replace_order]

    def _delete_order(self) -> None:
        # Somebody always leaves a few to work on.
        if self.book.one("SELECT count(*) FROM u8.so_somain") > 6:
            self._delete_some_order()

    def _replace_order(self) -> None:
        code = self._delete_some_order()
        order = self.book.order(self.dice.choice(["2", "3", None]))
        self.book.line(order, self._amount())
        self.book.write("UPDATE u8.so_somain SET csocode = %s WHERE id = %s", code, order)

    def _delete_some_order(self) -> str:
        order, code = self.book.one(
            "SELECT id, csocode FROM u8.so_somain ORDER BY random() LIMIT 1"
        )
        self.book.write("DELETE FROM u8.so_sodetails WHERE id = %s", order)
        self.book.write("DELETE FROM u8.so_somain WHERE id = %s", order)
        return str(code)
