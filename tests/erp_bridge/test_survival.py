"""What survives: a bridge that is killed at the worst moment, and an ERP where somebody edits at random."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from app.core.settings import Settings
from tests.builders.company import Company
from tests.erp_bridge.bridge import Bridge, connect
from tests.erp_bridge.u8_book import U8Book
from tests.erp_bridge.u8_editor import Editor

ROOT = Path(__file__).parents[2]
LANDED = """
    SELECT source_key, order_key, ordered_on, salesperson_key, org_unit_key, net, state
      FROM erp_sales_order_line WHERE deleted_at IS NULL ORDER BY 1
"""
IN_THE_ERP = """
    SELECT d.autoid::text, d.id::text, m.ddate, m.cpersoncode, m.cdepcode, d.inatmoney::numeric(18, 6),
           CASE WHEN d.cscloser IS NOT NULL OR m.ccloser IS NOT NULL THEN 'closed'
                WHEN m.cverifier IS NOT NULL THEN 'approved' ELSE 'open' END
      FROM u8.so_sodetails d JOIN u8.so_somain m USING (id) ORDER BY 1
"""


def test_a_bridge_killed_between_merge_and_commit_ends_like_one_that_never_was(
    u8: Bridge, book: U8Book, other_company: Company, settings: Settings
) -> None:
    book.office()
    order = book.order()
    for net in range(25):
        book.line(order, net)
    for deadly in (1, 2, 2, 3):
        assert _run(u8, settings, deadly) == -signal.SIGKILL
        _no_batch_is_half(u8)
    assert _run(u8, settings, 0) == 0
    clean = connect(other_company, "u8_sql", "u8", url=book.reader_url)
    clean.sync()
    assert u8.rows(LANDED) == clean.rows(LANDED) != []
    count = "SELECT sum(rows_changed) FROM erp_batch"
    assert u8.one(count) == clean.one(count)


def _run(bridge: Bridge, settings: Settings, deadly: int) -> int:
    command = [
        sys.executable,
        "-m",
        "tests.erp_bridge.dying_run",
        settings.database_url,
        settings.database_role_prefix,
        str(bridge.company.tenant_id),
        str(bridge.source_id),
        str(deadly),
    ]
    environment = os.environ | {"WORKSPACE_SECRET_KEY": settings.secret_key}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def _no_batch_is_half(bridge: Bridge) -> None:
    """Every landed row belongs to a batch that is recorded, and every batch has all of its rows."""
    orphans = (
        "SELECT count(*) FROM erp_sales_order_line WHERE batch_id NOT IN (SELECT id FROM erp_batch)"
    )
    assert bridge.one(orphans) == 0
    lines = bridge.one("SELECT count(*) FROM erp_sales_order_line")
    told = "SELECT coalesce(sum(rows_changed), 0) FROM erp_batch WHERE stream = 'sales_order_lines'"
    assert bridge.one(told) == lines


SETTLED_SECONDS = 20
#: How many random stories are told; a few in the suite, many when somebody asks.
SEEDS = int(os.environ.get("WORKSPACE_SURVIVAL_SEEDS", "2"))


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_after_a_random_editor_stops_the_facts_equal_the_erp_row_for_row(
    u8: Bridge, book: U8Book, seed: int
) -> None:
    book.office()
    editor = Editor(book, random.Random(seed))
    for _ in range(12):
        for _ in range(8):
            editor.act()
        u8.sync(reconcile=editor.dice.random() < 0.3)
    editor.stop()
    assert book.settle(SETTLED_SECONDS)
    # So many deletions at once may have halted a stream, as they should: somebody looks and lets it go on.
    u8.sync(reconcile=True, release=True)
    u8.sync(reconcile=True, release=True)
    landed = u8.rows(LANDED)
    with psycopg.connect(book.url) as connection:
        assert landed == connection.execute(IN_THE_ERP).fetchall()
    assert landed
