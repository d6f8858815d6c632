"""Run every benchmark, one after another over the same servers: ``python -m bench``, or quickly with ``--quick``."""

from types import ModuleType

from bench import bridge, feed_page, home, redpackets, sockets
from bench.ground import options_of, prepared_ground

#: Those with a worker come last: it keeps running, and would number the facts of those that follow.
BENCHMARKS: tuple[ModuleType, ...] = (feed_page, home, redpackets, bridge, sockets)
HEADING = "== bench."


def main() -> None:
    """Measure and print everything."""
    options = options_of(__doc__)
    with prepared_ground() as ground:
        for benchmark in BENCHMARKS:
            print(f"{HEADING}{benchmark.__name__.removeprefix('bench.')}\n", flush=True)
            benchmark.main(ground, options)


if __name__ == "__main__":
    main()
