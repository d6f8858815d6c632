"""A process of its own that loads in one way: by the bridge, by the bare peer or by dlt.

Reads JSON lines and answers each with one. The first says where everything is:
``{"way": …, "folder": …, "data_dir": …, "database_url": …, "redis_url": …}``; every other one orders a load,
``{"tenant": …, "source": …, "stream": …, "costs": bool}``, and is answered with what it took: CPU seconds of this
process, wall seconds, rows changed, and the most memory this process has ever had.
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

#: Each process has only what its way of loading needs.
WAYS = {
    "bridge": ("bench.bridge_ours", "BridgeLoad"),
    "bare": ("bench.bridge_peers", "BareLoad"),
    "dlt": ("bench.bridge_peers", "DltLoad"),
}


def peak_megabytes() -> float:
    """The most memory this process has had at once; 0 where the system does not tell."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    found = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(found.split()[1]) / 1024


def _answer(loader: Any, order: dict[str, Any]) -> dict[str, Any]:
    costs = loader.watched() if order.get("costs") else None
    began, own = time.perf_counter(), time.process_time()
    changed = loader.load(order)
    answer = {
        "cpu": time.process_time() - own,
        "seconds": time.perf_counter() - began,
        "changed": changed,
        "peak_mb": peak_megabytes(),
    }
    if costs is not None:
        costs.stop()
        answer["stores"] = dict(costs.seconds)
        answer["client"] = loader.client_costs(order)
    return answer


def main() -> None:
    """Answer until the input ends."""
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    place = json.loads(sys.stdin.readline())
    module, name = WAYS[place["way"]]
    loader = getattr(importlib.import_module(module), name)(place)
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_answer(loader, json.loads(line))) + "\n")
        sys.stdout.flush()
    loader.close()


if __name__ == "__main__":
    main()
