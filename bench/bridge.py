"""Order lines through the ERP bridge: what a load costs beside a bare one and dlt's, its memory, its delay, its idling.

A load: a drop folder's file is read, every row converted by the mapping (looking up, multiplying, choosing), staged
by COPY, compared by hash, joined with its order, written; versions, days whose figures change, what is gone, the
cursor, the batch and its news follow in the same transaction. The peers (`bench.bridge_peers`) read the same files
into the same facts: a bare COPY and guarded MERGE into a table of the same columns, keys and indexes, and dlt's
upsert into one with a primary key alone. Each way runs in a process of its own; all first load everything, then the
file again with a tenth of its lines changed, and at the end the bare table is compared with the bridge's row by row.

A large load (``--rows``, a million if not said) shows memory, and where the CPU goes.

Then the delay from a commit in an ERP to the phone that hears of it, and what a source that is quiet asks of its ERP
(`bench.bridge_delay`). Read the CPU of a row first (loading process plus stores).
"""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.core.ids import new_id
from bench.bridge_delay import measure_delays
from bench.bridge_folder import Folder, prepare_folder
from bench.bridge_peers import DIFFERENT, TABLE
from bench.conversation import Conversation, conversation
from bench.ground import Company, Ground, Options, run
from bench.rounds import Medians, Sample, alternate, print_ratio, print_table
from erp_bridge.models import Source

LINES, LINES_QUICK = 40_000, 1_000
LARGE, LARGE_QUICK = 1_000_000, 2_000
ROUNDS = 3
MEMORY_LIMIT_MB = 200
NO_DLT = """
  !! dlt is not installed, so that peer is LEFT OUT. It is wanted by this benchmark alone:
  !!     python -m pip install -r requirements-bench.txt
"""


@dataclass
class Load:
    """One way of loading, told what to load; each first load is of another company."""

    ground: Ground
    folder: Folder
    way: str
    process: Conversation
    expects_changes: bool = True

    def first(self, company: Company, source_id: UUID) -> Sample:
        """Load every line of a company that has the orders already."""
        return self._loaded("first", company, source_id, self.folder.lines)

    def again(self, company: Company, source_id: UUID) -> Sample:
        """Load the file again, a tenth of it changed."""
        return self._loaded("again", company, source_id, self.folder.changed)

    def told(self, moment: str, company: Company, source_id: UUID, **more: Any) -> dict[str, Any]:
        """Drop the lines of a moment and load them; what the process says of it."""
        self.folder.drop_lines(moment)
        return self.process.ask({"tenant": str(company.id), "source": str(source_id), **more})

    def _loaded(self, moment: str, company: Company, source_id: UUID, wanted: int) -> Sample:
        stores = self.ground.stores_cpu_seconds()
        told = self.told(moment, company, source_id)
        stores = self.ground.stores_cpu_seconds() - stores
        if self.expects_changes and told["changed"] != wanted:
            raise SystemExit(f"{self.way}: {told['changed']} lines changed where {wanted} did")
        rows = self.folder.lines
        return Sample(
            {
                "rows a second": rows / told["seconds"],
                "client CPU µs": told["cpu"] / rows * 1e6,
                "stores CPU µs": stores / rows * 1e6,
                "CPU µs": (told["cpu"] + stores) / rows * 1e6,
                "peak MB": told["peak_mb"],
            }
        )


@contextmanager
def loading(ground: Ground, folder: Folder, way: str) -> Iterator[Load]:
    """Start the process of one way."""
    with conversation("bench.bridge_loading") as process:
        process.tell(
            {
                "way": way,
                "folder": str(folder.path),
                "data_dir": str(ground.folder),
                "database_url": ground.servers.database_url,
                "redis_url": ground.servers.redis_url,
            }
        )
        yield Load(ground, folder, way, process, expects_changes=way != "dlt")


def add_source(company: Company, folder: Folder) -> UUID:
    """Connect the drop folder to a company."""
    now = company.space.now()
    source = Source(
        tenant_id=company.id,
        id=new_id(),
        name="Drop folder",
        connector="files",
        mapping="adventureworks",
        config={"folder": str(folder.path), "encoding": "utf-8"},
        poll_seconds=3600,
        reconcile_seconds=86_400,
        created_at=now,
        # The lines alone are measured; nobody's place in the company follows from them.
        directory_at=now,
    )
    with company.transaction() as session:
        session.add(source)
    return source.id


def company_with_orders(ground: Ground, bridge: Load) -> tuple[Company, UUID]:
    """A new company whose orders have landed and whose lines have not."""
    company = ground.found_company()
    source_id = add_source(company, bridge.folder)
    bridge.folder.drop_lines("none")
    bridge.process.ask({"tenant": str(company.id), "source": str(source_id), "stream": "orders"})
    return company, source_id


def compare_loads(ground: Ground, loads: dict[str, Load], rounds: int) -> Medians:
    """Load by each way in turn, the same companies by all."""
    bridge = loads["bridge"]
    latest: list[tuple[Company, UUID]] = []

    def first_by(load: Load) -> Callable[[], Sample]:
        def first() -> Sample:
            if load is bridge:
                latest[:] = [company_with_orders(ground, bridge)]
            return load.first(*latest[0])

        return first

    def again_by(load: Load) -> Callable[[], Sample]:
        return lambda: load.again(*latest[0])

    contenders = {f"{way}, first load": first_by(load) for way, load in loads.items()}
    contenders |= {f"{way}, a tenth changed": again_by(load) for way, load in loads.items()}
    medians = alternate(contenders, rounds)
    refuse_difference(ground, *latest[0])
    return medians


def refuse_difference(ground: Ground, company: Company, source_id: UUID) -> None:
    """The bare peer must have loaded the very same rows, or its cost means nothing."""
    with ground.owner_connection() as connection:
        rows = connection.execute(DIFFERENT, {"tenant": company.id, "source": source_id})
        different = rows.fetchone()
    if different != (0,):
        raise SystemExit(f"bridge and bare load differ in {different} rows")


def print_large(ground: Ground, lines: int) -> None:
    """Load many lines at once: memory, and where the CPU goes."""
    folder = prepare_folder(ground.folder / "large", lines)
    with loading(ground, folder, "bridge") as load:
        company, source_id = company_with_orders(ground, load)
        for moment, name in (("first", "first load"), ("again", "a tenth changed")):
            told = load.told(moment, company, source_id, costs=True)
            print(f"\n{folder.lines:,} lines at once, {name}: where the CPU of a line goes, µs")
            _print_costs(told, folder.lines)
    print(
        f"\npeak memory of the loading process: {told['peak_mb']:.0f} MB (limit {MEMORY_LIMIT_MB})"
    )


def _print_costs(told: dict[str, Any], rows: int) -> None:
    client = told["client"]
    client["stage, and all else in Python"] = told["cpu"] - sum(client.values())
    for where, costs in (("client", client), ("PostgreSQL", told["stores"])):
        for purpose, seconds in sorted(costs.items(), key=lambda cost: -cost[1]):
            if seconds / rows >= 5e-9:
                print(f"  {where:<10}  {purpose:<46}{seconds / rows * 1e6:>8.2f}")
    total = told["cpu"] + sum(told["stores"].values())
    print(f"  {'':<10}  {'together':<46}{total / rows * 1e6:>8.2f}", end="")
    print(f"   {rows / told['seconds']:,.0f} rows a second, {told['peak_mb']:.0f} MB at most")


def print_loads(ground: Ground, options: Options) -> Medians:
    """Compare the ways of loading and print the table."""
    folder = prepare_folder(ground.folder / "drop", LINES_QUICK if options.is_quick else LINES)
    ways = ["bridge", "bare", *(["dlt"] if importlib.util.find_spec("dlt") else [])]
    with ExitStack() as stack, ground.owner_connection() as connection:
        connection.execute(TABLE)
        loads = {way: stack.enter_context(loading(ground, folder, way)) for way in ways}
        medians = compare_loads(ground, loads, 1 if options.is_quick else ROUNDS)
    print(f"{folder.origin}: {folder.lines:,} lines, in a process each\n")
    print_table(medians)
    if "dlt" not in ways:
        print(NO_DLT, file=sys.stderr)
    return medians


def main(ground: Ground, options: Options) -> None:
    """Measure and print."""
    medians = print_loads(ground, options)
    print_large(ground, options.rows or (LARGE_QUICK if options.is_quick else LARGE))
    measure_delays(ground, is_quick=options.is_quick)
    print()
    for peer in ("dlt", "bare"):
        for load in ("a tenth changed", "first load"):
            if f"{peer}, {load}" in medians:
                print_ratio(medians, f"bridge, {load}", f"{peer}, {load}", "CPU µs")


if __name__ == "__main__":
    run(main, __doc__)
