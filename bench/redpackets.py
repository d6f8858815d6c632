"""Red packets in a rush, past the gate: a crowd on one packet of 500 shares, and on a thousand packets of 20.

At the level of the driver, in a process for each core with as many threads as the api has: *grab* is the product's
whole way in but for HTTP; *bare SKIP LOCKED* is the least that is correct with PostgreSQL alone, without callers,
facts or states; *raw commit* changes a row nobody else touches, one statement and one commit: the limit of wins, over
one connection for each process, which is all that its writer of winners has, and over as many as people tap at a time.
Then through HTTP, beside the bare application's reading of one row behind the same check of a token, and its committing
of one: where most win, an attempt is a durable win. Then what a gate costs to build, and what it takes to verify a
ledger of a million entries.

After every rush the sums are checked: each share was given once, repeats got the same answer, the amounts make up
their packet. A benchmark of wrong sums stops. Wall times depend on the machine; read the ratios.
"""

import time
from contextlib import ExitStack
from statistics import median

from app.core.work import Database
from bench.big_ledger import fill_ledger
from bench.crowd import PROCESSES, TAPPING, Crowd, Prepare, crowd
from bench.generator import Generator, generator, get, post
from bench.ground import Ground, Options, run
from bench.rounds import Medians, alternate, print_ratio, print_table
from bench.rush import Plan, Rush, prepare
from bench.serving import measured, serve_api, serve_bare
from bench.taking import (
    bare_taker,
    committing,
    row_writer,
    rushing,
    service_taker,
    through_http,
)
from redpackets.chain import SEALED_TOGETHER_MAX, seal_entries
from redpackets.verification import verify_ledger

PLANS = (
    Plan("one packet of 500", packets=1, shares=500, audience=20_000, repeats=5_000),
    Plan("1,000 packets of 20", packets=1_000, shares=20, audience=20, repeats=5_000),
)
QUICK_PLANS = (
    Plan("one packet of 20", packets=1, shares=20, audience=50, repeats=20),
    Plan("4 packets of 5", packets=4, shares=5, audience=5, repeats=5),
)
OURS, BARE = "grab", "bare SKIP LOCKED"
#: By the connections used: the product's writer of winners has one a process.
RAW = {f"raw commit, {count} connections": count for count in (PROCESSES, TAPPING)}
REBUILDS = 15
ENTRIES, QUICK_ENTRIES = 1_000_000, 400


def main(ground: Ground, options: Options) -> None:
    """Measure and print everything."""
    plans = QUICK_PLANS if options.is_quick else PLANS
    rounds = min(options.rounds, 3)
    with generator() as load:
        rushes = [prepare(ground, plan) for plan in plans]
        for rush in rushes:
            _print_driver(rush, rounds)
        _print_rebuild(rushes[0])
        for rush in rushes:
            _seal(rush.ground, rush.company.id)
            _verify(rush.ground, rush.company.id)
        _print_verification(ground, QUICK_ENTRIES if options.is_quick else ENTRIES)
        _print_http(rushes, load, rounds, options.seconds)


def _print_driver(rush: Rush, rounds: int) -> None:
    ground, commits = rush.ground, min(rush.plan.attempts, 5_000)
    with ExitStack() as stack:

        def begin(prepare: Prepare, tapping: int = TAPPING) -> Crowd:
            return stack.enter_context(crowd(ground.settings, prepare, tapping))

        ours, bare = begin(service_taker), begin(bare_taker)
        raw = {name: begin(row_writer, count) for name, count in RAW.items()}
        # A living company has given before, and the planner knows what its tables hold: so does everybody's here.
        rushing(rush, ours)()
        ground.tidy_up()
        medians = alternate(
            {
                OURS: rushing(rush, ours),
                BARE: rushing(rush, bare),
                **{name: committing(ground, each, commits) for name, each in raw.items()},
            },
            rounds,
        )
    print(f"\n{rush.plan.name}, {rush.plan.attempts:,} attempts, through the service\n")
    print_table(medians)
    print_ratio(medians, OURS, BARE, "per second")
    print_ratio(medians, OURS, BARE, "database CPU µs")
    print_ratio(medians, OURS, BARE, "stores CPU µs")
    for name in RAW:
        print_ratio(medians, OURS, name, "wins a second")


def _print_rebuild(rush: Rush) -> None:
    packet_id, space = rush.send(next(iter(rush.units))), rush.company.space
    milliseconds = []
    for _ in range(REBUILDS):
        began = time.perf_counter()
        rush.entrance.build(rush.company.id, packet_id, space.now())
        milliseconds.append((time.perf_counter() - began) * 1000)
    size = f"{rush.plan.shares} shares and {rush.plan.audience:,} members"
    print(f"\ngate of {size} built in {median(milliseconds):.1f} ms (median)")


def _seal(ground: Ground, tenant_id: object) -> None:
    """Do the worker's part: what is not sealed for minutes would be a deviation of its own."""
    sealed = SEALED_TOGETHER_MAX
    while sealed == SEALED_TOGETHER_MAX:
        with ground.space.database.transaction(tenant_id) as session:  # type: ignore[arg-type]
            sealed = seal_entries(session)


def _verify(ground: Ground, tenant_id: object) -> float:
    """Verify a company's ledger past the time a request may take, and say how long it took."""
    patient = Database(ground.settings, statement_seconds=600)
    try:
        began = time.perf_counter()
        with patient.transaction(tenant_id) as session:  # type: ignore[arg-type]
            found = verify_ledger(session)
        seconds = time.perf_counter() - began
    finally:
        patient.close()
    if not found.holds:
        raise SystemExit(f"the ledger does not hold: {found.deviations[:5]}")
    return seconds


def _print_verification(ground: Ground, entries: int) -> None:
    company, count = fill_ledger(ground, entries)
    print(f"ledger of {count:,} entries verified in {_verify(ground, company.id):.1f} s")


def _print_http(rushes: list[Rush], load: Generator, rounds: int, seconds: float) -> None:
    ground = rushes[0].ground
    bare, api = serve_bare(ground), serve_api(ground)
    token = next(iter(rushes[0].units.values()))[0][1]
    paths = [f"/signed-in/rows/{number}" for number in range(1, 1_001)]
    peers = {
        "bare signed-in read": measured(bare, load, [get(path, token) for path in paths], seconds),
        "bare signed-in commit": measured(
            bare, load, [post(path, token) for path in paths], seconds
        ),
    }
    for rush in rushes:
        medians: Medians = alternate(
            {"grab over HTTP": through_http(rush, api, load)} | peers, rounds
        )
        print(f"\n{rush.plan.name}, {rush.plan.attempts:,} attempts, through HTTP\n")
        print_table(medians)
        for peer in peers:
            print_ratio(medians, "grab over HTTP", peer, "CPU µs")
            print_ratio(medians, "grab over HTTP", peer, "per second")


if __name__ == "__main__":
    run(main, __doc__)
