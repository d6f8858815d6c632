"""How often a fault is tried, and from which seed: once in the suite, many times for who asks for it.

``WORKSPACE_FAULT_ROUNDS=50`` tries each fault so often; ``WORKSPACE_FAULT_SEED`` starts from another seed. A failing
round names its seed in the test's id.
"""

import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager

ROUNDS = int(os.environ.get("WORKSPACE_FAULT_ROUNDS", "1"))
FIRST_SEED = int(os.environ.get("WORKSPACE_FAULT_SEED", "1"))
SEEDS = range(FIRST_SEED, FIRST_SEED + ROUNDS)


@contextmanager
def hurried(seed: int) -> Iterator[None]:
    """Let threads take turns as often as the seed says, so that each round is another race."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(random.Random(seed).uniform(0.000_01, 0.005))
    yield
    sys.setswitchinterval(before)
