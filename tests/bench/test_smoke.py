"""Every benchmark runs to its end; what it measures is nobody's business here."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from bench import ground
from bench.__main__ import BENCHMARKS, HEADING
from bench.rounds import TOO_SHORT, print_ratio

ROOT = Path(__file__).parents[2]
GIVEN_UP_AFTER_SECONDS = 400
RATIO = re.compile(rf"^ratio .+: (\d+\.\d\d|{TOO_SHORT})$")


def run_quickly(*arguments: str) -> str:
    """Run benchmarks quickly, away from whatever servers the environment names."""
    environment = {
        k: v for k, v in os.environ.items() if not k.endswith(("DATABASE_URL", "REDIS_URL"))
    }
    done = subprocess.run(
        [sys.executable, "-m", *arguments, "--quick"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=GIVEN_UP_AFTER_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.skipif(
    "WORKSPACE_CHECK_BENCHMARKS" not in os.environ,
    reason="THE BENCHMARKS WERE NOT RUN: a quarter of a test process's time; WORKSPACE_CHECK_BENCHMARKS=1 runs them",
)
def test_every_benchmark_runs_and_ends_with_its_ratio():
    parts = run_quickly("bench").split(HEADING)[1:]

    endings = {lines[0]: lines[-1] for part in parts if (lines := part.strip().splitlines())}
    assert [f"bench.{name}" for name in endings] == [b.__name__ for b in BENCHMARKS]
    assert {name: last for name, last in endings.items() if not RATIO.match(last)} == {}


def test_no_benchmark_is_left_out_here():
    runnable = [p for p in (ROOT / "bench").glob("*.py") if "print_ratio(" in p.read_text()]

    left_out = {f"bench.{p.stem}" for p in runnable} - {b.__name__ for b in BENCHMARKS}
    assert left_out == {"bench.rounds"}


@pytest.mark.parametrize("benchmark", BENCHMARKS, ids=lambda module: module.__name__)
def test_each_is_a_command_of_its_own_too(benchmark, monkeypatch):
    asked = []
    monkeypatch.setattr(ground, "run", lambda measure, says: asked.append((measure, says)))

    monkeypatch.delitem(sys.modules, benchmark.__name__)
    runpy.run_module(benchmark.__name__, run_name="__main__")

    [(measure, says)] = asked
    assert (measure.__name__, says) == ("main", benchmark.__doc__)


def test_a_run_too_short_for_a_tick_of_cpu_time_says_so_instead_of_failing(capsys):
    print_ratio({"ours": {"CPU µs": 20.0}, "peer": {"CPU µs": 0.0}}, "ours", "peer", "CPU µs")

    assert capsys.readouterr().out == f"ratio ours / peer, CPU µs: {TOO_SHORT}\n"
