"""The peers of `bench.bridge`: a bare COPY and merge by hand, and dlt's upsert of the same rows.

Both read the same two files as the bridge and make the same facts of them by a few lines of Python written for these
files alone. The bare table has the columns, keys, indexes and foreign key of the bridge's own; dlt's has no more
than its primary key. Neither keeps versions, days or hashes, quarantines anything, or tells anybody.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

from bench.bridge_folder import Row, read_table
from erp_bridge.canon import TABLES

FACT = TABLES["sales_order_line"]
STATES = {"1": "open", "2": "approved", "3": "open", "4": "cancelled", "5": "shipped", "6": "cancelled"}  # fmt: skip
ROOT_UNIT = "1"
#: What the files say of a line; the table's other columns stay empty.
FILLED = (
    *("source_key", "order_key", "ordered_on", "customer_key", "salesperson_key", "org_unit_key"),
    *("product_key", "quantity", "net", "cost", "shipped_quantity", "shipped_net", "due_on"),
    "state",
)
TABLE = """
    CREATE TABLE bench_line (LIKE erp_sales_order_line INCLUDING ALL,
        FOREIGN KEY (tenant_id, source_id) REFERENCES erp_source (tenant_id, id))
"""
STAGE = f"CREATE TEMP TABLE bench_stage ON COMMIT DROP AS SELECT {', '.join(FILLED)} FROM bench_line LIMIT 0"
COPY = "COPY bench_stage FROM STDIN"
_VALUES = FILLED[1:]
MERGE = f"""
    MERGE INTO bench_line t USING bench_stage s
       ON t.tenant_id = %(tenant)s AND t.source_id = %(source)s AND t.source_key = s.source_key
     WHEN MATCHED AND ({", ".join(f"t.{name}" for name in _VALUES)})
                      IS DISTINCT FROM ({", ".join(f"s.{name}" for name in _VALUES)})
     THEN UPDATE SET {", ".join(f"{name} = s.{name}" for name in _VALUES)}
     WHEN NOT MATCHED THEN
          INSERT (tenant_id, source_id, hash, batch_id, seen_at, stream, {", ".join(FILLED)})
          VALUES (%(tenant)s, %(source)s, '', %(source)s, now(), 'order_lines',
                  {", ".join(f"s.{name}" for name in FILLED)})
"""
DIFFERENT = f"""
    WITH ours AS (SELECT {", ".join(FILLED)} FROM erp_sales_order_line
                   WHERE tenant_id = %(tenant)s AND source_id = %(source)s),
         theirs AS (SELECT {", ".join(FILLED)} FROM bench_line
                     WHERE tenant_id = %(tenant)s AND source_id = %(source)s)
    SELECT count(*) FROM ((TABLE ours EXCEPT TABLE theirs) UNION ALL (TABLE theirs EXCEPT TABLE ours)) d
"""


class BareLoad:
    """COPY into a temporary table and one guarded merge, in one transaction."""

    def __init__(self, place: dict[str, str]) -> None:
        self._connection = psycopg.connect(place["database_url"], autocommit=True)
        self._folder = Path(place["folder"])

    def load(self, order: dict[str, Any]) -> int:
        """Load the lines that are in the folder; gives how many were new or different."""
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.execute(STAGE.encode())
            with cursor.copy(COPY.encode()) as copy:
                for fact in facts(self._folder):
                    copy.write_row(fact)
            cursor.execute("ANALYZE bench_stage")
            cursor.execute(MERGE.encode(), order)
            return cursor.rowcount

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


class DltLoad:
    """dlt's merge with the upsert strategy, by CSV files: the fastest of its ways that take rows."""

    def __init__(self, place: dict[str, str]) -> None:
        import dlt  # noqa: PLC0415 - a peer that few have installed

        self._dlt = dlt
        self._folder = Path(place["folder"])
        self._destination = dlt.destinations.postgres(place["database_url"])

    def load(self, order: dict[str, Any]) -> int:
        """Load the lines that are in the folder; dlt does not say how many differed."""
        lines = self._dlt.resource(
            lambda: _typed(facts(self._folder)),
            name="line",
            primary_key="source_key",
            write_disposition={"disposition": "merge", "strategy": "upsert"},
            columns={name: _hint(name) for name in FILLED},
        )
        pipeline = self._dlt.pipeline(
            pipeline_name="bench",
            destination=self._destination,
            dataset_name=f"bench_{order['source'].replace('-', '')}",
            pipelines_dir=str(self._folder.with_name("dlt")),
        )
        pipeline.run(lines, loader_file_format="csv").raise_on_failed_jobs()
        return -1

    def close(self) -> None:
        """Nothing is held."""


def facts(folder: Path) -> Iterator[tuple[Any, ...]]:
    """Every line with what its order says, in the order of ``FILLED``."""
    orders = {row[0]: _head(row) for row in read_table(folder / "orders.csv.gz")}
    for order, line, product, quantity, _, _, net, unit_cost, _ in read_table(
        folder / "order_lines.csv.gz"
    ):
        ordered, customer, salesperson, due, shipped, state = orders[order]
        cost = Decimal(quantity) * Decimal(unit_cost)
        yield (
            *(f"{order}:{line}", order, ordered, customer, salesperson, ROOT_UNIT, product),
            *(quantity, net, cost, quantity if shipped else "0", net if shipped else "0"),
            *(due, state),
        )


def _head(row: Row) -> tuple[Any, ...]:
    ordered, due, shipped, status, customer, salesperson = *row[2:6], *row[7:9]
    return ordered, customer, salesperson or None, due, shipped, STATES[status]


def _typed(rows: Iterator[tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    kinds = {"decimal": Decimal, "date": date.fromisoformat, "text": str}
    makers = [(n, kinds[FACT.fields[n].kind] if n in FACT.fields else str) for n in FILLED]
    for row in rows:
        yield {
            name: None if value is None else make(value)
            for (name, make), value in zip(makers, row, strict=True)
        }


def _hint(name: str) -> dict[str, Any]:
    kind = FACT.fields[name].kind if name in FACT.fields else "text"
    if kind == "decimal":
        return {"data_type": "decimal", "precision": 18, "scale": 6}
    return {"data_type": kind}
