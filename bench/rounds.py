"""Alternating rounds, medians, the table and the ratio."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Sample:
    """The figures of one round, by name."""

    figures: Mapping[str, float]


#: One comparison's rounds together.
SECONDS_MAX = 60.0

#: Instead of a ratio.
TOO_SHORT = "too short to tell"

Contenders = Mapping[str, Callable[[], Sample]]
Medians = dict[str, dict[str, float]]


def alternate(contenders: Contenders, rounds: int) -> Medians:
    """Measure A B A B …, so that what else the machine does falls on all alike; medians by contender and figure.

    On a machine that is slow today there are fewer rounds, but one at least.
    """
    samples: dict[str, list[Sample]] = {name: [] for name in contenders}
    began = time.monotonic()
    for done in range(1, rounds + 1):
        for name, measure in contenders.items():
            samples[name].append(measure())
        if (time.monotonic() - began) * (done + 1) / done > SECONDS_MAX:
            break
    return {name: _medians(taken) for name, taken in samples.items()}


def _medians(samples: list[Sample]) -> dict[str, float]:
    names = samples[0].figures
    return {name: median(sample.figures[name] for sample in samples) for name in names}


def print_table(medians: Medians) -> None:
    """Print a line for each contender, a column for each figure."""
    columns = list(dict.fromkeys(name for figures in medians.values() for name in figures))
    width = max(len(name) for name in medians)
    print(" " * width + "".join(f"{column:>20}" for column in columns))
    for name, figures in medians.items():
        cells = (f"{figures[c]:>20,.1f}" if c in figures else f"{'–':>20}" for c in columns)
        print(f"{name:<{width}}" + "".join(cells))


def print_ratio(medians: Medians, ours: str, peer: str, figure: str) -> None:
    """Print the last line: how many times the peer's figure ours is.

    CPU time is counted in ticks of 10 ms, so a quick run's may be none at all; then there is no ratio.
    """
    beside = medians[peer][figure]
    ratio = f"{medians[ours][figure] / beside:.2f}" if beside else TOO_SHORT
    print(f"ratio {ours} / {peer}, {figure}: {ratio}")
