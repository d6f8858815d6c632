"""How many random editors the survival tests set loose."""

import os

SEEDS = range(1, 1 + int(os.environ.get("WORKSPACE_SURVIVAL_SEEDS", "2")))
